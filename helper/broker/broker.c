// SPDX-License-Identifier: GPL-2.0
/*
 * The broker: takes work from the kernel, scan requests for the free workers
 * and handshakes for the tls process, hands it on, gives the kernel the results
 * and writes the log. It reads no mail itself, and no TLS.
 *
 * A single thread runs a single poll loop. No other process can make it wait: the kernel answers
 * netlink requests within the call, and what a worker, the scanner or the tls process
 * has no room for is not sent. A worker that does not read, or says what it was not
 * asked, is killed; that costs the message that it has. The disk can make it wait: it
 * opens and names files of the quarantine and writes the log.
 *
 * There are two netlink sockets, since doorbells that nobody reads in time must not push
 * out an answer, which may have a message's descriptor in it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "broker/avlog.h"
#include "broker/broker.h"
#include "broker/reload.h"
#include "broker/scan_request.h"
#include "broker/tls_client.h"
#include "broker/verdict.h"
#include "broker/workers.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/control_msg.h"
#include "proto/genl.h"

#define SAFETY_POLL_MS	5000	/* ask the kernel, should a doorbell be lost */
#define MAX_ATTEMPTS	3	/* then the message is not tried again */
#define REGISTER_TRIES	10	/* a helper that was killed needs a moment to end */
#define REGISTER_MS	100

/**
 * struct broker - The process.
 * @conf: the command line
 * @work: the socket that is registered
 * @bell: the socket that doorbells come in by
 * @reload: the scanners: one serves, another may load or leave
 * @control: from the supervisor
 * @tls: there is a CA, hence a tls process
 * @signals: SIGUSR1
 * @verdicts: gives them, and has the log
 * @workers: the scan workers
 * @parked: a request whose worker turned out to be dead before it began, or NULL
 * @waiting: the kernel may have scan requests
 * @tls_client: handshakes that are with the tls process
 * @handshakes: the kernel may have more of them
 */
struct broker {
	const struct ss_conf *conf;
	struct ss_genl work;
	struct ss_genl bell;
	struct ss_reload reload;
	int control;
	bool tls;
	int signals;
	struct ss_verdicts verdicts;
	struct ss_workers workers;
	struct ss_scan_request *parked;
	bool waiting;
	struct ss_tls_client tls_client;
	bool handshakes;
};

static void __attribute__((noreturn)) die(int status, const char *why)
{
	if (why)
		ss_process_say("%s", why);
	_exit(status);
}

/* End where @ret, an answer of the kernel, says that it does not know this helper */
static void check_known(int ret)
{
	if (ret == -EPERM)
		die(SS_EXIT_AGAIN, "the kernel does not know this helper any more");
}

/* -- workers -------------------------------------------------------------- */

static void on_scanner(struct broker *b)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS];
	struct ss_worker_slot *slot;

	/* The supervisor tells why the scanner has ended */
	if (ss_ipc_recv(b->reload.serving, &msg, sizeof(msg), fds))
		die(SS_EXIT_AGAIN, NULL);
	slot = ss_workers_find_ordered(&b->workers);
	if (!slot || msg.type != SS_IPC_WORKER)
		for (int i = 0; i < SS_IPC_FDS; i++)
			ss_cleanup_fd(&fds[i]);
	if (!slot)
		return;
	if (fds[0] < 0)
		ss_process_say("cannot start a scan worker: %s", strerror(msg.value));
	ss_workers_fill(slot, fds);
}

static void on_next_scanner(struct broker *b)
{
	if (ss_reload_next_event(&b->reload))
		ss_workers_retire(&b->workers);
}

/* Let the scanner of before end when its last worker has */
static void look_after_scanners(struct broker *b)
{
	bool awaits_replacement, outgoing = ss_workers_outgoing(&b->workers, &awaits_replacement);

	if (!awaits_replacement)
		ss_reload_settle(&b->reload);
	if (!outgoing)
		ss_reload_retire(&b->reload);
}

static void look_after_workers(struct broker *b)
{
	int ret = ss_workers_look(&b->workers, b->reload.serving);

	check_known(ret);
	if (ret)	/* The supervisor tells why the scanner has ended */
		die(SS_EXIT_AGAIN, NULL);
}

/* -- requests ------------------------------------------------------------- */

/**
 * struct taken - The answer to a scan-accept.
 * @b: the broker
 * @req: the request, NULL where there is none
 * @error: why it could not be read
 */
struct taken {
	struct broker *b;
	struct ss_scan_request *req;
	int error;
};

static void take_request(int cmd, struct nlattr *attrs, int len, void *arg)
{
	const struct nlattr *pending = nla_find(attrs, len, SMTPSPLICE_A_SCAN_PENDING);
	struct taken *taken = arg;

	if (cmd != SMTPSPLICE_CMD_SCAN_ACCEPT || taken->req)
		return;
	taken->error = ss_scan_request_parse(&taken->req, attrs, len);
	/* The doorbell rings for requests that come later */
	if (pending && nla_len(pending) >= (int)sizeof(uint32_t) && !nla_get_u32(pending))
		taken->b->waiting = false;
}

/* Tell why there is no work: the kernel gave none, or none that could be read (@error) */
static void no_work(struct broker *b, const char *what, int ret, int error)
{
	if (ret == -EAGAIN)
		return;
	if (ret == -ENOENT)
		die(SS_EXIT_USAGE, "kernel module smtpsplice was unloaded");
	if (ret == -EPERM)
		die(SS_EXIT_AGAIN, "the kernel does not know this helper any more");
	if (!ret)	/* The kernel gives it to the next broker */
		die(SS_EXIT_AGAIN, error == -ENOMEM ? "out of memory" :
		    "request of the kernel that makes no sense");
	if (ret == -EPROTO || ret == -ENOBUFS)
		die(SS_EXIT_AGAIN, "lost an answer of the kernel");
	ss_process_say("%s: %s %s", what, strerror(-ret), b->work.extack);
}

/* Take one request. Return: the request, or NULL where none waits. */
static struct ss_scan_request *accept_request(struct broker *b)
{
	struct taken taken = { .b = b };
	int ret;

	ret = ss_genl_call(&b->work,
			   ss_genl_message(&b->work, SMTPSPLICE_CMD_SCAN_ACCEPT, 0),
			   take_request, &taken);
	if (!ret && taken.req)
		return taken.req;
	ss_scan_request_free(taken.req);
	b->waiting = false;
	no_work(b, "scan-accept", ret, taken.error);
	return NULL;
}

/* Give up on the request that waits for a worker when its time is over */
static void look_after_parked(struct broker *b)
{
	struct ss_scan_request *req = b->parked;

	if (!req || ss_process_now() < req->received + ss_workers_time_for(req))
		return;
	b->parked = NULL;
	check_known(ss_verdict_fail(&b->verdicts, req, true, "no scan worker"));
}

static void take_work(struct broker *b)
{
	struct ss_worker_slot *slot;

	while ((b->parked || b->waiting) && (slot = ss_workers_find(&b->workers, SS_WORKER_FREE))) {
		struct ss_scan_request *req = b->parked ? b->parked : accept_request(b);

		b->parked = NULL;
		if (!req)
			return;
		if (req->attempt >= MAX_ATTEMPTS)
			check_known(ss_verdict_fail(&b->verdicts, req, false,
						    "it has ended the helper too often"));
		else if (!ss_workers_start_job(&b->workers, slot, req))
			b->parked = req;
	}
}

/* -- handshakes ----------------------------------------------------------- */

static void put_secrets(struct nl_msg *msg, int attr, const struct ss_tls_secrets *s)
{
	struct nlattr *nla = s->size ? nla_reserve(msg, attr, 2 * s->size) : NULL;

	if (nla) {
		memcpy(nla_data(nla), s->recv, s->size);
		memcpy((uint8_t *)nla_data(nla) + s->size, s->send, s->size);
	}
}

static int send_done(struct broker *b, const struct ss_tls_result *r)
{
	struct nl_msg *msg = ss_genl_message(&b->work, SMTPSPLICE_CMD_HANDSHAKE_DONE, 0);

	if (msg) {
		nla_put_u64(msg, SMTPSPLICE_A_HANDSHAKE_COOKIE, r->cookie);
		nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_RESULT, r->result);
		nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_CAUSE, r->cause);
		ss_verdict_put_text(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_NAME, r->server_name);
		ss_verdict_put_text(msg, SMTPSPLICE_A_HANDSHAKE_VERSION, r->version);
		ss_verdict_put_text(msg, SMTPSPLICE_A_HANDSHAKE_CIPHER, r->cipher);
		ss_verdict_put_text(msg, SMTPSPLICE_A_HANDSHAKE_TEXT, r->text);
		put_secrets(msg, SMTPSPLICE_A_HANDSHAKE_CLIENT_SECRETS, &r->client);
		put_secrets(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_SECRETS, &r->server);
	}
	return ss_genl_call(&b->work, msg, NULL, NULL);
}

static void make_failed(struct ss_tls_result *r, uint32_t cause, const char *text)
{
	r->result = SMTPSPLICE_TLS_RESULT_FAILED;
	r->cause = cause;
	snprintf(r->text, sizeof(r->text), "%s", text);
	explicit_bzero(&r->client, sizeof(r->client));
	explicit_bzero(&r->server, sizeof(r->server));
}

/* Tell the kernel the result; @r is set to what has become of the session */
static void tell_result(struct broker *b, struct ss_tls_result *r)
{
	bool failed = r->result == SMTPSPLICE_TLS_RESULT_FAILED;
	int ret = send_done(b, r);

	if (ret == -EPERM)
		die(SS_EXIT_AGAIN, "the kernel does not know this helper any more");
	if (ret == -ENOENT && !failed)
		make_failed(r, SMTPSPLICE_TLS_CAUSE_TIMEOUT, "the handshakes were done too late");
	if (!ret || ret == -ENOENT)
		return;
	ss_process_say("handshakes refused: %s %s", strerror(-ret), b->work.extack);
	if (failed)
		return;
	make_failed(r, SMTPSPLICE_TLS_CAUSE_HELPER,
		    b->work.extack[0] ? b->work.extack : strerror(-ret));
	send_done(b, r);
}

static void finish_handshake(void *arg, const struct ss_tls_request *hs,
			     const struct ss_tls_result *result)
{
	struct ss_tls_result r = *result;
	struct ss_avlog_handshake rec;
	struct broker *b = arg;

	tell_result(b, &r);
	explicit_bzero(&r.client, sizeof(r.client));
	explicit_bzero(&r.server, sizeof(r.server));
	if (r.result == SMTPSPLICE_TLS_RESULT_INSPECTED)
		return;
	rec = (struct ss_avlog_handshake){
		.flow = &hs->flow,
		.bypassed = r.result == SMTPSPLICE_TLS_RESULT_BYPASSED,
		.cause = r.cause,
		.server_name = r.server_name,
		.text = r.text,
	};
	ss_verdict_wrote_log(&b->verdicts, ss_avlog_write_handshake(&b->verdicts.log, &rec));
}

/**
 * struct taken_handshake - The answer to a handshake-accept.
 * @b: the broker
 * @hs: the request, NULL where there is none
 * @error: why it could not be read
 */
struct taken_handshake {
	struct broker *b;
	struct ss_tls_request *hs;
	int error;
};

static void take_handshake(int cmd, struct nlattr *attrs, int len, void *arg)
{
	const struct nlattr *pending = nla_find(attrs, len, SMTPSPLICE_A_HANDSHAKE_PENDING);
	struct taken_handshake *taken = arg;

	if (cmd != SMTPSPLICE_CMD_HANDSHAKE_ACCEPT || taken->hs)
		return;
	taken->error = ss_tls_request_parse(&taken->hs, attrs, len);
	if (pending && nla_len(pending) >= (int)sizeof(uint32_t) && !nla_get_u32(pending))
		taken->b->handshakes = false;
}

/* Take one pair of handshakes. Return: the request, or NULL where none waits. */
static struct ss_tls_request *accept_handshake(struct broker *b)
{
	struct taken_handshake taken = { .b = b };
	int ret;

	ret = ss_genl_call(&b->work,
			   ss_genl_message(&b->work, SMTPSPLICE_CMD_HANDSHAKE_ACCEPT, 0),
			   take_handshake, &taken);
	if (!ret && taken.hs)
		return taken.hs;
	ss_tls_request_free(taken.hs);
	b->handshakes = false;
	no_work(b, "handshake-accept", ret, taken.error);
	return NULL;
}

/* Take handshakes while the tls process has room; others stay with the kernel */
static void take_handshakes(struct broker *b)
{
	struct ss_tls_request *hs;

	while (b->handshakes && ss_tls_client_ready(&b->tls_client)) {
		hs = accept_handshake(b);
		if (hs)
			ss_tls_client_give(&b->tls_client, hs);
	}
}

static void on_control(struct broker *b)
{
	struct ss_ipc_msg msg;
	int fds[SS_IPC_FDS];

	/* The supervisor does not end before we do, other than by dying */
	if (ss_ipc_recv(b->control, &msg, sizeof(msg), fds))
		die(SS_EXIT_AGAIN, NULL);
	if (msg.type == SS_IPC_TLS && fds[0] >= 0) {
		ss_tls_client_attach(&b->tls_client, fds[0], fds[1]);
		b->handshakes = true;
		return;
	}
	if (msg.type == SS_IPC_SCANNER && fds[0] >= 0) {
		ss_reload_offer(&b->reload, fds[0]);
		fds[0] = -1;
	}
	for (int i = 0; i < SS_IPC_FDS; i++)
		ss_cleanup_fd(&fds[i]);
}

/* -- doorbells ------------------------------------------------------------ */

static void note_doorbell(int cmd, struct nlattr *attrs, int len, void *arg)
{
	struct broker *b = arg;

	(void)attrs;
	(void)len;
	if (cmd == SMTPSPLICE_CMD_SCAN_READY)
		b->waiting = true;
	else if (cmd == SMTPSPLICE_CMD_HANDSHAKE_READY)
		b->handshakes = true;
}

/* A doorbell may have been lost: ask for both kinds of work */
static void ask_for_all(struct broker *b)
{
	b->waiting = true;
	b->handshakes = true;
}

static void on_bell(struct broker *b)
{
	int ret;

	do {
		ret = ss_genl_receive(&b->bell, note_doorbell, b);
	} while (!ret);
	if (ret == -ENOBUFS)
		ask_for_all(b);
	else if (ret != -EAGAIN)
		die(SS_EXIT_AGAIN, "cannot read doorbells");
}

/* -- the process ---------------------------------------------------------- */

static void on_signal(struct broker *b)
{
	struct signalfd_siginfo info;
	int ret;

	if (read(b->signals, &info, sizeof(info)) < 0)
		return;
	ret = ss_avlog_open(&b->verdicts.log, b->conf->log);
	if (ret)
		ss_process_say("log %s: %s", b->conf->log, strerror(-ret));
}

/* Milliseconds until something has to be done */
static int time_left(const struct broker *b)
{
	uint64_t now = ss_process_now(), next = now + SAFETY_POLL_MS;

	if (b->parked && b->parked->received + ss_workers_time_for(b->parked) < next)
		next = b->parked->received + ss_workers_time_for(b->parked);
	next = ss_workers_next(&b->workers, next);
	return next > now ? next - now : 0;
}

static void loop(struct broker *b)
{
	enum { SCANNER, LEAVING, NEXT, BELL, SIGNALS, CONTROL, TLS, FIXED };
	unsigned int workers = b->conf->workers;
	struct pollfd *fds = calloc(FIXED + workers, sizeof(*fds));

	if (!fds)
		die(SS_EXIT_AGAIN, "out of memory");
	fds[BELL] = (struct pollfd){ .fd = ss_genl_fd(&b->bell), .events = POLLIN };
	fds[SIGNALS] = (struct pollfd){ .fd = b->signals, .events = POLLIN };
	fds[CONTROL] = (struct pollfd){ .fd = b->control, .events = POLLIN };
	for (;;) {
		int ready;

		look_after_workers(b);
		look_after_parked(b);
		look_after_scanners(b);
		take_work(b);
		ss_quarantine_look(&b->verdicts.quarantine);
		ss_tls_client_look(&b->tls_client);
		take_handshakes(b);
		fds[SCANNER] = (struct pollfd){ .fd = b->reload.serving, .events = POLLIN };
		fds[LEAVING] = (struct pollfd){ .fd = b->reload.leaving, .events = POLLIN };
		fds[NEXT] = (struct pollfd){ .fd = b->reload.next, .events = POLLIN };
		fds[TLS] = (struct pollfd){
			.fd = b->tls_client.sock, .events = ss_tls_client_events(&b->tls_client)
		};
		for (unsigned int i = 0; i < workers; i++)
			fds[FIXED + i] = (struct pollfd){
				.fd = b->workers.slots[i].sock, .events = POLLIN
			};
		ready = poll(fds, FIXED + workers, time_left(b));
		if (ready < 0)
			continue;
		if (!ready)
			ask_for_all(b);
		/* Before the scanner, which may fill the slots anew */
		for (unsigned int i = 0; i < workers; i++)
			if (fds[FIXED + i].revents)
				check_known(ss_workers_event(&b->workers, &b->workers.slots[i]));
		if (fds[TLS].revents)
			ss_tls_client_event(&b->tls_client, fds[TLS].revents);
		/* Before NEXT, which makes another one the one that leaves */
		if (fds[LEAVING].revents)
			ss_reload_leaving_event(&b->reload);
		if (fds[SCANNER].revents)
			on_scanner(b);
		if (fds[NEXT].revents)
			on_next_scanner(b);
		if (fds[CONTROL].revents)
			on_control(b);
		if (fds[BELL].revents)
			on_bell(b);
		if (fds[SIGNALS].revents)
			on_signal(b);
	}
}

static void open_netlink(struct ss_genl *genl)
{
	int ret = ss_genl_open(genl);

	if (ret == -ENOENT)
		die(SS_EXIT_USAGE, "kernel module smtpsplice is not loaded (family \""
		    SMTPSPLICE_FAMILY_NAME "\" not found)");
	if (ret) {
		ss_process_say("netlink: %s", strerror(-ret));
		_exit(SS_EXIT_USAGE);
	}
}

static int try_register(struct broker *b)
{
	struct nl_msg *msg = ss_genl_message(&b->work, SMTPSPLICE_CMD_REGISTER, 0);
	uint32_t roles = SMTPSPLICE_ROLE_SCAN;

	if (b->tls)
		roles |= SMTPSPLICE_ROLE_TLS;
	if (msg)
		nla_put_u32(msg, SMTPSPLICE_A_HELPER_ROLES, roles);
	return ss_genl_call(&b->work, msg, NULL, NULL);
}

static void register_helper(struct broker *b)
{
	struct timespec pause = { .tv_nsec = REGISTER_MS * 1000000L };
	const char *what = "cannot register";
	int ret, tries = REGISTER_TRIES;

	while ((ret = try_register(b)) == -EBUSY && --tries)
		nanosleep(&pause, NULL);
	if (!ret)
		return;
	if (ret == -EBUSY)
		what = "another helper is registered in this network namespace";
	else if (ret == -EPERM)
		what = "no right to register (CAP_NET_ADMIN is needed)";
	ss_process_say("%s: %s", what,
		       b->work.extack[0] ? b->work.extack : strerror(-ret));
	_exit(SS_EXIT_USAGE);
}

static void open_quarantine(struct broker *b)
{
	const struct timespec pause = { .tv_nsec = REGISTER_MS * 1000000L };
	int ret, tries = REGISTER_TRIES;

	while ((ret = ss_quarantine_open(&b->verdicts.quarantine, b->conf->quarantine,
					 &b->conf->quarantine_limits)) == -EBUSY && --tries)
		nanosleep(&pause, NULL);
	if (!ret)
		return;
	ss_process_say("quarantine %s: %s", b->conf->quarantine, ss_quarantine_why(ret));
	_exit(SS_EXIT_USAGE);
}

static void open_files(struct broker *b)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGUSR1, SIG_DFL);	/* one that is ignored would not arrive */
	b->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (b->signals < 0)
		die(SS_EXIT_AGAIN, "signalfd failed");
	ret = ss_avlog_open(&b->verdicts.log, b->conf->log);
	if (ret) {
		ss_process_say("log %s: %s", b->conf->log, strerror(-ret));
		_exit(SS_EXIT_USAGE);
	}
	if (b->conf->quarantine)
		open_quarantine(b);
}

void ss_broker_run(const struct ss_conf *conf, int scanner, int control, bool tls)
{
	struct broker b = {
		.conf = conf, .control = control, .tls = tls,
		.verdicts = { .conf = conf, .log.fd = -1, .quarantine.dir = -1 },
	};
	int ret;

	b.verdicts.work = &b.work;
	ss_tls_client_init(&b.tls_client, finish_handshake, &b);
	open_files(&b);
	open_netlink(&b.work);
	open_netlink(&b.bell);
	ret = ss_genl_join(&b.bell, SMTPSPLICE_MCGRP_WORK);
	if (ret) {
		ss_process_say("cannot listen for work: %s%s", strerror(-ret),
			       ret == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
		_exit(SS_EXIT_USAGE);
	}
	if (ss_workers_init(&b.workers, conf->workers, &b.verdicts))
		die(SS_EXIT_AGAIN, "out of memory");
	if (ss_reload_init(&b.reload, conf, scanner))
		die(SS_EXIT_AGAIN, NULL);
	register_helper(&b);
	ss_state_file_note(&b.reload.state, SS_STATE_FILE_NONE, NULL);
	ask_for_all(&b);
	if (!tls)
		ss_process_say("no CA in %s: TLS is not inspected (see smtpsplice ca init)",
			       conf->ca_dir);
	ss_process_say("ready: %d signatures, %u scan workers",
		       b.reload.state.engine.msg.value, conf->workers);
	loop(&b);
	__builtin_unreachable();
}
