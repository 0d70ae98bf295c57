// SPDX-License-Identifier: GPL-2.0
/*
 * The gateway's own two CAs: a folder with ca.pem, ca.key, untrusted-ca.pem and
 * untrusted-ca.key. The keys are for root's eyes only, and never leave the
 * process that reads them.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <gnutls/crypto.h>

#include "common/ca.h"
#include "lib/cleanup.h"
#include "lib/text.h"

#define PATH_SIZE	4096
#define FILE_MAX	(256 << 10)
#define YEARS		10L
#define DAY		(24 * 3600L)
#define SERIAL_SIZE	16
#define HOST_MAX	36	/* so that a common name has 64 at most (RFC 5280) */

static const char *const crt_file[SS_CA_KINDS] = { SS_CA_CERT, SS_CA_UNTRUSTED_CERT };
static const char *const key_file[SS_CA_KINDS] = { "ca.key", "untrusted-ca.key" };

/* Where to say what went wrong */
struct why {
	char *text;
	size_t size;
};

static int fail(const struct why *why, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct why *why, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->text, why->size, fmt, args);
	va_end(args);
	return ret;
}

static int fail_tls(const struct why *why, const char *what, int ret)
{
	return fail(why, -EINVAL, "%s: %s", what, gnutls_strerror(ret));
}

static void cleanup_crt(gnutls_x509_crt_t *crt)
{
	if (*crt)
		gnutls_x509_crt_deinit(*crt);
}

static void cleanup_key(gnutls_x509_privkey_t *key)
{
	if (*key)
		gnutls_x509_privkey_deinit(*key);
}

/* Bytes that may be a key: wiped before they are freed */
static void cleanup_datum(gnutls_datum_t *d)
{
	if (d->data)
		gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
}

/* Join folder and file. A path that is too long becomes "", which is no file. */
static void make_path(char path[PATH_SIZE], const char *dir, const char *file)
{
	if (snprintf(path, PATH_SIZE, "%s/%s", dir, file) >= PATH_SIZE)
		path[0] = '\0';
}

bool ss_ca_present(const char *dir)
{
	char path[PATH_SIZE];

	make_path(path, dir, crt_file[SS_CA_TRUSTED]);
	return !access(path, F_OK);
}

int ss_ca_random_serial(gnutls_x509_crt_t crt)
{
	uint8_t serial[SERIAL_SIZE];
	int ret = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	if (ret)
		return ret;
	serial[0] = (serial[0] & 0x7f) | 0x40;	/* positive, and never shorter */
	return gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
}

/* Set the name of a new CA: the one given, or one that tells the gateway */
static int set_subject(gnutls_x509_crt_t crt, const struct ss_ca_names *names,
		       enum ss_ca_kind kind, const struct why *why)
{
	const char *given = kind == SS_CA_TRUSTED ? names->subject :
			    names->untrusted_subject;
	char host[HOST_MAX + 1] = "localhost", subject[128];
	const char *at = NULL;
	int ret;

	gethostname(host, sizeof(host) - 1);
	for (char *c = host; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
			*c = '_';
	snprintf(subject, sizeof(subject), "CN=smtpsplice %s CA (%s),O=smtpsplice",
		 kind == SS_CA_TRUSTED ? "gateway" : "untrusted", host);
	ret = gnutls_x509_crt_set_dn(crt, given ?: subject, &at);
	if (ret)
		return fail(why, -EINVAL, "subject \"%s\": %s", given ?: subject,
			    gnutls_strerror(ret));
	return 0;
}

static int set_contents(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t id[64];
	size_t size = sizeof(id);
	time_t now = time(NULL);
	int ret = gnutls_x509_crt_set_version(crt, 3);

	if (!ret)
		ret = ss_ca_random_serial(crt);
	/* The clocks of the clients may be slow */
	if (!ret)
		ret = gnutls_x509_crt_set_activation_time(crt, now - DAY);
	if (!ret)
		ret = gnutls_x509_crt_set_expiration_time(crt, now + YEARS * 365 * DAY);
	if (!ret)
		ret = gnutls_x509_crt_set_key(crt, key);
	if (!ret)
		ret = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
	if (!ret)
		ret = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN |
						    GNUTLS_KEY_CRL_SIGN);
	if (!ret)
		ret = gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA1, id, &size);
	return ret ?: gnutls_x509_crt_set_subject_key_id(crt, id, size);
}

/* Write a new file, to the disk */
static int write_file(const char *dir, const char *file, mode_t mode,
		      const gnutls_datum_t *text)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	char path[PATH_SIZE];
	size_t at = 0;

	make_path(path, dir, file);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	while (at < text->size) {
		ssize_t n = write(fd, text->data + at, text->size - at);

		if (n < 0)
			return -errno;
		at += n;
	}
	/* Whatever the umask says */
	return fchmod(fd, mode) || fsync(fd) ? -errno : 0;
}

static int write_pair(const char *dir, enum ss_ca_kind kind, gnutls_x509_crt_t crt,
		      gnutls_x509_privkey_t key, const struct why *why)
{
	gnutls_datum_t crt_pem __cleanup(cleanup_datum) = {};
	gnutls_datum_t key_pem __cleanup(cleanup_datum) = {};
	int ret = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem);

	if (!ret)
		ret = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
							GNUTLS_PKCS_PLAIN, &key_pem);
	if (ret)
		return fail_tls(why, "cannot write the CA", ret);
	ret = write_file(dir, key_file[kind], 0600, &key_pem);
	if (!ret)
		ret = write_file(dir, crt_file[kind], 0644, &crt_pem);
	return ret ? fail(why, ret, "%s: %s", dir, strerror(-ret)) : 0;
}

static int make_pair(const char *dir, enum ss_ca_kind kind,
		     const struct ss_ca_names *names, const struct why *why)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	int ret = gnutls_x509_privkey_init(&key);

	if (!ret)
		ret = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
						   GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1),
						   0);
	if (!ret)
		ret = gnutls_x509_crt_init(&crt);
	if (!ret)
		ret = set_contents(crt, key);
	if (ret)
		return fail_tls(why, "cannot make a CA", ret);
	ret = set_subject(crt, names, kind, why);
	if (ret)
		return ret;
	ret = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
	if (ret)
		return fail_tls(why, "cannot make a CA", ret);
	return write_pair(dir, kind, crt, key, why);
}

static int sync_dir(const char *dir)
{
	int fd __cleanup(ss_cleanup_fd) = -1;

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) ? -errno : 0;
}

/* The folder that @dir is in; made where it is missing */
static int make_parent(char parent[PATH_SIZE], const char *dir, const struct why *why)
{
	char *slash;
	size_t len;

	snprintf(parent, PATH_SIZE, "%s", dir);
	for (len = strlen(parent); len > 1 && parent[len - 1] == '/'; len--)
		parent[len - 1] = '\0';
	slash = strrchr(parent, '/');
	if (!slash)
		strcpy(parent, ".");
	else
		slash[slash == parent] = '\0';
	if (mkdir(parent, 0755) && errno != EEXIST)
		return fail(why, -errno, "%s: %m", parent);
	return 0;
}

/* Leave nothing of what is not finished, least of all a key */
static void remove_unfinished(const char *made)
{
	char path[PATH_SIZE];

	for (int kind = 0; kind < SS_CA_KINDS; kind++) {
		make_path(path, made, key_file[kind]);
		unlink(path);
		make_path(path, made, crt_file[kind]);
		unlink(path);
	}
	rmdir(made);
}

/* Give the finished folder its name, if that is free or an empty folder */
static int put_in_place(const char *made, const char *dir, const char *parent,
			const struct why *why)
{
	int ret = chmod(made, 0755) ? -errno : sync_dir(made);

	if (!ret && rename(made, dir))
		ret = -errno;
	if (ret == -ENOTEMPTY || ret == -EEXIST)
		return fail(why, -EEXIST, "%s is there already and not empty", dir);
	if (!ret)
		ret = sync_dir(parent);
	return ret ? fail(why, ret, "%s: %s", dir, strerror(-ret)) : 0;
}

int ss_ca_create(const char *dir, const struct ss_ca_names *names,
		 char *err, size_t errlen)
{
	const struct why why = { err, errlen };
	char parent[PATH_SIZE], made[PATH_SIZE];
	int ret;

	if (strlen(dir) >= PATH_SIZE - 64)
		return fail(&why, -ENAMETOOLONG, "the name of the folder is too long");
	ret = make_parent(parent, dir, &why);
	if (ret)
		return ret;
	if (snprintf(made, sizeof(made), "%s/.ca.XXXXXX", parent) >= (int)sizeof(made))
		return fail(&why, -ENAMETOOLONG, "the name of the folder is too long");
	if (!mkdtemp(made))	/* 0700 */
		return fail(&why, -errno, "%s: %m", parent);
	for (int kind = 0; !ret && kind < SS_CA_KINDS; kind++)
		ret = make_pair(made, kind, names, &why);
	if (!ret)
		ret = put_in_place(made, dir, parent, &why);
	if (ret)
		remove_unfinished(made);
	return ret;
}

/* Read a small file. @secret: refuse it where others may read it. */
static int read_file(gnutls_datum_t *text, const char *dir, const char *file,
		     bool secret, const struct why *why)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	char path[PATH_SIZE];
	struct stat st;
	ssize_t n;

	make_path(path, dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return fail(why, -errno, "%s: %m", path);
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return fail(why, -EINVAL, "%s: not a PEM file", path);
	if (secret && st.st_mode & 077)
		return fail(why, -EPERM, "%s: others may read it (chmod 600 it)", path);
	text->data = gnutls_malloc(st.st_size + 1);
	if (!text->data)
		return fail(why, -ENOMEM, "%s: out of memory", path);
	text->size = st.st_size + 1;
	n = read(fd, text->data, st.st_size);
	if (n < 0)
		return fail(why, -errno, "%s: %m", path);
	text->data[n] = '\0';
	text->size = n;
	return 0;
}

static int load_crt(gnutls_x509_crt_t *crt, const char *dir, enum ss_ca_kind kind,
		    const struct why *why)
{
	gnutls_datum_t pem __cleanup(cleanup_datum) = {};
	int ret = read_file(&pem, dir, crt_file[kind], false, why);
	unsigned int critical;

	if (ret)
		return ret;
	ret = gnutls_x509_crt_init(crt);
	if (!ret)
		ret = gnutls_x509_crt_import(*crt, &pem, GNUTLS_X509_FMT_PEM);
	if (ret)
		return fail(why, -EINVAL, "%s/%s: %s", dir, crt_file[kind],
			    gnutls_strerror(ret));
	if (gnutls_x509_crt_get_ca_status(*crt, &critical) <= 0)
		return fail(why, -EINVAL, "%s/%s: not a CA's certificate", dir,
			    crt_file[kind]);
	return 0;
}

/* Is the key that of the certificate? */
static bool key_fits(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t a[64], b[64];
	size_t a_size = sizeof(a), b_size = sizeof(b);

	return !gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_size) &&
	       !gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_size) &&
	       a_size == b_size && !memcmp(a, b, a_size);
}

static int load_key(struct ss_ca *ca, const char *dir, enum ss_ca_kind kind,
		    const struct why *why)
{
	gnutls_x509_privkey_t key __cleanup(cleanup_key) = NULL;
	gnutls_datum_t pem __cleanup(cleanup_datum) = {};
	int ret = read_file(&pem, dir, key_file[kind], true, why);

	if (ret)
		return ret;
	ret = gnutls_x509_privkey_init(&key);
	if (!ret)
		ret = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (!ret)
		ret = gnutls_privkey_init(&ca->key[kind]);
	if (!ret)
		ret = gnutls_privkey_import_x509(ca->key[kind], key,
						 GNUTLS_PRIVKEY_IMPORT_COPY);
	if (ret)
		return fail(why, -EINVAL, "%s/%s: %s", dir, key_file[kind],
			    gnutls_strerror(ret));
	if (!key_fits(ca->crt[kind], key))
		return fail(why, -EINVAL, "%s/%s: not the key of %s", dir,
			    key_file[kind], crt_file[kind]);
	return 0;
}

int ss_ca_load(struct ss_ca *ca, const char *dir, char *err, size_t errlen)
{
	const struct why why = { err, errlen };
	int ret = 0;

	memset(ca, 0, sizeof(*ca));
	for (int kind = 0; !ret && kind < SS_CA_KINDS; kind++) {
		ret = load_crt(&ca->crt[kind], dir, kind, &why);
		if (!ret)
			ret = load_key(ca, dir, kind, &why);
	}
	return ret;
}

void ss_ca_free(struct ss_ca *ca)
{
	for (int kind = 0; kind < SS_CA_KINDS; kind++) {
		if (ca->crt[kind])
			gnutls_x509_crt_deinit(ca->crt[kind]);
		if (ca->key[kind])
			gnutls_privkey_deinit(ca->key[kind]);
	}
	memset(ca, 0, sizeof(*ca));
}

static int describe_ca(const char *dir, enum ss_ca_kind kind, struct ss_ca_info *info,
		       const struct why *why)
{
	gnutls_x509_crt_t crt __cleanup(cleanup_crt) = NULL;
	gnutls_datum_t subject __cleanup(cleanup_datum) = {};
	uint8_t hash[32];
	size_t size = sizeof(hash);
	int ret = load_crt(&crt, dir, kind, why);

	if (ret)
		return ret;
	ret = gnutls_x509_crt_get_dn3(crt, &subject, 0);
	if (!ret)
		ret = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, hash, &size);
	if (ret)
		return fail_tls(why, crt_file[kind], ret);
	ss_text_clean(SS_TEXT_PRINT, info->subject, sizeof(info->subject),
		      subject.data, subject.size);
	for (size_t i = 0; i < size; i++)
		snprintf(info->fingerprint + 3 * i, sizeof("AB:"), "%02X%s", hash[i],
			 i + 1 < size ? ":" : "");
	info->not_before = gnutls_x509_crt_get_activation_time(crt);
	info->not_after = gnutls_x509_crt_get_expiration_time(crt);
	return 0;
}

int ss_ca_describe(const char *dir, struct ss_ca_info *ca,
		   struct ss_ca_info *untrusted, char *err, size_t errlen)
{
	const struct why why = { err, errlen };
	int ret = describe_ca(dir, SS_CA_TRUSTED, ca, &why);

	return ret ?: describe_ca(dir, SS_CA_UNTRUSTED, untrusted, &why);
}
