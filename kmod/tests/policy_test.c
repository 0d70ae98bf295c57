// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of policy.c: which flow is picked, in which order, and what a request
 * may say. Requests are made of netlink attributes and go through the family's
 * own attribute policy; the policies are in the module's own state of init_net,
 * with listeners and hooks.
 */
#include <linux/etherdevice.h>
#include <linux/inet.h>
#include <linux/netdevice.h>
#include <net/genetlink.h>

#include "../addr.h"
#include "../net.h"
#include "../netlink-gen.h"
#include "../policy.h"
#include "../steer.h"
#include "rig.h"

#define PREFIXES	3
#define PORTS		3

/**
 * struct spec - what a request for a policy says
 * @name: left out for NULL, as are all others that are not set
 * @iif: input interface
 * @src: source prefixes, "ADDRESS/LENGTH"
 * @dst: destination prefixes
 * @ports: ports
 * @fill: number of further ports
 * @position: position
 * @mode: mode
 * @addr_len: octets of each address, 0 for those that it has
 * @no_addr: prefixes without address
 * @no_len: prefixes without length
 */
struct spec {
	const char *name;
	const char *iif;
	const char *src[PREFIXES];
	const char *dst[PREFIXES];
	u16 ports[PORTS];
	u32 fill;
	u32 position;
	u32 mode;
	int addr_len;
	bool no_addr;
	bool no_len;
};

/**
 * struct bench - what a test works with
 * @sn: the state of init_net
 * @dev: an interface to come in by; never registered, only its name is read
 * @extack: text that the last request was told
 * @skb: room for a request or a dump
 */
struct bench {
	struct ss_net *sn;
	struct net_device *dev;
	struct netlink_ext_ack extack;
	struct sk_buff *skb;
};

static void free_skb(void *skb)
{
	kfree_skb(skb);
}

static int policy_init(struct kunit *test)
{
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->sn = ss_net_get(&init_net);
	KUNIT_ASSERT_EQ(test, b->sn->policy_count, 0);
	b->dev = kunit_kzalloc(test, sizeof(*b->dev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->dev);
	strscpy(b->dev->name, "in0");
	b->skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->skb);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, free_skb, b->skb));
	test->priv = b;
	return 0;
}

static void policy_exit(struct kunit *test)
{
	struct bench *b = test->priv;

	if (!b)
		return;
	ss_policy_flush(b->sn);
	KUNIT_EXPECT_EQ(test, b->sn->policy_count, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&b->sn->policies));
}

/* --- requests ------------------------------------------------------------ */

/* Reads an address up to @end. Return: its length, 4 or 16. */
static int parse_ip(struct kunit *test, const char *text, char end,
		    struct in6_addr *ip, const char **rest)
{
	if (in4_pton(text, -1, (u8 *)ip, end, rest))
		return 4;
	KUNIT_ASSERT_TRUE(test, in6_pton(text, -1, (u8 *)ip, end, rest));
	return 16;
}

static void put_prefix(struct kunit *test, int attr, const char *text,
		       const struct spec *spec)
{
	struct in6_addr ip[2] = {};
	struct bench *b = test->priv;
	struct nlattr *nest;
	const char *slash;
	int len;
	u8 bits;

	len = parse_ip(test, text, '/', ip, &slash);
	KUNIT_ASSERT_EQ(test, kstrtou8(slash + 1, 10, &bits), 0);
	nest = nla_nest_start(b->skb, attr);
	KUNIT_ASSERT_NOT_NULL(test, nest);
	if (!spec->no_addr)
		KUNIT_ASSERT_EQ(test, 0,
				nla_put(b->skb, SMTPSPLICE_A_PREFIX_ADDR,
					spec->addr_len ?: len, ip));
	if (!spec->no_len)
		KUNIT_ASSERT_EQ(test, 0,
				nla_put_u8(b->skb, SMTPSPLICE_A_PREFIX_LEN,
					   bits));
	nla_nest_end(b->skb, nest);
}

static void put_u16(struct kunit *test, int attr, u16 value)
{
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ(test, nla_put_u16(b->skb, attr, value), 0);
}

static void put_u32(struct kunit *test, int attr, u32 value)
{
	struct bench *b = test->priv;

	if (value)
		KUNIT_ASSERT_EQ(test, nla_put_u32(b->skb, attr, value), 0);
}

static void put_string(struct kunit *test, int attr, const char *value)
{
	struct bench *b = test->priv;

	if (value)
		KUNIT_ASSERT_EQ(test, nla_put_string(b->skb, attr, value), 0);
}

static void put_spec(struct kunit *test, const struct spec *spec)
{
	u32 i;

	put_string(test, SMTPSPLICE_A_POLICY_NAME, spec->name);
	put_string(test, SMTPSPLICE_A_POLICY_IIF, spec->iif);
	for (i = 0; i < PREFIXES && spec->src[i]; i++)
		put_prefix(test, SMTPSPLICE_A_POLICY_SRC, spec->src[i], spec);
	for (i = 0; i < PREFIXES && spec->dst[i]; i++)
		put_prefix(test, SMTPSPLICE_A_POLICY_DST, spec->dst[i], spec);
	for (i = 0; i < PORTS && spec->ports[i]; i++)
		put_u16(test, SMTPSPLICE_A_POLICY_PORT, spec->ports[i]);
	for (i = 1; i <= spec->fill; i++)
		put_u16(test, SMTPSPLICE_A_POLICY_PORT, 1000 + i);
	put_u32(test, SMTPSPLICE_A_POLICY_MODE, spec->mode);
	put_u32(test, SMTPSPLICE_A_POLICY_POSITION, spec->position);
}

static const struct genl_split_ops *find_op(struct kunit *test, u8 cmd)
{
	const struct genl_family *f = &smtpsplice_nl_family;
	int i;

	for (i = 0; i < f->n_split_ops; i++) {
		if (f->split_ops[i].cmd == cmd)
			return &f->split_ops[i];
	}
	KUNIT_FAIL_AND_ABORT(test, "no such command");
	return NULL;
}

/* Does what genetlink does with a request, but for its permission. */
static int request(struct kunit *test, u8 cmd, const struct spec *spec,
		   int (*doit)(struct ss_net *sn, struct genl_info *info))
{
	const struct genl_split_ops *op = find_op(test, cmd);
	struct nlattr *attrs[SMTPSPLICE_A_POLICY_MAX + 1];
	struct bench *b = test->priv;
	struct genl_info info = {
		.family = &smtpsplice_nl_family,
		.attrs = attrs,
		.extack = &b->extack,
	};
	void *hdr;
	int err;

	skb_trim(b->skb, 0);
	b->extack._msg = NULL;
	hdr = genlmsg_put(b->skb, 0, 0, info.family, 0, cmd);
	KUNIT_ASSERT_NOT_NULL(test, hdr);
	put_spec(test, spec);
	genlmsg_end(b->skb, hdr);
	info.nlhdr = nlmsg_hdr(b->skb);
	info.genlhdr = nlmsg_data(info.nlhdr);
	genl_info_net_set(&info, &init_net);
	memset(attrs, 0, sizeof(attrs));
	err = nlmsg_parse(info.nlhdr, GENL_HDRLEN, attrs, op->maxattr,
			  op->policy, &b->extack);
	return err ?: doit(b->sn, &info);
}

static int add_policy(struct ss_net *sn, struct genl_info *info)
{
	return ss_policy_add(sn, info, ss_steer_start);
}

static int add(struct kunit *test, const struct spec *spec)
{
	return request(test, SMTPSPLICE_CMD_POLICY_ADD, spec, add_policy);
}

static int del(struct kunit *test, const char *name)
{
	const struct spec spec = { .name = name };

	return request(test, SMTPSPLICE_CMD_POLICY_DEL, &spec, ss_policy_del);
}

static void must_add(struct kunit *test, const struct spec *spec)
{
	struct bench *b = test->priv;

	KUNIT_ASSERT_EQ_MSG(test, add(test, spec), 0, "%s: %s", spec->name,
			    b->extack._msg ?: "");
}

static struct ss_addr address(struct kunit *test, const char *text, u16 port)
{
	struct ss_addr a = { .port = htons(port) };
	int len = parse_ip(test, text, 0, &a.ip.v6, NULL);

	a.family = len == 4 ? AF_INET : AF_INET6;
	return a;
}

/* The name of the policy that picks a flow, or "" for none. */
static const char *match_on(struct kunit *test, const struct net_device *dev,
			    const char *src, const char *dst, u16 port)
{
	struct ss_addr from = address(test, src, 40000);
	struct ss_addr to = address(test, dst, port);
	struct bench *b = test->priv;
	const struct ss_policy *p;
	const char *name;

	rcu_read_lock();
	p = ss_policy_match(b->sn, dev, &from, &to);
	/* it stays until the test deletes it */
	name = p ? p->name : "";
	rcu_read_unlock();
	return name;
}

static const char *match(struct kunit *test, const char *src, const char *dst,
			 u16 port)
{
	struct bench *b = test->priv;

	return match_on(test, b->dev, src, dst, port);
}

/* The policies in order, their names in one string. */
static void expect_order(struct kunit *test, const char *names)
{
	struct bench *b = test->priv;
	const struct ss_policy *p;
	char got[64] = "";
	u32 count = 0;

	mutex_lock(&b->sn->lock);
	list_for_each_entry(p, &b->sn->policies, node) {
		strlcat(got, p->name, sizeof(got));
		count++;
	}
	mutex_unlock(&b->sn->lock);
	KUNIT_EXPECT_STREQ(test, got, names);
	KUNIT_EXPECT_EQ(test, b->sn->policy_count, count);
}

/* --- matching ------------------------------------------------------------ */

static void first_match_wins(struct kunit *test)
{
	static const struct spec narrow = {
		.name = "narrow", .dst = { "10.0.2.2/32" }, .ports = { 25 },
	}, wide = {
		.name = "wide", .dst = { "10.0.0.0/8" }, .ports = { 25 },
	}, first = {
		.name = "first", .dst = { "10.0.0.0/8" }, .ports = { 25 },
		.position = 1,
	};

	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25), "");
	must_add(test, &narrow);
	must_add(test, &wide);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25),
			   "narrow");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.3", 25),
			   "wide");
	/* not the best match */
	must_add(test, &first);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25),
			   "first");
	KUNIT_EXPECT_EQ(test, del(test, "first"), 0);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25),
			   "narrow");
	KUNIT_EXPECT_EQ(test, del(test, "narrow"), 0);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25),
			   "wide");
	KUNIT_EXPECT_EQ(test, del(test, "wide"), 0);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25), "");
}

/**
 * struct border - addresses in and around a prefix
 * @prefix: the prefix
 * @in: addresses in it
 * @out: addresses that are not
 */
struct border {
	const char *prefix;
	const char *in[3];
	const char *out[4];
};

static const struct border borders[] = {
	{ "0.0.0.0/0", { "0.0.0.0", "10.0.2.1", "255.255.255.255" },
	  { "::", "::ffff:10.0.2.1", "fd00::1" } },
	{ "128.0.0.0/1", { "128.0.0.0", "255.255.255.255" },
	  { "127.255.255.255", "0.0.0.0" } },
	{ "10.0.0.0/8", { "10.0.0.0", "10.255.255.255" },
	  { "9.255.255.255", "11.0.0.0", "0.0.0.10" } },
	{ "10.0.2.0/24", { "10.0.2.0", "10.0.2.255" },
	  { "10.0.1.255", "10.0.3.0", "2.0.10.0" } },
	{ "10.0.2.2/31", { "10.0.2.2", "10.0.2.3" },
	  { "10.0.2.1", "10.0.2.4" } },
	{ "10.0.2.2/32", { "10.0.2.2" },
	  { "10.0.2.3", "10.0.2.1", "138.0.2.2", "10.0.2.130" } },
	{ "0.0.0.0/32", { "0.0.0.0" }, { "0.0.0.1", "128.0.0.0", "::" } },
	{ "::/0", { "::", "fd00:2::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	  { "0.0.0.0", "10.0.2.1" } },
	{ "8000::/1", { "8000::", "ffff::1" }, { "7fff:ffff::", "::1" } },
	{ "fd00:2::/32", { "fd00:2::", "fd00:2:ffff:ffff:ffff:ffff:ffff:ffff" },
	  { "fd00:1:ffff:ffff:ffff:ffff:ffff:ffff", "fd00:3::" } },
	{ "fd00:2:8000::/33", { "fd00:2:8000::1", "fd00:2:ffff::1" },
	  { "fd00:2:7fff::1", "fd00:3:8000::1" } },
	{ "fd00:2::/64", { "fd00:2::", "fd00:2::ffff:ffff:ffff:ffff" },
	  { "fd00:2:0:1::", "fd00:1::1", "fd00:3::" } },
	{ "fd00:2::8000:0:0:0/65", { "fd00:2::8000:0:0:1", "fd00:2::ffff:0:0:0" },
	  { "fd00:2::7fff:0:0:1", "fd00:2::1" } },
	{ "fd00:2::2/127", { "fd00:2::2", "fd00:2::3" },
	  { "fd00:2::1", "fd00:2::4" } },
	{ "fd00:2::2/128", { "fd00:2::2" },
	  { "fd00:2::3", "fd00:2::1", "7d00:2::2", "fd00:2::8000:0:0:2" } },
	{ "::/128", { "::" }, { "::1", "8000::", "0.0.0.0" } },
	{ "::ffff:10.0.2.0/120", { "::ffff:10.0.2.1" }, { "10.0.2.1" } },
};

KUNIT_ARRAY_PARAM_DESC(borders, borders, prefix);

/* As a source and as a destination. */
static void prefix_has(struct kunit *test)
{
	const struct border *p = test->param_value;
	const struct spec to = {
		.name = "to", .dst = { p->prefix }, .ports = { 25 },
	}, from = {
		.name = "from", .src = { p->prefix }, .ports = { 26 },
	};
	int i;

	must_add(test, &to);
	must_add(test, &from);
	for (i = 0; i < ARRAY_SIZE(p->in) && p->in[i]; i++) {
		const char *in = p->in[i];

		KUNIT_EXPECT_STREQ_MSG(test, match(test, in, in, 25), "to",
				       "%s", in);
		KUNIT_EXPECT_STREQ_MSG(test, match(test, in, in, 26), "from",
				       "%s", in);
	}
	for (i = 0; i < ARRAY_SIZE(p->out) && p->out[i]; i++) {
		const char *out = p->out[i];

		KUNIT_EXPECT_STREQ_MSG(test, match(test, out, out, 25), "",
				       "%s", out);
		KUNIT_EXPECT_STREQ_MSG(test, match(test, out, out, 26), "",
				       "%s", out);
	}
}

static void source_and_destination(struct kunit *test)
{
	static const struct spec both = {
		.name = "both", .ports = { 25 },
		.src = { "10.0.1.0/24", "10.0.5.0/24", "fd00:1::/64" },
		.dst = { "10.0.2.0/24", "10.0.6.0/24", "fd00:2::/64" },
	};

	must_add(test, &both);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25), "both");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.5.2", "10.0.2.2", 25), "both");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.6.2", 25), "both");
	KUNIT_EXPECT_STREQ(test, match(test, "fd00:1::2", "fd00:2::2", 25),
			   "both");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.3.2", 25), "");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.3.2", "10.0.2.2", 25), "");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.2.2", "10.0.1.2", 25), "");
	KUNIT_EXPECT_STREQ(test, match(test, "fd00:2::2", "fd00:1::2", 25), "");
}

static void ports(struct kunit *test)
{
	static const struct spec some = {
		.name = "some", .ports = { 25, 587, 65535 },
	};

	must_add(test, &some);
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 25), "some");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 587),
			   "some");
	KUNIT_EXPECT_STREQ(test, match(test, "fd00::1", "fd00::2", 65535),
			   "some");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 26), "");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 0), "");
	/* 25 in the other byte order; the client's port */
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 6400), "");
	KUNIT_EXPECT_STREQ(test, match(test, "10.0.1.2", "10.0.2.2", 40000), "");
}

/* --- interfaces ---------------------------------------------------------- */

#define LINK_NAME	"ss-kunit0"

static const struct net_device_ops no_ops;

static void set_up_link(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &no_ops;
	dev->needs_free_netdev = true;
}

static void remove_link(void *dev)
{
	unregister_netdev(dev);
}

static struct net_device *add_link(struct kunit *test)
{
	struct net_device *dev;

	dev = alloc_netdev(0, LINK_NAME, NET_NAME_USER, set_up_link);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	if (register_netdev(dev)) {
		free_netdev(dev);
		KUNIT_FAIL_AND_ABORT(test, "no interface");
	}
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, remove_link, dev));
	return dev;
}

static void interface_by_name(struct kunit *test)
{
	static const struct spec spec = {
		.name = "p", .iif = LINK_NAME, .ports = { 25 },
	};
	struct bench *b = test->priv;
	struct net_device *dev;

	/* a name that is not there is a mistake */
	KUNIT_EXPECT_EQ(test, add(test, &spec), -ENODEV);
	KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	expect_order(test, "");

	dev = add_link(test);
	must_add(test, &spec);
	KUNIT_EXPECT_STREQ(test, match_on(test, dev, "::1", "::2", 25), "p");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");
	strscpy(b->dev->name, LINK_NAME "1");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");
	strscpy(b->dev->name, "ss-kunit");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");

	/* it may go, and come again as another one */
	kunit_release_action(test, remove_link, dev);
	expect_order(test, "p");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");
	dev = add_link(test);
	KUNIT_EXPECT_STREQ(test, match_on(test, dev, "::1", "::2", 25), "p");
	kunit_release_action(test, remove_link, dev);
	KUNIT_EXPECT_EQ(test, del(test, "p"), 0);
}

static void any_interface(struct kunit *test)
{
	static const struct spec lo = {
		.name = "lo", .iif = "lo", .ports = { 25 },
	}, any = {
		.name = "any", .ports = { 25 },
	};
	struct bench *b = test->priv;

	must_add(test, &lo);
	must_add(test, &any);
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "any");
	strscpy(b->dev->name, "lo");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "lo");
}

/* --- the list ------------------------------------------------------------ */

static void add_at(struct kunit *test, const char *name, u32 position)
{
	const struct spec spec = {
		.name = name, .ports = { 25 }, .position = position,
	};

	must_add(test, &spec);
}

static void positions(struct kunit *test)
{
	add_at(test, "a", 7);
	expect_order(test, "a");
	add_at(test, "b", 0);
	expect_order(test, "ab");
	add_at(test, "c", 1);
	expect_order(test, "cab");
	add_at(test, "d", 2);
	expect_order(test, "cdab");
	add_at(test, "e", 4);
	expect_order(test, "cdaeb");
	/* right behind the last one, and far behind it */
	add_at(test, "f", 6);
	expect_order(test, "cdaebf");
	add_at(test, "g", U32_MAX);
	expect_order(test, "cdaebfg");

	KUNIT_EXPECT_EQ(test, del(test, "a"), 0);
	expect_order(test, "cdebfg");
	KUNIT_EXPECT_EQ(test, del(test, "c"), 0);
	expect_order(test, "debfg");
	KUNIT_EXPECT_EQ(test, del(test, "g"), 0);
	expect_order(test, "debf");
	/* positions are those of what is there now */
	add_at(test, "h", 2);
	expect_order(test, "dhebf");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "d");
}

static void names_are_unique(struct kunit *test)
{
	static const struct spec spec = { .name = "p", .ports = { 25 } };
	struct bench *b = test->priv;
	u32 gen;

	KUNIT_EXPECT_EQ(test, del(test, "p"), -ENOENT);
	KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	gen = b->sn->policy_gen;
	must_add(test, &spec);
	KUNIT_EXPECT_NE(test, b->sn->policy_gen, gen);
	gen = b->sn->policy_gen;
	KUNIT_EXPECT_EQ(test, add(test, &spec), -EEXIST);
	KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	KUNIT_EXPECT_EQ(test, del(test, "P"), -ENOENT);
	KUNIT_EXPECT_EQ(test, del(test, "pp"), -ENOENT);
	KUNIT_EXPECT_EQ(test, b->sn->policy_gen, gen);
	expect_order(test, "p");
	KUNIT_EXPECT_EQ(test, del(test, "p"), 0);
	KUNIT_EXPECT_NE(test, b->sn->policy_gen, gen);
	KUNIT_EXPECT_EQ(test, del(test, "p"), -ENOENT);
	must_add(test, &spec);
	expect_order(test, "p");
}

/* A session keeps the policy that picked it. */
static void deleted_policy_lives_on(struct kunit *test)
{
	static const struct spec spec = { .name = "p", .ports = { 25 } };
	struct bench *b = test->priv;
	struct ss_policy *p;

	must_add(test, &spec);
	p = list_first_entry(&b->sn->policies, struct ss_policy, node);
	KUNIT_EXPECT_EQ(test, refcount_read(&p->users), 1);
	ss_policy_hold(p);
	KUNIT_EXPECT_EQ(test, del(test, "p"), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&p->users), 1);
	KUNIT_EXPECT_STREQ(test, p->name, "p");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");
	ss_policy_put(p);
}

static void flush_deletes_all(struct kunit *test)
{
	struct bench *b = test->priv;

	add_at(test, "a", 0);
	add_at(test, "b", 0);
	ss_policy_flush(b->sn);
	expect_order(test, "");
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 25), "");
	add_at(test, "a", 0);
	expect_order(test, "a");
}

/**
 * struct mistake - a request that is refused
 * @what: fault of the request
 * @spec: the request
 * @err: error that is returned
 */
struct mistake {
	const char *what;
	struct spec spec;
	int err;
};

static const struct mistake mistakes[] = {
	{ "no name", { .ports = { 25 } }, -EINVAL },
	{ "empty name", { .name = "", .ports = { 25 } }, -EINVAL },
	{ "blank in the name", { .name = "a b", .ports = { 25 } }, -EINVAL },
	{ "quote in the name", { .name = "a\"", .ports = { 25 } }, -EINVAL },
	{ "slash in the name", { .name = "a/b", .ports = { 25 } }, -EINVAL },
	{ "line feed in the name", { .name = "a\n", .ports = { 25 } }, -EINVAL },
	{ "8 bit name", { .name = "\xc3\xa4", .ports = { 25 } }, -EINVAL },
	{ "32 octets of name",
	  { .name = "0123456789abcdef0123456789abcdef", .ports = { 25 } },
	  -EINVAL },
	{ "no port", { .name = "p" }, -EINVAL },
	{ "33 ports", { .name = "p", .fill = 33 }, -EINVAL },
	{ "no such interface",
	  { .name = "p", .iif = "ss-absent", .ports = { 25 } }, -ENODEV },
	{ "unknown mode", { .name = "p", .ports = { 25 }, .mode = 7 }, -ERANGE },
	{ "33 bits of IPv4",
	  { .name = "p", .dst = { "10.0.0.0/33" }, .ports = { 25 } }, -EINVAL },
	{ "128 bits of IPv4",
	  { .name = "p", .src = { "10.0.0.0/128" }, .ports = { 25 } }, -EINVAL },
	{ "129 bits of IPv6",
	  { .name = "p", .dst = { "fd00::/129" }, .ports = { 25 } }, -ERANGE },
	{ "host bits of IPv4",
	  { .name = "p", .dst = { "10.0.2.1/24" }, .ports = { 25 } }, -EINVAL },
	{ "host bits of 0.0.0.0/0",
	  { .name = "p", .dst = { "0.0.0.1/0" }, .ports = { 25 } }, -EINVAL },
	{ "host bits of IPv6",
	  { .name = "p", .src = { "fd00:2::1/64" }, .ports = { 25 } }, -EINVAL },
	{ "host bits of ::/0",
	  { .name = "p", .src = { "::1/0" }, .ports = { 25 } }, -EINVAL },
	{ "second prefix is wrong",
	  { .name = "p", .src = { "10.0.0.0/8", "10.0.0.1/8" }, .ports = { 25 } },
	  -EINVAL },
	{ "address of 5 octets",
	  { .name = "p", .dst = { "10.0.2.0/24" }, .addr_len = 5,
	    .ports = { 25 } }, -EINVAL },
	{ "address of 17 octets",
	  { .name = "p", .dst = { "fd00::/16" }, .addr_len = 17,
	    .ports = { 25 } }, -EINVAL },
	{ "prefix without address",
	  { .name = "p", .dst = { "10.0.2.0/24" }, .no_addr = true,
	    .ports = { 25 } }, -EINVAL },
	{ "prefix without length",
	  { .name = "p", .dst = { "10.0.2.0/24" }, .no_len = true,
	    .ports = { 25 } }, -EINVAL },
};

KUNIT_ARRAY_PARAM_DESC(mistakes, mistakes, what);

/* Refusals have a text for the user, and change nothing. */
static void refuses(struct kunit *test)
{
	const struct mistake *m = test->param_value;
	struct bench *b = test->priv;
	u32 gen = b->sn->policy_gen;

	KUNIT_EXPECT_EQ(test, add(test, &m->spec), m->err);
	/* a missing attribute is told by its number */
	if (m->spec.name)
		KUNIT_EXPECT_NOT_NULL(test, b->extack._msg);
	expect_order(test, "");
	KUNIT_EXPECT_EQ(test, b->sn->policy_gen, gen);
}

/* The most that is allowed. */
static void limits(struct kunit *test)
{
	static const struct spec spec = {
		.name = "0123456789abcdef0123456789abcde", .fill = 32,
	};

	must_add(test, &spec);
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 1001), spec.name);
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 1032), spec.name);
	KUNIT_EXPECT_STREQ(test, match(test, "::1", "::2", 1033), "");
	KUNIT_EXPECT_EQ(test, del(test, spec.name), 0);
}

/* --- the dump ------------------------------------------------------------ */

/* Adds names and positions of what is in @skb. Return: how many policies. */
static u32 read_dump(struct kunit *test, const struct sk_buff *skb,
		     char *names, size_t size, u32 position)
{
	const struct nlmsghdr *nlh = (void *)skb->data;
	int left = skb->len;
	u32 count = 0;

	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		const struct nlattr *name, *pos;

		name = nlmsg_find_attr(nlh, GENL_HDRLEN,
				       SMTPSPLICE_A_POLICY_NAME);
		pos = nlmsg_find_attr(nlh, GENL_HDRLEN,
				      SMTPSPLICE_A_POLICY_POSITION);
		KUNIT_ASSERT_NOT_NULL(test, name);
		KUNIT_ASSERT_NOT_NULL(test, pos);
		strlcat(names, nla_data(name), size);
		KUNIT_EXPECT_EQ(test, nla_get_u32(pos), position + ++count);
	}
	KUNIT_EXPECT_EQ(test, left, 0);
	return count;
}

/* Each policy once, in order, however few go into one message. */
static void dump_in_parts(struct kunit *test)
{
	static const char * const all[] = { "a", "b", "c", "d", "e" };
	struct bench *b = test->priv;
	struct nlmsghdr nlh = { .nlmsg_seq = 1 };
	struct netlink_callback cb = { .skb = b->skb, .nlh = &nlh };
	u32 count = 0, parts = 0;
	struct sk_buff *skb;
	char names[16] = "";
	int n;

	for (n = 0; n < ARRAY_SIZE(all); n++)
		add_at(test, all[n], 0);
	skb = alloc_skb(256, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_skb, skb));
	/* room for two */
	KUNIT_ASSERT_LE(test, 200, skb_tailroom(skb));
	skb_reserve(skb, skb_tailroom(skb) - 200);
	while ((n = ss_policy_dump(b->sn, skb, &cb)) > 0) {
		KUNIT_ASSERT_EQ(test, n, skb->len);
		KUNIT_ASSERT_LT(test, parts++, 5);
		count += read_dump(test, skb, names, sizeof(names), count);
		skb_trim(skb, 0);
	}
	KUNIT_EXPECT_EQ(test, n, 0);
	KUNIT_EXPECT_STREQ(test, names, "abcde");
	KUNIT_EXPECT_GT(test, parts, 1);
}

static struct kunit_case policy_cases[] = {
	KUNIT_CASE(first_match_wins),
	KUNIT_CASE_PARAM(prefix_has, borders_gen_params),
	KUNIT_CASE(source_and_destination),
	KUNIT_CASE(ports),
	KUNIT_CASE(interface_by_name),
	KUNIT_CASE(any_interface),
	KUNIT_CASE(positions),
	KUNIT_CASE(names_are_unique),
	KUNIT_CASE(deleted_policy_lives_on),
	KUNIT_CASE(flush_deletes_all),
	KUNIT_CASE_PARAM(refuses, mistakes_gen_params),
	KUNIT_CASE(limits),
	KUNIT_CASE(dump_in_parts),
	{}
};

static struct kunit_suite policy_suite = {
	.name = "smtpsplice-policy",
	.init = policy_init,
	.exit = policy_exit,
	.test_cases = policy_cases,
};

kunit_test_suite(policy_suite);
