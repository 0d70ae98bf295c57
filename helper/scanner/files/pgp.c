// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of OpenPGP in ASCII armor (RFC 9580 6.2), as they stand in a text and in the
 * parts of PGP/MIME. They are encrypted, as a rule; nothing in them can be read.
 */
#include <string.h>

#include "scanner/files/pgp.h"

#define ARMOR	"-----BEGIN PGP MESSAGE"	/* ", PART 1/2" may follow */
#define DASHES	"-----"
#define LABEL_MAX	32	/* bytes that may follow */

static bool is_line_end(uint8_t c)
{
	return c == '\r' || c == '\n';
}

/* Do the words of a line begin at @at? The line may be quoted, or be in HTML. */
static bool begins_line(const uint8_t *data, const uint8_t *at)
{
	while (at > data && (at[-1] == ' ' || at[-1] == '\t' || at[-1] == '>'))
		if (*--at == '>')
			return true;
	return at == data || is_line_end(at[-1]);
}

/* Do the dashes that end the label come in the same line? */
static bool ends_label(const uint8_t *at, const uint8_t *end)
{
	size_t room = end - at < LABEL_MAX ? end - at : LABEL_MAX;
	const uint8_t *dashes = memmem(at, room, DASHES, strlen(DASHES));

	if (!dashes)
		return false;
	for (; at < dashes; at++)
		if (is_line_end(*at))
			return false;
	return true;
}

bool ss_pgp_is(const uint8_t *data, size_t len)
{
	const uint8_t *at = data, *end = data + len;

	while ((at = memmem(at, end - at, ARMOR, strlen(ARMOR)))) {
		const uint8_t *label = at + strlen(ARMOR);

		if (begins_line(data, at) && ends_label(label, end))
			return true;
		at = label;
	}
	return false;
}

bool ss_pgp_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner)
{
	(void)data;
	(void)len;
	(void)inner;
	return true;
}
