// SPDX-License-Identifier: GPL-2.0
#include "dialogue.h"

static void expect(const char *what, const struct step *at, unsigned int i,
		   struct bytes *got)
{
	if (got->n != at->n || (at->n && memcmp(got->p, at->text, at->n)))
		fail_msg("step %u: %s heard \"%.*s\", not \"%.*s\"", i, what,
			 got->n < 500 ? (int)got->n : 500,
			 (const char *)got->p, at->n < 500 ? (int)at->n : 500,
			 at->text);
	got->n = 0;
}

static void expect_rcpts(const struct rig *r, const struct step *at)
{
	char list[SS_ENVELOPE_MAX + 256] = "";
	size_t n = 0;
	const u8 *addr;
	u32 pos = 0;
	int len;

	while ((len = ss_smtp_rcpt(&r->e, &pos, &addr)) >= 0) {
		memcpy(list + n, addr, (size_t)len);
		n += (size_t)len;
		list[n++] = '|';
	}
	list[n] = 0;
	assert_string_equal(list, at->text);
}

static void say(struct rig *r, struct bytes *to, const struct step *at,
		size_t piece)
{
	size_t i;

	for (i = 0; i < at->n; i += piece) {
		size_t n = at->n - i < piece ? at->n - i : piece;

		bytes_add(to, at->text + i, n);
		rig_pump(r);
	}
}

static void check_step(struct rig *r, const struct step *at, unsigned int i)
{
	switch (at->what) {
	case CLIENT_HEARS:
		expect("client", at, i, &r->to_client);
		break;
	case SERVER_HEARS:
		expect("server", at, i, &r->to_server);
		break;
	case EVENT:
		assert_int_equal(r->e.event, at->n);
		break;
	case CODE:
		assert_int_equal(r->e.done_code, at->n);
		break;
	case MESSAGE:
		assert_int_equal(r->e.body_len, at->n);
		assert_memory_equal(r->body.p, at->text, at->n);
		break;
	case FLAGS:
		assert_int_equal(r->e.body_flags, at->n);
		break;
	case REFUSED:
		assert_int_equal(r->e.refused, at->n);
		break;
	case WANTS:
		assert_int_equal(ss_smtp_wants_client(&r->e), at->n);
		break;
	case SMTPUTF8:
		assert_int_equal(r->e.smtputf8, at->n);
		break;
	case SENDER:
		assert_int_equal(r->e.sender_len, at->n);
		assert_memory_equal(r->e.sender, at->text, at->n);
		break;
	case HELO:
		assert_int_equal(r->e.helo_len, at->n);
		assert_memory_equal(r->e.helo, at->text, at->n);
		break;
	case UNREAD:
		assert_int_equal(r->from_client.n + r->from_server.n, at->n);
		break;
	case RCPTS:
		expect_rcpts(r, at);
		break;
	default:
		fail();
	}
}

static void run_step(struct rig *r, const struct step *at, unsigned int i,
		     size_t piece)
{
	switch (at->what) {
	case CLIENT_SAYS:
		say(r, &r->from_client, at, piece);
		break;
	case SERVER_SAYS:
		say(r, &r->from_server, at, piece);
		break;
	case VERDICT:
		r->verdict = (enum rig_verdict)at->n;
		r->reply = at->text;
		break;
	case REFUSE_DATA:
		r->refuse_data = true;
		r->reply = at->text;
		break;
	case SERVER_FORGETS:
		r->to_server.n = 0;
		break;
	case SPLICE_MODE:
		r->splice = at->n;
		break;
	case OFFER_TLS:
		r->e.tls = (enum ss_smtp_tls)at->n;
		break;
	case TLS_DOWN:
		r->e.tls_down = at->n;
		break;
	case TLS_GO:
		ss_smtp_tls_go(&r->e, &r->cli);
		break;
	case TLS_DONE:
		ss_smtp_tls_done(&r->e);
		break;
	case SERVER_LEAVES:
		rig_server_leaves(r);
		break;
	case KEEPALIVE:
		ss_smtp_keepalive(&r->e, &r->srv);
		break;
	case HANGUP:
		ss_smtp_hangup(&r->e, at->text, &r->cli);
		break;
	default:
		check_step(r, at, i);
	}
	rig_pump(r);
}

void dialogue_run(const struct step *steps, unsigned int n)
{
	static const size_t pieces[] = { (size_t)1 << 30, 1, 2, 3, 5, 7, 11 };
	unsigned int i, k;

	for (k = 0; k < sizeof(pieces) / sizeof(*pieces); k++) {
		struct rig r;

		rig_init(&r, SS_SMTP_SINK_MIN + 1000, 1000000);
		for (i = 0; i < n; i++)
			run_step(&r, &steps[i], i, pieces[k]);
		rig_free(&r);
	}
}
