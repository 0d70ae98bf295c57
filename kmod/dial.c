// SPDX-License-Identifier: GPL-2.0
/*
 * The connection to the server.
 */
#include "dial.h"
#include "leg.h"
#include "session-table.h"
#include "session.h"

/* Ports that are tried. */
#define TRIES	8

int ss_dial(struct ss_session *s)
{
	struct ss_addr from = s->client_addr;
	int tries, err = -EADDRNOTAVAIL;

	lockdep_assert_held(&s->lock);
	for (tries = TRIES; tries && err == -EADDRNOTAVAIL; tries--) {
		ss_leg_close(&s->server);
		from.port = tries > 1 ? ss_session_table_free_port(s) : 0;
		err = ss_leg_dial(&s->server, s->sn->net, &from,
				  &s->server_addr);
		if (err == -EADDRINUSE)
			err = -EADDRNOTAVAIL;
	}
	return err;
}
