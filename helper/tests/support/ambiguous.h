/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_AMBIGUOUS_H
#define SS_TESTS_SUPPORT_AMBIGUOUS_H

#include "tests/support/unit.h"

#include <stdbool.h>

#include <glib.h>

#include "lib/cleanup.h"

/*
 * Messages are made from templates. In these @B is the EICAR file in base64, @1 and @2
 * its halves, @Q in quoted-printable, @3 and @4 its halves, @E as it is, @P a part that
 * holds it, @H the head of a mail, @0 a NUL, @L a text of 1000 octets, and @X what the
 * row puts in.
 */

#define HEAD	"From: a@example.net\r\nTo: b@example.org\r\nSubject: x\r\n"
#define MIXED	"Content-Type: multipart/mixed; boundary=\"bound\"\r\n"
#define TEXT	"--bound\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
#define BINARY	"Content-Type: application/octet-stream\r\n"
#define CODED	BINARY "Content-Transfer-Encoding: base64\r\n"
#define QUOTED	BINARY "Content-Transfer-Encoding: quoted-printable\r\n"
#define LAST	"--bound--\r\n"

GString *expand(const char *template, const char *x);

bool has_eicar(const void *data, size_t len, void *arg);
/* A copy of its own size, for the sanitizer to see what is read behind it */
uint32_t check(const GString *mail);

/* One of these flags, and that a reading has the file */
void expect_flagged(const char *template, const char *x, uint32_t flags);
void expect_plain(const char *template, const char *x);

#define EXPECT_FLAGGED(template, rows, flags)				\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)		\
			expect_flagged(template, (rows)[i], flags);	\
	} while (0)

#define EXPECT_PLAIN(template, rows)					\
	do {								\
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)		\
			expect_plain(template, (rows)[i]);		\
	} while (0)

#endif /* SS_TESTS_SUPPORT_AMBIGUOUS_H */
