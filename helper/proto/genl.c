// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: one request and its answer at a time, the kernel's extended
 * ack kept. The kernel answers within send(), so that a call blocks for no
 * longer than the kernel works on it. Doorbells and events want a socket of
 * their own: a group that overflows must not cost an answer.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "lib/cleanup.h"
#include "lib/text.h"
#include "proto/genl.h"

#define ANSWER_SECONDS	10

/**
 * struct call - One request under way.
 * @genl: its socket
 * @fn: takes the messages of the answer, or NULL
 * @arg: for @fn
 * @done: the last message has come
 * @error: 0 or a negative errno, when @done
 */
struct call {
	struct ss_genl *genl;
	ss_genl_fn fn;
	void *arg;
	bool done;
	int error;
};

static void cleanup_cb(struct nl_cb **cb)
{
	if (*cb)
		nl_cb_put(*cb);
}

/* libnl has its own error numbers; only those that can come up here matter */
static int errno_of(int nle)
{
	switch (nle < 0 ? -nle : nle) {
	case NLE_SUCCESS:
		return 0;
	case NLE_INTR:
		return -EINTR;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_NOMEM:		/* libnl has no other name for ENOBUFS */
		return -ENOBUFS;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_DUMP_INTR:
		return -EINTR;
	case NLE_MSGSIZE:
		return -EMSGSIZE;
	default:
		return -EPROTO;
	}
}

/* Keep the text of the extended ack that sits behind @hdr's error struct */
static void keep_extack(struct ss_genl *genl, struct nlmsghdr *hdr, int skip)
{
	struct nlattr *msg;
	int len = (int)hdr->nlmsg_len - NLMSG_HDRLEN - NLMSG_ALIGN(skip);

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || len < NLA_HDRLEN)
		return;
	msg = nla_find((struct nlattr *)((char *)nlmsg_data(hdr) + NLMSG_ALIGN(skip)),
		       len, NLMSGERR_ATTR_MSG);
	if (msg)
		ss_text_clean(SS_TEXT_PRINT, genl->extack, sizeof(genl->extack),
			      nla_data(msg), strnlen(nla_data(msg), nla_len(msg)));
}

static int on_error(struct sockaddr_nl *who, struct nlmsgerr *err, void *arg)
{
	struct nlmsghdr *hdr = (void *)((char *)err - NLMSG_HDRLEN);
	struct call *call = arg;
	int skip = sizeof(*err);

	(void)who;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > sizeof(err->msg))
		skip += err->msg.nlmsg_len - sizeof(err->msg);
	if (skip <= (int)hdr->nlmsg_len)
		keep_extack(call->genl, hdr, skip);
	call->error = err->error < 0 ? err->error : -EPROTO;
	call->done = true;
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct call *call = arg;

	(void)msg;
	call->done = true;
	return NL_STOP;
}

/* The end of a dump carries its error, which libnl does not look at */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct call *call = arg;
	int error;

	if (nlmsg_datalen(hdr) >= (int)sizeof(error)) {
		memcpy(&error, nlmsg_data(hdr), sizeof(error));
		if (error < 0) {
			call->error = error;
			keep_extack(call->genl, hdr, sizeof(error));
		}
	}
	call->done = true;
	return NL_OK;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct call *call = arg;
	struct genlmsghdr *ghdr;

	if (hdr->nlmsg_type != call->genl->family || !genlmsg_valid_hdr(hdr, 0))
		return NL_SKIP;
	ghdr = genlmsg_hdr(hdr);
	if (call->fn)
		call->fn(ghdr->cmd, genlmsg_attrdata(ghdr, 0),
			 genlmsg_attrlen(ghdr, 0), call->arg);
	return NL_OK;
}

/* Take any sequence number: what a group brings is no answer to us */
static int any_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static struct nl_cb *make_cb(struct call *call)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, call);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, call);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, call);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, call);
	return cb;
}

static void set_options(struct nl_sock *sk)
{
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int fd = nl_socket_get_fd(sk), on = 1;

	/* All of these may fail on an odd kernel; the calls work all the same */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	nl_socket_enable_msg_peek(sk);
}

int ss_genl_open(struct ss_genl *genl)
{
	int ret;

	memset(genl, 0, sizeof(*genl));
	genl->sk = nl_socket_alloc();
	if (!genl->sk)
		return -ENOMEM;
	ret = genl_connect(genl->sk);
	if (ret < 0)
		return errno_of(ret);
	set_options(genl->sk);
	ret = genl_ctrl_resolve(genl->sk, SMTPSPLICE_FAMILY_NAME);
	if (ret < 0)
		return errno_of(ret);
	genl->family = ret;
	return 0;
}

void ss_genl_close(struct ss_genl *genl)
{
	if (genl->sk)
		nl_socket_free(genl->sk);
	genl->sk = NULL;
}

struct nl_msg *ss_genl_message(struct ss_genl *genl, int cmd, int flags)
{
	bool profile = cmd == SMTPSPLICE_CMD_TLS_ADD || cmd == SMTPSPLICE_CMD_TLS_SET ||
		       cmd == SMTPSPLICE_CMD_AV_ADD || cmd == SMTPSPLICE_CMD_AV_SET;
	/*
	 * Room for the largest: a profile of 2 * 64 patterns; else a policy of
	 * 2 * 32 prefixes, a verdict's texts
	 */
	struct nl_msg *msg = nlmsg_alloc_size(profile ? 65536 : 16384);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, genl->family, 0,
				flags, cmd, SMTPSPLICE_FAMILY_VERSION)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

int ss_genl_call(struct ss_genl *genl, struct nl_msg *msg, ss_genl_fn fn,
		 void *arg)
{
	struct call call = { .genl = genl, .fn = fn, .arg = arg };
	struct nl_cb *cb __cleanup(cleanup_cb) = make_cb(&call);
	int ret;

	genl->extack[0] = '\0';
	if (!msg)
		return -ENOMEM;
	ret = cb ? nl_send_auto(genl->sk, msg) : -NLE_NOMEM;
	nlmsg_free(msg);
	if (ret < 0)
		return errno_of(ret);
	while (!call.done) {
		ret = nl_recvmsgs(genl->sk, cb);
		if (ret < 0 && !call.error)
			return errno_of(ret);
	}
	return call.error;
}

int ss_genl_join(struct ss_genl *genl, const char *group)
{
	int id = genl_ctrl_resolve_grp(genl->sk, SMTPSPLICE_FAMILY_NAME, group);
	int ret;

	if (id < 0)
		return errno_of(id);
	ret = nl_socket_add_membership(genl->sk, id);
	if (ret < 0)
		return errno_of(ret);
	return errno_of(nl_socket_set_nonblocking(genl->sk));
}

int ss_genl_receive(struct ss_genl *genl, ss_genl_fn fn, void *arg)
{
	struct call call = { .genl = genl, .fn = fn, .arg = arg };
	struct nl_cb *cb __cleanup(cleanup_cb) = make_cb(&call);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, any_sequence, NULL);
	ret = nl_recvmsgs(genl->sk, cb);
	return errno_of(ret);
}

int ss_genl_fd(struct ss_genl *genl)
{
	return nl_socket_get_fd(genl->sk);
}
