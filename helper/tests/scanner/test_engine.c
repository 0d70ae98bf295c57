// SPDX-License-Identifier: GPL-2.0
/*
 * libclamav without what it needs: it must not say clean where it could not work
 * (M8). The file system that it fills is a real one, of a mount namespace of ours.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "scanner/engine.h"
#include "tests/support/mail.h"
#include "tests/support/pack.h"

#define LIMIT_MS	60000
#define ROOM		(8 << 20)
#define ATTACHED	(6 << 20)
#define MOST		(400ll << 20)	/* octets that are scanned */

static struct ss_engine *engine;
static struct ss_engine_finding finding;
static char *database, *base;
static char room[64], folder[80], ballast[80];

/* -- mail ----------------------------------------------------------------- */

/* Octets that no packer makes less of */
static void append_noise(GString *text, size_t len)
{
	unsigned char *noise = g_malloc(len);
	uint32_t seed = 1;
	char *coded;

	for (size_t i = 0; i < len; i++)
		noise[i] = (seed = seed * 1664525 + 1013904223) >> 24;
	coded = g_base64_encode(noise, len);
	for (const char *at = coded; *at; at += strnlen(at, 76))
		g_string_append_printf(text, "%.76s\r\n", at);
	g_free(coded);
	g_free(noise);
}

static void append_head(GString *text, const char *name)
{
	g_string_append_printf(text, "--b\r\nContent-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=%s\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n", name);
}

/* A message with a file of @len octets, and EICAR behind it */
static int infected(size_t len)
{
	GString *text = g_string_new("Received: by x\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	char *coded = mail_base64(mail_eicar());
	int fd;

	if (len) {
		append_head(text, "noise.bin");
		append_noise(text, len);
	}
	append_head(text, "eicar.com");
	g_string_append_printf(text, "%s\r\n--b--\r\n", coded);
	fd = mail_file(text->str, text->len);
	g_string_free(text, TRUE);
	free(coded);
	return fd;
}

/* EICAR, packed by deflate */
static int packed(void)
{
	const struct pack eicar = { "eicar.com", mail_eicar(), strlen(mail_eicar()) };
	struct pack zip = pack_zip("eicar.zip", &eicar, 1);
	int fd = mail_file(zip.data, zip.len);

	pack_drop(&zip);
	return fd;
}

/* A PDF in XML, which libclamav unpacks to memory */
static int packed_pdf(void)
{
	char *coded = mail_base64("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n");
	GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<xdp:xdp xmlns:xdp=\"http://ns.adobe.com/xdp/\">\n"
		"<pdf xmlns=\"http://ns.adobe.com/xdp/pdf/\"><document><chunk>\n");
	int fd;

	g_string_append_printf(text, "%s\n</chunk></document></pdf>\n</xdp:xdp>\n", coded);
	fd = mail_file(text->str, text->len);
	g_string_free(text, TRUE);
	free(coded);
	return fd;
}

/* -- a scan --------------------------------------------------------------- */

/* Scan and close */
static enum ss_engine_outcome scan(int fd)
{
	enum ss_engine_outcome outcome = ss_engine_scan(engine, fd, LIMIT_MS, &finding);

	close(fd);
	return outcome;
}

static void expect_infected(int fd)
{
	assert_int_equal(scan(fd), SS_ENGINE_INFECTED);
	assert_string_equal(finding.text, MAIL_EICAR);
}

/* For want of @what */
static void expect_failed(int fd, const char *what)
{
	enum ss_engine_outcome outcome = scan(fd);

	if (outcome != SS_ENGINE_FAILED || !strstr(finding.text, what))
		printf("# outcome %d: %s\n", outcome, finding.text);
	assert_int_equal(outcome, SS_ENGINE_FAILED);
	assert_non_null(strstr(finding.text, what));
}

/* Leave @left octets of room */
static void fill(off_t left)
{
	int fd = open(ballast, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fallocate(fd, 0, 0, ROOM - left), 0);
	close(fd);
}

static int setup(void **state)
{
	char why[512] = "";

	(void)state;
	database = mail_database();
	engine = ss_engine_load(database, why, sizeof(why));
	base = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!engine || !mkdtemp(base))
		return -1;
	snprintf(room, sizeof(room), "%s/room", base);
	snprintf(folder, sizeof(folder), "%s/w1", room);
	snprintf(ballast, sizeof(ballast), "%s/ballast", room);
	if (unshare(geteuid() ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mkdir(room, 0700))
		return -1;
	return ss_engine_set_tmpdir(engine, folder);
}

static int teardown(void **state)
{
	(void)state;
	ss_engine_free(engine);
	ss_process_remove_tree(base);
	free(base);
	mail_remove_database(database);
	return 0;
}

/* Each test has a file system of its own, without anything in it */
static int mount_room(const char *options)
{
	return mount("none", room, "tmpfs", 0, options);
}

static int make_room(void **state)
{
	(void)state;
	return mount_room("size=8m");
}

static int drop_room(void **state)
{
	(void)state;
	return umount2(room, MNT_DETACH);
}

static bool is_empty(void)
{
	return rmdir(folder) == 0 || errno == ENOENT;
}

/* -- tests ---------------------------------------------------------------- */

static void M8_finds_with_all_it_needs(void **state)
{
	(void)state;
	expect_infected(infected(0));
	expect_infected(infected(1 << 20));
	expect_infected(packed());
	assert_true(is_empty());
}

static void M8_unpacks_to_memory(void **state)
{
	(void)state;
	assert_int_equal(scan(packed_pdf()), SS_ENGINE_CLEAN);
	assert_string_equal(finding.text, "");
}

static void M8_folder_is_made_again(void **state)
{
	(void)state;
	expect_infected(infected(0));
	assert_int_equal(rmdir(folder), 0);
	expect_infected(infected(0));
	expect_infected(packed());
}

static void M8_no_folder_is_a_failure(void **state)
{
	char gone[96];

	(void)state;
	snprintf(gone, sizeof(gone), "%s/gone/w1", room);
	assert_int_equal(ss_engine_set_tmpdir(engine, gone), 0);
	expect_failed(infected(0), gone);
	expect_failed(packed(), gone);
	assert_int_equal(ss_engine_set_tmpdir(engine, folder), 0);
	expect_infected(infected(0));
}

static void M8_read_only_is_a_failure(void **state)
{
	(void)state;
	assert_int_equal(mount("none", room, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect_failed(infected(0), folder);
	assert_int_equal(mount("none", room, "tmpfs", MS_REMOUNT, NULL), 0);
	expect_infected(infected(0));
	assert_int_equal(mount("none", room, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	expect_failed(packed(), folder);
}

static void M8_full_is_a_failure(void **state)
{
	(void)state;
	fill(0);
	expect_failed(infected(0), folder);
	expect_failed(packed(), folder);
	assert_int_equal(unlink(ballast), 0);
	expect_infected(infected(0));
	expect_infected(packed());
}

static void M8_filled_by_the_scan_is_a_failure(void **state)
{
	(void)state;
	/* it can be begun, and what is unpacked does not find room */
	for (off_t left = 2 << 20; left < ROOM; left += 1 << 20) {
		enum ss_engine_outcome outcome;

		fill(left);
		outcome = scan(infected(ATTACHED));
		if (outcome != SS_ENGINE_INFECTED && outcome != SS_ENGINE_FAILED)
			printf("# %d MiB left: outcome %d\n", (int)(left >> 20), outcome);
		assert_true(outcome == SS_ENGINE_INFECTED || outcome == SS_ENGINE_FAILED);
		assert_true(is_empty());
		assert_int_equal(unlink(ballast), 0);
	}
	expect_infected(infected(ATTACHED / 4));
}

static void M8_no_inodes_is_a_failure(void **state)
{
	(void)state;
	drop_room(NULL);
	for (int inodes = 2; inodes < 12; inodes++) {
		char options[32];
		enum ss_engine_outcome outcome;

		snprintf(options, sizeof(options), "nr_inodes=%d", inodes);
		assert_int_equal(mount_room(options), 0);
		outcome = scan(infected(1000));
		assert_true(outcome == SS_ENGINE_INFECTED || outcome == SS_ENGINE_FAILED);
		outcome = scan(packed());
		assert_true(outcome == SS_ENGINE_INFECTED || outcome == SS_ENGINE_FAILED);
		drop_room(NULL);
	}
	make_room(NULL);
}

static void M8_few_descriptors_is_a_failure(void **state)
{
	struct rlimit was, now;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	for (int more = 1; more < 12; more++) {
		int fd = infected(1000), zip = packed(), top = dup(fd);
		enum ss_engine_outcome outcome;

		now.rlim_cur = top + more;
		close(top);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		outcome = scan(fd);
		assert_true(outcome == SS_ENGINE_INFECTED || outcome == SS_ENGINE_FAILED);
		outcome = scan(zip);
		assert_true(outcome == SS_ENGINE_INFECTED || outcome == SS_ENGINE_FAILED);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
		assert_true(is_empty());
	}
	expect_infected(infected(1000));
}

static void M8_virus_without_a_name_is_a_limit(void **state)
{
	int fd = mail_file("x", 1);

	(void)state;
	assert_int_equal(ftruncate(fd, MOST + 1), 0);
	assert_int_equal(scan(fd), SS_ENGINE_LIMITED);
	assert_string_equal(finding.text, "Heuristics.Limits.Exceeded.MaxFileSize");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_room, drop_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(M8_finds_with_all_it_needs),
		TEST(M8_unpacks_to_memory),
		TEST(M8_folder_is_made_again),
		TEST(M8_no_folder_is_a_failure),
		TEST(M8_read_only_is_a_failure),
		TEST(M8_full_is_a_failure),
		TEST(M8_filled_by_the_scan_is_a_failure),
		TEST(M8_no_inodes_is_a_failure),
		TEST(M8_few_descriptors_is_a_failure),
		TEST(M8_virus_without_a_name_is_a_limit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
