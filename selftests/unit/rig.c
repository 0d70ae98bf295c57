// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "rig.h"

/*
 * What the flags of a message have to be, found in the plain way: the lone dot
 * is looked for in a copy without NULs.
 */
static u32 expected_flags(const u8 *p, size_t n)
{
	struct bytes copy = { 0 };
	u32 flags = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n'))
			flags |= SS_EOD_BARE_CR;
		if (p[i] == '\n' && (!i || p[i - 1] != '\r'))
			flags |= SS_EOD_BARE_LF;
		if (p[i])
			bytes_add(&copy, p + i, 1);
	}
	for (i = 0; i + 1 < copy.n; i++)
		if (copy.p[i] == '.' &&
		    (copy.p[i + 1] == '\r' || copy.p[i + 1] == '\n') &&
		    (!i || copy.p[i - 1] == '\r' || copy.p[i - 1] == '\n'))
			flags |= SS_EOD_DOT_LINE;
	bytes_free(&copy);
	return flags;
}

/* Whole lines, with no control character, and a code if @replies. */
static void check_lines(const u8 *p, size_t n, bool replies)
{
	size_t start = 0, i;

	for (i = 0; i < n; i++) {
		if (p[i] == '\r') {
			RIG_CHECK(i + 1 < n && p[i + 1] == '\n');
			if (replies) {
				RIG_CHECK(i - start >= 3);
				RIG_CHECK(p[start] >= '2' && p[start] <= '5');
				RIG_CHECK(p[start + 1] >= '0' &&
					  p[start + 1] <= '9');
				RIG_CHECK(p[start + 2] >= '0' &&
					  p[start + 2] <= '9');
				RIG_CHECK(i - start == 3 ||
					  p[start + 3] == ' ' ||
					  p[start + 3] == '-');
			}
			RIG_CHECK(i - start + 2 <= SS_SMTP_LINE_MAX + 1);
			start = ++i + 1;
		} else {
			RIG_CHECK(p[i] >= 0x20 || p[i] == '\t');
			RIG_CHECK(p[i] != 0x7f);
		}
	}
	RIG_CHECK(start == n);
}

static void check_engine(const struct rig *r)
{
	const u8 *addr;
	u32 pos = 0, listed = 0;
	int len;

	RIG_CHECK(r->cli.len <= r->cli.cap && r->srv.len <= r->srv.cap);
	RIG_CHECK(r->e.helo_len <= SS_SMTP_ADDRESS_MAX);
	RIG_CHECK(r->e.sender_len <= SS_SMTP_ADDRESS_MAX);
	while ((len = ss_smtp_rcpt(&r->e, &pos, &addr)) >= 0) {
		RIG_CHECK(len <= SS_SMTP_ADDRESS_MAX);
		RIG_CHECK(addr >= r->e.envelope.data && addr + len <=
			  r->e.envelope.data + SS_ENVELOPE_MAX);
		listed++;
	}
	RIG_CHECK(listed <= r->e.rcpt_count);
}

void rig_flush_client(struct rig *r)
{
	check_lines(r->cli.data, r->cli.len, true);
	bytes_add(&r->to_client, r->cli.data, r->cli.len);
	r->cli.len = 0;
}

void rig_flush_server(struct rig *r)
{
	RIG_CHECK(!r->lost || !r->srv.len);
	/* nothing gets between a BDAT and its octets, nor among them */
	RIG_CHECK(!r->inside || !r->srv.len);
	check_lines(r->srv.data, r->srv.len, false);
	bytes_add(&r->to_server, r->srv.data, r->srv.len);
	r->srv.len = 0;
}

/* A copy of exactly that size, so that ASan sees a read beyond it. */
static u8 *exact(const struct bytes *b, u32 *n)
{
	u8 *p;

	*n = (u32)(b->n < RIG_BUFFER ? b->n : RIG_BUFFER);
	p = malloc(*n ? *n : 1);
	if (!p)
		abort();
	if (*n)
		memcpy(p, b->p, *n);
	return p;
}

/* Is there an end-of-data in a body? The first one is its end. */
static bool ends_here(const struct bytes *b)
{
	const u8 *end = memmem(b->p, b->n, "\r\n.\r\n", 5);

	if (b->n >= 3 && !memcmp(b->p, ".\r\n", 3)) {
		RIG_CHECK(b->n == 3);
		return true;
	}
	RIG_CHECK(!end || end + 5 == b->p + b->n);
	return end;
}

bool rig_client(struct rig *r)
{
	u32 n, used, room = r->srv.cap - r->srv.len;
	bool wants = ss_smtp_wants_client(&r->e);
	u8 *p;

	if (!r->from_client.n)
		return false;
	p = exact(&r->from_client, &n);
	used = ss_smtp_body(&r->e, p, n);
	if (used) {
		RIG_CHECK(!wants);
		bytes_add(&r->body, p, used);
		RIG_CHECK(r->e.chunked || ends_here(&r->body) ==
			  (r->e.event == SS_SMTP_BODY_END));
	} else {
		used = ss_smtp_client(&r->e, p, n, &r->srv, &r->cli);
		RIG_CHECK(wants || !used);
	}
	free(p);
	RIG_CHECK(used <= n);
	bytes_add(&r->said, r->from_client.p, used);
	bytes_drop(&r->from_client, used);
	check_engine(r);
	return used || r->srv.cap - r->srv.len != room;
}

bool rig_server(struct rig *r)
{
	u32 n, used;
	u8 *p;

	if (!r->from_server.n)
		return false;
	p = exact(&r->from_server, &n);
	used = ss_smtp_server(&r->e, p, n, &r->cli);
	free(p);
	RIG_CHECK(used <= n);
	bytes_add(&r->heard, r->from_server.p, used);
	bytes_drop(&r->from_server, used);
	check_engine(r);
	return used;
}

static void begin_body(struct rig *r)
{
	/* a reply that answers nothing may be open: the 421 of one that leaves */
	RIG_CHECK(!r->e.fifo_len && r->e.rcpt_count);
	bytes_free(&r->body);
	r->sent = 0;
	r->chunk_end = 0;
	r->doomed = NULL;
	r->e.body_bad = r->e.binary ? 0 : r->body_bad;
	rig_flush_client(r);
	rig_flush_server(r);
	if (r->refuse_data && r->e.chunked)
		r->doomed = r->reply;
	if (r->refuse_data && !r->e.chunked)
		ss_smtp_refuse(&r->e, r->reply, &r->srv, &r->cli);
	else if (r->splice && !r->doomed)
		ss_smtp_data_pass(&r->e, &r->srv);
	else
		ss_smtp_data_accept(&r->e, &r->cli);
	r->refuse_data = false;
}

static void go_on(struct rig *r)
{
	rig_flush_server(r);
	ss_smtp_data_accept(&r->e, &r->cli);
	RIG_CHECK(r->e.passed);
	r->streaming = true;
}

/* The same by chunks of our own. */
static bool stream_chunk(struct rig *r)
{
	size_t n = r->e.body_safe - r->sent;

	if (n > r->piece)
		n = r->piece;
	if (!r->inside) {
		if (!n || !ss_smtp_chunk(&r->e, n, &r->srv))
			return false;
		rig_flush_server(r);
		r->inside = true;
		r->chunk_end = r->sent + n;
		return true;
	}
	if (n > r->chunk_end - r->sent)
		n = r->chunk_end - r->sent;
	bytes_add(&r->to_server, r->body.p + r->sent, n);
	r->sent += n;
	if (r->sent == r->chunk_end) {
		r->inside = false;
		ss_smtp_chunk_sent(&r->e);
	}
	return true;
}

/* What may leave before the verdict. */
static bool stream(struct rig *r)
{
	size_t n = r->e.body_safe - r->sent;

	if (!r->streaming)
		return false;
	RIG_CHECK(r->e.body_safe <= r->e.body_len);
	if (r->e.chunked)
		return stream_chunk(r);
	if (!n)
		return false;
	RIG_CHECK(r->e.body_safe + 4 <= r->body.n);
	if (n > r->piece)
		n = r->piece;
	bytes_add(&r->to_server, r->body.p + r->sent, n);
	r->sent += n;
	return true;
}

/* The server's leg is closed, whatever else was for it. */
static void lose(struct rig *r)
{
	ss_smtp_lose(&r->e);
	r->lost = true;
	r->streaming = false;
	r->inside = false;
	r->srv.len = 0;
}

void rig_server_leaves(struct rig *r)
{
	static const char gone[] = "421 4.4.2 Connection to the mail server lost";
	bool can = ss_smtp_can_replay(&r->e), gave_up = r->e.gone;

	if (r->lost)
		return;
	r->redial = can && !r->doomed && r->dialled < RIG_DIALS;
	if (!can && !gave_up) {
		ss_smtp_hangup(&r->e, gone, &r->cli);
		return;
	}
	lose(r);
	if (!r->redial && !r->doomed)
		r->doomed = "451 4.4.2 Connection to the mail server lost";
}

static void redial(struct rig *r)
{
	RIG_CHECK(!r->srv.len);
	r->dials[r->dialled++] = (struct rig_dial){
		r->to_server.n, r->heard.n,
	};
	r->redial = false;
	r->dialling = true;
	r->sent = 0;
	r->from_server.n = 0;
}

/* The new connection is made; octets that came on it before are still unread. */
static void connected(struct rig *r)
{
	r->dialling = false;
	r->lost = false;
	ss_smtp_replay(&r->e, r->e.body_len);
}

/* The server shall drop what it has of the message. */
static void leave(struct rig *r)
{
	if (r->streaming && !ss_smtp_can_leave(&r->e))
		lose(r);
	r->streaming = false;
}

static void refuse(struct rig *r)
{
	leave(r);
	ss_smtp_refuse(&r->e, r->doomed ? r->doomed : r->reply, &r->srv,
		       &r->cli);
	r->doomed = NULL;
	r->redial = false;
}

/* Is the server inside a chunk, where only closing would end it? */
static bool awaits_chunk(const struct rig *r)
{
	return r->streaming && r->e.chunked && !r->hasty &&
	       !ss_smtp_can_leave(&r->e);
}

static bool end_chunk(struct rig *r)
{
	bool bad = r->doomed || !ss_smtp_body_ok(&r->e);

	if (bad && awaits_chunk(r))
		return false;
	if (bad)
		refuse(r);
	else
		ss_smtp_chunk_ok(&r->e, &r->cli);
	return true;
}

static bool decide(struct rig *r)
{
	enum rig_verdict v = r->verdict ? r->verdict : r->always;

	RIG_CHECK(r->body.n == r->e.body_len + (r->e.chunked ? 0 : 3));
	RIG_CHECK(r->e.body_flags ==
		  (expected_flags(r->body.p, r->e.body_len) &
		   ~(r->e.chunked ? (u32)SS_EOD_DOT_LINE : 0)));
	RIG_CHECK(ss_smtp_body_ok(&r->e) ==
		  !(r->e.body_flags & r->e.body_bad));
	if ((r->lost && !r->redial) || r->doomed)
		v = RIG_REFUSE;
	if (v == RIG_WAIT || awaits_chunk(r))
		return false;
	/* whoever is hasty is so with a refusal */
	if (v == RIG_ACCEPT && r->e.chunked && !ss_smtp_idle(&r->e))
		return false;
	rig_flush_client(r);
	rig_flush_server(r);
	r->verdict = RIG_WAIT;
	if (v == RIG_ACCEPT) {
		r->flags |= r->e.body_flags;
		if (r->redial) {
			redial(r);
			return true;
		}
		ss_smtp_release(&r->e, r->e.body_len, &r->srv);
	} else {
		refuse(r);
	}
	return true;
}

static void send_body(struct rig *r)
{
	size_t end = r->e.body_len, n = end - r->sent;

	rig_flush_server(r);
	r->streaming = true;
	if (n > r->piece)
		n = r->piece;
	if (n)
		bytes_add(&r->to_server, r->body.p + r->sent, n);
	r->sent += n;
	if (r->sent < end)
		return;
	if (!r->e.chunked)
		bytes_add(&r->to_server, ".\r\n", 3);
	r->streaming = false;
	bytes_add_message(&r->accepted, r->body.p, end);
	ss_smtp_sent(&r->e);
}

bool rig_event(struct rig *r)
{
	if (r->dialling) {
		connected(r);
		return true;
	}
	if (r->e.gone) {
		rig_server_leaves(r);
		return true;
	}
	if (r->e.early && !r->lost) {
		snprintf(r->early, sizeof(r->early), "%s",
			 ss_smtp_early_reply(&r->e));
		if (!strncmp(r->early, "421", 3) || !ss_smtp_can_leave(&r->e))
			lose(r);
		r->streaming = false;
		r->doomed = r->early;
		if (r->e.event == SS_SMTP_SEND)
			refuse(r);
		return true;
	}
	if ((r->e.event == SS_SMTP_NONE || r->e.event == SS_SMTP_BODY_END ||
	     r->e.event == SS_SMTP_CHUNK) && stream(r))
		return true;
	switch (r->e.event) {
	case SS_SMTP_DATA:
		begin_body(r);
		return true;
	case SS_SMTP_GO_ON:
		go_on(r);
		return true;
	case SS_SMTP_CHUNK:
		return end_chunk(r);
	case SS_SMTP_ABANDON:
		RIG_CHECK(!r->inside);
		r->streaming = false;
		r->doomed = NULL;
		ss_smtp_next(&r->e);
		return true;
	case SS_SMTP_BODY_END:
		return decide(r);
	case SS_SMTP_REPLAY:
		ss_smtp_replay_next(&r->e, &r->srv);
		return true;
	case SS_SMTP_SEND:
		send_body(r);
		return true;
	case SS_SMTP_DONE:
		r->done++;
		ss_smtp_next(&r->e);
		return true;
	default:
		return false;
	}
}

void rig_pump(struct rig *r)
{
	bool moved;

	do {
		moved = rig_event(r);
		moved |= rig_server(r);
		moved |= rig_event(r);
		moved |= rig_client(r);
		rig_flush_client(r);
		rig_flush_server(r);
	} while (moved);
}

static void sink_init(struct ss_smtp_buf *b, u32 cap)
{
	b->data = malloc(cap);
	b->len = 0;
	b->cap = cap;
	if (!b->data)
		abort();
}

void rig_init(struct rig *r, u32 cap, u64 max_message)
{
	memset(r, 0, sizeof(*r));
	ss_smtp_init(&r->e, max_message);
	sink_init(&r->cli, cap);
	sink_init(&r->srv, cap);
	r->reply = "554 5.7.1 Refused";
	r->piece = (size_t)-1;
	r->body_bad = r->e.body_bad;
}

void rig_exchange(struct rig *r, const char *client, const char *server)
{
	bytes_add(&r->from_client, client, strlen(client));
	rig_pump(r);
	bytes_add(&r->from_server, server, strlen(server));
	rig_pump(r);
}

void rig_greeted(struct rig *r)
{
	rig_init(r, SS_SMTP_SINK_MIN, 1000);
	rig_exchange(r, "", "220 mx\r\n");
	r->to_client.n = 0;
}

void rig_free(struct rig *r)
{
	free(r->cli.data);
	free(r->srv.data);
	bytes_free(&r->from_client);
	bytes_free(&r->from_server);
	bytes_free(&r->heard);
	bytes_free(&r->said);
	bytes_free(&r->to_client);
	bytes_free(&r->to_server);
	bytes_free(&r->body);
	bytes_free(&r->accepted);
}
