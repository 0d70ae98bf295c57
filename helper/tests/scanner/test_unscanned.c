// SPDX-License-Identifier: GPL-2.0
/*
 * What cannot be scanned, or not all of it, and what an AV profile makes of that.
 */
#include "tests/support/message.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include <archive.h>
#include <glib.h>

#include "lib/cleanup.h"
#include "scanner/engine.h"
#include "scanner/mime/parser.h"

typeof(ss_engine_scan) __real_ss_engine_scan, __wrap_ss_engine_scan;
typeof(ss_mime_part_decode) __real_ss_mime_part_decode, __wrap_ss_mime_part_decode;

/* What comes of the engine's scans, from one to another; before and behind it is left alone */
static struct {
	unsigned int calls;
	unsigned int first;
	unsigned int last;
	enum ss_engine_outcome outcome;		/* of the first */
	enum ss_engine_outcome others;
} fault;

static unsigned int decoded, undecoded;		/* the part that cannot be, or 0 */

enum ss_engine_outcome __wrap_ss_engine_scan(struct ss_engine *engine, int fd, uint32_t ms,
					     struct ss_engine_finding *finding)
{
	if (++fault.calls < fault.first || fault.calls > fault.last)
		return __real_ss_engine_scan(engine, fd, ms, finding);
	memset(finding, 0, sizeof(*finding));
	snprintf(finding->text, sizeof(finding->text), "Odd");
	return fault.calls == fault.first ? fault.outcome : fault.others;
}

int __wrap_ss_mime_part_decode(const struct ss_mime_part *part)
{
	return ++decoded == undecoded ? -EMFILE : __real_ss_mime_part_decode(part);
}

static void set_fault(unsigned int first, unsigned int last, enum ss_engine_outcome outcome)
{
	fault.calls = 0;
	fault.first = first;
	fault.last = last;
	fault.outcome = outcome;
	fault.others = outcome;
}

static int reset_all(void **state)
{
	set_fault(0, 0, SS_ENGINE_CLEAN);
	decoded = 0;
	undecoded = 0;
	return reset(state);
}

/* -- limits --------------------------------------------------------------- */

static void expect_action(uint32_t action, enum ss_cause cause, uint32_t unscanned)
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
	assert_int_equal(result.unscanned, unscanned);
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
		expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
		scan(mail_format("%s.", text));
		expect_action(action, SS_CAUSE_OVERSIZE, SMTPSPLICE_UNSCANNED_OVERSIZE);
		assert_false(result.keep);
		assert_string_equal(result.head.subject, "x");
		if (action == SMTPSPLICE_FAIL_ACTION_BLOCK)
			expect_refused(SS_CAUSE_OVERSIZE, "Smtpsplice.Oversize", "message");
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
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.mailbomb", "a.zip");
}

static void M7_undecodable(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= SMTPSPLICE_FAIL_ACTION_PASS; action++) {
		reset(NULL);
		avattrs_number(&attrs, AV(UNDECODABLE), action);
		/* it is nothing that is found */
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		scan(mail_deep());
		expect_action(action, SS_CAUSE_UNDECODABLE, SMTPSPLICE_UNSCANNED_ARCHIVE);
		assert_string_equal(result.virus, "Heuristics.Limits.Exceeded.MaxRecursion");
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
		expect_action(action, SS_CAUSE_SCAN_FAILURE, SMTPSPLICE_UNSCANNED_SCAN_ERROR);
		assert_true(result.detail[0]);
		reset(NULL);
		avattrs_number(&attrs, AV(SCAN_TIMEOUT), action);
		job.limit_ms = 0;
		scan(MESSAGE(eicar("a.com")));
		expect_action(action, SS_CAUSE_SCAN_FAILURE,
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

/* Leaves, a member and mail in a file: with each of them there is more to be scanned */
static char *of_all_kinds(void)
{
	char *mail = MESSAGE(harmless("a.txt"));
	char *text = MESSAGE(harmless("b.txt"), packed(pack_zip("c.zip", &pack_text, 1)),
			     attached("d.eml", mail, strlen(mail)),
			     strdup("Content-Type: message/rfc822\r\n\r\n"
				    "Subject: y\r\n\r\nHi\r\n"));

	free(mail);
	return text;
}

static void M7_each_scan_has_to_be_done(void **state)
{
	static const struct {
		enum ss_engine_outcome outcome;
		uint32_t unscanned;
	} kinds[] = {
		{ SS_ENGINE_FAILED, SMTPSPLICE_UNSCANNED_SCAN_ERROR },
		{ SS_ENGINE_LATE, SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT },
	};
	char *text = of_all_kinds();

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (unsigned int n = 1;; n++) {
			set_fault(n, n, kinds[i].outcome);
			scan(strdup(text));
			if (fault.calls < n)
				break;
			expect_action(SMTPSPLICE_FAIL_ACTION_TEMPFAIL, SS_CAUSE_SCAN_FAILURE,
				      kinds[i].unscanned);
		}
		assert_true(fault.calls > 8);
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
	free(text);
}

static void M7_each_part_has_to_be_decoded(void **state)
{
	char *text = of_all_kinds();

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	for (undecoded = 1;; undecoded++) {
		decoded = 0;
		scan(strdup(text));
		if (decoded < undecoded)
			break;
		expect_action(SMTPSPLICE_FAIL_ACTION_TEMPFAIL, SS_CAUSE_SCAN_FAILURE,
			      SMTPSPLICE_UNSCANNED_SCAN_ERROR);
	}
	assert_true(decoded > 8);
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	free(text);
}

/* What passes for an error does not pass for want of time as well */
static void M7_failure_behind_want_of_time(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_PASS);
	set_fault(1, UINT_MAX, SS_ENGINE_LATE);
	fault.others = SS_ENGINE_FAILED;
	scan(MESSAGE(harmless("a")));
	expect_action(SMTPSPLICE_FAIL_ACTION_TEMPFAIL, SS_CAUSE_SCAN_FAILURE,
		      SMTPSPLICE_UNSCANNED_SCAN_TIMEOUT);
}

static void M7_failures_are_not_kept(void **state)
{
	char *text = MESSAGE(eicar("a.com"));

	(void)state;
	avattrs_number(&attrs, AV(SCAN_ERROR), SMTPSPLICE_FAIL_ACTION_PASS);
	set_fault(1, UINT_MAX, SS_ENGINE_FAILED);
	scan(strdup(text));
	expect_action(SMTPSPLICE_FAIL_ACTION_PASS, SS_CAUSE_SCAN_FAILURE,
		      SMTPSPLICE_UNSCANNED_SCAN_ERROR);
	set_fault(0, 0, SS_ENGINE_CLEAN);
	scan(text);
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
}

/* What is left when something was taken out is scanned as well */
static void M7_replacement_beyond_a_limit(void **state)
{
	char *text = MESSAGE(eicar("a.com"), harmless("b"));

	(void)state;
	avattrs_number(&attrs, AV(UNDECODABLE), SMTPSPLICE_FAIL_ACTION_PASS);
	replace_all();
	set_fault(0, 0, SS_ENGINE_CLEAN);
	scan(strdup(text));
	assert_true(result.replaced);
	set_fault(fault.calls, fault.calls, SS_ENGINE_LIMITED);
	scan(text);
	assert_int_equal(fault.calls, fault.last);
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
}

static void e1_rest_without_what_is_allowed(void **state)
{
	char *text = MESSAGE(eicar("ours.com"), harmless("b"));

	(void)state;
	avattrs_number(&attrs, AV(CACHE), SMTPSPLICE_SWITCH_DISABLE);
	avattrs_hash(&attrs, AV(HASH_ALLOW), mail_eicar(), strlen(mail_eicar()));
	scan(strdup(text));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	set_fault(fault.calls, fault.calls, SS_ENGINE_INFECTED);
	scan(text);
	assert_int_equal(fault.calls, fault.last);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, "Odd");
}

/* -- what a message may cost ---------------------------------------------- */

/* Of as many files as there may be in an archive */
static char *full(void)
{
	static struct pack files[9999];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		files[i] = pack_text;
	return packed(pack_files("a.tgz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, NULL,
				 files, ARRAY_SIZE(files)));
}

static void e3_scans_are_bounded(void **state)
{
	(void)state;
	set_fault(1, UINT_MAX, SS_ENGINE_CLEAN);
	scan(MESSAGE(full()));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(MESSAGE(full(), full()));
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Scan.Limit", "message");
}

/* A message in a message, so many times */
static char *within(unsigned int depth, size_t size)
{
	GString *text = g_string_new(NULL);
	char *out;

	while (depth--)
		g_string_append(text, "Subject: x\r\nContent-Type: message/rfc822\r\n\r\n");
	g_string_append(text, "Subject: y\r\n\r\n");
	for (size_t i = 0; i < size; i += 64)
		g_string_append_printf(text, "%062d\r\n", 0);
	out = strdup(text->str);
	g_string_free(text, TRUE);
	return out;
}

/* Each is copied with all that is in it */
static void e3_copies_of_nested_mail_are_bounded(void **state)
{
	(void)state;
	set_fault(1, UINT_MAX, SS_ENGINE_CLEAN);
	scan(within(45, 1000));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(within(45, 10 << 20));
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Scan.Limit", "message");
}

/* A fragment deeper than anybody looks may not pass for what is deep alone */
static void G4_fragments_too_deep(void **state)
{
	char *text = within(150, 0);

	(void)state;
	set_fault(1, UINT_MAX, SS_ENGINE_CLEAN);
	avattrs_number(&attrs, AV(UNDECODABLE), SMTPSPLICE_FAIL_ACTION_PASS);
	scan(strdup(text));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	strcpy(strstr(text, "Subject: y"), "");
	scan(mail_format("%sContent-Type: message/partial; id=x\r\n\r\nx\r\n", text));
	expect_refused(SS_CAUSE_PARTIAL, "Smtpsplice.Partial", "message");
	free(text);
}

/* What may be more contents than are read, and is mail of which readers differ */
static char *of_many_readings(void)
{
	GString *behind = g_string_new(NULL);
	char *text;

	for (int i = 0; i < 20000; i++)
		g_string_append_printf(behind, "--\r\n\r\nQUJDREVGR0hJSktMTU5PUA%06d==x\r\n", i);
	text = MESSAGE_WITH("", behind->str, ambiguous());
	g_string_free(behind, TRUE);
	return text;
}

/* Plain data of CMS */
static char *in_cms(char *mail)
{
	size_t len = strlen(mail);
	const char head[] = {
		0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01,
		0xa0, 0x80, 0x04, 0x83, len >> 16, len >> 8, len,
	};
	GString *octets = g_string_new_len(head, sizeof(head));
	char *part;

	g_string_append(octets, mail);
	g_string_append_len(octets, "\0\0\0\0", 4);
	part = attached("smime.p7m", octets->str, octets->len);
	g_string_free(octets, TRUE);
	free(mail);
	return part;
}

static void e1_too_many_readings(void **state)
{
	(void)state;
	set_fault(1, UINT_MAX, SS_ENGINE_CLEAN);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(ambiguous(), in_cms(MESSAGE(ambiguous()))));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	scan(of_many_readings());
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Mime.Limit", "message");
	scan(MESSAGE(in_cms(of_many_readings())));
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Mime.Limit", "smime.p7m");
}

/* Deeper than the gate reads, but not than others do */
static void e3_gate_ends(void **state)
{
	GString *text = g_string_new("Subject: x\r\n");

	(void)state;
	set_fault(1, UINT_MAX, SS_ENGINE_CLEAN);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	for (int i = 100; i < 210; i++)
		g_string_append_printf(text, "Content-Type: multipart/mixed; boundary=%d\r\n\r\n"
				       "--%d\r\n", i, i);
	g_string_append(text, "\r\nx\r\n");
	scan(strdup(text->str));
	expect_refused(SS_CAUSE_UNDECODABLE, "Smtpsplice.Mime.Limit", "message");
	g_string_free(text, TRUE);
}

/* One that is beyond a limit does not hide the others */
static void e1_reading_beyond_a_limit(void **state)
{
	char *body = encoded(MAIL_DOTTED_1 MAIL_DOTTED_2, strlen(MAIL_DOTTED_1 MAIL_DOTTED_2));
	char *other = mail_format("Content-Type: text/plain\r\n"
				  "Content-Transfer-Encoding: base64\r\n"
				  "Content-Transfer-Encoding: 7bit\r\n\r\n%s", body);
	char *text = MESSAGE(ambiguous(), other);

	(void)state;
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	/* the message as it is, and the first reading */
	set_fault(1, 2, SS_ENGINE_CLEAN);
	fault.others = SS_ENGINE_LIMITED;
	scan(text);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_VIRUS);
	free(body);
}

/* -- what nobody can look into -------------------------------------------- */

static void archives_with_a_password(void **state)
{
	static const uint32_t encrypted = SMTPSPLICE_ARCHIVE_CONDITION_ENCRYPTED;

	(void)state;
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_true(result.tag);
	assert_int_equal(result.conditions, encrypted);
	avattrs_number(&attrs, AV(ARCHIVE_LOG), 0xff & ~encrypted);
	scan(MESSAGE(encrypted_zip()));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_int_equal(result.conditions, 0);
	avattrs_number(&attrs, AV(ARCHIVE_BLOCK), encrypted);
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.encrypted", "secret.zip");
	replace_all();
	scan(MESSAGE(harmless("a"), encrypted_zip()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.encrypted",
	       "secret.zip");
	assert_true(says("because it is an archive that"));
}

/* What goes on without the infected part is told for what it is, too */
static void words_replaced_and_marked(void **state)
{
	(void)state;
	replace_all();
	scan(MESSAGE(eicar("a.com"), encrypted_zip()));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "a.com");
	assert_true(result.replaced && result.tag);
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	assert_false(has("X-Smtpsplice"));	/* that is the kernel's to add */
	scan(MESSAGE(eicar("a.com"), harmless("b")));
	assert_true(result.replaced && !result.tag);
}

static void fragments(void **state)
{
	(void)state;
	avattrs_number(&attrs, AV(FRAGMAIL), SMTPSPLICE_PASS_BLOCK_PASS);
	scan(strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"));
	expect_clean(SMTPSPLICE_UNSCANNED_PARTIAL);
	assert_true(result.tag);
}

static void e1_scans_each_reading(void **state)
{
	(void)state;
	scan(MESSAGE(ambiguous()));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(MESSAGE(ambiguous()));
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, "message");
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	assert_false(result.tag);
	reset(NULL);
	scan(MESSAGE(strdup("Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
			    "Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n")));
	assert_int_equal(result.cause, SS_CAUSE_AMBIGUOUS);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
}

#define T(name) cmocka_unit_test_setup(name, reset_all)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(oversize),
		T(looks_no_deeper),
		T(unpacks_no_more),
		T(M7_undecodable),
		T(failures),
		T(M7_each_scan_has_to_be_done),
		T(M7_each_part_has_to_be_decoded),
		T(M7_failure_behind_want_of_time),
		T(M7_failures_are_not_kept),
		T(M7_replacement_beyond_a_limit),
		T(e1_rest_without_what_is_allowed),
		T(e3_scans_are_bounded),
		T(e3_copies_of_nested_mail_are_bounded),
		T(G4_fragments_too_deep),
		T(e1_too_many_readings),
		T(e3_gate_ends),
		T(e1_reading_beyond_a_limit),
		T(archives_with_a_password),
		T(words_replaced_and_marked),
		T(fragments),
		T(e1_scans_each_reading),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, teardown);
}
