/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end-of-data: where a message ends, and what a lax server might take for
 * its end (THREATS 1B). Pure C like all of the engine.
 */
#ifndef SS_EOD_H
#define SS_EOD_H

#include "smtp.h"

/* The state before the first octet of a message. */
#define SS_EOD_START	0
/* Octets that end a message: ".CRLF" */
#define SS_EOD_SIZE	3

/**
 * ss_eod_scan() - look for the end-of-data
 * @state: where the last call left off, %SS_EOD_START to begin with
 * @flags: SS_SMTP_BODY_* are added
 * @p: octets of the message
 * @n: how many
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
