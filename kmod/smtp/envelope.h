/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recipients of a transaction, for the scanner and the log: those that the
 * server accepted, and behind them those whose RCPT it has not answered yet.
 * Pure C like all of the engine, and for it alone.
 */
#ifndef SS_ENVELOPE_H
#define SS_ENVELOPE_H

#include "portable.h"

struct ss_span;

/* Longest address or HELO name kept. */
#define SS_SMTP_ADDRESS_MAX	320
/* Octets of recipients that are kept. */
#define SS_ENVELOPE_MAX	4096

/**
 * struct ss_envelope - recipients in the order of their RCPTs
 * @len: octets in @data
 * @data: entries: state, length in two octets, address
 */
struct ss_envelope {
	u16 len;
	u8 data[SS_ENVELOPE_MAX];
};

/**
 * ss_envelope_add() - a RCPT was sent to the server
 * @e: the envelope
 * @addr: its address
 *
 * Return: false if it does not fit; its answer is then not to be told.
 */
bool ss_envelope_add(struct ss_envelope *e, struct ss_span addr);

/**
 * ss_envelope_answer() - the server answered the oldest RCPT that waits
 * @e: the envelope
 * @ok: whether it accepted it
 */
void ss_envelope_answer(struct ss_envelope *e, bool ok);

/**
 * ss_envelope_clear() - forget those that were accepted
 * @e: the envelope
 *
 * The others were sent after the end of the transaction.
 */
void ss_envelope_clear(struct ss_envelope *e);

/**
 * ss_envelope_next() - walk those that were accepted
 * @e: the envelope
 * @pos: cursor, 0 to begin with
 * @addr: set to the address
 *
 * Return: length of the address, or -1 at the end.
 */
int ss_envelope_next(const struct ss_envelope *e, u32 *pos, const u8 **addr);

#endif /* SS_ENVELOPE_H */
