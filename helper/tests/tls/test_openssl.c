// SPDX-License-Identifier: GPL-2.0
/*
 * The tls process between peers of OpenSSL.
 */
#include "tests/support/tls_process.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/process.h"

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

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(gets_on_with_openssl),
		T(minds_the_group),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, trust_setup, trust_teardown);
}
