// SPDX-License-Identifier: GPL-2.0
/*
 * S/MIME and PGP: what can be read without a key is scanned as any other part is, and
 * what cannot counts as encrypted. The mail is made by openssl(1), as far as it can.
 */
#include "tests/support/message.h"

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/cleanup.h"
#include "lib/process.h"
#include "scanner/files/cms.h"
#include "scanner/files/pgp.h"
#include "scanner/nested.h"

#define HEAD		"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
#define P7M		"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"
#define ENCODED		"Content-Transfer-Encoding: base64\r\n\r\n"
#define SIGN		"-sign -nodetach -binary -signer cert.pem -inkey key.pem"
#define ENCRYPT		"-encrypt -binary -aes256"
#define SECRET		"000102030405060708090A0B0C0D0E0F000102030405060708090A0B0C0D0E0F"
#define NEW_KEY		"openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem"
#define DATA_OID	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define SIGNED_OID	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define AUTH_OID	"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02"
#define DIGEST_OID	"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05"
#define COMPRESSED_OID	"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09"
#define ZLIB_OID	"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08"

#define MADE(type, algorithm, oid, content) \
	made(type, sizeof(type) - 1, algorithm, sizeof(algorithm) - 1, oid, \
	     sizeof(oid) - 1, content)

static char *dir;

/* -- octets --------------------------------------------------------------- */

static void run(const char *command)
{
	char *line = mail_format("cd %s && { %s; } 2>err", dir, command);

	if (system(line)) {
		free(line);
		line = mail_format("cat %s/err >&2", dir);
		fail_msg("%s (%d)", command, system(line));
	}
	free(line);
}

/* What openssl cms makes of octets, as DER or BER unless @how says otherwise */
static GString *make_cms(const char *how, const char *data, size_t len)
{
	char *in = mail_format("%s/in", dir), *out = mail_format("%s/out", dir);
	char *command = mail_format("openssl cms %s -in in -out out -outform %s cert.pem", how,
				    strstr(how, "-PEM") ? "PEM" : "DER");
	char *option = strstr(command, "-PEM");
	GString *octets;
	gchar *text;
	gsize size;

	if (option)
		memset(option, ' ', 4);
	/* the certificate is that of a recipient */
	if (!strstr(how, ENCRYPT))
		command[strlen(command) - strlen("cert.pem")] = '\0';
	assert_true(g_file_set_contents(in, data, len, NULL));
	run(command);
	assert_true(g_file_get_contents(out, &text, &size, NULL));
	free(in);
	free(out);
	free(command);
	octets = g_string_new_len(text, size);
	g_free(text);
	return octets;
}

static GString *cms_of(const char *how, char *text)
{
	GString *octets = make_cms(how, text, strlen(text));

	free(text);
	return octets;
}

/* An element around octets, which are freed; @size of its length, 0 for none */
static GString *element(int tag, int size, GString *content)
{
	GString *out = g_string_new(NULL);

	g_string_append_c(out, tag);
	g_string_append_c(out, 0x80 | size);
	for (int i = size - 1; i >= 0; i--)
		g_string_append_c(out, i < 8 ? content->len >> 8 * i : 0);
	g_string_append_len(out, content->str, content->len);
	if (!size)
		g_string_append_len(out, "\0\0", 2);
	g_string_free(content, TRUE);
	return out;
}

static GString *octets_of(const void *data, size_t len)
{
	return g_string_new_len(data, len);
}

/* A string in pieces, and these in pieces */
static GString *pieces(const char *data, size_t len, size_t some, int depth)
{
	GString *out = g_string_new(NULL);

	for (size_t at = 0; at < len; at += some) {
		GString *piece = element(0x04, 1 + at % 3,
					 octets_of(data + at, some < len - at ? some : len - at));

		for (int i = 0; i < depth; i++)
			piece = element(0x24, i % 2 ? 4 : 0, piece);
		g_string_append_len(out, piece->str, piece->len);
		g_string_free(piece, TRUE);
	}
	return element(0x24, 0, out);
}

static GString *joined(GString *a, GString *b)
{
	g_string_append_len(a, b->str, b->len);
	g_string_free(b, TRUE);
	return a;
}

/* CMS of a type: a version, an algorithm, and a content of @oid */
static GString *made(const char *type, size_t type_len, const char *algorithm, size_t algorithm_len,
		     const char *oid, size_t oid_len, GString *content)
{
	GString *inner = joined(octets_of("\x02\x01\x00", 3),
				element(0x30, 1, octets_of(algorithm, algorithm_len)));

	content = joined(octets_of(oid, oid_len), element(0xa0, 0, content));
	inner = element(0x30, 0, joined(inner, element(0x30, 0, content)));
	return element(0x30, 0, joined(octets_of(type, type_len), element(0xa0, 0, inner)));
}

static GString *deflated(const void *data, size_t len)
{
	uLongf size = compressBound(len);
	unsigned char *out = malloc(size);
	GString *octets;

	assert_int_equal(compress(out, &size, data, len), Z_OK);
	octets = octets_of(out, size);
	free(out);
	return octets;
}

/* openssl(1) of Debian has no zlib */
static GString *compressed(const void *data, size_t len)
{
	return MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
		    element(0x04, 4, deflated(data, len)));
}

/* What openssl(1) does not make, in pieces, so that nothing is left of the mail in a row */
static GString *authenticated(char *text)
{
	GString *octets = MADE(AUTH_OID, "\x06\x01\x2a", DATA_OID,
			       pieces(text, strlen(text), 1, 0));

	free(text);
	return octets;
}

static GString *compressed_text(char *text)
{
	GString *octets = compressed(text, strlen(text));

	free(text);
	return octets;
}

/* -- mail ----------------------------------------------------------------- */

/* A part of octets, which are freed */
static char *part(const char *fields, GString *octets)
{
	char *lines = encoded(octets->str, octets->len);
	char *text = mail_format("%s" ENCODED "%s", fields, lines);

	g_string_free(octets, TRUE);
	free(lines);
	return text;
}

/* A message that is nothing else */
static char *whole(GString *octets)
{
	return part(HEAD P7M, octets);
}

static char *entity(void)
{
	return MESSAGE(eicar("eicar.com"));
}

static char *good_entity(void)
{
	return MESSAGE(harmless("a.txt"));
}

static void expect_virus(const char *file)
{
	expect_refused(SS_CAUSE_VIRUS, MAIL_EICAR, file);
}

static void expect_encrypted(void)
{
	expect_clean(SMTPSPLICE_UNSCANNED_ENCRYPTED);
	assert_true(result.tag);
	assert_int_equal(result.cause, SS_CAUSE_ENCRYPTED);
}

/* -- what can be read ----------------------------------------------------- */

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

static void M2_other_readable_types(void **state)
{
	static const char *const hows[] = { "-digest_create -binary", "-data_create -binary" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
		scan(whole(cms_of(hows[i], good_entity())));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
		scan(whole(cms_of(hows[i], entity())));
		expect_virus("smime.p7m");
	}
	scan(whole(compressed_text(good_entity())));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(whole(compressed_text(entity())));
	expect_virus("smime.p7m");
	scan(whole(authenticated(good_entity())));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	scan(whole(authenticated(entity())));
	expect_virus("smime.p7m");
}

/* Each piece has an octet, so that nothing is left of EICAR in a row */
static void M2_pieces(void **state)
{
	static const struct {
		size_t some;
		int depth;
	} sizes[] = { { 1, 0 }, { 1, 3 }, { 7, 60 }, { 1000, 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = entity();

		scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
				pieces(text, strlen(text), sizes[i].some, sizes[i].depth))));
		expect_virus("smime.p7m");
		free(text);
	}
	/* deeper than it is looked: that is told */
	scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			pieces("x", 1, 1, 70))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
}

/* What is in a string but is no piece of it, or goes on behind its end, is odd */
static void M2_pieces_that_are_none(void **state)
{
	static const struct {
		const char *string;
		size_t len;
	} odd[] = {
#define STRING(x)	{ x, sizeof(x) - 1 }
		STRING("\x24\x04\x0c\x02hi"), STRING("\x24\x80\x0c\x02hi\x00\x00"),
		STRING("\x24\x06\x04\x01h\x16\x01i"),
		STRING("\x24\x06\x2c\x04\x04\x02hi"),
		STRING("\x24\x03\x04\x02hi"),
		STRING("\x24\x08\x24\x02\x04\x04hihi"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
				octets_of(odd[i].string, odd[i].len))));
		if (result.unscanned != SMTPSPLICE_UNSCANNED_ARCHIVE)
			printf("# number %zu\n", i);
		expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	}
	scan(whole(MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			octets_of("\x24\x06\x24\x04\x04\x02hi", 8))));
	expect_clean(SMTPSPLICE_UNSCANNED_NONE);
}

static GString *wrapped(const char *how, GString *octets)
{
	return cms_of(how, part(P7M, octets));
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

/* CMS in CMS without mail between: there is a type around it alone, in CMS as in PKCS#7 */
static void M2_cms_in_cms(void **state)
{
	GString *octets, *inner;

	(void)state;
	for (int i = 0; i < 2; i++) {
		/* signed data without its type */
		inner = cms_of(SIGN, entity());
		assert_int_equal((unsigned char)inner->str[1], 0x82);
		assert_int_equal((unsigned char)inner->str[15], 0xa0);
		g_string_erase(inner, 0, 19);
		octets = MADE(DIGEST_OID, "\x06\x01\x2a", SIGNED_OID,
			      i ? element(0x04, 4, inner) : inner);
		scan(whole(octets));
		expect_virus("smime.p7m");
	}
}

/* An algorithm has no content, whatever its parameters look like: what is in them is no
 * reason to take the content's compressed octets for ended
 */
static void M2_algorithm_is_no_content(void **state)
{
	char *text = entity();

	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		GString *decoy = deflated("hello", 5), *octets;

		g_string_truncate(decoy, decoy->len - 3 * cut);
		decoy = element(0xa0, 1, element(0x04, 1, decoy));
		decoy = joined(octets_of(ZLIB_OID, sizeof(ZLIB_OID) - 1), decoy);
		octets = made(COMPRESSED_OID, sizeof(COMPRESSED_OID) - 1, decoy->str, decoy->len,
			      DATA_OID, sizeof(DATA_OID) - 1,
			      element(0x04, 4, deflated(text, strlen(text))));
		g_string_free(decoy, TRUE);
		scan(whole(octets));
		expect_virus("smime.p7m");
	}
	free(text);
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

static void M2_bombs(void **state)
{
	const size_t size = 64 << 20;
	char *zeros = calloc(1, size);
	GString *octets = compressed(zeros, size);

	(void)state;
	free(zeros);
	scan(whole(octets));
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_string_equal(result.virus, "Smtpsplice.Archive.mailbomb");
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

/* There may be more than was read: it is told, and what was read is scanned */
static void M2_damaged(void **state)
{
	char *text = entity();
	GString *octets = cms_of(SIGN, strdup(text));
	size_t len = octets->len;

	(void)state;
	/* the signature is missing, which nobody reads here */
	g_string_truncate(octets, len - 20);
	scan(whole(octets));
	expect_virus("smime.p7m");
	octets = cms_of(SIGN, mail_format("Content-Type: text/plain\r\n\r\n%09999d\r\n", 0));
	g_string_truncate(octets, 5000);
	scan(whole(octets));
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	/* the end of the compressed octets is missing: EICAR is in what is there */
	octets = deflated(text, strlen(text));
	g_string_truncate(octets, octets->len - 5);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets))));
	assert_string_equal(result.virus, MAIL_EICAR);
	/* which it need not be: that it is missing is told */
	octets = deflated("Content-Type: text/plain\r\n\r\nx\r\n", 31);
	g_string_truncate(octets, octets->len - 1);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets))));
	expect_clean(SMTPSPLICE_UNSCANNED_ARCHIVE);
	scan(whole(MADE(COMPRESSED_OID, ZLIB_OID, DATA_OID,
			element(0x04, 4, octets_of("no zlib", 7)))));
	assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ARCHIVE);
	free(text);
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

/* -- what cannot be ------------------------------------------------------- */

static char *pgp_mime(void)
{
	return strdup("Content-Type: multipart/encrypted; boundary=\"enclosed\";\r\n"
		" protocol=\"application/pgp-encrypted\"\r\n\r\n--enclosed\r\n"
		"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--enclosed\r\n"
		"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n"
		"-----BEGIN PGP MESSAGE-----\r\n\r\nwcBMA5FkVkPZ\r\n=aaaa\r\n"
		"-----END PGP MESSAGE-----\r\n--enclosed--\r\n");
}

static char *make_encrypted(int kind)
{
	static const char *const hows[] = {
		ENCRYPT, ENCRYPT " -stream", ENCRYPT " -aes-256-gcm",
		"-EncryptedData_encrypt -aes256 -binary -secretkey " SECRET,
	};

	switch (kind) {
	case 4:
		return pgp_mime();
	case 5:	/* the word is enough */
		return strdup("Content-Type: Multipart/Encrypted; boundary=enclosed\r\n\r\n"
			      "--enclosed\r\nContent-Type: a/b\r\n\r\nx\r\n--enclosed--\r\n");
	case 6:
		return strdup("Content-Type: text/plain\r\n\r\nLook:\r\n"
			      "-----BEGIN PGP MESSAGE-----\r\n\r\nwcBM\r\n");
	case 7:
		return strdup("Content-Type: text/html\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			      "<pre>-----BEGIN PGP =\r\n"
			      "MESSAGE, PART 1/2-----<br>\r\n");
	case 8:	/* in what is signed */
		return part(P7M, wrapped(SIGN, cms_of(ENCRYPT, entity())));
	case 9:
		return part(P7M, cms_of(SIGN, pgp_mime()));
	case 10: {
		GString *octets = cms_of(ENCRYPT, entity());
		struct pack file = { "smime.p7m", octets->str, octets->len };

		return packed(pack_zip("a.zip", &file, 1));
	}
	}
	return part(P7M, cms_of(hows[kind], entity()));
}

#define KINDS	11

/* A boundary that nothing in armor looks like */
static char *renamed(char *text)
{
	GString *out = g_string_new(text);

	g_string_replace(out, "boundary=\"b\"", "boundary=\"outer\"", 0);
	g_string_replace(out, "--b\r\n", "--outer\r\n", 0);
	g_string_replace(out, "--b--\r\n", "--outer--\r\n", 0);
	free(text);
	text = strdup(out->str);
	g_string_free(out, TRUE);
	return text;
}

static void M2_encrypted(void **state)
{
	(void)state;
	for (int i = 0; i < KINDS; i++) {
		reset(NULL);
		scan(renamed(MESSAGE(make_encrypted(i))));
		expect_encrypted();
		/* what is beside it is scanned */
		scan(renamed(MESSAGE(make_encrypted(i), eicar("a.com"))));
		expect_virus("a.com");
		scan(renamed(MESSAGE(eicar("a.com"), make_encrypted(i))));
		expect_virus("a.com");
		/* neither its own option nor what is only monitored hides that */
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_BLOCK);
		scan(renamed(MESSAGE(make_encrypted(i))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
		assert_int_equal(result.cause, SS_CAUSE_ENCRYPTED);
		assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ENCRYPTED);
		assert_string_equal(result.virus, "Smtpsplice.Encrypted");
		assert_true(result.keep);
		reset(NULL);
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_TEMPFAIL);
		avattrs_number(&attrs, AV(AV_SCAN), SMTPSPLICE_AV_SCAN_MONITOR);
		scan(renamed(MESSAGE(make_encrypted(i))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_TEMPFAIL);
		assert_false(result.keep);
		avattrs_number(&attrs, AV(ENCRYPTED_MAIL), SMTPSPLICE_FAIL_ACTION_PASS);
		scan(renamed(MESSAGE(make_encrypted(i), eicar("a.com"))));
		assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
		assert_true(result.monitored);
		assert_int_equal(result.unscanned, SMTPSPLICE_UNSCANNED_ENCRYPTED);
	}
	scan(part(HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n",
		  cms_of(ENCRYPT, entity())));
	expect_encrypted();
}

static void M2_is_about_pgp(void **state)
{
	static const char *const texts[] = {
		"The line -----BEGIN PGP MESSAGE----- is not all.",
		"-----BEGIN PGP SIGNED MESSAGE-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----",
		"-----BEGIN PGP MESSAGE\r\n-----", "-----BEGIN PGP SIGNATURE-----",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		scan(mail_format("Subject: x\r\n\r\n%s\r\nx\r\n", texts[i]));
		expect_clean(SMTPSPLICE_UNSCANNED_NONE);
	}
	scan(mail_format("Subject: x\r\n\r\n> -----BEGIN PGP MESSAGE-----\r\n"));
	expect_encrypted();
	scan(mail_format("Subject: x\r\n\r\nIt has -----BEGIN PGP MESSAGE----- in front:\r\n"
			 "-----BEGIN PGP MESSAGE-----\r\n"));
	expect_encrypted();
}

/* -- octets that nobody means well with ----------------------------------- */

static bool take_file(void *arg, const char *name, size_t len)
{
	(void)name;
	(void)len;
	++*(size_t *)arg;
	return true;
}

static bool take_octets(void *arg, const uint8_t *data, size_t len)
{
	/* a sanitizer sees what is read */
	*(size_t *)arg += len ? data[0] & data[len - 1] & 0 : 0;
	return true;
}

static void read_all(const uint8_t *data, size_t len)
{
	size_t count = 0;
	const struct ss_extract_sink inner = {
		.file = take_file, .octets = take_octets, .arg = &count,
	};
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	ss_cms_is_enveloped(copy, len);
	ss_cms_read(copy, len, &inner);
	ss_cms_text_is(copy, len);
	ss_cms_text_read(copy, len, &inner);
	ss_pgp_is(copy, len);
	ss_nested_is_mail((const char *)copy, len);
	free(copy);
}

static void read_text(const char *text)
{
	read_all((const uint8_t *)text, strlen(text));
}

/* Cut off anywhere, and with any octet of the structure another one */
static void M2_no_octet_is_read_twice_over(void **state)
{
	GString *octets = MADE(DIGEST_OID, "\x06\x01\x2a", DATA_OID,
			       pieces("Content-Type: a/b", 17, 3, 2));

	(void)state;
	for (size_t i = 0; i <= octets->len; i++)
		read_all((uint8_t *)octets->str, i);
	for (size_t i = 0; i < octets->len; i++) {
		for (int c = 0; c < 256; c++) {
			char old = octets->str[i];

			octets->str[i] = c;
			read_all((uint8_t *)octets->str, octets->len);
			octets->str[i] = old;
		}
	}
	g_string_free(octets, TRUE);
	octets = compressed("Content-Type: a/b\r\n\r\nx", 22);
	for (size_t i = 0; i < octets->len; i++) {
		octets->str[i] ^= 0x80;
		read_all((uint8_t *)octets->str, octets->len);
		octets->str[i] ^= 0x80;
		read_all((uint8_t *)octets->str, i);
	}
	g_string_free(octets, TRUE);
	read_text("-----BEGIN PGP MESSAGE");
	read_text("-----BEGIN ");
	read_text("\r\n");
	read_text("content-");
}

static int make(void **state)
{
	dir = strdup("/tmp/smtpsplice-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	run(NEW_KEY " -days 30 -subj /CN=a@example.net");
	return tools_setup(state);
}

static int drop(void **state)
{
	ss_process_remove_tree(dir);
	free(dir);
	return teardown(state);
}

#define T(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(M2_opaque_signature),
		T(M2_mail_of_openssl),
		T(M2_other_readable_types),
		T(M2_pieces),
		T(M2_pieces_that_are_none),
		T(M2_at_every_depth),
		T(M2_deeper_than_the_limit),
		T(M2_cms_in_cms),
		T(M2_signed_files),
		T(M2_base64_in_base64),
		T(M2_algorithm_is_no_content),
		T(M2_type_is_not_believed),
		T(M2_first_lines_hide_nothing),
		T(M2_line_ends),
		T(M2_mail_in_there_is_mail),
		T(M2_allowed_file_hides_no_ambiguity),
		T(M2_bombs),
		T(M2_one_budget),
		T(M2_damaged),
		T(M2_detached_signature),
		T(M2_replaces_a_signed_part),
		T(M2_encrypted),
		T(M2_is_about_pgp),
		T(M2_no_octet_is_read_twice_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, drop);
}
