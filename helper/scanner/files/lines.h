/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_LINES_H
#define SS_SCANNER_FILES_LINES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct ss_lines - A text that is still to be read, or a line of it.
 * @at: its first octet
 * @end: behind it
 * @lf: of a text: its lines end with LF, and not with CR
 */
struct ss_lines {
	const uint8_t *at;
	const uint8_t *end;
	bool lf;
};

bool ss_lines_next(struct ss_lines *text, struct ss_lines *line);
bool ss_lines_find(struct ss_lines *text, const uint8_t *start, const char *word,
		   struct ss_lines *line);
bool ss_lines_has_bare_cr(const struct ss_lines *text);
const uint8_t *ss_lines_skip_blanks(const uint8_t *s, const uint8_t *end);
const uint8_t *ss_lines_trim(const struct ss_lines *line);

#endif /* SS_SCANNER_FILES_LINES_H */
