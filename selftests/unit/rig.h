/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What session.c does with an engine, without sockets: it feeds what has come,
 * acts on events, empties the sinks. On the way it checks what must hold for
 * every input; a failure is an abort().
 */
#ifndef SS_UNIT_RIG_H
#define SS_UNIT_RIG_H

#include "bytes.h"
#include "eod.h"
#include "smtp.h"

#define RIG_BUFFER	16384	/* the caller's receive buffer */
#define RIG_DIALS	64	/* most connections to the server but the first */

enum rig_verdict {
	RIG_WAIT,
	RIG_ACCEPT,
	RIG_REFUSE,
};

/**
 * struct rig - a session
 * @e: the engine
 * @verdict: for the message at hand; back to RIG_WAIT when it was used
 * @always: the verdict where @verdict is RIG_WAIT
 * @splice: messages go to the server while they come in
 * @streaming: one does at the moment
 * @inside: the server was promised a chunk, and has not got all of it
 * @hasty: a message by chunks is refused while the server awaits more of one
 * @lost: the server's leg is closed
 * @redial: and another one will be dialled for the message at hand
 * @dialling: that one is there, though the engine does not know of it yet
 * @dials: where in @to_server and @heard each connection but the first begins
 * @dialled: how many there are
 * @refuse_data: DATA is refused, once
 * @reply: the reply with which messages and DATA are refused
 * @doomed: the reply that the message at hand will get, whatever comes of it
 * @early: what the server said amid it
 * @body_bad: e.body_bad of messages that are not BINARYMIME
 * @from_client: came from the client, not consumed yet
 * @from_server: the same from the server
 * @cli: sink towards the client, of exactly its size for ASan
 * @srv: sink towards the server
 * @heard: what the engine took from @from_server
 * @said: what it took from @from_client
 * @to_client: all that left @cli
 * @to_server: all that left @srv, and the messages
 * @body: the message at hand, as it was received, end-of-data included
 * @sent: octets of @body that were sent
 * @chunk_end: those that the server was promised
 * @accepted: the messages that were accepted and sent in full
 * @flags: body_flags of all that was accepted, sent in full or not, or-ed
 * @piece: most octets of a body sent at a time
 * @done: replies to messages, see done_code
 */
struct rig {
	struct ss_smtp e;
	enum rig_verdict verdict;
	enum rig_verdict always;
	bool splice;
	bool streaming;
	bool inside;
	bool hasty;
	bool lost;
	bool redial;
	bool dialling;
	struct rig_dial {
		size_t to_server;
		size_t heard;
	} dials[RIG_DIALS];
	unsigned int dialled;
	bool refuse_data;
	const char *reply;
	const char *doomed;
	char early[SS_SMTP_KEYWORD_MAX + 1];
	u32 body_bad;
	struct bytes from_client;
	struct bytes from_server;
	struct ss_smtp_buf cli;
	struct ss_smtp_buf srv;
	struct bytes heard;
	struct bytes said;
	struct bytes to_client;
	struct bytes to_server;
	struct bytes body;
	size_t sent;
	size_t chunk_end;
	struct bytes accepted;
	u32 flags;
	size_t piece;
	unsigned int done;
};

void rig_init(struct rig *r, u32 cap, u64 max_message);
void rig_free(struct rig *r);

/* Each does one thing, and returns whether there was something to do. */
bool rig_client(struct rig *r);
bool rig_server(struct rig *r);
bool rig_event(struct rig *r);
void rig_flush_client(struct rig *r);
void rig_flush_server(struct rig *r);

/* The server closes its leg; it has nothing of a message. */
void rig_server_leaves(struct rig *r);

/* All of it till nothing moves any more. */
void rig_pump(struct rig *r);

/* The client says it, then the server. */
void rig_exchange(struct rig *r, const char *client, const char *server);

/* rig_init() for small sinks and messages, and the banner has passed. */
void rig_greeted(struct rig *r);

#define RIG_CHECK(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#what); \
			abort(); \
		} \
	} while (0)

#endif
