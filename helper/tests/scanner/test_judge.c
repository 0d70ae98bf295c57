// SPDX-License-Identifier: GPL-2.0
/*
 * What was found, what the profile says, and what becomes of the message.
 */
#include "tests/support/unit.h"

#include "scanner/judge.h"
#include "scanner/mime/flags.h"

#define FAIL(action)		SMTPSPLICE_FAIL_ACTION_##action
#define UNSCANNED(cause)	SMTPSPLICE_UNSCANNED_##cause
#define VERDICT(verdict)	SMTPSPLICE_VERDICT_##verdict
#define CONDITION(name)		SMTPSPLICE_ARCHIVE_CONDITION_##name
#define FOUND(kind)		SS_KIND_BIT(SS_KIND_##kind)

static struct ss_av_profile profile;
static struct ss_findings findings;
static struct ss_judgement j;

static int setup(void **state)
{
	(void)state;
	ss_av_profile_default(&profile);
	memset(&findings, 0, sizeof(findings));
	return 0;
}

static void judge(void)
{
	j = ss_judge(&profile, &findings);
}

/* A verdict that has this refuses a message for not being scanned, else for a finding */
static uint32_t unscanned_by(enum ss_cause cause)
{
	return cause == SS_CAUSE_ARCHIVE ? UNSCANNED(ARCHIVE) :
	       cause == SS_CAUSE_PARTIAL ? UNSCANNED(PARTIAL) :
	       cause == SS_CAUSE_AMBIGUOUS ? UNSCANNED(AMBIGUOUS) : UNSCANNED(NONE);
}

/* All causes at once, and without the one that is named: the next one counts */
static void worst_cause_counts(void **state)
{
	static const struct {
		enum ss_cause cause;
		enum ss_kind kind;
		const char *virus;
	} order[] = {
		{ SS_CAUSE_VIRUS, SS_KIND_COUNT, "Eicar" },
		{ SS_CAUSE_HASH, SS_KIND_HASH, "Smtpsplice.Hash" },
		{ SS_CAUSE_EXECUTABLE, SS_KIND_EXECUTABLE, "Smtpsplice.Executable" },
		{ SS_CAUSE_FILENAME, SS_KIND_NAME, "Smtpsplice.Filename" },
		{ SS_CAUSE_FILENAME, SS_KIND_TYPE, "Smtpsplice.Filetype" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_ENCRYPTED, "Smtpsplice.Archive.encrypted" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_CORRUPTED, "Smtpsplice.Archive.corrupted" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_PARTIALLYCORRUPTED,
		  "Smtpsplice.Archive.partiallycorrupted" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_MULTIPART, "Smtpsplice.Archive.multipart" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_NESTED, "Smtpsplice.Archive.nested" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_MAILBOMB, "Smtpsplice.Archive.mailbomb" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_TIMEOUT, "Smtpsplice.Archive.timeout" },
		{ SS_CAUSE_ARCHIVE, SS_KIND_UNHANDLED, "Smtpsplice.Archive.unhandled" },
		{ SS_CAUSE_PARTIAL, SS_KIND_COUNT, "Smtpsplice.Partial" },
		{ SS_CAUSE_AMBIGUOUS, SS_KIND_COUNT, NULL },
	};

	(void)state;
	profile.archive_block = 0xff;
	findings = (struct ss_findings){
		.infected = true, .virus = "Eicar", .limit = "Limit", .failed = true,
		.late = true, .partial = true, .ambiguous = SS_AMBIGUITY_BASE64,
		.content.found = SS_KIND_BIT(SS_KIND_COUNT) - 1,
	};
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		judge();
		assert_int_equal(j.verdict, VERDICT(REJECT));
		assert_true(j.found && !j.monitored && !j.tag && !j.replace);
		assert_int_equal(j.cause, order[i].cause);
		assert_int_equal(j.kind, order[i].kind);
		assert_int_equal(j.unscanned, unscanned_by(order[i].cause));
		if (order[i].virus)
			assert_string_equal(j.virus, order[i].virus);
		findings.infected = false;
		if (j.kind < SS_KIND_COUNT)
			findings.content.found &= ~SS_KIND_BIT(j.kind);
		findings.partial &= j.cause != SS_CAUSE_PARTIAL;
	}
	findings.ambiguous = 0;
	judge();	/* then that it failed, then a limit */
	assert_int_equal(j.cause, SS_CAUSE_SCAN_FAILURE);
	assert_int_equal(j.verdict, VERDICT(TEMPFAIL));
	findings.failed = false;
	judge();
	assert_int_equal(j.cause, SS_CAUSE_UNDECODABLE);
	assert_string_equal(j.virus, "Limit");
	assert_int_equal(j.verdict, VERDICT(REJECT));
	findings.limit[0] = '\0';
	assert_int_equal(findings.content.found, FOUND(ENVELOPED));
	profile.encrypted_mail = FAIL(BLOCK);
	judge();
	assert_int_equal(j.cause, SS_CAUSE_ENCRYPTED);
	assert_int_equal(j.kind, SS_KIND_ENVELOPED);
	assert_string_equal(j.virus, "Smtpsplice.Encrypted");
	assert_int_equal(j.verdict, VERDICT(REJECT));
	findings.content.found = 0;
	judge();
	assert_int_equal(j.verdict, VERDICT(ACCEPT));
	assert_true(!j.found && !j.tag && !j.unscanned && !j.conditions && !j.virus[0]);
}

/* Which causes there are under each option that blocks or lets pass */
static void options_decide_what_is_a_cause(void **state)
{
	(void)state;
	findings.partial = true;
	judge();
	assert_int_equal(j.cause, SS_CAUSE_PARTIAL);
	profile.fragmail = SMTPSPLICE_PASS_BLOCK_PASS;
	judge();
	assert_int_equal(j.verdict, VERDICT(ACCEPT));
	assert_int_equal(j.unscanned, UNSCANNED(PARTIAL));
	assert_true(!j.found && j.tag);

	findings = (struct ss_findings){ .ambiguous = SS_AMBIGUITY_DUPLICATE };
	judge();
	assert_int_equal(j.cause, SS_CAUSE_AMBIGUOUS);
	assert_int_equal(strncmp(j.virus, "Smtpsplice.", 11), 0);
	profile.ambiguity = SMTPSPLICE_AMBIGUITY_MONITOR;
	judge();
	assert_int_equal(j.verdict, VERDICT(ACCEPT));
	assert_int_equal(j.unscanned, UNSCANNED(AMBIGUOUS));
	assert_false(j.found || j.tag);

	/* what could be looked at least of all is named */
	findings.content.found = FOUND(ENCRYPTED);
	judge();
	assert_int_equal(j.unscanned, UNSCANNED(ARCHIVE));
	assert_true(j.tag);
	findings.partial = true;
	judge();
	assert_int_equal(j.unscanned, UNSCANNED(PARTIAL));
}

static void archive_conditions(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		findings = (struct ss_findings){
			.content.found = SS_KIND_BIT(SS_KIND_ENCRYPTED + i),
		};
		for (int block = 0; block < 2; block++) {
			for (int log = 0; log < 2; log++) {
				profile.archive_block = block ? 1u << i : 0xffu & ~(1u << i);
				profile.archive_log = log ? 1u << i : 0xffu & ~(1u << i);
				judge();
				assert_int_equal(j.verdict, block ? VERDICT(REJECT) :
						 VERDICT(ACCEPT));
				assert_int_equal(j.cause == SS_CAUSE_ARCHIVE, block);
				assert_int_equal(j.unscanned, UNSCANNED(ARCHIVE));
				assert_int_equal(j.tag, !block);
				assert_int_equal(j.conditions, log ? 1u << i : 0);
			}
		}
	}
	/* nested and mailbomb are refused as it is, the others are logged */
	setup(NULL);
	findings.content.found = FOUND(ENCRYPTED) | FOUND(MAILBOMB);
	judge();
	assert_int_equal(j.kind, SS_KIND_MAILBOMB);
	assert_int_equal(j.conditions, CONDITION(ENCRYPTED) | CONDITION(MAILBOMB));
	findings.content.found = FOUND(ENCRYPTED);
	judge();
	assert_int_equal(j.verdict, VERDICT(ACCEPT));
}

static void set_cause(enum ss_cause cause)
{
	setup(NULL);
	findings.infected = cause == SS_CAUSE_VIRUS;
	findings.partial = cause == SS_CAUSE_PARTIAL;
	findings.ambiguous = cause == SS_CAUSE_AMBIGUOUS ? SS_AMBIGUITY_TYPE : 0;
	findings.content.found = cause == SS_CAUSE_EXECUTABLE ? FOUND(EXECUTABLE) :
		cause == SS_CAUSE_FILENAME ? FOUND(NAME) :
		cause == SS_CAUSE_ARCHIVE ? FOUND(NESTED) :
		cause == SS_CAUSE_HASH ? FOUND(HASH) : 0;
}

/* Those have options of their own */
static bool is_failure(enum ss_cause cause)
{
	return cause == SS_CAUSE_OVERSIZE || cause == SS_CAUSE_SCAN_FAILURE ||
	       cause == SS_CAUSE_UNDECODABLE || cause == SS_CAUSE_ENCRYPTED;
}

static bool has_no_part(enum ss_cause cause)
{
	return cause == SS_CAUSE_PARTIAL || cause == SS_CAUSE_AMBIGUOUS;
}

static void actions(void **state)
{
	(void)state;
	for (int cause = 0; cause < SS_CAUSE_COUNT; cause++) {
		if (is_failure(cause))
			continue;
		set_cause(cause);
		judge();
		assert_int_equal(j.cause, cause);
		assert_int_equal(j.verdict, VERDICT(REJECT));
		assert_false(j.replace);
		profile.infected = SMTPSPLICE_INFECTED_DISCARD;
		judge();
		assert_int_equal(j.verdict, VERDICT(DISCARD));
		assert_true(j.found && !j.replace);
		/* refused, unless it can be replaced */
		profile.infected = SMTPSPLICE_INFECTED_REPLACE;
		judge();
		assert_int_equal(j.verdict, VERDICT(REJECT));
		assert_true(j.found);
		assert_int_equal(j.replace, !has_no_part(cause));
		for (int action = 0; action <= SMTPSPLICE_INFECTED_DISCARD; action++) {
			profile.infected = action;
			profile.scan = SMTPSPLICE_AV_SCAN_MONITOR;
			judge();
			assert_int_equal(j.verdict, VERDICT(ACCEPT));
			assert_int_equal(j.cause, cause);
			assert_true(j.found && j.monitored && !j.replace);
			assert_int_equal(j.unscanned, unscanned_by(cause));
			assert_int_equal(j.tag, cause == SS_CAUSE_ARCHIVE ||
					 cause == SS_CAUSE_PARTIAL);
			assert_true(j.virus[0] || cause == SS_CAUSE_VIRUS);
		}
	}
}

/* All failures, alike */
static void set_failures(uint32_t action)
{
	profile.scan_error = action;
	profile.scan_timeout = action;
	profile.oversize = action;
	profile.undecodable = action;
}

static void expect_action(uint32_t action, enum ss_cause cause, uint32_t unscanned)
{
	static const uint32_t verdict[] = {
		[FAIL(TEMPFAIL)] = VERDICT(TEMPFAIL), [FAIL(BLOCK)] = VERDICT(REJECT),
		[FAIL(PASS)] = VERDICT(ACCEPT),
	};
	bool passes = action == FAIL(PASS);

	assert_int_equal(j.verdict, verdict[action]);
	assert_int_equal(j.cause, cause);
	assert_int_equal(j.kind, SS_KIND_COUNT);
	assert_int_equal(j.found, !passes);
	assert_int_equal(j.tag, passes);
	assert_int_equal(j.unscanned, unscanned);
	assert_false(j.monitored || j.replace);
}

/* Each has its own option, and nothing else decides: neither monitor nor discard */
static void failures(void **state)
{
	(void)state;
	for (uint32_t action = 0; action <= FAIL(PASS); action++) {
		uint32_t other = (action + 1) % 3;

		for (int i = 0; i < 9; i++) {
			setup(NULL);
			profile.scan = i % 3 == 1 ? SMTPSPLICE_AV_SCAN_MONITOR :
			       SMTPSPLICE_AV_SCAN_BLOCK;
			profile.infected = i / 3;
			set_failures(other);
			findings.failed = true;
			profile.scan_error = action;
			judge();
			expect_action(action, SS_CAUSE_SCAN_FAILURE, UNSCANNED(SCAN_ERROR));
			profile.scan_error = other;
			profile.scan_timeout = action;
			findings.late = true;
			judge();
			expect_action(action, SS_CAUSE_SCAN_FAILURE,
				      UNSCANNED(SCAN_TIMEOUT));
			profile.scan_timeout = other;
			profile.undecodable = action;
			findings = (struct ss_findings){ .limit = "MaxFiles" };
			judge();
			expect_action(action, SS_CAUSE_UNDECODABLE, UNSCANNED(ARCHIVE));
			assert_string_equal(j.virus, "MaxFiles");
			profile.undecodable = other;
			profile.oversize = action;
			findings = (struct ss_findings){ .oversize = true };
			judge();
			expect_action(action, SS_CAUSE_OVERSIZE, UNSCANNED(OVERSIZE));
		}
		for (int late = 0; late < 2; late++) {
			j = ss_judgement_of_failure(action, late);
			expect_action(action, SS_CAUSE_SCAN_FAILURE,
				      late ? UNSCANNED(SCAN_TIMEOUT) : UNSCANNED(SCAN_ERROR));
		}
	}
	/* A word that is not known lets nothing pass */
	j = ss_judgement_of_failure(3, false);
	assert_int_equal(j.verdict, VERDICT(TEMPFAIL));
}

/* What passes for one cause is still refused for another */
static void M7_pass_hides_no_other_cause(void **state)
{
	(void)state;
	for (uint32_t failure = 0; failure <= FAIL(PASS); failure++) {
		for (uint32_t limit = 0; limit <= FAIL(PASS); limit++) {
			bool first = failure != FAIL(PASS) || limit == FAIL(PASS);

			setup(NULL);
			profile.scan_error = failure;
			profile.undecodable = limit;
			findings = (struct ss_findings){ .failed = true, .limit = "MaxFiles" };
			judge();
			expect_action(first ? failure : limit,
				      first ? SS_CAUSE_SCAN_FAILURE : SS_CAUSE_UNDECODABLE,
				      first ? UNSCANNED(SCAN_ERROR) : UNSCANNED(ARCHIVE));
		}
	}
}

/* Encrypted mail has an option of its own, which lets it pass unless it is told not to */
static void M2_encrypted_mail(void **state)
{
	static const uint32_t verdict[] = {
		[FAIL(TEMPFAIL)] = VERDICT(TEMPFAIL), [FAIL(BLOCK)] = VERDICT(REJECT),
		[FAIL(PASS)] = VERDICT(ACCEPT),
	};

	(void)state;
	assert_int_equal(profile.encrypted_mail, FAIL(PASS));
	for (uint32_t action = 0; action <= FAIL(PASS); action++) {
		setup(NULL);
		profile.encrypted_mail = action;
		profile.archive_block = 0xff;
		findings.content.found = FOUND(ENVELOPED);
		judge();
		assert_int_equal(j.verdict, verdict[action]);
		assert_int_equal(j.cause, SS_CAUSE_ENCRYPTED);
		assert_int_equal(j.found, action != FAIL(PASS));
		assert_int_equal(j.tag, action == FAIL(PASS));
		assert_int_equal(j.unscanned, UNSCANNED(ENCRYPTED));
		assert_int_equal(j.conditions, 0);
		/* of what passes, the other causes say more */
		if (action == FAIL(PASS)) {
			profile.archive_block = 0;
			findings.content.found |= FOUND(ENCRYPTED);
			judge();
			assert_int_equal(j.unscanned, UNSCANNED(ARCHIVE));
			profile.fragmail = SMTPSPLICE_PASS_BLOCK_PASS;
			findings.partial = true;
			judge();
			assert_int_equal(j.unscanned, UNSCANNED(PARTIAL));
			setup(NULL);
			profile.archive_block = 0xff;
			findings.content.found = FOUND(ENVELOPED);
		}
		/* a limit that may pass does not let it pass, nor the other way round */
		strcpy(findings.limit, "Limit");
		profile.undecodable = FAIL(PASS);
		judge();
		assert_int_equal(j.verdict, verdict[action]);
		profile.undecodable = FAIL(BLOCK);
		judge();
		assert_int_equal(j.cause, SS_CAUSE_UNDECODABLE);
		assert_int_equal(j.verdict, VERDICT(REJECT));
		/* and what is bad is */
		findings.infected = true;
		judge();
		assert_int_equal(j.cause, SS_CAUSE_VIRUS);
		assert_int_equal(j.verdict, VERDICT(REJECT));
	}
}

/* A finding is one, whatever could not be looked at; where it passes that is told */
static void M7_finding_is_no_limit(void **state)
{
	(void)state;
	findings = (struct ss_findings){
		.infected = true, .virus = "Eicar", .limit = "MaxFiles",
	};
	judge();
	assert_int_equal(j.cause, SS_CAUSE_VIRUS);
	assert_int_equal(j.unscanned, UNSCANNED(NONE));
	profile.scan = SMTPSPLICE_AV_SCAN_MONITOR;
	judge();
	assert_int_equal(j.verdict, VERDICT(ACCEPT));
	assert_int_equal(j.unscanned, UNSCANNED(ARCHIVE));
	findings.failed = true;
	judge();
	assert_int_equal(j.unscanned, UNSCANNED(SCAN_ERROR));
	findings.late = true;
	judge();
	assert_int_equal(j.unscanned, UNSCANNED(SCAN_TIMEOUT));
}

/* What is bad counts, however much else there is that would let it pass */
static void failure_hides_nothing(void **state)
{
	(void)state;
	for (int cause = 0; cause < SS_CAUSE_COUNT; cause++) {
		if (is_failure(cause))
			continue;
		set_cause(cause);
		set_failures(FAIL(PASS));
		findings.failed = true;
		findings.late = true;
		strcpy(findings.limit, "Limit");
		judge();
		assert_int_equal(j.verdict, VERDICT(REJECT));
		assert_int_equal(j.cause, cause);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(worst_cause_counts, setup),
		cmocka_unit_test_setup(options_decide_what_is_a_cause, setup),
		cmocka_unit_test_setup(archive_conditions, setup),
		cmocka_unit_test_setup(actions, setup),
		cmocka_unit_test_setup(failures, setup),
		cmocka_unit_test_setup(M7_pass_hides_no_other_cause, setup),
		cmocka_unit_test_setup(M2_encrypted_mail, setup),
		cmocka_unit_test_setup(M7_finding_is_no_limit, setup),
		cmocka_unit_test_setup(failure_hides_nothing, setup),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
