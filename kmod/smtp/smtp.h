/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SMTP engine: reads what the two legs of a session say, and decides what may
 * pass.
 *
 * Pure C: no sockets, no allocation, no kernel-only calls, so that the same
 * file is unit-tested and fuzzed in userspace. The caller owns the buffers and
 * serialises all calls for one engine; the engine never sleeps and keeps no
 * pointer to what it was given.
 *
 * The caller feeds octets as they come from either side. The engine appends
 * what may be sent to the sinks, says how many octets it consumed, and raises
 * at most one event, after which it consumes nothing more until the caller has
 * acted on it. Replies are matched to commands strictly by count (RFC 2920).
 */
#ifndef SS_SMTP_H
#define SS_SMTP_H

#include "envelope.h"
#include "portable.h"

/* Length of the longest line of AUTH, CRLF included (RFC 4954 4, 12288 + CRLF). */
#define SS_SMTP_LINE_MAX	12290
/* Length of the longest other line, CRLF included (RFC 5321 4.5.3.1.4: a minimum). */
#define SS_SMTP_COMMAND_MAX	2048
/* Limit of replies of the engine's own that wait for one of the server's. */
#define SS_SMTP_LOCAL_MAX	16
/* Length of the longest of them, CRLF included; canned.c sees to that. */
#define SS_SMTP_LOCAL_LEN	71
/*
 * Free space that a sink needs for the engine to go on: one line of a peer's, of
 * which a lone LF becomes CRLF, and all own replies that go out behind it.
 */
#define SS_SMTP_SINK_MIN	(SS_SMTP_LINE_MAX + 1 + \
				 SS_SMTP_LOCAL_MAX * SS_SMTP_LOCAL_LEN)
/* Limit of commands without a reply; the client is not read while it is reached. */
#define SS_SMTP_FIFO_MAX	64
/* Limit of lines in one reply (RFC 5321 sets none). */
#define SS_SMTP_REPLY_LINES_MAX	512
/*
 * Limit of what is read of a refused message or chunk before the client is hung up
 * on: so many times the size of the largest message.
 */
#define SS_SMTP_DRAIN_MAX	4
/* Limit of commands that the gateway refuses itself before it hangs up. */
#define SS_SMTP_ERRORS_MAX	20
/* Length of the longest EHLO keyword line that is passed on. */
#define SS_SMTP_KEYWORD_MAX	1024

/**
 * struct ss_smtp_buf - a sink the engine appends to
 * @data: start of the buffer
 * @len: bytes in it; the engine adds at @data + @len
 * @cap: size of the buffer
 */
struct ss_smtp_buf {
	u8 *data;
	u32 len;
	u32 cap;
};

/**
 * enum ss_smtp_event - action that the caller has to take next
 * @SS_SMTP_NONE: none; feed more
 * @SS_SMTP_DATA: the client may send a message (a recipient was accepted, no
 *	reply is outstanding): call ss_smtp_data_accept(), ss_smtp_data_pass()
 *	or ss_smtp_refuse()
 * @SS_SMTP_GO_ON: behind ss_smtp_data_pass(), the server gave its 354: call
 *	ss_smtp_data_accept()
 * @SS_SMTP_CHUNK: the end of a chunk was consumed, and it is not the last one;
 *	look at ss_smtp_body_ok(), then call ss_smtp_chunk_ok() or
 *	ss_smtp_refuse()
 * @SS_SMTP_ABANDON: the client gave up a message by chunks: drop what there is
 *	of it, then call ss_smtp_next()
 * @SS_SMTP_BODY_END: the end-of-data was consumed; look at ss_smtp_body_ok(),
 *	then call ss_smtp_release() or ss_smtp_refuse(). So also at the end of
 *	the last chunk.
 * @SS_SMTP_REPLAY: the new server awaits the next line of the envelope: call
 *	ss_smtp_replay_next()
 * @SS_SMTP_SEND: the server awaits the message: send it, or what has not been
 *	sent of it, and the end-of-data, then call ss_smtp_sent()
 * @SS_SMTP_DONE: the server's reply to the message was put to the client;
 *	@done_code holds its code. Call ss_smtp_next().
 * @SS_SMTP_STARTTLS: the server gave its 220 to STARTTLS. Check that neither
 *	peer has said anything since, then call ss_smtp_tls_go()
 * @SS_SMTP_CLOSE: flush both sinks, then close both legs. Final.
 * @SS_SMTP_ERROR: as @SS_SMTP_CLOSE, since a peer broke the protocol (a 421,
 *	554 or 500 for the client is in its sink). Final.
 */
enum ss_smtp_event {
	SS_SMTP_NONE,
	SS_SMTP_DATA,
	SS_SMTP_GO_ON,
	SS_SMTP_CHUNK,
	SS_SMTP_ABANDON,
	SS_SMTP_BODY_END,
	SS_SMTP_REPLAY,
	SS_SMTP_SEND,
	SS_SMTP_DONE,
	SS_SMTP_STARTTLS,
	SS_SMTP_CLOSE,
	SS_SMTP_ERROR,
};

/**
 * enum ss_smtp_tls - state of TLS (RFC 3207)
 * @SS_SMTP_TLS_HIDDEN: no TLS: STARTTLS is hidden and refused
 * @SS_SMTP_TLS_OFFERED: the client may say STARTTLS, where the server offers it
 * @SS_SMTP_TLS_REQUIRED: the client may do so, and has to before it sends mail
 * @SS_SMTP_TLS_ON: the dialogue is inside TLS
 */
enum ss_smtp_tls {
	SS_SMTP_TLS_HIDDEN,
	SS_SMTP_TLS_OFFERED,
	SS_SMTP_TLS_REQUIRED,
	SS_SMTP_TLS_ON,
};

enum ss_smtp_verb;

/**
 * struct ss_smtp_pending - a command whose reply is outstanding
 * @verb: the command (enum ss_smtp_verb)
 * @arg: SS_SMTP_KEPT_* of a MAIL or RCPT; enum ss_canned of a reply of the gateway's
 *	own
 */
struct ss_smtp_pending {
	u8 verb;
	u16 arg;
};

/**
 * struct ss_smtp - an SMTP engine, one a session
 *
 * Members above the line are for the caller to read.
 */
struct ss_smtp {
	/** @event: action that the caller has to take, see enum ss_smtp_event */
	enum ss_smtp_event event;
	/** @body_len: octets of the message so far, end-of-data excluded */
	u64 body_len;
	/**
	 * @body_safe: octets of the message that may be sent before the verdict:
	 * none that could be of an end-of-data, nor any from where on the message
	 * is sure to be refused
	 */
	u64 body_safe;
	/** @body_flags: SS_EOD_* of the message so far */
	u32 body_flags;
	/** @body_bad: SS_EOD_* that refuse a message; the caller may change it */
	u32 body_bad;
	/** @chunked: the message comes by BDAT (RFC 3030) */
	bool chunked;
	/** @binary: the MAIL of the message had BODY=BINARYMIME */
	bool binary;
	/** @passed: the message at hand is sent while it comes in */
	bool passed;
	/** @early: the server has answered a message that it has not got whole */
	bool early;
	/**
	 * @gone: amid a message that the server has nothing of, it has said that it
	 * leaves, or it has refused the envelope of ss_smtp_replay(). Call
	 * ss_smtp_lose(), which clears it
	 */
	bool gone;
	/** @done_code: reply code of the server to the last message */
	u16 done_code;
	/** @max_message: largest message for the SIZE= check at MAIL, octets */
	u64 max_message;
	/** @rcpt_count: recipients that the server accepted */
	u32 rcpt_count;
	/** @refused: commands that the engine answered itself, ever growing */
	u32 refused;
	/** @banned: the client may not send mail now */
	bool banned;
	/** @bans: MAIL commands refused for @banned, ever growing */
	u32 bans;
	/** @oversize: MAIL commands refused for their SIZE=, ever growing */
	u32 oversize;
	/** @swallowed: octets of refused chunks taken, ever growing */
	u32 swallowed;
	/** @turns: whole commands and replies taken, ever growing */
	u32 turns;
	/** @tls: state of TLS; the caller sets it after ss_smtp_init() */
	enum ss_smtp_tls tls;
	/** @tls_down: the caller could do no handshake now: STARTTLS gets 454 */
	bool tls_down;
	/** @tls_busy: the client has too many handshakes: STARTTLS gets 454 */
	bool tls_busy;
	/** @busy: STARTTLS refused for @tls_busy, ever growing */
	u32 busy;
	/** @smtputf8: the accepted MAIL had SMTPUTF8 (RFC 6531) */
	bool smtputf8;
	/** @helo_len: octets in @helo */
	u16 helo_len;
	/** @sender_len: octets in @sender */
	u16 sender_len;
	/** @helo: name behind the last EHLO or HELO that was not refused */
	u8 helo[SS_SMTP_ADDRESS_MAX];
	/** @sender: reverse-path of the transaction without angle brackets */
	u8 sender[SS_SMTP_ADDRESS_MAX];

	/* ---- private: see internal.h ---- */
	u32 stage;
	bool auth;		/* the next client line belongs to AUTH */
	bool auth_used;		/* AUTH was passed on */
	bool quit;		/* QUIT was forwarded; drop what follows */
	bool lost;		/* the server leg is closed */
	bool mail_ok;		/* the server accepted MAIL */
	bool mail_out;		/* a MAIL awaits its reply */
	bool stalled;		/* the next client line waits for a reply */
	bool skip;		/* dropping an overlong client line */
	bool rset_due;		/* the server refused DATA, its envelope is stale */
	bool reply_open;	/* inside a multi-line reply */
	u8 greeting;		/* VERB_EHLO or VERB_HELO that was accepted last */
	bool ehlo_answered;	/* a 250 has told what the server offers */
	bool server_tls;	/* STARTTLS was offered since the dialogue began */
	bool server_chunking;	/* CHUNKING is offered */
	bool ehlo_first;	/* greeting line of an EHLO reply still to come */
	u8 reply_verb;		/* verb that the open reply answers */
	u16 reply_code;
	u16 reply_lines;
	u16 client_seen;	/* octets of the client's line known without LF */
	u16 server_seen;	/* the same of the server's line */
	u8 errors;		/* refused commands that no sane client sends */
	u8 body_state;
	u64 chunk_left;		/* octets of the client's chunk still to come */
	bool chunk_last;	/* the message ends with that chunk */
	u8 chunk_error;		/* enum ss_canned: the reply to it */
	u64 announced;		/* octets in chunks for the server */
	bool chunk_open;	/* the last of them is not sent in full */
	bool last_empty;	/* the server was told of a last chunk without octets */
	bool early_taken;	/* the caller has the early reply */
	u8 fifo_head;
	u8 fifo_len;
	u8 fifo_local;		/* entries of the FIFO that the engine answers */
	struct ss_smtp_pending fifo[SS_SMTP_FIFO_MAX];
	u16 keyword_len;	/* line of a reply that is kept back, 0 if none */
	u8 keyword[SS_SMTP_KEYWORD_MAX + 1];
	u16 old_helo_len;	/* before the EHLO or HELO that awaits its reply */
	u8 old_helo[SS_SMTP_ADDRESS_MAX];
	u16 pending_sender_len;
	u8 pending_sender[SS_SMTP_ADDRESS_MAX];
	bool pending_smtputf8;
	bool pending_binary;
	struct ss_envelope envelope;
	struct ss_envelope lines;	/* MAIL and RCPTs as they stood on the wire */
	bool lines_cut;		/* an accepted one found no room */
	u64 replay_len;		/* octets of the message that will be sent */
	u32 replay_pos;		/* cursor in @lines */
	bool replay_greeted;	/* the new server has the EHLO, if there is one */
};

/**
 * ss_smtp_init() - start an engine; the server's banner is awaited
 * @e: the engine
 * @max_message: largest message in octets, for the SIZE= check at MAIL
 */
void ss_smtp_init(struct ss_smtp *e, u64 max_message);

/**
 * ss_smtp_client() - take what the client sent (not inside a message)
 * @e: the engine
 * @p: octets from the client, starting where the last call stopped consuming
 * @n: number of them
 * @srv: sink towards the server
 * @cli: sink towards the client
 *
 * Consumes whole lines, or parts of a line that is too long. Stops where a
 * reply must come first, where a sink has less than %SS_SMTP_SINK_MIN free, or
 * at an event. Octets before the banner has passed are a protocol error.
 *
 * Return: octets consumed, at most @n.
 */
u32 ss_smtp_client(struct ss_smtp *e, const u8 *p, u32 n,
		   struct ss_smtp_buf *srv, struct ss_smtp_buf *cli);

/**
 * ss_smtp_server() - take what the server sent
 * @e: the engine
 * @p: octets from the server, starting where the last call stopped consuming
 * @n: number of them
 * @cli: sink towards the client
 *
 * May be called at any time, inside a message too (replies to what the gateway
 * itself asked, an unsolicited 421).
 *
 * Return: octets consumed, at most @n.
 */
u32 ss_smtp_server(struct ss_smtp *e, const u8 *p, u32 n,
		   struct ss_smtp_buf *cli);

/**
 * ss_smtp_wants_client() - would ss_smtp_client() consume anything now?
 * @e: the engine
 *
 * Return: false while a reply must come first, inside a message, or at an
 * event; the caller then leaves the client's octets in the socket.
 */
bool ss_smtp_wants_client(const struct ss_smtp *e);

/**
 * ss_smtp_idle() - is nothing outstanding towards the server?
 * @e: the engine
 */
bool ss_smtp_idle(const struct ss_smtp *e);

/**
 * ss_smtp_data_accept() - answer DATA with 354 and await the message
 * @e: the engine, at %SS_SMTP_DATA or %SS_SMTP_GO_ON
 * @cli: sink towards the client
 *
 * At %SS_SMTP_GO_ON the client has the server's 354 already. A chunk of a message
 * is not answered before its end; there the event is %SS_SMTP_CHUNK or
 * %SS_SMTP_BODY_END, and with an empty chunk that is at once.
 */
void ss_smtp_data_accept(struct ss_smtp *e, struct ss_smtp_buf *cli);

/**
 * ss_smtp_data_pass() - pass DATA on, to send the message while it comes in
 * @e: the engine, at %SS_SMTP_DATA
 * @srv: sink towards the server
 *
 * Where the server gives no 354, the event is %SS_SMTP_DONE. From the 354 on the
 * server can only be left by closing its leg, see ss_smtp_lose(). A message by
 * chunks is sent with ss_smtp_chunk(), and can be left between two of them.
 */
void ss_smtp_data_pass(struct ss_smtp *e, struct ss_smtp_buf *srv);

/**
 * ss_smtp_lose() - note that the server leg is closed amid a message
 * @e: the engine
 *
 * The message is read to its end and has to be refused then, or is given to a new
 * connection by ss_smtp_replay(). Where it is refused, the client can only QUIT from
 * there on; all else gets a 421. Of the server's octets none is consumed meanwhile.
 */
void ss_smtp_lose(struct ss_smtp *e);

/**
 * ss_smtp_can_replay() - would another connection to the server do as well?
 * @e: the engine
 *
 * Amid a message of which the server has nothing, and whose envelope is kept. Not
 * where the client has used AUTH, nor inside TLS.
 */
bool ss_smtp_can_replay(const struct ss_smtp *e);

/**
 * ss_smtp_replay() - give the envelope to a new connection to the server
 * @e: the engine, at %SS_SMTP_BODY_END; ss_smtp_can_replay() was true before
 *	ss_smtp_lose()
 * @len: octets as for ss_smtp_release(), which happens at the end of it
 *
 * The banner is awaited. Where the server refuses a line, @gone is set.
 */
void ss_smtp_replay(struct ss_smtp *e, u64 len);

/**
 * ss_smtp_replay_next() - put the next line of the envelope to the server
 * @e: the engine, at %SS_SMTP_REPLAY
 * @srv: sink towards the server; behind the last line it gets what
 *	ss_smtp_release() puts there
 *
 * Return: false where that was done, and the envelope is there.
 */
bool ss_smtp_replay_next(struct ss_smtp *e, struct ss_smtp_buf *srv);

/**
 * ss_smtp_early_reply() - read the reply that the server gave amid the message
 * @e: the engine, with @early
 *
 * Clears @early. Return: the last line of the reply without CRLF, for
 * ss_smtp_refuse(). Valid until then.
 */
const char *ss_smtp_early_reply(struct ss_smtp *e);

/**
 * ss_smtp_body() - take octets of the message
 * @e: the engine, after ss_smtp_data_accept()
 * @p: octets from the client
 * @n: number of them
 *
 * Only CRLF.CRLF ends a message (".CRLF" where it is empty); then the event is
 * %SS_SMTP_BODY_END and what follows was not consumed. @body_len counts the
 * octets before the ".CRLF" that ended it. A chunk ends where it said it would.
 *
 * Return: octets consumed: @n, or up to and with the end-of-data or chunk.
 */
u32 ss_smtp_body(struct ss_smtp *e, const u8 *p, u32 n);

/**
 * ss_smtp_body_room() - count what ss_smtp_body() can take
 * @e: the engine
 *
 * Return: octets that are sure to be of the message; 0 where none is awaited now.
 */
u64 ss_smtp_body_room(const struct ss_smtp *e);

/**
 * ss_smtp_chunk_ok() - tell the client that a chunk is there
 * @e: the engine, at %SS_SMTP_CHUNK
 * @cli: sink towards the client
 */
void ss_smtp_chunk_ok(struct ss_smtp *e, struct ss_smtp_buf *cli);

/**
 * ss_smtp_chunk() - announce a chunk to the server
 * @e: the engine, amid a message with @chunked and @passed
 * @n: octets of it, which have all been taken by ss_smtp_body(), and which the
 *	caller sends behind what is in the sink, before all else
 * @srv: sink towards the server
 *
 * Its reply is the gateway's to see: a refusal sets @early. Return: false where
 * something is outstanding at the server, a chunk is not sent, or one was refused.
 */
bool ss_smtp_chunk(struct ss_smtp *e, u64 n, struct ss_smtp_buf *srv);

/**
 * ss_smtp_chunk_sent() - note that the chunk was handed to the server leg
 * @e: the engine
 */
void ss_smtp_chunk_sent(struct ss_smtp *e);

/**
 * ss_smtp_can_leave() - can the server be told to drop what it has got?
 * @e: the engine, amid a message that the server has a part of
 *
 * Return: false where ss_smtp_lose() is the only way.
 */
bool ss_smtp_can_leave(const struct ss_smtp *e);

/**
 * ss_smtp_body_ok() - has the message nothing in it that refuses it?
 * @e: the engine
 */
bool ss_smtp_body_ok(const struct ss_smtp *e);

/**
 * ss_smtp_release() - let a message that was accepted go to the server
 * @e: the engine, at %SS_SMTP_BODY_END
 * @len: octets that will be sent in all
 * @srv: sink towards the server, gets DATA where it was not passed, or the last
 *	BDAT
 *
 * Does nothing where the server has refused the message, see @early.
 */
void ss_smtp_release(struct ss_smtp *e, u64 len, struct ss_smtp_buf *srv);

/**
 * ss_smtp_refuse() - refuse the message, or DATA
 * @e: the engine, at %SS_SMTP_DATA (not with @chunked: its octets come in any
 *	case), %SS_SMTP_CHUNK, %SS_SMTP_BODY_END or %SS_SMTP_SEND
 * @reply: the reply line without CRLF; must be one line of printable text
 * @srv: sink towards the server, gets RSET
 * @cli: sink towards the client, gets @reply
 *
 * The transaction is over; both legs stay usable, unless ss_smtp_body_ok() is false
 * of the message: the event becomes %SS_SMTP_CLOSE then, since what the client sends
 * behind it is of unknown framing. Where the server has a part of
 * the message, call ss_smtp_lose() first, unless ss_smtp_can_leave(): where it
 * would take RSET for mail, the event becomes %SS_SMTP_ERROR.
 */
void ss_smtp_refuse(struct ss_smtp *e, const char *reply,
		    struct ss_smtp_buf *srv, struct ss_smtp_buf *cli);

/**
 * ss_smtp_sent() - note that the message and its end were handed to the server leg
 * @e: the engine, at %SS_SMTP_SEND
 */
void ss_smtp_sent(struct ss_smtp *e);

/**
 * ss_smtp_next() - go on, once the caller saw %SS_SMTP_DONE or %SS_SMTP_ABANDON
 * @e: the engine
 */
void ss_smtp_next(struct ss_smtp *e);

/**
 * ss_smtp_keepalive() - put a NOOP to the server, its reply is swallowed
 * @e: the engine
 * @srv: sink towards the server
 *
 * Does nothing unless the engine is inside a message with nothing outstanding.
 * Return: true if it did.
 */
bool ss_smtp_keepalive(struct ss_smtp *e, struct ss_smtp_buf *srv);

/**
 * ss_smtp_tls_go() - give the client the server's 220; the handshakes follow
 * @e: the engine, at %SS_SMTP_STARTTLS
 * @cli: sink towards the client
 *
 * Nothing is consumed from either peer before ss_smtp_tls_done().
 */
void ss_smtp_tls_go(struct ss_smtp *e, struct ss_smtp_buf *cli);

/**
 * ss_smtp_tls_done() - begin the dialogue inside TLS, on both legs
 * @e: the engine, after ss_smtp_tls_go() or before the banner
 *
 * All that was said before is forgotten (RFC 3207 4.2).
 */
void ss_smtp_tls_done(struct ss_smtp *e);

/**
 * ss_smtp_hangup() - end the dialogue from the gateway's side
 * @e: the engine
 * @reply: reply line without CRLF for the client, e.g. "421 4.4.2 ..."
 * @cli: sink towards the client
 *
 * The event becomes %SS_SMTP_CLOSE. The reply is left out where a final event
 * was raised before, and becomes "221 2.0.0 Bye" where only QUIT's reply is
 * outstanding.
 */
void ss_smtp_hangup(struct ss_smtp *e, const char *reply,
		    struct ss_smtp_buf *cli);

/**
 * ss_smtp_rcpt() - walk the recipients that the server accepted
 * @e: the engine
 * @pos: cursor, 0 to begin with
 * @addr: set to the address
 *
 * Return: length of the address, or -1 at the end. Those that did not fit into
 * the engine are counted in @rcpt_count but not listed.
 */
int ss_smtp_rcpt(const struct ss_smtp *e, u32 *pos, const u8 **addr);

#endif /* SS_SMTP_H */
