/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_CMS_H
#define SS_TESTS_SUPPORT_CMS_H

#include "tests/support/message.h"

#include <glib.h>

/*
 * The vocabulary of tests of mail that is signed or encrypted: what is in it is made by
 * openssl(1), as far as it can
 */

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

extern char *dir;		/* of the files of openssl(1), and its key */

void run(const char *command);
/* What openssl cms makes of octets, as DER or BER unless @how says otherwise */
GString *make_cms(const char *how, const char *data, size_t len);
GString *cms_of(const char *how, char *text);

/* An element around octets, which are freed; @size of its length, 0 for none */
GString *element(int tag, int size, GString *content);
GString *octets_of(const void *data, size_t len);
/* A string in pieces, and these in pieces */
GString *pieces(const char *data, size_t len, size_t some, int depth);
GString *joined(GString *a, GString *b);
/* CMS of a type: a version, an algorithm, and a content of @oid */
GString *made(const char *type, size_t type_len, const char *algorithm, size_t algorithm_len,
	      const char *oid, size_t oid_len, GString *content);

GString *deflated(const void *data, size_t len);
/* openssl(1) of Debian has no zlib */
GString *compressed(const void *data, size_t len);
/* What openssl(1) does not make, in pieces, so that nothing is left of the mail in a row */
GString *authenticated(char *text);
GString *compressed_text(char *text);

/* A part of octets, which are freed */
char *part(const char *fields, GString *octets);
/* A message that is nothing else */
char *whole(GString *octets);
GString *wrapped(const char *how, GString *octets);
/* What is signed, with and without EICAR */
char *entity(void);
char *good_entity(void);

void expect_virus(const char *file);
void expect_encrypted(void);

/* Of a group, with reset() before each test */
int cms_setup(void **state);
int cms_teardown(void **state);

#endif /* SS_TESTS_SUPPORT_CMS_H */
