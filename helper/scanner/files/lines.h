/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_LINES_H
#define SS_SCANNER_FILES_LINES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct ss_lines - A text that is still to be read, or a line of it.
 * @at: its first byte
 * @end: behind it
 * @lf: of a text: its lines end with LF, and not with CR
 */
struct ss_lines {
	const uint8_t *at;
	const uint8_t *end;
	bool lf;
};

/**
 * ss_lines_next() - Take the next line.
 * @text: the text
 * @line: set to the line, without what ends it: anything that ends lines to somebody
 *
 * Return: whether there was one.
 */
bool ss_lines_next(struct ss_lines *text, struct ss_lines *line);

/**
 * ss_lines_find() - Take the lines up to one that begins with a word.
 * @text: the text
 * @start: where its first line begins
 * @word: the word
 * @line: set to the line
 *
 * Return: whether there is one.
 */
bool ss_lines_find(struct ss_lines *text, const uint8_t *start, const char *word,
		   struct ss_lines *line);

/**
 * ss_lines_has_bare_cr() - Whether there is a CR without an LF in a text.
 * @text: the text
 *
 * Return: whether there is.
 */
bool ss_lines_has_bare_cr(const struct ss_lines *text);

/**
 * ss_lines_skip_blanks() - Skip spaces and tabs.
 * @s: where to begin
 * @end: where to end in any case
 *
 * Return: behind them.
 */
const uint8_t *ss_lines_skip_blanks(const uint8_t *s, const uint8_t *end);

/**
 * ss_lines_trim() - Find the end of a line without spaces and tabs.
 * @line: the line
 *
 * Return: behind its last other byte.
 */
const uint8_t *ss_lines_trim(const struct ss_lines *line);

#endif /* SS_SCANNER_FILES_LINES_H */
