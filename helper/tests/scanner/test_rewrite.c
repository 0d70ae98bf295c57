// SPDX-License-Identifier: GPL-2.0
/*
 * Messages with parts replaced. The octets that are to stay are compared with
 * those of the original, and what comes out is looked at through GMime.
 */
#include "tests/support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/template.h"
#include "scanner/mime/dots.h"
#include "scanner/mime/rewrite.h"
#include "tests/support/mail.h"
#include "tests/support/tools.h"

#define TEXT		"The file has been removed.\n"
#define TEXT_HEAD	"Content-Type: text/plain; charset=utf-8\r\n" \
			"Content-Disposition: inline\r\n"
#define TEXT_PART	TEXT_HEAD "Content-Transfer-Encoding: 7bit\r\n\r\n" \
			"The file has been removed."
#define HEAD		"From: Alice <alice@example.net>\r\n" \
			"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" \
			"MIME-Version: 1.0\r\n"

static struct ss_rewrite_notes notes;

static char *read_file(int fd, size_t *len)
{
	struct stat st;
	char *text;

	assert_int_equal(fstat(fd, &st), 0);
	text = malloc(st.st_size + 1);
	assert_int_equal(pread(fd, text, st.st_size, 0), st.st_size);
	text[st.st_size] = '\0';
	*len = st.st_size;
	return text;
}

/* Replace parts of a mail. Return: what is made, unstuffed again; NULL and @ret */
static char *replace_parts(const char *mail, bool chunked, const struct ss_rewrite_part *parts,
			   size_t count, int *ret)
{
	struct ss_rewrite_message in = {
		.fd = mail_file(mail, strlen(mail)), .chunked = chunked,
	};
	char *wire, *text;
	int out = -1;
	size_t len;

	*ret = ss_rewrite_replace(&in, parts, count, &out, &notes);
	close(in.fd);
	if (*ret) {
		assert_int_equal(out, -1);
		return NULL;
	}
	wire = read_file(out, &len);
	close(out);
	text = malloc(len + 1);
	len = ss_dots_unstuff(chunked ? SS_DOTS_NONE : SS_DOTS_STRICT, text, wire, len);
	text[len] = '\0';
	free(wire);
	return text;
}

static char *replace_one(const char *mail, unsigned int index, const char *text)
{
	struct ss_rewrite_part part = { .index = index, .text = text };
	int ret;
	char *made = replace_parts(mail, false, &part, 1, &ret);

	assert_int_equal(ret, 0);
	assert_null(strstr(made, mail_eicar()));
	return made;
}

static int try_replace(const char *mail, unsigned int index, bool chunked)
{
	struct ss_rewrite_part part = { .index = index, .text = TEXT };
	int ret;

	free(replace_parts(mail, chunked, &part, 1, &ret));
	return ret;
}

/* Replace part @index of a mail made of @before, the part, and @after */
static void check(unsigned int index, const char *before, const char *part, const char *after)
{
	char *mail = mail_format("%s%s%s", before, part, after);
	char *wanted = mail_format("%s%s%s", before, TEXT_PART, after);
	char *made = replace_one(mail, index, TEXT);

	assert_string_equal(made, wanted);
	free(made);
	free(wanted);
	free(mail);
}

/* A part with EICAR in it, as base64 */
static char *infected(const char *fields)
{
	char *coded = mail_base64(mail_eicar());
	char *part = mail_format("%sContent-Transfer-Encoding: base64\r\n\r\n%s", fields, coded);

	free(coded);
	return part;
}

/* -- what is replaced, and what stays ------------------------------------- */

static void replaces_the_middle_one(void **state)
{
	char *part = infected("Content-Type: application/octet-stream; name=eicar.com\r\n");

	(void)state;
	/* 0 the message, 1 the multipart, 2 to 4 its parts */
	check(3, HEAD "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
	      "X-Folded: a\r\n  b\r\n"
	      "\r\n"
	      "A preamble.\r\n..\r\n"
	      "--b\r\n"
	      "\r\n"
	      "First, without a head; trailing space \r\n"
	      "--b \t\r\n", part,
	      "\r\n--b\r\n"
	      "Content-Type: application/x; name=\"third\"\r\n"
	      "Content-Transfer-Encoding: 8bit\r\n"
	      "\r\n"
	      "\x01\xff\xfe.\r\n.\r\n\r\n"
	      "--b--\r\n"
	      "An epilogue.\r\n--b-like\r\n");
	free(part);
}

static void replaces_first_and_last(void **state)
{
	struct ss_rewrite_part parts[] = { { 4, "last" }, { 2, "first" } };
	static const char mail[] = HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nX: y\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n\r\nthree\r\n--b--\r\n";
	static const char wanted[] = HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n" TEXT_HEAD "Content-Transfer-Encoding: 7bit\r\n\r\nfirst\r\n"
		"--b\r\n\r\ntwo\r\n"
		"--b\r\n" TEXT_HEAD "Content-Transfer-Encoding: 7bit\r\n\r\nlast\r\n--b--\r\n";
	char *made;
	int ret;

	(void)state;
	made = replace_parts(mail, false, parts, 2, &ret);
	assert_int_equal(ret, 0);
	assert_string_equal(made, wanted);
	free(made);
}

static void replaces_in_a_nested_message(void **state)
{
	char *part = infected("Content-Type: application/octet-stream\r\n");
	static const char before[] =
		HEAD "Content-Type: multipart/mixed; boundary=out\r\n"
		"\r\n"
		"--out\r\n"
		"\r\n"
		"See below.\r\n"
		"--out\r\n"
		"Content-Type: message/rfc822\r\n"
		"\r\n"
		"Subject: inner\r\n"
		"Content-Type: multipart/mixed; boundary=in\r\n"
		"\r\n"
		"--in\r\n"
		"\r\n"
		"inner text\r\n"
		"--in\r\n";
	static const char after[] =
		"\r\n--in--\r\n"
		"inner epilogue\r\n"
		"--out\r\n"
		"\r\n"
		"the end\r\n"
		"--out--\r\n";
	char *mail = mail_format("%s%s%s", before, part, after);
	char *made;

	(void)state;
	/* 0 message, 1 multipart, 2 text, 3 enclosure, 4 message, 5 multipart, 6, 7 */
	check(7, before, part, after);

	made = replace_one(mail, 3, TEXT);
	assert_string_equal(made, HEAD "Content-Type: multipart/mixed; boundary=out\r\n\r\n"
			    "--out\r\n\r\nSee below.\r\n--out\r\n" TEXT_PART
			    "\r\n--out\r\n\r\nthe end\r\n--out--\r\n");
	free(made);
	/* The inner message as a whole, which keeps its head */
	made = replace_one(mail, 4, TEXT);
	assert_string_equal(made, HEAD "Content-Type: multipart/mixed; boundary=out\r\n\r\n"
			    "--out\r\n\r\nSee below.\r\n--out\r\n"
			    "Content-Type: message/rfc822\r\n\r\n"
			    "Subject: inner\r\nMIME-Version: 1.0\r\n" TEXT_PART
			    "\r\n--out\r\n\r\nthe end\r\n--out--\r\n");
	free(made);
	free(mail);
	free(part);
}

static void replaces_the_only_part(void **state)
{
	char *coded = mail_base64(mail_eicar());
	char *mail = mail_format("Received: from a\r\n\tby b\r\n"
		"content-TYPE: application/octet-stream;\r\n name=eicar.com\r\n"
		"From: Alice <alice@example.net>\r\n"
		"Content-Transfer-Encoding : base64\r\n"
		"Content-Disposition: attachment\r\n"
		"Mime-Version: 1.0\r\n"
		"Contents: not of it\r\n"
		"\r\n"
		"%s\r\n", coded);
	static const char wanted[] = "Received: from a\r\n\tby b\r\n"
		"From: Alice <alice@example.net>\r\n"
		"Mime-Version: 1.0\r\n"
		"Contents: not of it\r\n"
		TEXT_PART "\r\n";

	(void)state;
	for (unsigned int index = 0; index < 2; index++) {
		char *made = replace_one(mail, index, TEXT);

		assert_string_equal(made, wanted);
		free(made);
	}
	free(mail);
	free(coded);
}

/* The engine finds it before, and nothing behind the same mail rewritten */
static void leaves_nothing_to_find(void **state)
{
	char *mail = mail_attachment("", "");
	struct ss_rewrite_part part = { .index = 3, .text = TEXT };
	struct ss_rewrite_message in = { .fd = mail_file(mail, strlen(mail)) };
	struct ss_scan_job job = { .size = strlen(mail), .limit_ms = 60000 };
	struct ss_scan_result result;
	struct stat st;
	int out;

	(void)state;
	ss_scan_message(tools, in.fd, -1, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_REJECT);
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &out, &notes), 0);
	assert_int_equal(fstat(out, &st), 0);
	job.size = st.st_size;
	ss_scan_message(tools, out, -1, &job, NULL, 0, &result);
	assert_int_equal(result.verdict, SMTPSPLICE_VERDICT_ACCEPT);
	close(out);
	close(in.fd);
	free(mail);
}

static void replaces_a_whole_multipart(void **state)
{
	char *mail = mail_attachment("", "Content-Disposition: attachment; filename=e\r\n");
	char *made = replace_one(mail, 0, TEXT);

	(void)state;
	assert_string_equal(made, "From: Alice <alice@example.net>\r\n"
			    "To: Bob <bob@example.org>\r\n"
			    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
			    "Message-ID: <1@example.net>\r\n"
			    "MIME-Version: 1.0\r\n" TEXT_PART "\r\n");
	free(made);
	free(mail);
}

static void replaces_an_empty_one(void **state)
{
	(void)state;
	check(2, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
	      "Content-Type: text/html\r\n", "\r\n--b\r\n\r\nx\r\n--b--\r\n");
	check(3, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n",
	      "", "\r\n--b--\r\n");
}

static void knows_nested_boundaries(void **state)
{
	char *part = infected("Content-Type: a/b\r\n");

	(void)state;
	check(4, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	      "Content-Type: multipart/related; boundary=\"b1\"\r\n\r\n--b1\r\n\r\n"
	      "--b2\r\n--\r\n---\r\n-- b\r\n --b\r\n--b1-\r\n--B1\r\n"
	      "--b1\r\n", part, "\r\n--b1--\r\n--b--\r\n");
	/* What looks like a boundary and is none goes with its part */
	check(2, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
	      "\r\nx\r\n--bb\r\n\r\ny", "\r\n--b--\r\n");
	free(part);
}

static void takes_odd_names(void **state)
{
	static const char *const names[] = {
		"Content-Disposition: attachment; filename=\"a\\\"b\\\\.exe\"\r\n",
		"Content-Disposition: attachment; filename*=utf-8''%0D%0A--b--%00.exe\r\n",
		"Content-Type: x/y;\r\n\tname=\"=?utf-8?q?=0D=0A--b?=\"\r\n",
		"Content-Type: x/y; name=\"\xff\xfe\xe2\x80\xae.exe\"\r\n",
		"Content-Type: x/y; name=\"boundary=b\"\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *part = infected(names[i]);

		check(3, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n",
		      part, "\r\n--b--\r\n");
		free(part);
	}
}

static void skips_what_is_in_front(void **state)
{
	static const char received[] = "Received: from x by y\r\n";
	char *mail = mail_attachment(received, "");
	struct ss_rewrite_part part = { .index = 3, .text = TEXT };
	struct ss_rewrite_message in = {
		.fd = mail_file(mail, strlen(mail)), .skip = sizeof(received) - 1,
	};
	size_t len;
	char *made;
	int out = -1;

	(void)state;
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &out, &notes), 0);
	made = read_file(out, &len);
	assert_memory_equal(made, "From: Alice", 11);
	assert_non_null(strstr(made, TEXT_PART "\r\n--b--\r\n"));
	free(made);
	close(out);

	assert_int_equal(ss_rewrite_tag(&in, "X-A: b", &out), 0);
	made = read_file(out, &len);
	assert_memory_equal(made, "X-A: b\r\nFrom: Alice", 19);
	free(made);
	close(out);

	part.index = 0;
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &out, &notes), 0);
	made = read_file(out, &len);
	assert_memory_equal(made, "From: Alice", 11);
	free(made);
	close(out);

	in.skip--;
	assert_int_equal(ss_rewrite_tag(&in, "X-A: b", &out), -EINVAL);
	in.skip = 1 << 20;
	assert_int_equal(ss_rewrite_tag(&in, "X-A: b", &out), -EINVAL);
	close(in.fd);
	free(mail);
}

/* -- texts ---------------------------------------------------------------- */

#define TWO	HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n" \
		"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"

static void stuffs_dots(void **state)
{
	struct ss_rewrite_part part = { .index = 3, .text = ".\n..a\r\nb\n." };
	struct ss_rewrite_message in = { .fd = mail_file(TWO, strlen(TWO)) };
	size_t len;
	char *made;
	int out;

	(void)state;
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &out, &notes), 0);
	made = read_file(out, &len);
	assert_non_null(strstr(made, "\r\n\r\n..\r\n...a\r\nb\r\n..\r\n--b--\r\n"));
	assert_null(strstr(made, "\r\n.\r\n"));
	free(made);
	close(out);

	in.chunked = true;
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &out, &notes), 0);
	made = read_file(out, &len);
	assert_non_null(strstr(made, "\r\n\r\n.\r\n..a\r\nb\r\n.\r\n--b--\r\n"));
	free(made);
	close(out);
	close(in.fd);
}

static void check_encoded(const char *text, const char *canonical)
{
	char *made = replace_one(TWO, 3, text), *coded = mail_base64(canonical);
	char *part = strstr(made, "Content-Transfer-Encoding: base64\r\n\r\n");
	size_t len = strlen(coded);

	assert_non_null(part);
	part += strlen("Content-Transfer-Encoding: base64\r\n\r\n");
	for (size_t at = 0; at < len; at += 76) {
		size_t n = len - at < 76 ? len - at : 76;

		assert_memory_equal(part, coded + at, n);
		assert_memory_equal(part + n, "\r\n", 2);
		part += n + 2;
	}
	assert_string_equal(part, "--b--\r\n");
	free(coded);
	free(made);
}

static void encodes_what_is_not_plain(void **state)
{
	char *line = mail_format("%999s\n", "x"), *canonical = mail_format("%999s\r\n", "x");

	(void)state;
	check_encoded("Gr\xc3\xbc\xc3\x9f" "e\nto all of you, so that it is longer than one line of it",
		      "Gr\xc3\xbc\xc3\x9f" "e\r\nto all of you, so that it is longer than one line of it\r\n");
	check_encoded("a\rb\n", "a\rb\r\n");
	check_encoded("tab\t\n", "tab\t\r\n");
	check_encoded(line, canonical);
	free(canonical);
	free(line);
}

static void E1_text_cannot_be_a_boundary(void **state)
{
	(void)state;
	check_encoded("a\n--b\n\nb\n", "a\r\n--b\r\n\r\nb\r\n");
	check_encoded("--b--", "--b--\r\n");
}

static void E1_names_cannot_be_parts(void **state)
{
	struct ss_template_values values = {
		.file = "\r\n--b\r\nContent-Type: text/html\r\n\r\n<%%VIRUS%%>", .virus = "V",
	};
	char *text = ss_template_text("--%%FILE%%\n%%VIRUS%%", &values);
	char *made = replace_one(TWO, 3, text);

	(void)state;
	assert_string_equal(text, "--\?\?--b\?\?Content-Type: text/html\?\?\?\?<%%VIRUS%%>\nV\n");
	assert_null(strstr(made, "text/html"));
	free(made);
	free(text);
}

static void refuses_bad_texts(void **state)
{
	struct ss_rewrite_part part = { .index = 3, .text = "\xc3" };
	int ret;

	(void)state;
	replace_parts(TWO, false, &part, 1, &ret);
	assert_int_equal(ret, -EINVAL);
	replace_parts(TWO, false, &part, 0, &ret);
	assert_int_equal(ret, -EINVAL);
}

/* -- what is refused ------------------------------------------------------ */

static void E1_refuses_what_is_ambiguous(void **state)
{
	static const char *const mails[] = {
		/* the last boundary is missing, or two are the same */
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n--b--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: multipart/mixed; boundary=\"b--\"\r\n\r\n--b--\r\n\r\nx\r\n--b----\r\n--b--\r\n",
		/* two types, two boundaries, other forms of them */
		HEAD "Content-Type: text/plain\r\n" TWO,
		HEAD "Content-Type: multipart/mixed; boundary=b; boundary=c\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary*0=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=\"b\\c\"\r\n\r\n--bc\r\n\r\nx\r\n--bc--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=\"b \"\r\n\r\n--b \r\n\r\nx\r\n--b --\r\n",
		HEAD "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		/* encoded as a whole */
		HEAD "Content-Transfer-Encoding: base64\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		/* or maybe not */
		HEAD "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		HEAD "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n"
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
		/* a part that does not even have an empty line */
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: y\r\n--b--\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\n",
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b--\r\n",
		"", "From: a\r\n", "no field\r\n" HEAD "\r\nx\r\n", " folded\r\n" HEAD "\r\nx\r\n",
		"From a@b Thu Nov 26\r\n" HEAD "\r\nx\r\n", HEAD "no field\r\n\r\nx\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		int ret = try_replace(mails[i], 2, false);

		if (ret == -ENOTSUP)	/* some have but one part */
			ret = try_replace(mails[i], 1, false);
		assert_int_equal(ret, -ENOTSUP);
	}
	assert_int_equal(try_replace(TWO, 3, false), 0);
	assert_int_equal(try_replace(TWO, 4, false), -ENOTSUP);
	assert_int_equal(try_replace(TWO, ~0u, false), -ENOTSUP);
}

static void E3_refuses_deep_nesting(void **state)
{
	char mail[20000] = HEAD, end[4000] = "";
	size_t len = strlen(mail);

	(void)state;
	for (int i = 0; i < 20; i++)
		len += snprintf(mail + len, sizeof(mail) - len,
				"Content-Type: multipart/mixed; boundary=b%c\r\n\r\n--b%c\r\n",
				'a' + i, 'a' + i);
	strcpy(mail + len, "\r\nx\r\n");
	for (int i = 20; i--;)
		snprintf(end + strlen(end), sizeof(end) - strlen(end), "--b%c--\r\n", 'a' + i);
	strcat(mail, end);
	assert_int_equal(try_replace(mail, 21, false), -ENOTSUP);

	strcpy(mail, HEAD);
	for (int i = 0; i < 90; i++)
		strcat(mail, "Content-Type: message/rfc822\r\n\r\n");
	strcat(mail, "\r\nx\r\n");
	assert_int_equal(try_replace(mail, 1, false), -ENOTSUP);
}

static void B1_refuses_other_line_ends(void **state)
{
	static const char *const mails[] = {
		HEAD "\r\na\nb\r\n", HEAD "\r\na\rb\r\n", HEAD "\r\na\r\r\n", HEAD "\r\na\r",
		"A: b\n\nx\r\n", HEAD "\r\na\n", HEAD "\r\na\n.\r\n",
	};
	int out = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		struct ss_rewrite_message in = { .fd = mail_file(mails[i], strlen(mails[i])) };

		assert_int_equal(try_replace(mails[i], 1, false), -ENOTSUP);
		assert_int_equal(ss_rewrite_tag(&in, "X-A: b", &out), -ENOTSUP);
		assert_int_equal(out, -1);
		close(in.fd);
	}
}

static void keeps_line_ends_of_chunks(void **state)
{
	static const char mail[] = "From: a\nContent-Type: multipart/mixed; boundary=b\n\n"
		"--b\n\none\r\n.\n--b\n\ntwo\n--b--\nend\r";
	struct ss_rewrite_part part = { .index = 3, .text = TEXT };
	int ret;
	char *made = replace_parts(mail, true, &part, 1, &ret);

	(void)state;
	assert_int_equal(ret, 0);
	assert_string_equal(made, "From: a\nContent-Type: multipart/mixed; boundary=b\n\n"
			    "--b\n\none\r\n.\n--b\n"
			    "Content-Type: text/plain; charset=utf-8\n"
			    "Content-Disposition: inline\n"
			    "Content-Transfer-Encoding: 7bit\n\n"
			    "The file has been removed.\n--b--\nend\r");
	free(made);
	/* GMime and we do not agree on where this one ends */
	assert_int_equal(try_replace("A: b\nContent-Type: multipart/mixed; boundary=b\n\n"
				     "--b\n\none\r\n--b--\n", 2, true), -ENOTSUP);
}

/* -- notes ---------------------------------------------------------------- */

static void tell_broken(const char *mail, unsigned int index, uint32_t broken, const char *words)
{
	char *made = replace_one(mail, index, TEXT);

	assert_int_equal(notes.broken, broken);
	assert_string_equal(notes.words, words);
	free(made);
}

static void tells_what_is_broken(void **state)
{
	static const char mail[] =
		"DKIM-Signature: v=1\r\nARC-Seal: i=1\r\n" HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n"
		"Content-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"\r\n\r\n"
		"--s\r\n\r\nx\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\ny\r\n--s--\r\n"
		"--b\r\n"
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n"
		"--b\r\n"
		"Content-Type: multipart/encrypted; boundary=e; protocol=\"application/pgp-encrypted\"\r\n\r\n"
		"--e\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
		"--e\r\nContent-Type: application/octet-stream\r\n\r\ny\r\n--e--\r\n"
		"--b--\r\n";

	(void)state;
	tell_broken(TWO, 3, 0, "");
	tell_broken(mail, 3, SS_REWRITE_DKIM | SS_REWRITE_ARC | SS_REWRITE_SIGNED,
		    "dkim arc multipart/signed");
	tell_broken(mail, 5, SS_REWRITE_DKIM | SS_REWRITE_ARC | SS_REWRITE_PKCS7 |
		    SS_REWRITE_ENCRYPTED, "dkim arc pkcs7-mime encrypted");
	tell_broken(mail, 8, SS_REWRITE_DKIM | SS_REWRITE_ARC | SS_REWRITE_ENCRYPTED,
		    "dkim arc encrypted");
}

/* -- tags, and the file --------------------------------------------------- */

static void check_tag(const char *mail, bool chunked, const char *wire)
{
	struct ss_rewrite_message in = {
		.fd = mail_file(mail, strlen(mail)), .chunked = chunked,
	};
	char *made;
	size_t len;
	int out;

	assert_int_equal(ss_rewrite_tag(&in, "X-Smtpsplice-Unscanned: scan-timeout", &out), 0);
	made = read_file(out, &len);
	assert_string_equal(made, wire);
	free(made);
	close(out);
	close(in.fd);
}

#define TAG	"X-Smtpsplice-Unscanned: scan-timeout"

static void tags(void **state)
{
	(void)state;
	check_tag("A: b\r\n\r\n.x\r\n", false, TAG "\r\nA: b\r\n\r\n..x\r\n");
	check_tag("A: b\r\n\r\n.x", false, TAG "\r\nA: b\r\n\r\n..x\r\n");
	check_tag("\r\nbody\r\n", false, TAG "\r\n\r\nbody\r\n");
	check_tag("", false, TAG "\r\n");
	check_tag("A: b\n\r\n.\rx", true, TAG "\nA: b\n\r\n.\rx");
	check_tag("A: b\r\n", true, TAG "\r\nA: b\r\n");
	check_tag("A: b", true, TAG "\r\nA: b");
}

static void checks_tags(void **state)
{
	static const char *const mails[] = {
		" folded\r\n\r\n", "no field\r\n\r\n", "From a@b\r\n\r\n",
	};
	static const char *const fields[] = {
		"", "X", "X:", "X: ", ": b", "X :b", "X : b", "X:b", "X: b\r\nY: c", "X: \xc3\xbc",
		"X Y: b", "X:\tb",
	};
	struct ss_rewrite_message in = { .fd = mail_file("A: b\r\n", 6) };
	char *longest = mail_format("X: %995s", "b"), *longer = mail_format("X: %996s", "b");
	int out = -1;

	(void)state;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		assert_int_equal(ss_rewrite_tag(&in, fields[i], &out), -EINVAL);
	assert_int_equal(ss_rewrite_tag(&in, longer, &out), -EINVAL);
	assert_int_equal(ss_rewrite_tag(&in, longest, &out), 0);
	free(longer);
	free(longest);
	close(out);
	close(in.fd);
	out = -1;
	for (size_t i = 0; i < sizeof(mails) / sizeof(*mails); i++) {
		in.fd = mail_file(mails[i], strlen(mails[i]));
		assert_int_equal(ss_rewrite_tag(&in, "X: b", &out), -ENOTSUP);
		close(in.fd);
	}
	assert_int_equal(out, -1);
}

static void cannot_be_changed(void **state)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	struct ss_rewrite_part part = { .index = 3, .text = TEXT };
	struct ss_rewrite_message in = { .fd = mail_file(TWO, strlen(TWO)) };
	int outs[4];

	(void)state;
	assert_int_equal(ss_rewrite_tag(&in, "X: b", &outs[0]), 0);
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &outs[1], &notes), 0);
	in.chunked = true;
	assert_int_equal(ss_rewrite_tag(&in, "X: b", &outs[2]), 0);
	assert_int_equal(ss_rewrite_replace(&in, &part, 1, &outs[3], &notes), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(fcntl(outs[i], F_GET_SEALS), seals);
		assert_int_equal(fcntl(outs[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(lseek(outs[i], 0, SEEK_CUR), 0);
		assert_int_equal(pwrite(outs[i], "x", 1, 0), -1);
		assert_int_equal(ftruncate(outs[i], 1), -1);
		assert_ptr_equal(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, outs[i], 0),
				 MAP_FAILED);
		close(outs[i]);
	}
	close(in.fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_the_middle_one),
		cmocka_unit_test(replaces_first_and_last),
		cmocka_unit_test(replaces_in_a_nested_message),
		cmocka_unit_test(replaces_the_only_part),
		cmocka_unit_test(leaves_nothing_to_find),
		cmocka_unit_test(replaces_a_whole_multipart),
		cmocka_unit_test(replaces_an_empty_one),
		cmocka_unit_test(knows_nested_boundaries),
		cmocka_unit_test(takes_odd_names),
		cmocka_unit_test(skips_what_is_in_front),
		cmocka_unit_test(stuffs_dots),
		cmocka_unit_test(encodes_what_is_not_plain),
		cmocka_unit_test(E1_text_cannot_be_a_boundary),
		cmocka_unit_test(E1_names_cannot_be_parts),
		cmocka_unit_test(refuses_bad_texts),
		cmocka_unit_test(E1_refuses_what_is_ambiguous),
		cmocka_unit_test(E3_refuses_deep_nesting),
		cmocka_unit_test(B1_refuses_other_line_ends),
		cmocka_unit_test(keeps_line_ends_of_chunks),
		cmocka_unit_test(tells_what_is_broken),
		cmocka_unit_test(tags),
		cmocka_unit_test(checks_tags),
		cmocka_unit_test(cannot_be_changed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, tools_setup, tools_teardown);
}
