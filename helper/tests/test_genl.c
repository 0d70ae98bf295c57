// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink against the kernel that is there, by a family that all have (nlctrl)
 * and one that most have and that sends extended acks (ethtool).
 */
#include "unit.h"

#include <errno.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>

#include "genl.h"

static struct ss_genl genl;
static int messages;

static void count(int cmd, struct nlattr *attrs, int len, void *arg)
{
	(void)cmd;
	assert_ptr_equal(arg, &messages);
	assert_non_null(nla_find(attrs, len, CTRL_ATTR_FAMILY_NAME));
	messages++;
}

/* The module may be loaded or not; any other family does */
static int open_family(const char *name)
{
	int ret = ss_genl_open(&genl);

	assert_true(ret == 0 || ret == -ENOENT);
	ret = genl_ctrl_resolve(genl.sk, name);
	genl.family = ret;
	return ret;
}

static void takes_answers_and_dumps(void **state)
{
	struct nl_msg *msg;

	(void)state;
	assert_int_equal(open_family("nlctrl"), GENL_ID_CTRL);
	messages = 0;
	msg = ss_genl_message(&genl, CTRL_CMD_GETFAMILY, 0);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "nlctrl");
	assert_int_equal(ss_genl_call(&genl, msg, count, &messages), 0);
	assert_int_equal(messages, 1);
	msg = ss_genl_message(&genl, CTRL_CMD_GETFAMILY, NLM_F_DUMP);
	assert_int_equal(ss_genl_call(&genl, msg, count, &messages), 0);
	assert_true(messages > 1);
	ss_genl_close(&genl);
	ss_genl_close(&genl);
}

static void tells_errors(void **state)
{
	struct nl_msg *msg;

	(void)state;
	open_family("nlctrl");
	for (int i = 0; i < 3; i++) {
		msg = ss_genl_message(&genl, CTRL_CMD_GETFAMILY, 0);
		nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "nobody-has-this");
		assert_int_equal(ss_genl_call(&genl, msg, count, &messages), -ENOENT);
	}
	assert_int_equal(ss_genl_call(&genl, NULL, NULL, NULL), -ENOMEM);
	assert_int_equal(ss_genl_call(&genl, ss_genl_message(&genl, 200, 0), NULL, NULL),
			 -EOPNOTSUPP);
	ss_genl_close(&genl);
}

static void keeps_extended_acks(void **state)
{
	struct nlattr *nest;
	struct nl_msg *msg;

	(void)state;
	if (open_family("ethtool") < 0) {
		ss_genl_close(&genl);
		print_message("# not done: it is not there\n");
		return;
	}
	msg = ss_genl_message(&genl, ETHTOOL_MSG_LINKINFO_GET, 0);
	nest = nla_nest_start(msg, NLA_F_NESTED | ETHTOOL_A_LINKINFO_HEADER);
	nla_put_string(msg, ETHTOOL_A_HEADER_DEV_NAME, "nosuchif0");
	nla_nest_end(msg, nest);
	assert_int_equal(ss_genl_call(&genl, msg, NULL, NULL), -ENODEV);
	assert_string_equal(genl.extack, "no device matches name");
	/* A dump's error comes with its end, or in front of it */
	msg = ss_genl_message(&genl, ETHTOOL_MSG_LINKINFO_GET, NLM_F_DUMP);
	nla_put_u32(msg, 200, 1);
	assert_true(ss_genl_call(&genl, msg, NULL, NULL) < 0);
	assert_true(genl.extack[0]);
	ss_genl_close(&genl);
}

static void joins_groups(void **state)
{
	(void)state;
	if (ss_genl_open(&genl)) {
		assert_true(ss_genl_join(&genl, "work") < 0);
		ss_genl_close(&genl);
		print_message("# not done: it is not there\n");
		return;
	}
	assert_int_equal(ss_genl_join(&genl, "events"), 0);
	assert_int_equal(ss_genl_receive(&genl, NULL, NULL), -EAGAIN);
	ss_genl_close(&genl);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_answers_and_dumps),
		cmocka_unit_test(tells_errors),
		cmocka_unit_test(keeps_extended_acks),
		cmocka_unit_test(joins_groups),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
