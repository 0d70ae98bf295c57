// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the place of proto/genl.c: a kernel of shared memory, so that the helper's
 * processes can be tested without the module.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <netlink/genl/genl.h>

#include "proto/genl.h"
#include "tests/support/fake_genl.h"

struct fake *fake;

void fake_make(void)
{
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert(fake != MAP_FAILED);
	fake->bell = eventfd(0, EFD_NONBLOCK);
	assert(fake->bell >= 0);
}

void fake_ring(void)
{
	uint64_t one = 1;

	assert(write(fake->bell, &one, sizeof(one)) == sizeof(one));
}

int ss_genl_open(struct ss_genl *genl)
{
	memset(genl, 0, sizeof(*genl));
	genl->family = 1000;
	return 0;
}

void ss_genl_close(struct ss_genl *genl)
{
	(void)genl;
}

struct nl_msg *ss_genl_message(struct ss_genl *genl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc_size(65536);

	assert(genlmsg_put(msg, 1, 1, genl->family, 0, flags, cmd, 1));
	return msg;
}

static int answer_accept(struct fake_request *req, ss_genl_fn fn, void *arg)
{
	struct nl_msg *msg = nlmsg_alloc_size(2 * FAKE_AV_SIZE);
	uint8_t v4[4] = { 10, 0, 1, 2 }, v6[16] = { 0xfd, 0, [15] = 2 };

	req->attempt++;
	atomic_store(&req->state, FAKE_HANDED);
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, 1000 + (req - fake->req));
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_FD, dup(req->fd));
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_SIZE, req->size);
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_TIMEOUT, req->timeout);
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_ATTEMPT, req->attempt);
	nla_put_u64(msg, SMTPSPLICE_A_SCAN_SESSION, req - fake->req);
	nla_put_string(msg, SMTPSPLICE_A_SCAN_POLICY, "mail-in");
	nla_put_string(msg, SMTPSPLICE_A_SCAN_IIF, "lan");
	nla_put(msg, SMTPSPLICE_A_SCAN_CLIENT, sizeof(v4), v4);
	nla_put_u16(msg, SMTPSPLICE_A_SCAN_CLIENT_PORT, 40000);
	nla_put(msg, SMTPSPLICE_A_SCAN_SERVER, sizeof(v6), v6);
	nla_put_u16(msg, SMTPSPLICE_A_SCAN_SERVER_PORT, 25);
	nla_put(msg, SMTPSPLICE_A_SCAN_HELO, 8, "c\nlient\xff");
	nla_put(msg, SMTPSPLICE_A_SCAN_SENDER, 0, "");
	nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, 13, "a@example.org");
	nla_put(msg, SMTPSPLICE_A_SCAN_RCPT, 13, "b@example.org");
	nla_put_u32(msg, SMTPSPLICE_A_SCAN_RCPT_COUNT, 2);
	if (req->splice)
		nla_put_u32(msg, SMTPSPLICE_A_SCAN_MODE, SMTPSPLICE_MODE_SPLICE);
	if (req->av_len)
		nla_put(msg, NLA_F_NESTED | SMTPSPLICE_A_SCAN_AV, (int)req->av_len, req->av);
	fn(SMTPSPLICE_CMD_SCAN_ACCEPT, nlmsg_attrdata(nlmsg_hdr(msg), 0),
	   nlmsg_attrlen(nlmsg_hdr(msg), 0), arg);
	nlmsg_free(msg);
	return 0;
}

static int do_accept(ss_genl_fn fn, void *arg)
{
	if (atomic_load(&fake->registered) != getpid())
		return -EPERM;
	for (int i = 0; i < FAKE_REQUESTS; i++)
		if (atomic_load(&fake->req[i].state) == FAKE_QUEUED)
			return answer_accept(&fake->req[i], fn, arg);
	return -EAGAIN;
}

static void copy_string(char *dst, size_t size, struct nlattr *nla)
{
	if (nla)
		snprintf(dst, size, "%s", nla_get_string(nla));
}

/* As the kernel does: only what is sealed, and goes with accept */
static int take_replacement(struct fake_request *req, struct nlattr *nla)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int fd = nla ? nla_get_s32(nla) : -1;

	req->replacement_len = 0;
	if (!nla)
		return 0;
	if ((fcntl(fd, F_GET_SEALS) & seals) != seals || req->splice ||
	    req->verdict != SMTPSPLICE_VERDICT_ACCEPT)
		return -EINVAL;
	req->replacement_len = pread(fd, req->replacement, sizeof(req->replacement) - 1, 0);
	return req->replacement_len < 0 ? -errno : 0;
}

static int do_verdict(struct ss_genl *genl, struct nlattr **a)
{
	uint64_t n = nla_get_u64(a[SMTPSPLICE_A_SCAN_COOKIE]) - 1000;
	struct fake_request *req;

	assert(n < FAKE_REQUESTS);
	req = &fake->req[n];
	if (atomic_load(&req->state) != FAKE_HANDED || atomic_load(&fake->late)) {
		atomic_store(&req->state, FAKE_NONE);
		return -ENOENT;
	}
	req->verdicts++;
	req->verdict = nla_get_u32(a[SMTPSPLICE_A_SCAN_VERDICT]);
	if (req->verdicts <= req->refuse ||
	    take_replacement(req, a[SMTPSPLICE_A_SCAN_REPLACEMENT])) {
		strcpy(genl->extack, "no such replacement");
		return -EINVAL;
	}
	req->unscanned = a[SMTPSPLICE_A_SCAN_UNSCANNED] ?
			 nla_get_u32(a[SMTPSPLICE_A_SCAN_UNSCANNED]) : 0;
	req->infected = a[SMTPSPLICE_A_SCAN_INFECTED];
	copy_string(req->tag, sizeof(req->tag), a[SMTPSPLICE_A_SCAN_TAG]);
	copy_string(req->reply, sizeof(req->reply), a[SMTPSPLICE_A_SCAN_REPLY]);
	copy_string(req->virus, sizeof(req->virus), a[SMTPSPLICE_A_SCAN_VIRUS]);
	copy_string(req->file, sizeof(req->file), a[SMTPSPLICE_A_SCAN_FILE]);
	atomic_store(&req->state, FAKE_ANSWERED);
	return 0;
}

static int answer_handshake(struct fake_handshake *hs, ss_genl_fn fn, void *arg)
{
	struct nl_msg *msg = nlmsg_alloc_size(16384);
	uint8_t v4[4] = { 10, 0, 1, 2 }, v6[16] = { 0xfd, 0, [15] = 2 };
	struct nlattr *nest;

	atomic_store(&hs->state, FAKE_HANDED);
	atomic_fetch_add(&fake->handed, 1);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, 1000 + (hs - fake->hs));
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_FD, dup(FAKE_CLIENT_FD));
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_FD, dup(FAKE_SERVER_FD));
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, hs->timeout);
	nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_SESSION, hs - fake->hs);
	nla_put_string(msg, SMTPSPLICE_A_HANDSHAKE_POLICY, "mail-in");
	nla_put_string(msg, SMTPSPLICE_A_HANDSHAKE_IIF, "lan");
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT, sizeof(v4), v4);
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_PORT, 40000);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, sizeof(v6), v6);
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, 25);
	nla_put_flag(msg, SMTPSPLICE_A_HANDSHAKE_STARTTLS);
	nest = nla_nest_start(msg, NLA_F_NESTED | SMTPSPLICE_A_HANDSHAKE_TLS);
	nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, "*.example.org");
	nla_nest_end(msg, nest);
	fn(SMTPSPLICE_CMD_HANDSHAKE_ACCEPT, nlmsg_attrdata(nlmsg_hdr(msg), 0),
	   nlmsg_attrlen(nlmsg_hdr(msg), 0), arg);
	nlmsg_free(msg);
	return 0;
}

static int do_handshake(ss_genl_fn fn, void *arg)
{
	if (atomic_load(&fake->registered) != getpid() ||
	    !(atomic_load(&fake->roles) & SMTPSPLICE_ROLE_TLS))
		return -EPERM;
	for (int i = 0; i < FAKE_HANDSHAKES; i++)
		if (atomic_load(&fake->hs[i].state) == FAKE_QUEUED)
			return answer_handshake(&fake->hs[i], fn, arg);
	return -EAGAIN;
}

static void copy_secrets(struct fake_secrets *s, struct nlattr *nla)
{
	s->len = nla ? nla_len(nla) : 0;
	assert(s->len <= FAKE_SECRETS_SIZE);
	if (nla)
		memcpy(s->octets, nla_data(nla), s->len);
}

static int do_done(struct ss_genl *genl, struct nlattr **a)
{
	uint64_t n = nla_get_u64(a[SMTPSPLICE_A_HANDSHAKE_COOKIE]) - 1000;
	uint32_t result = nla_get_u32(a[SMTPSPLICE_A_HANDSHAKE_RESULT]);
	struct fake_handshake *hs;

	assert(n < FAKE_HANDSHAKES);
	hs = &fake->hs[n];
	if (atomic_load(&hs->state) != FAKE_HANDED || atomic_load(&fake->late)) {
		atomic_store(&hs->state, FAKE_NONE);
		return -ENOENT;
	}
	if (result == SMTPSPLICE_TLS_RESULT_INSPECTED && atomic_load(&fake->refuse)) {
		strcpy(genl->extack, "no kTLS");
		return -EINVAL;
	}
	hs->result = result;
	hs->cause = nla_get_u32(a[SMTPSPLICE_A_HANDSHAKE_CAUSE]);
	copy_string(hs->server_name, sizeof(hs->server_name),
		    a[SMTPSPLICE_A_HANDSHAKE_SERVER_NAME]);
	copy_string(hs->version, sizeof(hs->version), a[SMTPSPLICE_A_HANDSHAKE_VERSION]);
	copy_string(hs->cipher, sizeof(hs->cipher), a[SMTPSPLICE_A_HANDSHAKE_CIPHER]);
	copy_string(hs->text, sizeof(hs->text), a[SMTPSPLICE_A_HANDSHAKE_TEXT]);
	copy_secrets(&hs->client, a[SMTPSPLICE_A_HANDSHAKE_CLIENT_SECRETS]);
	copy_secrets(&hs->server, a[SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS]);
	atomic_store(&hs->state, FAKE_ANSWERED);
	return 0;
}

/* The attribute sets "tls" and "av" are alike */
static int do_profile(struct fake_profile *p, int cmd, struct nlattr **a)
{
	p->cmd = cmd;
	copy_string(p->name, sizeof(p->name), a[SMTPSPLICE_A_TLS_NAME]);
	p->len = nla_len(a[SMTPSPLICE_A_TLS_PROFILE]);
	memcpy(p->attrs, nla_data(a[SMTPSPLICE_A_TLS_PROFILE]), p->len);
	return 0;
}

static int do_get_profile(const struct fake_profile *p, int cmd, ss_genl_fn fn, void *arg)
{
	struct nl_msg *msg = nlmsg_alloc_size(sizeof(*p));

	if (p->cmd) {
		nla_put_string(msg, SMTPSPLICE_A_TLS_NAME, p->name);
		nla_put(msg, NLA_F_NESTED | SMTPSPLICE_A_TLS_PROFILE, p->len, p->attrs);
		nla_put_u32(msg, SMTPSPLICE_A_TLS_POLICIES, 2);
		fn(cmd, nlmsg_attrdata(nlmsg_hdr(msg), 0),
		   nlmsg_attrlen(nlmsg_hdr(msg), 0), arg);
	}
	nlmsg_free(msg);
	return 0;
}

static int do_say(struct genlmsghdr *hdr)
{
	struct fake_said *said = &fake->said;

	said->cmd = hdr->cmd;
	said->len = genlmsg_attrlen(hdr, 0);
	assert(said->len <= (int)sizeof(said->attrs));
	memcpy(said->attrs, genlmsg_attrdata(hdr, 0), said->len);
	return 0;
}

static int do_list(int cmd, ss_genl_fn fn, void *arg)
{
	struct fake_said *said = &fake->said;

	if (said->cmd == cmd)
		fn(cmd, (struct nlattr *)said->attrs, said->len, arg);
	return 0;
}

int ss_genl_call(struct ss_genl *genl, struct nl_msg *msg, ss_genl_fn fn, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *a[SMTPSPLICE_A_SCAN_MAX + 1];
	int ret = 0;

	genl->extack[0] = '\0';
	assert(!genlmsg_parse(nlmsg_hdr(msg), 0, a, SMTPSPLICE_A_SCAN_MAX, NULL));
	switch (hdr->cmd) {
	case SMTPSPLICE_CMD_REGISTER:
		if (atomic_load(&fake->busy)) {
			strcpy(genl->extack, "role scan is taken");
			ret = -EBUSY;
		} else {
			atomic_store(&fake->roles, nla_get_u32(a[SMTPSPLICE_A_HELPER_ROLES]));
			atomic_store(&fake->registered, getpid());
		}
		break;
	case SMTPSPLICE_CMD_SCAN_ACCEPT:
		ret = do_accept(fn, arg);
		break;
	case SMTPSPLICE_CMD_SCAN_VERDICT:
		ret = do_verdict(genl, a);
		break;
	case SMTPSPLICE_CMD_HANDSHAKE_ACCEPT:
		ret = do_handshake(fn, arg);
		break;
	case SMTPSPLICE_CMD_HANDSHAKE_DONE:
		ret = do_done(genl, a);
		break;
	case SMTPSPLICE_CMD_TLS_ADD:
	case SMTPSPLICE_CMD_TLS_SET:
		ret = do_profile(&fake->profile, hdr->cmd, a);
		break;
	case SMTPSPLICE_CMD_TLS_GET:
		ret = do_get_profile(&fake->profile, hdr->cmd, fn, arg);
		break;
	case SMTPSPLICE_CMD_AV_ADD:
	case SMTPSPLICE_CMD_AV_SET:
		ret = do_profile(&fake->av, hdr->cmd, a);
		break;
	case SMTPSPLICE_CMD_AV_GET:
		ret = do_get_profile(&fake->av, hdr->cmd, fn, arg);
		break;
	case SMTPSPLICE_CMD_POLICY_ADD:
	case SMTPSPLICE_CMD_SETTINGS_SET:
		ret = do_say(hdr);
		break;
	case SMTPSPLICE_CMD_POLICY_GET:
		ret = do_list(SMTPSPLICE_CMD_POLICY_ADD, fn, arg);
		break;
	case SMTPSPLICE_CMD_SETTINGS_GET:
		ret = do_list(SMTPSPLICE_CMD_SETTINGS_SET, fn, arg);
		break;
	}
	if (!ret && nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP && fake->changes) {
		fake->changes--;
		ret = -EINTR;
	}
	nlmsg_free(msg);
	return ret;
}

int ss_genl_join(struct ss_genl *genl, const char *group)
{
	(void)genl;
	(void)group;
	return 0;
}

int ss_genl_receive(struct ss_genl *genl, ss_genl_fn fn, void *arg)
{
	uint64_t rings;

	(void)genl;
	if (read(fake->bell, &rings, sizeof(rings)) != sizeof(rings))
		return -EAGAIN;
	if (fake->event.cmd) {
		fn(fake->event.cmd, (struct nlattr *)fake->event.attrs, fake->event.len, arg);
		raise(SIGTERM);
		return 0;
	}
	fn(SMTPSPLICE_CMD_SCAN_READY, NULL, 0, arg);
	if (atomic_load(&fake->tls_bell))
		fn(SMTPSPLICE_CMD_HANDSHAKE_READY, NULL, 0, arg);
	return 0;
}

int ss_genl_fd(struct ss_genl *genl)
{
	(void)genl;
	return fake->bell;
}
