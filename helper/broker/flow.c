// SPDX-License-Identifier: GPL-2.0
/*
 * The session that a piece of work of the kernel is for. The attributes that
 * tell it are the same, in the same order, in each set of work.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "broker/flow.h"
#include "lib/text.h"

/* The order of the attributes, from that of the session on */
enum {
	SESSION,
	POLICY,
	IIF,
	CLIENT,
	CLIENT_PORT,
	SERVER,
	SERVER_PORT,
	COUNT,
};

#define IN_ORDER(set, name)						\
static_assert(SMTPSPLICE_A_##set##_##name ==				\
	      SMTPSPLICE_A_##set##_SESSION + (name), #set)

IN_ORDER(SCAN, POLICY);
IN_ORDER(SCAN, IIF);
IN_ORDER(SCAN, CLIENT);
IN_ORDER(SCAN, CLIENT_PORT);
IN_ORDER(SCAN, SERVER);
IN_ORDER(SCAN, SERVER_PORT);
IN_ORDER(HANDSHAKE, POLICY);
IN_ORDER(HANDSHAKE, IIF);
IN_ORDER(HANDSHAKE, CLIENT);
IN_ORDER(HANDSHAKE, CLIENT_PORT);
IN_ORDER(HANDSHAKE, SERVER);
IN_ORDER(HANDSHAKE, SERVER_PORT);

/* Bytes that each must have at least; 0: any number */
static const uint8_t least[COUNT] = {
	[SESSION]	= sizeof(uint64_t),
	[CLIENT_PORT]	= sizeof(uint16_t),
	[SERVER_PORT]	= sizeof(uint16_t),
};

static void read_text(char *dst, size_t size, const struct nlattr *nla)
{
	ss_text_clean(SS_TEXT_JSON, dst, size, nla_data(nla),
		      strnlen(nla_data(nla), nla_len(nla)));
}

int ss_flow_read(struct ss_flow *flow, int first, const struct nlattr *nla)
{
	int which = nla_type(nla) - first;

	if (which < 0 || which >= COUNT)
		return 0;
	if (nla_len(nla) < least[which])
		return -EPROTO;
	switch (which) {
	case SESSION:
		memcpy(&flow->session, nla_data(nla), sizeof(flow->session));
		break;
	case POLICY:
		read_text(flow->policy, sizeof(flow->policy), nla);
		break;
	case IIF:
		read_text(flow->iif, sizeof(flow->iif), nla);
		break;
	case CLIENT:
		ss_addr_format(flow->client, nla_data(nla), nla_len(nla));
		break;
	case CLIENT_PORT:
		flow->client_port = nla_get_u16(nla);
		break;
	case SERVER:
		ss_addr_format(flow->server, nla_data(nla), nla_len(nla));
		break;
	case SERVER_PORT:
		flow->server_port = nla_get_u16(nla);
		break;
	}
	return 0;
}

int ss_flow_take_fd(struct nlattr *attrs, int len, int type)
{
	const struct nlattr *nla = nla_find(attrs, len, type);
	int32_t fd;

	if (!nla || nla_len(nla) < (int)sizeof(fd))
		return -1;
	fd = (int32_t)nla_get_u32(nla);
	if (fd < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -1;
	return fd;
}
