/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end-of-data: where a message ends, and what a lax server might take for
 * its end (THREATS 1B). Pure C like all of the engine.
 */
#ifndef SS_EOD_H
#define SS_EOD_H

#include "portable.h"

/* The state before the first octet of a message. */
#define SS_EOD_START	0
/* Octets that end a message: ".CRLF" */
#define SS_EOD_SIZE	3

/* Findings of ss_eod_scan() in a message (THREATS 1B). */
#define SS_EOD_BARE_CR		0x1	/* CR not followed by LF */
#define SS_EOD_BARE_LF		0x2	/* LF not preceded by CR */
/*
 * A lone dot between line ends that are not both CRLF, NULs disregarded: a
 * lax server could take it for the end-of-data.
 */
#define SS_EOD_DOT_LINE		0x4
/* Findings that refuse a message where the caller says nothing else. */
#define SS_EOD_BAD		(SS_EOD_BARE_CR | SS_EOD_BARE_LF | SS_EOD_DOT_LINE)

/**
 * ss_eod_scan() - look for the end-of-data
 * @state: state that the last call left, %SS_EOD_START to begin with
 * @flags: SS_EOD_* are added
 * @p: octets of the message
 * @n: number of them
 * @used: set to @n, or to the number up to and with the end-of-data
 *
 * Return: true if the message ends there.
 */
bool ss_eod_scan(u8 *state, u32 *flags, const u8 *p, u32 n, u32 *used);

/**
 * ss_eod_ends_in_cr() - is a CR the last octet that was seen?
 * @state: the state
 */
bool ss_eod_ends_in_cr(u8 state);

/**
 * ss_eod_at_line_start() - was CRLF what was seen last, or nothing yet?
 * @state: the state
 */
bool ss_eod_at_line_start(u8 state);

#endif /* SS_EOD_H */
