// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink against the kernel that is there, by the one family that all have (nlctrl):
 * the module may be loaded or not.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>

#include "proto/genl.h"

static struct ss_genl genl;
static int messages;

typeof(genl_ctrl_resolve_grp) __real_genl_ctrl_resolve_grp, __wrap_genl_ctrl_resolve_grp;

/* What is asked of the module's family, the controller's answers */
int __wrap_genl_ctrl_resolve_grp(struct nl_sock *sk, const char *family, const char *group)
{
	assert_string_equal(family, SMTPSPLICE_FAMILY_NAME);
	return __real_genl_ctrl_resolve_grp(sk, "nlctrl", group);
}

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

/* The controller itself has something to say to an attribute that is too short */
static struct nl_msg *make_bad(int flags)
{
	struct nl_msg *msg = ss_genl_message(&genl, CTRL_CMD_GETPOLICY, flags);

	nla_put_u8(msg, CTRL_ATTR_FAMILY_ID, 1);
	return msg;
}

static struct nl_msg *make_get(uint8_t id)
{
	struct nl_msg *msg = ss_genl_message(&genl, CTRL_CMD_GETFAMILY, 0);

	nla_put_u8(msg, CTRL_ATTR_FAMILY_ID, id);
	return msg;
}

static void keeps_extended_acks(void **state)
{
	(void)state;
	assert_int_equal(open_family("nlctrl"), GENL_ID_CTRL);
	assert_true(ss_genl_call(&genl, make_bad(NLM_F_DUMP), NULL, NULL) < 0);
	assert_true(genl.extack[0]);
	/* The next call has none */
	assert_int_equal(ss_genl_call(&genl, ss_genl_message(&genl, 200, 0), NULL, NULL),
			 -EOPNOTSUPP);
	assert_string_equal(genl.extack, "");
	assert_true(ss_genl_call(&genl, make_get(1), NULL, NULL) < 0);
	assert_true(genl.extack[0]);
	ss_genl_close(&genl);
}

static void joins_groups(void **state)
{
	(void)state;
	open_family("nlctrl");
	assert_int_equal(ss_genl_join(&genl, "nobody-has-this"), -ENOENT);
	/* It is non-blocking then, or this would wait for ever */
	assert_int_equal(ss_genl_join(&genl, "notify"), 0);
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
