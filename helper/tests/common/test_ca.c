// SPDX-License-Identifier: GPL-2.0
#include "tests/support/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ca.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "tests/support/pki.h"

static char *dir, *ca_dir, err[512];

static char *path(const char *name)
{
	char *p;

	assert_true(asprintf(&p, "%s/%s", ca_dir, name) > 0);
	return p;
}

static mode_t mode_of(const char *name)
{
	char *p = path(name);
	struct stat st;

	assert_int_equal(lstat(p, &st), 0);
	free(p);
	return st.st_mode & 07777;
}

static void create(void)
{
	assert_int_equal(ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err)), 0);
}

static void makes_both(void **state)
{
	static const char *const keys[] = { "ca.key", "untrusted-ca.key" };
	static const char *const crts[] = { "ca.pem", "untrusted-ca.pem" };
	mode_t old = umask(0);

	(void)state;
	assert_false(ss_ca_present(ca_dir));
	create();
	umask(old);
	assert_true(ss_ca_present(ca_dir));
	assert_int_equal(mode_of("."), 0755);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mode_of(keys[i]), 0600);
		assert_int_equal(mode_of(crts[i]), 0644);
	}
}

static void makes_what_a_ca_is(void **state)
{
	struct ss_ca ca;
	time_t now = time(NULL);

	(void)state;
	create();
	assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), 0);
	for (int kind = 0; kind < SS_CA_KINDS; kind++) {
		gnutls_x509_crt_t crt = ca.crt[kind];
		unsigned int critical, is_ca, usage;
		uint8_t serial[64];
		size_t size = sizeof(serial);
		int pathlen;

		assert_int_equal(gnutls_x509_crt_get_version(crt), 3);
		assert_true(gnutls_x509_crt_get_basic_constraints(crt, &critical, &is_ca,
								  &pathlen) >= 0);
		assert_true(critical && is_ca);
		assert_int_equal(pathlen, 0);
		gnutls_x509_crt_get_key_usage(crt, &usage, &critical);
		assert_int_equal(usage, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
		assert_true(critical);
		assert_int_equal(gnutls_x509_crt_get_signature_algorithm(crt),
				 GNUTLS_SIGN_ECDSA_SHA256);
		gnutls_x509_crt_get_serial(crt, serial, &size);
		assert_int_equal(size, 16);
		assert_true(gnutls_x509_crt_get_activation_time(crt) <= now);
		assert_true(gnutls_x509_crt_get_expiration_time(crt) > now + 9 * 365 * 86400L);
		assert_true(gnutls_x509_crt_get_expiration_time(crt) < now + 11 * 365 * 86400L);
		assert_true(gnutls_x509_crt_check_issuer(crt, crt));
	}
	assert_false(gnutls_x509_crt_check_issuer(ca.crt[0], ca.crt[1]));
	ss_ca_free(&ca);
}

/* A key that others have as well is everybody's key */
static void makes_new_keys(void **state)
{
	uint8_t ids[2 * SS_CA_KINDS][64];
	size_t size;

	(void)state;
	for (int i = 0; i < 2 * SS_CA_KINDS; i += SS_CA_KINDS) {
		struct ss_ca ca;

		create();
		assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), 0);
		for (int kind = 0; kind < SS_CA_KINDS; kind++) {
			size = sizeof(ids[0]);
			assert_int_equal(gnutls_x509_crt_get_key_id(ca.crt[kind], 0, ids[i + kind],
								    &size), 0);
			for (int other = 0; other < i + kind; other++)
				assert_memory_not_equal(ids[i + kind], ids[other], size);
		}
		ss_ca_free(&ca);
		ss_process_remove_tree(ca_dir);
	}
}

static void tells_what_they_are(void **state)
{
	struct ss_ca_info ca, untrusted;

	(void)state;
	assert_int_equal(ss_ca_describe(ca_dir, &ca, &untrusted, err, sizeof(err)), -ENOENT);
	create();
	assert_int_equal(ss_ca_describe(ca_dir, &ca, &untrusted, err, sizeof(err)), 0);
	assert_non_null(strstr(ca.subject, "CN=smtpsplice gateway CA ("));
	assert_non_null(strstr(untrusted.subject, "CN=smtpsplice untrusted CA ("));
	assert_non_null(strstr(ca.subject, "O=smtpsplice"));
	assert_int_equal(strlen(ca.fingerprint), 32 * 3 - 1);
	assert_string_not_equal(ca.fingerprint, untrusted.fingerprint);
	assert_true(ca.not_before < ca.not_after);
}

static void takes_names(void **state)
{
	struct ss_ca_names names = {
		.subject = "CN=Mail gateway CA,O=Example",
		.untrusted_subject = "CN=Nobody's CA,O=Example",
	};
	struct ss_ca_info ca, untrusted;

	(void)state;
	assert_int_equal(ss_ca_create(ca_dir, &names, err, sizeof(err)), 0);
	assert_int_equal(ss_ca_describe(ca_dir, &ca, &untrusted, err, sizeof(err)), 0);
	assert_string_equal(ca.subject, names.subject);
	assert_string_equal(untrusted.subject, names.untrusted_subject);
}

/* There is nothing left in the folder around it */
static void expect_clean(int entries)
{
	DIR *d = opendir(dir);

	assert_non_null(d);
	while (readdir(d))
		entries--;
	assert_int_equal(entries, -2);	/* "." and ".." */
	closedir(d);
}

static void refuses_bad_names(void **state)
{
	struct ss_ca_names names = { .untrusted_subject = "nonsense" };

	(void)state;
	assert_int_equal(ss_ca_create(ca_dir, &names, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "nonsense"));
	assert_false(ss_ca_present(ca_dir));
	expect_clean(0);
}

static void overwrites_nothing(void **state)
{
	struct ss_ca_info before, after, untrusted;
	char *key = path("ca.key");

	(void)state;
	create();
	ss_ca_describe(ca_dir, &before, &untrusted, err, sizeof(err));
	assert_int_equal(ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err)),
			 -EEXIST);
	assert_non_null(strstr(err, ca_dir));
	ss_ca_describe(ca_dir, &after, &untrusted, err, sizeof(err));
	assert_string_equal(before.fingerprint, after.fingerprint);
	expect_clean(1);
	/* An empty folder is as good as none, one with a key alone is not */
	ss_process_remove_tree(ca_dir);
	assert_int_equal(mkdir(ca_dir, 0700), 0);
	create();
	ss_process_remove_tree(ca_dir);
	assert_int_equal(mkdir(ca_dir, 0700), 0);
	close(open(key, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err)),
			 -EEXIST);
	free(key);
}

static void makes_folders(void **state)
{
	char *deep;

	(void)state;
	assert_true(asprintf(&deep, "%s/etc/ca/", dir) > 0);
	assert_int_equal(ss_ca_create(deep, &(struct ss_ca_names){}, err, sizeof(err)), 0);
	assert_true(ss_ca_present(deep));
	free(deep);
	assert_true(asprintf(&deep, "%s/no/such/folder/ca", dir) > 0);
	assert_int_equal(ss_ca_create(deep, &(struct ss_ca_names){}, err, sizeof(err)), -ENOENT);
	free(deep);
}

static void expect_not_loaded(int ret, const char *word)
{
	struct ss_ca ca;

	assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), ret);
	if (!strstr(err, word))
		print_message("# %s\n", err);
	assert_non_null(strstr(err, word));
	assert_null(strstr(err, "PRIVATE"));
	ss_ca_free(&ca);
}

/* Whoever may read a key, or put another one in its place, is the CA */
static void refuses_keys_of_everybody(void **state)
{
	static const mode_t modes[] = { 0640, 0620, 0610, 0604, 0602, 0601 };
	static const char *const names[] = { "ca.key", "untrusted-ca.key" };
	struct ss_ca ca;

	(void)state;
	create();
	for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
		char *key = path(names[n]);

		for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
			assert_int_equal(chmod(key, modes[i]), 0);
			expect_not_loaded(-EPERM, names[n]);
		}
		assert_int_equal(chmod(key, 0400), 0);
		free(key);
	}
	assert_int_equal(ss_ca_load(&ca, ca_dir, err, sizeof(err)), 0);
	ss_ca_free(&ca);
}

/* Its key fits, but clients would not take what it signs */
static void refuses_what_is_no_ca(void **state)
{
	static const struct pki_spec specs[] = {
		{ .dn = "CN=end entity" }, { .dn = "CN=odd", .no_basic = true },
		{ .dn = "CN=old", .v1 = true },
	};

	(void)state;
	create();
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		struct ss_ca_info info[SS_CA_KINDS];
		struct pki other = {};
		char *key;

		pki_make(&other, &specs[i], NULL);
		free(pki_file(ca_dir, "ca.pem", &other, false));
		key = pki_file(ca_dir, "ca.key", &other, true);
		assert_int_equal(chmod(key, 0600), 0);
		expect_not_loaded(-EINVAL, "ca.pem: not a CA's certificate");
		assert_int_equal(ss_ca_describe(ca_dir, &info[0], &info[1], err, sizeof(err)),
				 -EINVAL);
		free(key);
		pki_free(&other);
	}
}

/* Here it is a limit that the disk is full by: no file gets more than so many bytes */
static void create_with_room(rlim_t room)
{
	struct rlimit before, little;
	int ret;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = (struct rlimit){ .rlim_cur = room, .rlim_max = before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	ret = ss_ca_create(ca_dir, &(struct ss_ca_names){}, err, sizeof(err));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(ret, -EFBIG);
	assert_false(ss_ca_present(ca_dir));
	expect_clean(0);
}

static void makes_none_where_there_is_no_room(void **state)
{
	char *key = path("ca.key"), *crt = path("ca.pem");
	struct stat small, large;

	(void)state;
	create();
	assert_int_equal(stat(key, &small), 0);
	assert_int_equal(stat(crt, &large), 0);
	ss_process_remove_tree(ca_dir);
	create_with_room(0);
	create_with_room(10);
	/* For the key, but not for the certificate behind it */
	assert_true(small.st_size + 20 < large.st_size - 20);
	create_with_room(large.st_size - 20);
	create();
	free(key);
	free(crt);
}

static void refuses_what_is_wrong(void **state)
{
	char *key = path("ca.key"), *crt = path("ca.pem"), *other = path("untrusted-ca.key");
	char *away = path("away");

	(void)state;
	expect_not_loaded(-ENOENT, "ca.pem");
	create();
	assert_int_equal(chmod(key, 0640), 0);
	expect_not_loaded(-EPERM, "chmod 600");
	assert_int_equal(chmod(key, 0600), 0);
	assert_int_equal(rename(key, away), 0);
	expect_not_loaded(-ENOENT, "ca.key");
	assert_int_equal(link(other, key), 0);
	expect_not_loaded(-EINVAL, "not the key of ca.pem");
	assert_int_equal(rename(away, key), 0);
	assert_int_equal(truncate(crt, 40), 0);
	expect_not_loaded(-EINVAL, "ca.pem");
	free(key);
	free(crt);
	free(other);
	free(away);
}

static int setup(void **state)
{
	(void)state;
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	return mkdtemp(dir) && asprintf(&ca_dir, "%s/ca", dir) > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ss_process_remove_tree(dir);
	free(ca_dir);
	free(dir);
	return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(makes_both),
		T(makes_what_a_ca_is),
		T(makes_new_keys),
		T(tells_what_they_are),
		T(takes_names),
		T(refuses_bad_names),
		T(overwrites_nothing),
		T(makes_folders),
		T(refuses_what_is_wrong),
		T(refuses_keys_of_everybody),
		T(refuses_what_is_no_ca),
		T(makes_none_where_there_is_no_room),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
