// SPDX-License-Identifier: GPL-2.0
/*
 * What a scan looks for, and what becomes of a message, as its AV profile says.
 */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include <archive.h>
#include <glib.h>

#include "avattrs.h"
#include "mail.h"
#include "pack.h"
#include "parts.h"
#include "tools.h"

#define LIMIT_MS	60000
#define LINE		76
#define MANY		70	/* parts, more than are listed */

static struct avattrs attrs;
static struct ss_scan_job job;
static struct ss_scan_result result;
static char *replacement;	/* what goes on in its place, NULL for none */

/* -- mail ----------------------------------------------------------------- */

/* Base64 in lines of their own */
static char *coded(const void *data, size_t len)
{
	char *text = g_base64_encode(data, len);
	GString *lines = g_string_new(NULL);
	char *out;

	for (size_t at = 0; at < strlen(text); at += LINE)
		g_string_append_printf(lines, "%.*s\r\n", LINE, text + at);
	out = strdup(lines->str);
	g_free(text);
	g_string_free(lines, TRUE);
	return out;
}

/* An attachment as a part, without its boundary */
static char *attached(const char *name, const void *data, size_t len)
{
	char *body = coded(data, len);
	char *part = mail_format("Content-Type: application/octet-stream\r\n"
		"Content-Disposition: attachment; filename=\"%s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n%s", name, body);

	free(body);
	return part;
}

static char *eicar(const char *name)
{
	return attached(name, mail_eicar(), strlen(mail_eicar()));
}

static char *harmless(const char *name)
{
	return attached(name, "Harmless.\r\n", 11);
}

/* Packed, and freed */
static char *packed(struct pack pack)
{
	char *part = attached(pack.name, pack.data, pack.len);

	pack_drop(&pack);
	return part;
}

static char *part_of(const struct pack *file)
{
	return attached(file->name, file->data, file->len);
}

/* A message of parts up to NULL, which are freed, and @behind the last delimiter */
static char *message_with(const char *head, const char *behind, char *const *parts)
{
	GString *text = g_string_new(head);
	char *out;

	g_string_append(text, "From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\n"
			"MIME-Version: 1.0\r\n"
			"Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n"
			"--b\r\nContent-Type: text/plain\r\n\r\nLook at this.\r\n");
	for (; *parts; parts++) {
		g_string_append_printf(text, "--b\r\n%s", *parts);
		free(*parts);
	}
	g_string_append_printf(text, "--b--\r\n%s", behind);
	out = strdup(text->str);
	g_string_free(text, TRUE);
	return out;
}

#define MESSAGE(...)	MESSAGE_WITH("", "", __VA_ARGS__)
#define MESSAGE_WITH(head, behind, ...) \
	message_with(head, behind, (char *[]){ __VA_ARGS__, NULL })

/* Two fields where there should be one: readers differ, and some of them see EICAR */
static char *ambiguous(void)
{
	char *body = coded(mail_eicar(), strlen(mail_eicar()));
	char *part = mail_format("Content-Type: application/octet-stream\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n%s", body);

	free(body);
	return part;
}

static char *encrypted_zip(void)
{
	return packed(pack_files("secret.zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE,
				 "zip:encryption=zipcrypt", &pack_text, 1));
}

/* -- scans ---------------------------------------------------------------- */

static int reset(void **state)
{
	(void)state;
	attrs.len = 0;
	job = (struct ss_scan_job){
		.limit_ms = LIMIT_MS, .source = "10.0.1.2", .dest = "10.0.2.2",
		.from = "a@example.net", .to = "b@example.org",
	};
	memset(&result, 0, sizeof(result));
	free(replacement);
	replacement = NULL;
	return 0;
}

static void take_replacement(int fd)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	off_t size = lseek(fd, 0, SEEK_END);

	assert_int_equal(fcntl(fd, F_GET_SEALS) & seals, seals);
	replacement = calloc(1, size + 1);
	assert_int_equal(pread(fd, replacement, size, 0), size);
	close(fd);
}

static void scan_to(const char *text, int aside)
{
	int fd = mail_file(text, strlen(text)), out;

	free(replacement);
	replacement = NULL;
	job.size = strlen(text);
	out = ss_scan_message(tools, fd, aside, &job, attrs.octets, attrs.len, &result);
	assert_true(ss_scan_result_check(&result));
	assert_int_equal(result.replaced, out >= 0);
	if (out >= 0)
		take_replacement(out);
	close(fd);
}

/* Scan and free */
static void scan(char *text)
{
	scan_to(text, -1);
	free(text);
}

static void expect(uint32_t verdict, enum ss_template_cause cause, const char *virus,
		   const char *file)
{
	assert_string_equal(result.virus, virus);
	assert_string_equal(result.file, file);
	assert_int_equal(result.verdict, verdict);
	assert_int_equal(result.cause, cause);
	assert_true(result.found);
	assert_string_equal(result.detail, "");
}

static void expect_refused(enum ss_template_cause cause, const char *virus, const char *file)
{
	expect(SMTPSPLICE_VERDICT_REJECT, cause, virus, file);
	assert_null(replacement);
}

static void expect_clean(uint32_t unscanned)
{
	assert_string_equal(result.virus, "");
	assert_string_equal(result.file, "");
	assert_string_equal(result.detail, "");
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	assert_int_equal(result.unscanned, unscanned);
	assert_false(result.found || result.monitored || result.keep || result.replaced);
}

/* The hash in the log is the one of @data */
static void expect_hash(const void *data, size_t len)
{
	char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, len);

	assert_string_equal(result.filehash, hash);
	g_free(hash);
}

static bool has(const char *what)
{
	return replacement && strstr(replacement, what);
}

/* Long lines are broken at spaces */
static bool says(const char *what)
{
	char *flat = replacement ? strdup(replacement) : NULL;
	bool is;

	for (char *s = flat; s && (s = strstr(s, "\r\n")); *s = ' ')
		memmove(s, s + 1, strlen(s));
	is = flat && strstr(flat, what);
	free(flat);
	return is;
}

/* -- monitor, discard ----------------------------------------------------- */

static void monitors(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	for (uint32_t action = 0; action <= SMTPSPLICE_INFECTED_DISCARD; action++) {
		avattrs_number(&attrs, AV(INFECTED), action);
		scan(MESSAGE(eicar("eicar.com")));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_EICAR, "eicar.com");
		assert_true(result.monitored);
		assert_false(result.keep || result.tag);
		expect_hash(mail_eicar(), strlen(mail_eicar()));
		scan(MESSAGE(part_of(&pack_program)));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_EXECUTABLE, "Smtpsplice.Executable",
		       "setup.exe");
		assert_true(result.monitored);
		scan(MESSAGE(harmless("a.txt")));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
}

static void discards(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_DISCARD);
	scan(MESSAGE(eicar("eicar.com")));
	expect(SMTPSPLICE_VERDICT_DISCARD, SS_TEMPLATE_VIRUS, MAIL_EICAR, "eicar.com");
	assert_true(result.keep);
}

/* -- replace -------------------------------------------------------------- */

static void replace_all(void)
{
	avattrs_number(&attrs, AV(INFECTED), SMTPSPLICE_INFECTED_REPLACE);
}

static void replaces_one(void **state)
{
	char *whole = MESSAGE(harmless("first.txt"), eicar("eicar.com"), harmless("third.txt"));
	const char *second = strstr(strstr(strstr(whole, "--b\r\n") + 4, "--b\r\n") + 4, "--b\r\n");
	const char *third = strstr(second + 4, "--b\r\n");

	(void)state;
	replace_all();
	for (int chunked = 0; chunked < 2; chunked++) {
		job.chunked = chunked;
		scan(strdup(whole));
		expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_EICAR, "eicar.com");
		assert_true(result.replaced && result.keep);
		assert_false(result.monitored || result.tag || result.unscanned);
		assert_string_equal(result.broken, "");
		assert_memory_equal(replacement, whole, second + 5 - whole);
		assert_memory_equal(replacement + strlen(replacement) - strlen(third), third,
				    strlen(third));
		assert_true(says("The file \"eicar.com\" has been removed because of a virus."));
		assert_true(says("infected with the \"" MAIL_EICAR "\" virus."));
		/* and is what it was made for */
		scan(strdup(replacement));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
	free(whole);
}

static void replaces_several(void **state)
{
	static const char signature[] = "DKIM-Signature: v=1; a=rsa-sha256; d=example.net;\r\n"
		"\ts=a; h=from; bh=AAAA; b=AAAA\r\n";
	struct pack inner = pack_zip("b.zip", &pack_program, 1);

	(void)state;
	replace_all();
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	avattrs_text(&attrs, AV(FILE_NAME), "*.js");
	avattrs_hash(&attrs, AV(HASH_BLOCK), "blocked", 7);
	scan(MESSAGE_WITH(signature, "", eicar("one.com"), harmless("fine.txt"), packed(inner),
			  eicar("two.com"), harmless("three.js"), attached("four", "blocked", 7)));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_EICAR, "one.com");
	assert_true(result.replaced);
	assert_string_equal(result.broken, "dkim");
	/* each with its own cause */
	assert_true(says("The file \"one.com\" has been removed because of a virus."));
	assert_true(says("The file \"two.com\" has been removed because of a virus."));
	assert_true(says("The file \"b.zip\" has been removed because it is an executable."));
	assert_true(says("The file \"three.js\" has been removed because files of this name"));
	assert_true(says("The file \"four\" has been removed because it is on a block list."));
	assert_true(has("filename=\"fine.txt\""));
	assert_false(has("filename=\"b.zip\""));
}

static void replaces_all_there_is(void **state)
{
	(void)state;
	replace_all();
	scan(mail_format("From: a@example.net\r\nContent-Type: text/plain\r\n\r\n%s\r\n",
			 mail_eicar()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_EICAR, "message");
	assert_int_equal(strncmp(replacement, "From: a@example.net\r\n", 21), 0);
	assert_true(says("The file \"message\" has been removed"));
}

static void fills_the_tags_in(void **state)
{
	char *name = mail_format("%s%s", "%%VIRUS%%--b\\\"", ".com");

	(void)state;
	replace_all();
	avattrs_text(&attrs, AV(REPLACEMENT), "[%%FILE%%|%%VIRUS%%|%%SOURCE_IP%%|%%DEST_IP%%|"
		     "%%EMAIL_FROM%%|%%EMAIL_TO%%|%%PROTOCOL%%|%%QUARFILENAME%%]\n.\n--b--\nend");
	job.chunked = true;	/* as it is, whatever is in it */
	scan(MESSAGE(eicar("a.com")));
	assert_true(result.replaced);
	/* what looks like a delimiter is encoded */
	assert_true(has("Content-Transfer-Encoding: base64\r\n\r\n"));
	scan(MESSAGE(eicar(name)));
	assert_true(result.replaced);
	reset(NULL);
	replace_all();
	avattrs_text(&attrs, AV(REPLACEMENT), "[%%FILE%%|%%VIRUS%%|%%SOURCE_IP%%|%%DEST_IP%%|\n"
		     "%%EMAIL_FROM%%|%%EMAIL_TO%%|%%PROTOCOL%%|%%QUARFILENAME%%]\n.\nend");
	scan(MESSAGE(eicar("a.com")));
	assert_true(has("[a.com|" MAIL_EICAR "|10.0.1.2|10.0.2.2|\r\n"
			 "a@example.net|b@example.org|SMTP|]\r\n..\r\nend\r\n"));
	/* what a peer says is no tag */
	scan(MESSAGE(eicar(name)));
	assert_true(has("[%%VIRUS%%--b\".com|"));
	free(name);
}

static void refuses_what_it_cannot_replace(void **state)
{
	char *parts[MANY + 1] = {}, *text;

	(void)state;
	replace_all();
	/* most of it is with the server */
	job.splice = true;
	scan(MESSAGE(eicar("a.com")));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
	job.splice = false;
	/* not in any part */
	scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", harmless("a")));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_DOTTED, "a");
	/* line ends that a message by DATA cannot have */
	text = MESSAGE(eicar("a.com"));
	memmove(strchr(text, '\r'), strchr(text, '\n'), strlen(strchr(text, '\n')) + 1);
	scan(text);
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
	/* more than there is a list for */
	for (int i = 0; i < MANY; i++)
		parts[i] = eicar("a.com");
	scan(message_with("", "", parts));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
	for (int i = 0; i < MANY; i++)
		parts[i] = i < SS_PARTS_BAD_MAX ? eicar("a.com") : NULL;
	scan(message_with("", "", parts));
	assert_true(result.replaced);
	/* nothing that could be taken out */
	scan(strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
	expect_refused(SS_TEMPLATE_PARTIAL, "Smtpsplice.Partial", "message");
	/* no time */
	job.limit_ms = 0;
	scan(MESSAGE(eicar("a.com")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
}

/* A decoy is found first; what is behind it may be worse */
static void e1_replacement_is_inspected_as_well(void **state)
{
	static const char partial[] = "Content-Type: message/partial; id=x; number=1\r\n\r\nx\r\n";

	(void)state;
	replace_all();
	scan(MESSAGE(eicar("decoy.com"), ambiguous()));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "decoy.com");
		scan(MESSAGE(eicar("decoy.com"), strdup(partial)));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "decoy.com");
		scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", eicar("decoy.com")));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "decoy.com");
	/* what the profile lets pass, does, and is told */
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
		scan(MESSAGE(eicar("decoy.com"), strdup(partial)));
	assert_true(result.replaced);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_PARTIAL);
	scan(MESSAGE(eicar("decoy.com"), encrypted_zip()));
	assert_true(result.replaced);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED);
	/* each reading is looked at, and one is infected */
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(eicar("decoy.com"), ambiguous()));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "decoy.com");
}

/* -- hashes --------------------------------------------------------------- */

static void allow_eicar(void)
{
	avattrs_hash(&attrs, AV(HASH_ALLOW), "something else", 14);
	avattrs_hash(&attrs, AV(HASH_ALLOW), mail_eicar(), strlen(mail_eicar()));
}

static void allows_by_hash(void **state)
{
	static char dotted[] = MAIL_DOTTED_1 MAIL_DOTTED_2;

	(void)state;
	allow_eicar();
	scan(MESSAGE(eicar("ours.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	assert_true(result.attachment);
	scan(MESSAGE(harmless("a"), eicar("ours.com"), eicar("again.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* one of two: the other one is named, whatever was found first */
	scan(MESSAGE(eicar("ours.com"), attached("theirs", dotted, strlen(dotted))));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_DOTTED, "theirs");
	expect_hash(dotted, strlen(dotted));
	scan(MESSAGE(attached("theirs", dotted, strlen(dotted)), eicar("ours.com")));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_DOTTED, "theirs");
	/* whatever it is called, and of whatever type */
	avattrs_text(&attrs, AV(FILE_NAME), "*.com");
	scan(MESSAGE(eicar("ours.com")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	/* not in an archive, which is an attachment with a hash of its own */
	scan(MESSAGE(packed(pack_zip("a.zip", &(struct pack){
		"in.com", mail_eicar(), strlen(mail_eicar()) }, 1))));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.zip");
}

static void keeps_what_is_allowed(void **state)
{
	static char dotted[] = MAIL_DOTTED_1 MAIL_DOTTED_2;

	(void)state;
	allow_eicar();
	replace_all();
	scan(MESSAGE(eicar("ours.com"), attached("theirs", dotted, strlen(dotted))));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_VIRUS, MAIL_DOTTED, "theirs");
	assert_true(result.replaced);
	assert_true(has("filename=\"ours.com\""));
	assert_true(says("The file \"theirs\" has been removed"));
	assert_true(says("infected with the \"" MAIL_DOTTED "\""));
}

/* Who knows a file that is allowed has a decoy */
static void e1_allowed_decoy_hides_nothing(void **state)
{
	char *parts[MANY + 1] = {};

	(void)state;
	allow_eicar();
	/* outside of all parts */
	scan(MESSAGE_WITH("", MAIL_DOTTED_1 MAIL_DOTTED_2 "\r\n", eicar("ours.com")));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_DOTTED, "ours.com");
	/* in another reading */
	scan(MESSAGE(eicar("ours.com"), ambiguous()));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(eicar("ours.com"), ambiguous()));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "ours.com");
	/* behind more of them than are listed */
	for (int i = 0; i < MANY; i++)
		parts[i] = i == MANY - 1 ? ambiguous() : eicar("ours.com");
	scan(message_with("", "", parts));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	/* fragments */
	scan(MESSAGE(eicar("ours.com"),
		     strdup("Content-Type: message/partial; id=x; number=1\r\n\r\nx\r\n")));
	expect_refused(SS_TEMPLATE_PARTIAL, "Smtpsplice.Partial", "ours.com");
	/* an executable, which the allowed one is not */
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	scan(MESSAGE(eicar("ours.com"), part_of(&pack_program)));
	expect_refused(SS_TEMPLATE_EXECUTABLE, "Smtpsplice.Executable", "setup.exe");
	expect_hash(pack_program.data, pack_program.len);
}

static void blocks_by_hash(void **state)
{
	(void)state;
	avattrs_hash(&attrs, AV(HASH_BLOCK), pack_text.data, pack_text.len);
	scan(MESSAGE(harmless("a"), part_of(&pack_text)));
	expect_refused(SS_TEMPLATE_HASH, "Smtpsplice.Hash", "readme.txt");
	expect_hash(pack_text.data, pack_text.len);
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_text, 1))));
	expect_refused(SS_TEMPLATE_HASH, "Smtpsplice.Hash", "a.zip/readme.txt");
	/* both lists: what is allowed is clean */
	avattrs_hash(&attrs, AV(HASH_ALLOW), pack_text.data, pack_text.len);
	scan(MESSAGE(part_of(&pack_text)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

/* -- files ---------------------------------------------------------------- */

static void executables_are_viruses(void **state)
{
	struct pack in = { "holiday.jpg", pack_pe, sizeof(pack_pe) };

	(void)state;
	scan(MESSAGE(part_of(&pack_program)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	scan(MESSAGE(encrypted_zip(), part_of(&pack_program)));
	expect_refused(SS_TEMPLATE_EXECUTABLE, "Smtpsplice.Executable", "setup.exe");
	expect_hash(pack_program.data, pack_program.len);
	scan(MESSAGE(part_of(&in)));
	expect_refused(SS_TEMPLATE_EXECUTABLE, "Smtpsplice.Executable", "holiday.jpg");
	scan(MESSAGE(packed(pack_zip("a.zip", &in, 1))));
	expect_refused(SS_TEMPLATE_EXECUTABLE, "Smtpsplice.Executable", "a.zip/holiday.jpg");
}

static void blocks_names_and_types(void **state)
{
	struct pack in = { "run.JS", "x", 1 };

	(void)state;
	avattrs_text(&attrs, AV(FILE_NAME), "*.bat");
	avattrs_text(&attrs, AV(FILE_NAME), "*.j[s-t]");
	avattrs_text(&attrs, AV(FILE_TYPE), "no such type");
	avattrs_text(&attrs, AV(FILE_TYPE), "pdf");
	scan(MESSAGE(harmless("a"), harmless("run.js")));
	expect_refused(SS_TEMPLATE_FILENAME, "Smtpsplice.Filename", "run.js");
	scan(MESSAGE(packed(pack_zip("a.zip", &in, 1))));
	expect_refused(SS_TEMPLATE_FILENAME, "Smtpsplice.Filename", "a.zip/run.JS");
	scan(MESSAGE(attached("a.txt", "%PDF-1.4\n", 9)));
	expect_refused(SS_TEMPLATE_FILENAME, "Smtpsplice.Filetype", "a.txt");
	scan(MESSAGE(harmless("run.jsx")));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

static void archives_with_a_password(void **state)
{
	static const uint32_t encrypted = SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED;

	(void)state;
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, encrypted);
	avattrs_number(&attrs, AV(ARCHIVE_LOG), 0xff & ~encrypted);
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, 0);
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), encrypted);
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect_refused(SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.encrypted", "secret.zip");
	replace_all();
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.encrypted",
	       "secret.zip");
	assert_true(says("because it is an archive that"));
}

/* -- limits --------------------------------------------------------------- */

static void expect_action(uint32_t action, enum ss_template_cause cause, uint32_t unscanned)
{
	static const uint32_t verdict[] = {
		[SMTPSPLICE_FAIL_ACTION_TEMPFAIL] = SMTPSPLICE_VERDICT_TEMPFAIL,
		[SMTPSPLICE_FAIL_ACTION_BLOCK] = SMTPSPLICE_VERDICT_REJECT,
		[SMTPSPLICE_FAIL_ACTION_PASS] = SMTPSPLICE_VERDICT_ACCEPT,
	};
	bool passes = action == SMTPSPLICE_FAIL_ACTION_PASS;

	assert_int_equal(result.verdict, verdict[action]);
	assert_int_equal(result.cause, cause);
	assert_int_equal(result.found, !passes);
	assert_int_equal(result.tag, passes);
	assert_int_equal(result.unscanned, passes ? unscanned : SMTPSPLICE_UNSCANNED_NONE);
}

static void oversize(void **state)
{
	char *text = MESSAGE(eicar("a.com"));

	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		reset(NULL);
		avattrs_size(&attrs, AV(OVERSIZE_LIMIT), strlen(text));
		avattrs_number(&attrs, AV(OVERSIZE), action);
		scan(strdup(text));
		expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "a.com");
		scan(mail_format("%s.", text));
		expect_action(action, SS_TEMPLATE_OVERSIZE, SMTPSPLICE_UNSCANNED_OVERSIZE);
		assert_false(result.keep);
		assert_string_equal(result.head.subject, "x");
		if (action == SMTPSPLICE_FAIL_ACTION_BLOCK)
			expect_refused(SS_TEMPLATE_OVERSIZE, "Smtpsplice.Oversize", "message");
	}
	/* what is replaced may get larger by that */
	reset(NULL);
	replace_all();
	avattrs_size(&attrs, AV(OVERSIZE_LIMIT), strlen(text));
	scan(strdup(text));
	assert_true(result.replaced && strlen(replacement) > strlen(text));
	free(text);
}

static void looks_no_deeper(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(UNCOMPRESSED_NEST_LIMIT), 2);
	scan(MESSAGE(packed(pack_nested(2))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(MESSAGE(packed(pack_nested(3))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, "Smtpsplice.Archive.nested");
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), 0);
	scan(MESSAGE(packed(pack_nested(3))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, SMTPSPLICE_ARCHIVE_CONDITION_NESTED);
}

static void unpacks_no_more(void **state)
{
	(void)state;
	avattrs_size(&attrs, AV(UNCOMPRESSED_LIMIT), sizeof(pack_pe));
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_program, 1))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	avattrs_size(&attrs, AV(UNCOMPRESSED_LIMIT), sizeof(pack_pe) - 1);
	scan(MESSAGE(packed(pack_zip("a.zip", &pack_program, 1))));
	expect_refused(SS_TEMPLATE_ARCHIVE, "Smtpsplice.Archive.mailbomb", "a.zip");
}

/* Deeper than anybody looks */
static char *too_deep(void)
{
	char *text = strdup("Subject: x\r\n\r\nx\r\n");

	for (int i = 0; i < 150; i++) {
		char *outer = mail_format("Content-Type: message/rfc822\r\n\r\n%s", text);

		free(text);
		text = outer;
	}
	return text;
}

static void e3_undecodable(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		reset(NULL);
		avattrs_number(&attrs, AV(UNDECODABLE), action);
		/* it is nothing that is found */
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		scan(too_deep());
		expect_action(action, SS_TEMPLATE_VIRUS, SMTPSPLICE_UNSCANNED_ARCHIVE);
		assert_int_equal(result.keep, action == SMTPSPLICE_FAIL_ACTION_BLOCK);
		assert_false(result.monitored);
	}
}

static void failures(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		int fd = mail_file("short", 5);

		reset(NULL);
		avattrs_number(&attrs, AV(SCAN_ERROR), action);
		job.size = 100;
		assert_int_equal(ss_scan_message(tools, fd, -1, &job, attrs.octets, attrs.len,
						 &result), -1);
		expect_action(action, SS_TEMPLATE_SCAN_FAILURE, SMTPSPLICE_UNSCANNED_SCAN_ERROR);
		assert_true(result.detail[0]);
		reset(NULL);
		avattrs_number(&attrs, AV(SCAN_TIMEOUT), action);
		job.limit_ms = 0;
		scan(MESSAGE(eicar("a.com")));
		expect_action(action, SS_TEMPLATE_SCAN_FAILURE,
			      SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT);
		assert_false(result.keep);
		assert_string_equal(result.detail, "no time left");
		close(fd);
	}
	/* a profile that is none */
	reset(NULL);
	avattrs_number(&attrs, AV(CACHE), 2);
	scan(MESSAGE(harmless("a")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
}

/* -- what nobody can look into -------------------------------------------- */

static void fragments(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
	scan(strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
	expect_clean(SMTPSPLICE_UNSCANNED_PARTIAL);
	assert_false(result.tag);
}

static void e1_scans_each_reading(void **state)
{
	(void)state;
	scan(MESSAGE(ambiguous()));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(ambiguous()));
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "message");
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	reset(NULL);
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	assert_int_equal(result.cause, SS_TEMPLATE_AMBIGUOUS);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
}

/* -- cache ---------------------------------------------------------------- */

static void expect_cached(bool cached, char *text)
{
	scan(text);
	assert_int_equal(result.cached, cached);
	expect_refused(SS_TEMPLATE_VIRUS, MAIL_EICAR, "cached.com");
	assert_true(result.attachment && result.keep);
	expect_hash(mail_eicar(), strlen(mail_eicar()));
}

static void scans_but_once(void **state)
{
	char *text = MESSAGE(eicar("cached.com"));

	(void)state;
	expect_cached(false, strdup(text));
	expect_cached(true, strdup(text));
	/* other octets, another way */
	expect_cached(false, mail_format("%s.", text));
	job.chunked = true;
	expect_cached(false, strdup(text));
	job.chunked = false;
	job.splice = true;
	expect_cached(false, strdup(text));
	job.splice = false;
	/* another profile, even if it says the same */
	avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_BLOCK);
	expect_cached(false, strdup(text));
	expect_cached(true, strdup(text));
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	expect_cached(false, strdup(text));
	expect_cached(false, strdup(text));
	reset(NULL);
	expect_cached(true, text);
	scan(MESSAGE(harmless("a")));
	scan(MESSAGE(harmless("a")));
	assert_true(result.cached);
	result.cached = false;
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

static void caches_nothing_that_may_change(void **state)
{
	(void)state;
	/* no time, then time; another text in its place each time */
	job.limit_ms = 0;
	avattrs_number(&attrs, AV(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_PASS);
	scan(MESSAGE(eicar("late.com")));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	job.limit_ms = LIMIT_MS;
	scan(MESSAGE(eicar("late.com")));
	assert_false(result.cached);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	reset(NULL);
	replace_all();
	for (int i = 0; i < 3; i++) {
		scan(MESSAGE(eicar("again.com")));
		assert_true(result.replaced && !result.cached);
	}
	job.splice = true;
	for (int i = 0; i < 3; i++) {
		scan(MESSAGE(eicar("again.com")));
		assert_false(result.cached);
	}
}

/* -- quarantine ----------------------------------------------------------- */

static void expect_aside(bool kept, char *text)
{
	char got[8192];
	ssize_t len;

	for (int again = 0; again < 2; again++) {
		int aside = mail_file("", 0);

		scan_to(text, aside);
		assert_int_equal(result.keep, kept);
		assert_int_equal(result.quarantined, kept);
		assert_int_equal(result.quarantine_error, 0);
		len = pread(aside, got, sizeof(got), 0);
		assert_int_equal(len, kept ? strlen(text) : 0);
		if (kept)
			assert_memory_equal(got, text, len);
		close(aside);
	}
	free(text);
}

static void puts_aside(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_INFECTED_DISCARD; action++) {
		reset(NULL);
		avattrs_number(&attrs, AV(INFECTED), action);
		avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
		avattrs_number(&attrs, AV(ARCHIVE_BLOCK), SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED);
		avattrs_text(&attrs, AV(FILE_NAME), "*.js");
		avattrs_hash(&attrs, AV(HASH_BLOCK), "blocked", 7);
		avattrs_size(&attrs, AV(OVERSIZE_LIMIT), 8000);
		avattrs_number(&attrs, AV(OVERSIZE), SMTPSPLICE_FAIL_ACTION_BLOCK);
		expect_aside(true, MESSAGE(eicar("a.com")));
		expect_aside(true, MESSAGE(part_of(&pack_program)));
		expect_aside(true, MESSAGE(encrypted_zip()));
		expect_aside(true, MESSAGE(harmless("a.js")));
		expect_aside(true, MESSAGE(attached("a", "blocked", 7)));
		expect_aside(true, MESSAGE(ambiguous()));
		expect_aside(true, strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
		expect_aside(true, too_deep());
		expect_aside(false, MESSAGE(harmless("a")));
		expect_aside(false, mail_format("Subject: x\r\n\r\n%08000d\r\n", 0));
		avattrs_number(&attrs, AV(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_BLOCK);
		avattrs_number(&attrs, AV(SCAN_TIMEOUT), SMTPSPLICE_FAIL_ACTION_BLOCK);
		job.limit_ms = 0;
		expect_aside(false, MESSAGE(eicar("late.com")));
		job.limit_ms = LIMIT_MS;
		avattrs_number(&attrs, AV(QUARANTINE), SMTPSPLICE_SWITCH_DISABLE);
		expect_aside(false, MESSAGE(eicar("a.com")));
		avattrs_number(&attrs, AV(QUARANTINE), SMTPSPLICE_SWITCH_ENABLE);
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		expect_aside(false, MESSAGE(eicar("a.com")));
	}
}

static int teardown(void **state)
{
	reset(NULL);
	return tools_teardown(state);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(monitors, reset),
		cmocka_unit_test_setup(discards, reset),
		cmocka_unit_test_setup(replaces_one, reset),
		cmocka_unit_test_setup(replaces_several, reset),
		cmocka_unit_test_setup(replaces_all_there_is, reset),
		cmocka_unit_test_setup(fills_the_tags_in, reset),
		cmocka_unit_test_setup(refuses_what_it_cannot_replace, reset),
		cmocka_unit_test_setup(e1_replacement_is_inspected_as_well, reset),
		cmocka_unit_test_setup(allows_by_hash, reset),
		cmocka_unit_test_setup(keeps_what_is_allowed, reset),
		cmocka_unit_test_setup(e1_allowed_decoy_hides_nothing, reset),
		cmocka_unit_test_setup(blocks_by_hash, reset),
		cmocka_unit_test_setup(executables_are_viruses, reset),
		cmocka_unit_test_setup(blocks_names_and_types, reset),
		cmocka_unit_test_setup(archives_with_a_password, reset),
		cmocka_unit_test_setup(oversize, reset),
		cmocka_unit_test_setup(looks_no_deeper, reset),
		cmocka_unit_test_setup(unpacks_no_more, reset),
		cmocka_unit_test_setup(e3_undecodable, reset),
		cmocka_unit_test_setup(failures, reset),
		cmocka_unit_test_setup(fragments, reset),
		cmocka_unit_test_setup(e1_scans_each_reading, reset),
		cmocka_unit_test_setup(scans_but_once, reset),
		cmocka_unit_test_setup(caches_nothing_that_may_change, reset),
		cmocka_unit_test_setup(puts_aside, reset),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
