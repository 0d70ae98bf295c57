/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Questions to a helper and its answers: plain values, which events and
 * tracepoints tell of without knowing a request.
 */
#ifndef SS_ANSWER_H
#define SS_ANSWER_H

#include <linux/types.h>
#include <linux/smtpsplice.h>

#include "rekey.h"

/**
 * enum ss_request_kind - questions to a helper
 * @SS_REQUEST_SCAN: a verdict on a held message
 * @SS_REQUEST_HANDSHAKE: TLS handshakes with both peers
 * @SS_REQUEST_KINDS: number of kinds
 *
 * The role that takes a kind is the flag BIT(kind).
 */
enum ss_request_kind {
	SS_REQUEST_SCAN,
	SS_REQUEST_HANDSHAKE,
	SS_REQUEST_KINDS,
};

/**
 * enum ss_request_state - the state of a request
 * @SS_REQUEST_IDLE: no request
 * @SS_REQUEST_PENDING: waits for a helper
 * @SS_REQUEST_TAKEN: handed to a helper
 * @SS_REQUEST_DONE: answered
 */
enum ss_request_state {
	SS_REQUEST_IDLE,
	SS_REQUEST_PENDING,
	SS_REQUEST_TAKEN,
	SS_REQUEST_DONE,
};

/**
 * struct ss_verdict - the answer about a message
 * @verdict: enum smtpsplice_verdict
 * @reply: reply line for the client, "" for the default
 * @virus: name of the virus that was found, or ""
 * @file: name of the infected attachment, or ""
 * @unscanned: enum smtpsplice_unscanned; with the verdict reject the cause of it
 * @infected: the message has a virus, for which its client may be banned
 * @tag: header field to put in front of the message, or ""
 */
struct ss_verdict {
	u32 verdict;
	u32 unscanned;
	bool infected;
	char tag[SMTPSPLICE_REPLY_MAX + 1];
	char reply[SMTPSPLICE_REPLY_MAX + 1];
	char virus[SMTPSPLICE_TEXT_MAX + 1];
	char file[SMTPSPLICE_TEXT_MAX + 1];
};

/**
 * struct ss_handshake - the answer about a pair of TLS handshakes
 * @result: enum smtpsplice_tls_result
 * @cause: enum smtpsplice_tls_cause
 * @server_name: name that the client asked for (SNI), or ""
 * @version: version of TLS on the client leg, or ""
 * @cipher: cipher suite on the client leg, or ""
 * @text: reason for people why they failed, or ""
 * @client: traffic secrets of the client leg
 * @server: traffic secrets of the server leg
 */
struct ss_handshake {
	u32 result;
	u32 cause;
	char server_name[SMTPSPLICE_PATTERN_MAX + 1];
	char version[SMTPSPLICE_NAME_MAX + 1];
	char cipher[SMTPSPLICE_TEXT_MAX + 1];
	char text[SMTPSPLICE_TEXT_MAX + 1];
	struct ss_secrets client;
	struct ss_secrets server;
};

/**
 * union ss_answer - answer of a helper, by kind
 * @verdict: answer to %SS_REQUEST_SCAN
 * @handshake: answer to %SS_REQUEST_HANDSHAKE
 */
union ss_answer {
	struct ss_verdict verdict;
	struct ss_handshake handshake;
};

#endif /* SS_ANSWER_H */
