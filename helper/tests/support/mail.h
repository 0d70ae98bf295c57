/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_MAIL_H
#define SS_TESTS_SUPPORT_MAIL_H

#include <stddef.h>

/* What the test database finds */
#define MAIL_EICAR	"Smtpsplice.Eicar.UNOFFICIAL"
#define MAIL_DOTTED	"Smtpsplice.Dotted.UNOFFICIAL"
/* Has a dot where a line of quoted-printable can begin */
#define MAIL_DOTTED_1	"smtpsplice test pattern one"
#define MAIL_DOTTED_2	".two of the same"
/* One of a pair of files with the same MD5 begins with it */
#define MAIL_COLLIDED	"Smtpsplice.Collided.UNOFFICIAL"
#define MAIL_COLLISION	"\xd1\x31\xdd\x02\xc5\xe6\xee\xc4\x69\x3d\x9a\x06\x98\xaf\xf9\x5c" \
			"\x2f\xca\xb5\x07"

/* The EICAR test string, put together at run time; never in the clear in here */
const char *mail_eicar(void);
char *mail_base64(const char *text);
char *mail_attachment(const char *head, const char *name_field);
/* Deeper than anybody looks */
char *mail_deep(void);
char *mail_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int mail_file(const void *text, size_t len);
char *mail_database(void);
void mail_remove_database(char *dir);

#endif /* SS_TESTS_SUPPORT_MAIL_H */
