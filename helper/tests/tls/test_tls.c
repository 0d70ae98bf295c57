// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process as the broker sees it, with peers of GnuTLS and OpenSSL.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/msg.h>

#include "common/ca.h"
#include "lib/cleanup.h"
#include "lib/ipc.h"
#include "lib/process.h"
#include "proto/tls_msg.h"
#include "tests/support/fake_ktls.h"
#include "tests/support/peer.h"
#include "tests/support/trust.h"
#include "tls/tls.h"

#define MANY		50
#define WAIT_MS		60000
#define OTHER_GROUP	65534

static pid_t child;
static int broker;
static bool visible;	/* it is so before it becomes the tls process */
static bool strict;	/* servers' certificates have to be in order */
static rlim_t files;	/* so many descriptors it may have; 0 is as many as we */

/* One session; the gateway's ends are the child's alone */
struct session {
	struct peer client, server;
	struct ss_tls_result result;
	bool answered;
};

/* Whom the files in /proc of a process are of tells if others may look into it */
static void become_visible(void)
{
	assert_int_equal(setegid(OTHER_GROUP), 0);
	assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
}

static void limit_files(void)
{
	const struct rlimit limit = { .rlim_cur = files, .rlim_max = files };

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void start(void)
{
	int pair[2];

	assert_int_equal(ss_ipc_pair(pair), 0);
	child = fork();
	if (!child) {
		close(pair[0]);
		if (visible)
			become_visible();
		if (files)
			limit_files();
		ss_tls_run(&conf, pair[1]);
	}
	close(pair[1]);
	broker = pair[0];
}

static int end(void)
{
	int status;

	close(broker);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void send_job(uint64_t cookie, uint32_t timeout, const char *exempt, const int fds[2])
{
	struct nl_msg *msg = nlmsg_alloc_size(8192);
	struct nlattr *nest;
	struct {
		struct ss_tls_job head;
		char attrs[8192];
	} job = { .head.cookie = cookie };
	int len;

	nlmsg_put(msg, 1, 1, 100, 0, 0);
	nla_put_u32(msg, SMTPSPLICE_A_HANDSHAKE_TIMEOUT, timeout);
	nla_put(msg, SMTPSPLICE_A_HANDSHAKE_SERVER, 4, "\x0a\0\2\2");
	nla_put_u16(msg, SMTPSPLICE_A_HANDSHAKE_SERVER_PORT, 25);
	nla_put_flag(msg, SMTPSPLICE_A_HANDSHAKE_STARTTLS);
	nest = nla_nest_start(msg, SMTPSPLICE_A_HANDSHAKE_TLS);
	if (exempt)
		nla_put_string(msg, SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME, exempt);
	if (strict) {
		nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_UNTRUSTED_SERVER_CERT,
			    SMTPSPLICE_TLS_ACTION_BLOCK);
		nla_put_u32(msg, SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_TIMEOUT,
			    SMTPSPLICE_TLS_ACTION_BLOCK);
	}
	nla_nest_end(msg, nest);
	len = nlmsg_attrlen(nlmsg_hdr(msg), 0);
	memcpy(job.attrs, nlmsg_attrdata(nlmsg_hdr(msg), 0), len);
	nlmsg_free(msg);
	assert_int_equal(ss_ipc_send(broker, &job, sizeof(job.head) + len, fds, 2), 0);
}

static void receive(struct ss_tls_result *result)
{
	int fds[SS_IPC_FDS];

	peer_wait(broker, POLLIN);
	assert_int_equal(ss_ipc_recv(broker, result, sizeof(*result), fds), 0);
	assert_true(ss_tls_result_check(result));
}

/* Begin a session. @keep: a copy of the client's socket, or NULL */
static void begin(struct session *s, uint64_t cookie, const char *exempt, int *keep)
{
	int client[2], server[2];

	peer_connect(client);
	peer_connect(server);
	peer_client(&s->client, client[0], PEER_PRIORITY, PKI_HOST);
	peer_server(&s->server, server[1], PEER_PRIORITY, &leaf, 1);
	s->answered = false;
	if (keep)
		*keep = dup(client[1]);
	send_job(cookie, WAIT_MS, exempt, (int[]){ client[1], server[0] });
	close(client[1]);
	close(server[0]);
}

static void finish(struct session *s)
{
	peer_free(&s->client);
	peer_free(&s->server);
}

/* Step the peers until all are answered */
static void serve(struct session *s, unsigned int count)
{
	uint64_t end_ms = ss_process_now() + WAIT_MS;
	unsigned int left = count;

	while (left) {
		struct pollfd pfd = { .fd = broker, .events = POLLIN };
		struct ss_tls_result r;

		assert_true(ss_process_now() < end_ms);
		for (unsigned int i = 0; i < count; i++) {
			peer_step(&s[i].client);
			peer_step(&s[i].server);
		}
		if (poll(&pfd, 1, 1) != 1)
			continue;
		receive(&r);
		assert_true(r.cookie >= 1 && r.cookie <= count && !s[r.cookie - 1].answered);
		s[r.cookie - 1].result = r;
		s[r.cookie - 1].answered = true;
		left--;
	}
}

static void does_one(void **state)
{
	struct session s;

	(void)state;
	start();
	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	assert_string_equal(s.result.server_name, PKI_HOST);
	assert_string_equal(s.result.version, "TLSv1.3");
	assert_non_null(strstr(s.result.cipher, "TLS_"));
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void does_many_at_once(void **state)
{
	static struct session s[MANY];

	(void)state;
	start();
	/* None gets anywhere before all have begun */
	for (int i = 0; i < MANY; i++)
		begin(&s[i], i + 1, NULL, NULL);
	serve(s, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(s[i].result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&s[i]);
	}
	assert_int_equal(atomic_load(&fake_ktls->count), 2 * MANY);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void has_closed_them_before(void **state)
{
	struct session s;
	char octet;

	(void)state;
	start();
	begin(&s, 1, "*.example.com", NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_BYPASSED);
	assert_int_equal(s.result.cause, SMTPSPLICE_TLS_CAUSE_EXEMPT);
	/* Nobody else had them: their peers know by now */
	assert_true(recv(s.server.fd, &octet, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	assert_true(recv(s.client.fd, &octet, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

/* The kernel module has the files as well: closing them ends no epoll watch */
static void forgets_what_is_done(void **state)
{
	struct session s, next;
	int keep;

	(void)state;
	start();
	begin(&s, 1, "*.example.com", &keep);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_BYPASSED);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(send(s.client.fd, "x", 1, MSG_NOSIGNAL), 1);
		peer_wait(keep, POLLIN);
		begin(&next, 1, NULL, NULL);
		serve(&next, 1);
		assert_int_equal(next.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&next);
	}
	close(keep);
	finish(&s);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void has_a_deadline(void **state)
{
	int client[2], server[2];
	struct ss_tls_result r;
	char octet;

	(void)state;
	start();
	peer_connect(client);
	peer_connect(server);
	assert_int_equal(send(client[0], "\x16\3\1", 3, 0), 3);
	send_job(7, 300, NULL, (int[]){ client[1], server[0] });
	receive(&r);
	assert_int_equal(r.cookie, 7);
	assert_int_equal(r.result, SMTPSPLICE_TLS_RESULT_FAILED);
	assert_int_equal(r.cause, SMTPSPLICE_TLS_CAUSE_TIMEOUT);
	close(client[1]);
	close(server[0]);
	peer_wait(server[1], POLLIN);
	assert_int_equal(recv(server[1], &octet, 1, 0), 0);
	close(client[0]);
	close(server[1]);
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

static void notes_who_has_gone(void **state)
{
	int client[2], server[2];
	struct ss_tls_result r;

	(void)state;
	start();
	peer_connect(client);
	peer_connect(server);
	assert_int_equal(send(client[0], "\x16\3\1", 3, 0), 3);
	send_job(7, WAIT_MS, NULL, (int[]){ client[1], server[0] });
	/* Nothing new to be read: peeking would not tell */
	shutdown(client[0], SHUT_WR);
	receive(&r);
	assert_int_equal(r.cause, SMTPSPLICE_TLS_CAUSE_CLIENT);
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(server[i]);
	}
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

/*
 * With as many handshakes as there may be it asks for no more jobs, and yet hears that the
 * broker is gone: it does not have to wait until one of them is done.
 */
static void ends_with_its_broker(void **state)
{
	int client[2], server[2], fd;

	(void)state;
	files = 64;	/* for one handshake */
	start();
	files = 0;
	fd = syscall(SYS_pidfd_open, child, 0);
	assert_true(fd >= 0);
	peer_connect(client);
	peer_connect(server);
	send_job(7, 100 * WAIT_MS, NULL, (int[]){ client[1], server[0] });
	close(broker);
	broker = -1;
	peer_wait(fd, POLLIN);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	for (int i = 0; i < 2; i++) {
		close(client[i]);
		close(server[i]);
	}
	close(fd);
}

static void takes_no_nonsense(void **state)
{
	static const char *const jobs[] = { "short", "12345678\xff\xff\1\0" };
	int fds[2] = { 0, 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		start();
		assert_int_equal(waitpid(child, &(int){ 0 }, WNOHANG) > 0, 0);
		assert_int_equal(ss_ipc_send(broker, jobs[i], i ? 12 : 5, fds, 2), 0);
		peer_wait(broker, POLLIN);
		assert_int_equal(end(), 1);
	}
	start();
	assert_int_equal(ss_ipc_send(broker, "12345678", 8, fds, 1), 0);
	peer_wait(broker, POLLIN);
	assert_int_equal(end(), 1);
}

static void needs_a_ca(void **state)
{
	struct ss_conf good = conf;

	(void)state;
	conf.ca_dir = "/nonexistent";
	start();
	peer_wait(broker, POLLIN);
	assert_int_equal(end(), SS_EXIT_USAGE);
	conf = good;
}

static const struct ss_tls_result inspected = {
	.cookie = 1, .result = SMTPSPLICE_TLS_RESULT_INSPECTED, .server_name = "mx.example",
	.version = "TLSv1.3", .cipher = "AES", .client.size = 32, .server.size = 48,
};

static const struct ss_tls_result bypassed = {
	.result = SMTPSPLICE_TLS_RESULT_BYPASSED, .cause = SMTPSPLICE_TLS_CAUSE_EXEMPT,
};

static const struct ss_tls_result failed = {
	.result = SMTPSPLICE_TLS_RESULT_FAILED, .cause = SMTPSPLICE_TLS_CAUSE_SERVER,
	.text = "server: closed",
};

/* Nothing but the cause differs from a result that is good */
static void cause_row(const struct ss_tls_result *good, uint64_t causes)
{
	for (uint32_t cause = 0; cause < 64; cause++) {
		struct ss_tls_result r = *good;

		r.cause = cause;
		assert_int_equal(ss_tls_result_check(&r), causes >> cause & 1);
	}
}

#define CAUSE(name)	(1ull << SMTPSPLICE_TLS_CAUSE_##name)
#define EITHER	(CAUSE(CLIENT_CERTIFICATE) | CAUSE(VERSION) | CAUSE(CIPHER) | CAUSE(NEGOTIATION))

static void checks_causes(void **state)
{
	struct ss_tls_result r;

	(void)state;
	cause_row(&inspected, CAUSE(NONE));
	cause_row(&bypassed, CAUSE(EXEMPT) | EITHER);
	cause_row(&failed, ((CAUSE(HELPER) << 1) - 1) &
		  ~(CAUSE(NONE) | CAUSE(POLICY) | CAUSE(EXEMPT)));
	for (uint32_t result = 0; result < 64; result++) {
		r = failed;
		r.result = result;
		assert_int_equal(ss_tls_result_check(&r),
				 result == SMTPSPLICE_TLS_RESULT_FAILED);
		r = inspected;
		r.result = result;
		assert_int_equal(ss_tls_result_check(&r) && result !=
				 SMTPSPLICE_TLS_RESULT_INSPECTED, false);
	}
}

/* One length at a time; none but with what was inspected */
static void checks_secrets(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 16, 31, 32, 33, 47, 48, 49, 64, 96, 1u << 31,
					  UINT32_MAX };
	const struct ss_tls_result *const goods[] = { &inspected, &bypassed, &failed };

	(void)state;
	for (size_t g = 0; g < ARRAY_SIZE(goods); g++)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			bool fits = !sizes[i] || (!g && (sizes[i] == 32 || sizes[i] == 48));
			struct ss_tls_result r = *goods[g];

			r.client.size = sizes[i];
			assert_int_equal(ss_tls_result_check(&r), fits);
			r = *goods[g];
			r.server.size = sizes[i];
			assert_int_equal(ss_tls_result_check(&r), fits);
		}
}

static void text_row(size_t at, size_t size)
{
	struct ss_tls_result r = failed;
	char *text = (char *)&r + at;

	assert_true(ss_tls_result_check(&r));
	memset(text, 'x', size - 1);
	assert_true(ss_tls_result_check(&r));
	text[size - 1] = 'x';
	assert_false(ss_tls_result_check(&r));
	for (int c = 0; c < 256; c++) {
		memset(text, 0, size);
		text[0] = 'a';
		text[1] = c;
		assert_int_equal(ss_tls_result_check(&r), !c || (c >= ' ' && c <= '~'));
	}
}

#define TEXT_ROW(name) text_row(offsetof(struct ss_tls_result, name), sizeof(failed.name))

static void checks_texts(void **state)
{
	(void)state;
	TEXT_ROW(server_name);
	TEXT_ROW(version);
	TEXT_ROW(cipher);
	TEXT_ROW(text);
}

/* Run openssl, with its output to a pipe or a file. Return: its pid. */
static pid_t run(char *const argv[], int in, int out)
{
	posix_spawn_file_actions_t files;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, out, 2);
	assert_int_equal(posix_spawnp(&pid, argv[0], &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

/* Read until a word has come. Return: all up to the end of its line. */
static char *read_until(int fd, const char *word)
{
	static char text[65536];
	size_t len = 0;

	for (;;) {
		char *at, *line;
		ssize_t n;

		text[len] = '\0';
		at = strstr(text, word);
		line = at ? strchr(at, '\n') : NULL;
		if (line)
			return at;
		peer_wait(fd, POLLIN);
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			print_message("# %s\n", text);
		assert_true(n > 0);
		len += n;
	}
}

static int tcp(uint16_t port, bool listening, uint16_t *bound)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (listening) {
		assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
		assert_int_equal(listen(fd, 1), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
		*bound = ntohs(a.sin_port);
	} else {
		assert_int_equal(connect(fd, (struct sockaddr *)&a, len), 0);
	}
	return fd;
}

/* s_client, the gateway, s_server */
static void openssl_row(const char *version, const char *suite, const char *option)
{
	char *crt = pki_file(dir, "leaf.pem", &leaf, false), connect_to[32];
	char *key = pki_file(dir, "leaf.key", &leaf, true), *said;
	int in[2], from_server[2], from_client[2], fds[2], listener;
	struct ss_tls_result r;
	pid_t server, client;
	uint16_t port;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from_server, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from_client, O_CLOEXEC), 0);
	server = run((char *[]){ "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt,
				 "-key", key, (char *)version, (char *)option, (char *)suite,
				 NULL }, in[0], from_server[1]);
	said = read_until(from_server[0], "ACCEPT ");
	fds[1] = tcp(atoi(strrchr(strtok(said, "\n"), ':') + 1), false, NULL);
	listener = tcp(0, true, &port);
	snprintf(connect_to, sizeof(connect_to), "127.0.0.1:%u", port);
	client = run((char *[]){ "openssl", "s_client", "-connect", connect_to, "-servername",
				 PKI_HOST, NULL }, in[0], from_client[1]);
	fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	send_job(1, WAIT_MS, NULL, fds);
	receive(&r);
	if (r.result != SMTPSPLICE_TLS_RESULT_INSPECTED)
		print_message("# %s %s: %s\n", version, suite, r.text);
	assert_int_equal(r.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	assert_string_equal(r.version, strstr(version, "1_3") ? "TLSv1.3" : "TLSv1.2");
	/* The reference's code: the CA is sent along, and the client has it not */
	said = read_until(from_client[0], "Verify return code: ");
	assert_non_null(strstr(said, "19 (self-signed certificate in certificate chain)"));
	kill(client, SIGKILL);
	kill(server, SIGKILL);
	waitpid(client, NULL, 0);
	waitpid(server, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(from_server[i]);
		close(from_client[i]);
		close(fds[i]);
	}
	close(listener);
	free(crt);
	free(key);
}

static void gets_on_with_openssl(void **state)
{
	(void)state;
	start();
	openssl_row("-tls1_3", "TLS_AES_128_GCM_SHA256", "-ciphersuites");
	openssl_row("-tls1_3", "TLS_AES_256_GCM_SHA384", "-ciphersuites");
	openssl_row("-tls1_3", "TLS_CHACHA20_POLY1305_SHA256", "-ciphersuites");
	openssl_row("-tls1_3", "TLS_AES_128_CCM_SHA256", "-ciphersuites");
	openssl_row("-tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256", "-cipher");
	openssl_row("-tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384", "-cipher");
	openssl_row("-tls1_2", "ECDHE-ECDSA-CHACHA20-POLY1305", "-cipher");
	openssl_row("-tls1_2", "ECDHE-ECDSA-AES128-CCM", "-cipher");
	assert_int_equal(end(), SS_EXIT_AGAIN);
}

/* What the process says goes to a file */
static void start_heard(const char *said)
{
	int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	int saved = dup(STDERR_FILENO);

	assert_true(saved >= 0 && fd >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	start();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
}

static char *read_text(const char *path)
{
	char *text = calloc(1, 65536);
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0 && read(fd, text, 65535) >= 0);
	close(fd);
	return text;
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The parameters of a server that has a group of its own. Return: the file, to be freed. */
static char *write_group(const gnutls_datum_t *prime)
{
	const gnutls_datum_t generator = { (uint8_t *)"\2", 1 };
	gnutls_dh_params_t params;
	gnutls_datum_t pem;
	char *file;

	assert_true(asprintf(&file, "%s/group.pem", dir) > 0);
	assert_int_equal(gnutls_dh_params_init(&params), 0);
	assert_int_equal(gnutls_dh_params_import_raw2(params, prime, &generator, 0), 0);
	assert_int_equal(gnutls_dh_params_export2_pkcs3(params, GNUTLS_X509_FMT_PEM, &pem), 0);
	gnutls_dh_params_deinit(params);
	write_text(file, (char *)pem.data);
	gnutls_free(pem.data);
	return file;
}

/* GnuTLS, the gateway, s_server; @text is why it fails, or NULL */
static void group_row(const struct pki *rsa, const gnutls_datum_t *prime, const char *text)
{
	char *crt = pki_file(dir, "leaf.pem", rsa, false), *said;
	char *key = pki_file(dir, "leaf.key", rsa, true), *group = write_group(prime);
	struct session s = { .server = { .fd = -1, .error = 1 } };
	int in[2], out[2], fds[2], client[2];
	pid_t server;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	server = run((char *[]){ "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", crt,
				 "-key", key, "-tls1_2", "-dhparam", group, "-cipher",
				 "DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0", NULL }, in[0], out[1]);
	said = read_until(out[0], "ACCEPT ");
	fds[1] = tcp(atoi(strrchr(strtok(said, "\n"), ':') + 1), false, NULL);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	peer_connect(client);
	peer_client(&s.client, client[0], PEER_PRIORITY, PKI_HOST);
	fds[0] = client[1];
	send_job(1, WAIT_MS, NULL, fds);
	serve(&s, 1);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	assert_string_equal(s.result.text, text ?: "");
	assert_int_equal(s.result.cause, text ? SMTPSPLICE_TLS_CAUSE_CIPHER :
			 SMTPSPLICE_TLS_CAUSE_NONE);
	finish(&s);
	for (int i = 0; i < 2; i++) {
		close(in[i]);
		close(out[i]);
		close(fds[i]);
	}
	free(crt);
	free(key);
	free(group);
}

/*
 * Diffie-Hellman over a finite field, with a server that takes no group by name: OpenSSL,
 * since one of GnuTLS would, where it is offered some.
 */
static void minds_the_group(void **state)
{
	static const char unsafe[] =
		"server: its Diffie-Hellman group is not that of a safe prime";
	/* A prime whose half is none, and a number that is none but has a half that is one */
	static uint8_t prime[256] = { 0x80, [254] = 0x07, 0x7f };
	static uint8_t half[256] = { 0x80, [254] = 0x20, 0x67 };
	struct pki rsa = {};

	(void)state;
	pki_make(&rsa, &(struct pki_spec){ .pk = GNUTLS_PK_RSA }, &root);
	start();
	group_row(&rsa, &gnutls_srp_2048_group_prime, NULL);
	group_row(&rsa, &gnutls_srp_1536_group_prime,
		  "server: its Diffie-Hellman group is too short or too long");
	group_row(&rsa, &(gnutls_datum_t){ prime, sizeof(prime) }, unsafe);
	group_row(&rsa, &(gnutls_datum_t){ half, sizeof(half) }, unsafe);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	pki_free(&rsa);
}

/* Wait until it has said so many lines. Return: the last one, to be freed. */
static char *wait_line(const char *path, int lines)
{
	uint64_t end_ms = ss_process_now() + WAIT_MS;

	for (;;) {
		char *text = read_text(path), *at = text, *last = text;
		int n = 0;

		for (; (at = strchr(at, '\n')); n++) {
			*at++ = n + 1 < lines ? '\n' : '\0';
			last = n + 1 < lines ? at : last;
		}
		if (n >= lines) {
			last = strdup(last);
			free(text);
			return last;
		}
		free(text);
		assert_true(ss_process_now() < end_ms);
		poll(NULL, 0, 5);
	}
}

static void expect_cause(enum smtpsplice_tls_cause cause)
{
	struct session s;

	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.cause, cause);
	finish(&s);
}

static void hang_up(void)
{
	assert_int_equal(kill(child, SIGHUP), 0);
}

static gid_t group_of_memory(pid_t pid)
{
	char file[64];
	struct stat st;

	snprintf(file, sizeof(file), "/proc/%d/mem", pid);
	assert_int_equal(stat(file, &st), 0);
	return st.st_gid;
}

/* There are keys in it */
static void hides_its_memory(void **state)
{
	pid_t other;

	(void)state;
	visible = true;
	start();
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	assert_int_equal(group_of_memory(child), 0);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	visible = false;
	/* It is not so for who does nothing about it */
	other = fork();
	if (!other) {
		become_visible();
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(other, NULL, WUNTRACED), other);
	assert_int_equal(group_of_memory(other), OTHER_GROUP);
	kill(other, SIGKILL);
	assert_int_equal(waitpid(other, NULL, 0), other);
}

static void N6_reads_trust_and_lists_anew(void **state)
{
	static const char done[] = "smtpspliced: reloaded: CAs and revocation lists";
	char *said, *line, *good, *crl, *old, *other_path, *list, *half;
	struct ss_conf before = conf;
	struct pki other;
	int lines = 0;

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	pki_root(&other, "CN=another root");
	good = read_text(conf.trust);
	other_path = pki_file(dir, "other.pem", &other, false);
	old = read_text(other_path);
	crl = pki_crl(dir, &root, NULL, -PKI_DAY);
	conf.crl = crl;
	write_text(conf.trust, old);
	strict = true;
	start_heard(said);
	expect_cause(SMTPSPLICE_TLS_CAUSE_UNTRUSTED);
	/* Who is trusted now; the list is out of date */
	write_text(conf.trust, good);
	hang_up();
	line = wait_line(said, ++lines);
	assert_string_equal(line, done);
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT);
	free(pki_crl(dir, &root, NULL, PKI_DAY));
	hang_up();
	free(wait_line(said, ++lines));
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	free(pki_crl(dir, &root, &leaf, PKI_DAY));
	hang_up();
	free(wait_line(said, ++lines));
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* No trust goes with a list that is none, nor the other way round */
	write_text(conf.trust, old);
	write_text(crl, "-----BEGIN X509 CRL-----\ngarbage\n");
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, "reload failed"));
	assert_non_null(strstr(line, crl));
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* Half of it is not there yet: the first list alone would not do */
	free(pki_crl(dir, &root, NULL, PKI_DAY));
	list = read_text(crl);
	assert_true(asprintf(&half, "%s%.*s", list, (int)strlen(list) - 100, list) > 0);
	write_text(crl, half);
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, crl));
	free(line);
	free(half);
	write_text(crl, list);
	free(list);
	assert_true(asprintf(&half, "%s%.*s", good, (int)strlen(good) - 100, good) > 0);
	for (int i = 0; i < 4; i++) {
		const char *const texts[] = {
			"", "garbage\n", "-----BEGIN CERTIFICATE-----\nMIIB\n", half,
		};

		write_text(conf.trust, texts[i]);
		hang_up();
		line = wait_line(said, ++lines);
		assert_non_null(strstr(line, "reload failed"));
		assert_non_null(strstr(line, conf.trust));
		free(line);
		expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	}
	free(half);
	assert_int_equal(unlink(conf.trust), 0);
	hang_up();
	line = wait_line(said, ++lines);
	assert_non_null(strstr(line, conf.trust));
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_REVOKED);
	/* What is whole again is read */
	write_text(conf.trust, good);
	hang_up();
	line = wait_line(said, ++lines);
	assert_string_equal(line, done);
	free(line);
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	assert_int_equal(end(), SS_EXIT_AGAIN);
	conf = before;
	strict = false;
	pki_free(&other);
	free(other_path);
	free(said);
	free(good);
	free(crl);
	free(old);
}

/* Is a client shown a certificate that the CA in this folder has signed? */
static bool is_signed_by(const char *ca_dir)
{
	const gnutls_datum_t *shown;
	gnutls_x509_crt_t crt;
	struct ss_ca ca = {};
	unsigned int status;
	char err[512];
	struct session s;

	begin(&s, 1, NULL, NULL);
	serve(&s, 1);
	assert_int_equal(s.result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
	shown = gnutls_certificate_get_peers(s.client.session, &(unsigned int){ 0 });
	assert_non_null(shown);
	assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), 0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	assert_int_equal(gnutls_x509_crt_import(crt, shown, GNUTLS_X509_FMT_DER), 0);
	assert_int_equal(gnutls_x509_crt_verify(crt, &ca.crt[SS_CA_TRUSTED], 1, 0, &status), 0);
	gnutls_x509_crt_deinit(crt);
	ss_ca_free(&ca);
	finish(&s);
	return !status;
}

/* What was signed by the CA before is not shown any more */
static void N6_reads_its_ca_anew(void **state)
{
	char *said, *old, *line, err[512];

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	assert_true(asprintf(&old, "%s/old-ca", dir) > 0);
	start_heard(said);
	assert_true(is_signed_by(conf.ca_dir));
	assert_int_equal(rename(conf.ca_dir, old), 0);
	hang_up();
	line = wait_line(said, 1);
	assert_non_null(strstr(line, "reload failed"));
	free(line);
	assert_true(is_signed_by(old));
	assert_int_equal(ss_ca_create(conf.ca_dir, &(struct ss_ca_names){}, err, sizeof(err)), 0);
	assert_false(is_signed_by(conf.ca_dir));
	hang_up();
	free(wait_line(said, 2));
	assert_true(is_signed_by(conf.ca_dir));
	assert_int_equal(end(), SS_EXIT_AGAIN);
	free(said);
	free(old);
}

/* Handshakes that are under way when all is read anew are not lost */
static void N6_goes_on_with_handshakes(void **state)
{
	static struct session s[MANY];
	char *said;

	(void)state;
	assert_true(asprintf(&said, "%s/said", dir) > 0);
	start_heard(said);
	/* Before it is there, a SIGHUP would end it */
	expect_cause(SMTPSPLICE_TLS_CAUSE_NONE);
	for (int i = 0; i < MANY; i++)
		begin(&s[i], i + 1, NULL, NULL);
	for (int i = 0; i < 5; i++) {
		for (int n = 0; n < MANY; n++) {
			if (n % 2 == 0)
				peer_step(&s[n].client);
			if (n % 4 == 0)
				peer_step(&s[n].server);
		}
		hang_up();
		free(wait_line(said, i + 1));
	}
	serve(s, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(s[i].result.result, SMTPSPLICE_TLS_RESULT_INSPECTED);
		finish(&s[i]);
	}
	assert_int_equal(end(), SS_EXIT_AGAIN);
	free(said);
}

static int setup(void **state)
{
	(void)state;
	fake_ktls_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		close(broker);
	}
	child = 0;
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(does_one),
		T(does_many_at_once),
		T(has_closed_them_before),
		T(forgets_what_is_done),
		T(has_a_deadline),
		T(notes_who_has_gone),
		T(ends_with_its_broker),
		T(takes_no_nonsense),
		T(needs_a_ca),
		T(checks_causes),
		T(checks_secrets),
		T(checks_texts),
		T(hides_its_memory),
		T(N6_reads_trust_and_lists_anew),
		T(N6_reads_its_ca_anew),
		T(N6_goes_on_with_handshakes),
		T(gets_on_with_openssl),
		T(minds_the_group),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
