// SPDX-License-Identifier: GPL-2.0
/*
 * S/MIME: mail that can be read without a key is scanned as any other is.
 */
#include "tests/support/cms.h"

#include <archive.h>
#include <archive_entry.h>

#include "lib/cleanup.h"

/* As DER, and as a stream: in BER, with the content in pieces */
static void M2_opaque_signature(void **state)
{
	static const char *const hows[] = { SIGN, SIGN " -stream", SIGN " -nocerts -noattr" };
	static const char *const fields[] = {
		P7M, "Content-Type: application/x-pkcs7-mime; name=smime.p7m\r\n",
		"Content-Type: application/octet-stream; name=smime.p7m\r\n",
		"Content-Type: text/plain\r\nContent-Disposition: inline; filename=smime.p7m\r\n",
		"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(fields); k++) {
			scan(MESSAGE(part(fields[k], cms_of(hows[i], good_entity()))));
			expect_clean(SMTPSPLICE_UNSCANNED_NONE);
			assert_false(result.tag);
			scan(MESSAGE(part(fields[k], cms_of(hows[i], entity()))));
			expect_virus("smime.p7m");
		}
		scan(whole(cms_of(hows[i], good_entity())));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		scan(whole(cms_of(hows[i], entity())));
		expect_virus("smime.p7m");
	}
	scan(part(HEAD "Content-Type: application/pkcs7-mime\r\n", cms_of(SIGN, entity())));
	expect_virus("eicar.com");
}

/* The mail as openssl(1) sends it, its own fields and all */
static void M2_mail_of_openssl(void **state)
{
	char *in = mail_format("%s/in", dir), *text = entity();
	gchar *out;

	(void)state;
	assert_true(g_file_set_contents(in, text, -1, NULL));
	for (int i = 0; i < 2; i++) {
		run(i ? "openssl smime " SIGN " -from a@b -to c@d -subject x -in in >out" :
			"openssl cms " SIGN " -from a@b -to c@d -subject x -stream -in in >out");
		run("sed 's/$/\\r/' out >crlf");
		free(in);
		in = mail_format("%s/crlf", dir);
		assert_true(g_file_get_contents(in, &out, NULL, NULL));
		scan(out);
		expect_virus("smime.p7m");
		free(in);
		in = mail_format("%s/in", dir);
	}
	free(in);
	free(text);
}

static void M2_at_every_depth(void **state)
{
	GString *octets = cms_of(SIGN, entity());
	struct pack file;
	char *text;

	(void)state;
	for (int i = 0; i < 5; i++)
		octets = i % 2 ? compressed_text(part(P7M, octets)) :
				 wrapped(SIGN " -stream", octets);
	scan(whole(octets));
	expect_virus("smime.p7m");
	/* in a message, in an archive, and an archive in it */
	octets = cms_of(SIGN, MESSAGE(packed(pack_zip("a.zip", &(struct pack){
		"eicar.com", mail_eicar(), strlen(mail_eicar()) }, 1))));
	file = (struct pack){ "smime.p7m", octets->str, octets->len };
	scan(MESSAGE(packed(pack_zip("b.zip", &file, 1))));
	expect_virus("b.zip");
	g_string_free(octets, TRUE);
	text = whole(cms_of(SIGN, entity()));
	scan(mail_format(HEAD "Content-Type: message/rfc822\r\n\r\n%s", text));
	free(text);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
}

/* Compressed, so that a level is nothing but what it is, or not, so that it may be mail, too */
static GString *levels(GString *octets, int count, bool dense)
{
	for (int i = 1; i < count; i++)
		octets = dense ? compressed_text(part(P7M, octets)) : wrapped(SIGN, octets);
	return octets;
}

/* As deep as the profile lets look, and no deeper, whatever else a level may be (M1) */
static void M2_deeper_than_the_limit(void **state)
{
	(void)state;
	for (int dense = 0; dense < 2; dense++) {
		scan(whole(levels(cms_of(SIGN, good_entity()), 12, dense)));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		scan(whole(levels(cms_of(SIGN, entity()), 12, dense)));
		expect_virus("smime.p7m");
		scan(whole(levels(cms_of(SIGN, good_entity()), 13, dense)));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_string_equal(result.virus, "Smtpsplice.Archive.nested");
		/* the engine sees the mail in the 13th, and no more */
		scan(whole(levels(cms_of(SIGN, entity()), 14, dense)));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_string_equal(result.virus, "Smtpsplice.Archive.nested");
	}
}

/* Mailers show what was signed, whatever type it claims to have */
static void M2_type_is_not_believed(void **state)
{
	static const char *const types[] = {
		"pkcs7-data", "pkcs7-signedData", "pkcs7-envelopedData", "pkcs7-encryptedData",
		"pkcs7-digestData", "id-smime-ct-compressedData", "id-smime-ct-authData",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char *how = mail_format(SIGN " -econtent_type %s", types[i]);
		char *file = encoded(mail_eicar(), strlen(mail_eicar()));

		scan(whole(cms_of(how, entity())));
		expect_virus("smime.p7m");
		/* one line that matters, and it is the first */
		scan(whole(cms_of(how, mail_format("Content-Transfer-Encoding: base64\r\n\r\n%s",
						   file))));
		expect_virus("smime.p7m");
		free(file);
		free(how);
	}
}

/* A file that was signed: it has the name of the other, less ".p7m" */
static void M2_signed_files(void **state)
{
	GString *octets = make_cms(SIGN, pack_program.data, pack_program.len);

	(void)state;
	avattrs_number(&attrs, AV(EXECUTABLES), SMTPSPLICE_EXECUTABLES_VIRUS);
	avattrs_text(&attrs, AV(FILE_NAME), "*.js");
	scan(MESSAGE(attached("setup.p7m", octets->str, octets->len)));
	expect_refused(SS_CAUSE_EXECUTABLE, "Smtpsplice.Executable", "setup.p7m/setup");
	g_string_free(octets, TRUE);
	octets = make_cms(SIGN, "x", 1);
	scan(MESSAGE(attached("run.js.p7m", octets->str, octets->len)));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "run.js.p7m/run.js");
	scan(MESSAGE(attached("run.p7m", octets->str, octets->len)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	g_string_free(octets, TRUE);
	/* the names of what is in signed mail count as well */
	octets = cms_of(SIGN, MESSAGE(harmless("run.js")));
	scan(whole(octets));
	expect_refused(SS_CAUSE_FILENAME, "Smtpsplice.Filename", "smime.p7m/smime/run.js");
	reset(NULL);
	octets = make_cms(SIGN, mail_eicar(), strlen(mail_eicar()));
	scan(MESSAGE(attached("eicar.com.p7m", octets->str, octets->len)));
	expect_virus("eicar.com.p7m");
	g_string_free(octets, TRUE);
}

/* As a text, with a line that says so and without */
static void M2_base64_in_base64(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		GString *octets = cms_of(SIGN " -PEM" + (i < 2 ? 0 : 0), i % 2 ? entity() :
					 good_entity());
		char *start = strchr(octets->str, '\n') + 1;

		if (i >= 2)
			g_string_erase(octets, 0, start - octets->str);
		scan(MESSAGE(attached("a.p7m", octets->str, octets->len)));
		if (i % 2)
			expect_virus("a.p7m");
		else
			expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		g_string_free(octets, TRUE);
	}
}

/* What a first line hides from libclamav, it hides here as well (M1) */
static void M2_first_lines_hide_nothing(void **state)
{
	static const char *const lines[] = {
		"BM: x", "MZ: x", "GIF89a: x", "%PDF-1.4: x", "{\\rtf1: x", "Rar!: x", "FWS: x",
		"xar!: x", "BZh91AY: x", "ID3: x", "PK: x", "X-Foo: x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		char *text = entity(), *head = mail_format("%s\r\n%s", lines[i], text);

		scan(whole(cms_of(SIGN, head)));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_string_equal(result.virus, MAIL_EICAR);
		free(text);
	}
}

static char *with_line_ends(char *text, const char *eol)
{
	GString *out = g_string_new(text);

	g_string_replace(out, "\r\n", eol, 0);
	free(text);
	text = strdup(out->str);
	g_string_free(out, TRUE);
	return text;
}

/* Whose lines end otherwise than in mail is no reason to refuse it, but CR is */
static void M2_line_ends(void **state)
{
	(void)state;
	scan(whole(cms_of(SIGN, with_line_ends(good_entity(), "\n"))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(whole(cms_of(SIGN, with_line_ends(entity(), "\n"))));
	expect_virus("smime.p7m");
	scan(whole(cms_of(SIGN, with_line_ends(entity(), "\r"))));
	expect_virus("smime.p7m");
}

/* A part that one reader decodes, and another does not */
static const char odd[] = "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\nSGFybWxlc3MuDQo=\r\n";

/* THREATS E1 and message/partial hold in there as well */
static void M2_mail_in_there_is_mail(void **state)
{
	(void)state;
	scan(whole(cms_of(SIGN, MESSAGE(strdup(odd)))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_AMBIGUOUS);
	/* in the first of two */
	scan(MESSAGE(part(P7M, cms_of(SIGN, MESSAGE(strdup(odd)))),
		     part(P7M, cms_of(SIGN, good_entity()))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_AMBIGUOUS);
	scan(whole(cms_of(SIGN, strdup("Content-Type: message/partial; id=x\r\n\r\nx\r\n"))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_PARTIAL);
	scan(whole(cms_of(SIGN, mail_deep())));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_UNDECODABLE);
	avattrs_number(&attrs, AV(MIME_AMBIGUITY), SMTPSPLICE_AMBIGUITY_MONITOR);
	scan(whole(cms_of(SIGN, MESSAGE(strdup(odd)))));
	expect_clean(SMTPSPLICE_UNSCANNED_AMBIGUOUS);
	scan(whole(cms_of(SIGN, MESSAGE(ambiguous()))));
	expect_virus("smime.p7m");
}

/* A file in hash-allow beside it is no reason to forget how that mail can be read */
static void M2_allowed_file_hides_no_ambiguity(void **state)
{
	(void)state;
	avattrs_hash(&attrs, AV(HASH_ALLOW), mail_eicar(), strlen(mail_eicar()));
	scan(MESSAGE(eicar("allowed.com"), part(P7M, cms_of(SIGN, MESSAGE(strdup(odd))))));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(result.cause, SS_CAUSE_AMBIGUOUS);
}

/* A compressed tar of folders: members, but none that is scanned */
static char *folders(unsigned int count)
{
	struct archive *a = archive_write_new();
	size_t size = 1 << 20, used = 0;
	char *data = malloc(size);

	assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, data, size, &used), ARCHIVE_OK);
	for (unsigned int i = 0; i < count; i++) {
		struct archive_entry *e = archive_entry_new();
		char name[16];

		snprintf(name, sizeof(name), "%u/", i);
		archive_entry_set_pathname(e, name);
		archive_entry_set_filetype(e, AE_IFDIR);
		archive_entry_set_perm(e, 0755);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		archive_entry_free(e);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return packed((struct pack){ .name = "a.tgz", .data = data, .len = used });
}

static char *signed_folders(unsigned int count)
{
	return part(P7M, compressed_text(MESSAGE(folders(count))));
}

/* What each of them may have, all together may not */
static void M2_one_budget(void **state)
{
	(void)state;
	scan(MESSAGE(signed_folders(4000)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(MESSAGE(signed_folders(4000), signed_folders(4000), signed_folders(4000)));
	expect_refused(SS_CAUSE_ARCHIVE, "Smtpsplice.Archive.mailbomb",
		       "smime.p7m/smime/a.tgz/a");
}

/* A detached signature has no content, nor has a list of certificates */
static void M2_detached_signature(void **state)
{
	GString *octets = make_cms("-sign -binary -signer cert.pem -inkey key.pem", "x", 1);

	(void)state;
	scan(MESSAGE(harmless("a"), attached("smime.p7s", octets->str, octets->len)));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	g_string_free(octets, TRUE);
}

static void M2_replaces_a_signed_part(void **state)
{
	GString *octets = cms_of(SIGN, entity());

	(void)state;
	replace_all();
	scan(MESSAGE(harmless("a"), part(P7M, octets)));
	expect(SMTPSPLICE_VERDICT_ACCEPT, SS_CAUSE_VIRUS, MAIL_EICAR, "smime.p7m");
	assert_true(result.replaced && says("because of a virus"));
	assert_false(has("pkcs7-mime"));
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(M2_opaque_signature),
		T(M2_mail_of_openssl),
		T(M2_at_every_depth),
		T(M2_deeper_than_the_limit),
		T(M2_signed_files),
		T(M2_base64_in_base64),
		T(M2_type_is_not_believed),
		T(M2_first_lines_hide_nothing),
		T(M2_line_ends),
		T(M2_mail_in_there_is_mail),
		T(M2_allowed_file_hides_no_ambiguity),
		T(M2_one_budget),
		T(M2_detached_signature),
		T(M2_replaces_a_signed_part),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, cms_setup, cms_teardown);
}
