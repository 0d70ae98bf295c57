// SPDX-License-Identifier: GPL-2.0
/*
 * Content transfer encodings (RFC 2045 6), strictly: whether a decoder that stops
 * at what it does not like, one that skips it and one that guesses all get the same.
 */
#include <string.h>

#include "coding.h"
#include "gate.h"

#define MAX_LINE	998	/* RFC 5322 2.1.1 */

/**
 * ss_coding_digit() - Value of a digit of base64.
 * @c: the digit
 *
 * Return: 0 to 63, or -1.
 */
int ss_coding_digit(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/**
 * ss_coding_hex() - Value of a hexadecimal digit, of either case.
 * @c: the digit
 *
 * Return: 0 to 15, or -1.
 */
int ss_coding_hex(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool check_base64(struct ss_coding *coding, const char *s, size_t len)
{
	if (len > MAX_LINE)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '=')
			coding->pads++;
		else if (coding->pads || ss_coding_digit(s[i]) < 0)
			return false;
		else
			coding->digits++;
	}
	return true;
}

static bool is_blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

/* Blanks at the end of a line are common, and all decoders drop or keep them alike */
static bool check_quoted(const char *s, size_t len, enum ss_coding_end end)
{
	const char *stop = s + len;

	if (memchr(s, '\0', len))
		return false;
	while ((s = memchr(s, '=', stop - s))) {
		size_t left = stop - ++s;

		if (!left)
			return end == SS_CODING_CRLF;
		if (is_blank(s, left) || left < 2 || ss_coding_hex(s[0]) < 0 ||
		    ss_coding_hex(s[1]) < 0)
			return false;
		s += 2;
	}
	return true;
}

/**
 * ss_coding_check_line() - Read a line of the content.
 * @coding: what is known of the content
 * @s: the line
 * @len: its length in octets
 * @end: what ends it
 *
 * Return: whether decoders agree on it.
 */
bool ss_coding_check_line(struct ss_coding *coding, const char *s, size_t len,
			  enum ss_coding_end end)
{
	if (coding->kind == SS_CODING_NONE)
		return true;
	if (end == SS_CODING_ODD)
		return false;
	if (coding->kind == SS_CODING_BASE64)
		return check_base64(coding, s, len);
	return !len || check_quoted(s, len, end);
}

/**
 * ss_coding_check_end() - The content ends here.
 * @coding: what is known of it
 *
 * Return: whether decoders agree on the end.
 */
bool ss_coding_check_end(const struct ss_coding *coding)
{
	if (coding->kind != SS_CODING_BASE64)
		return true;
	return coding->pads == (coding->digits % 4 == 2 ? 2 : coding->digits % 4 == 3);
}

/**
 * ss_coding_flag() - What the gate says of content that is not agreed on.
 * @coding: the content
 *
 * Return: the flag, see enum ss_gate_flag.
 */
uint32_t ss_coding_flag(const struct ss_coding *coding)
{
	return coding->kind == SS_CODING_BASE64 ? SS_GATE_BASE64 : SS_GATE_QUOTED;
}
