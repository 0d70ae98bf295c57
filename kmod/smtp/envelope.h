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

/* Octets of the longest address or HELO name that is kept. */
#define SS_SMTP_ADDRESS_MAX	320
/* Bytes for recipients that are kept. */
#define SS_ENVELOPE_MAX	4096

/**
 * struct ss_envelope - recipients in the order of their RCPTs
 * @len: bytes in @data
 * @data: entries: state, length in two bytes, address
 */
struct ss_envelope {
	u16 len;
	u8 data[SS_ENVELOPE_MAX];
};

/**
 * ss_envelope_add() - keep the address of a RCPT that was sent to the server
 * @e: the envelope
 * @addr: address of the RCPT
 *
 * Return: false if it does not fit; its answer is then not for ss_envelope_answer().
 */
bool ss_envelope_add(struct ss_envelope *e, struct ss_span addr);

/**
 * ss_envelope_answer() - note the server's answer to the oldest RCPT that waits
 * @e: the envelope
 * @ok: true where it was accepted
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
