/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: one for every change of state. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM smtpsplice

#if !defined(SS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SS_TRACE_H

#include <linux/tracepoint.h>

#include "answer.h"

#define ss_show_state(state)					\
	__print_symbolic(state,					\
		{ SMTPSPLICE_STATE_DIAL,	"dial" },	\
		{ SMTPSPLICE_STATE_HANDSHAKE,	"handshake" },	\
		{ SMTPSPLICE_STATE_GREET,	"greet" },	\
		{ SMTPSPLICE_STATE_COMMAND,	"command" },	\
		{ SMTPSPLICE_STATE_BODY,	"body" },	\
		{ SMTPSPLICE_STATE_SCAN,	"scan" },	\
		{ SMTPSPLICE_STATE_RELEASE,	"release" },	\
		{ SMTPSPLICE_STATE_REPLY,	"reply" },	\
		{ SMTPSPLICE_STATE_RELAY,	"relay" },	\
		{ SMTPSPLICE_STATE_CLOSE,	"close" })

TRACE_EVENT(smtpsplice_session_state,
	TP_PROTO(u64 id, u32 from, u32 to),
	TP_ARGS(id, from, to),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, from)
		__field(u32, to)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("session=%llu %s -> %s", __entry->id,
		  ss_show_state(__entry->from), ss_show_state(__entry->to))
);

TRACE_EVENT(smtpsplice_session_end,
	TP_PROTO(u64 id, const char *why),
	TP_ARGS(id, why),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(const char *, why)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->why = why;
	),
	TP_printk("session=%llu %s", __entry->id, __entry->why)
);

TRACE_EVENT(smtpsplice_server_left,
	TP_PROTO(u64 id, u32 state),
	TP_ARGS(id, state),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, state)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->state = state;
	),
	TP_printk("session=%llu in %s", __entry->id,
		  ss_show_state(__entry->state))
);

#define ss_show_kind(kind)					\
	__print_symbolic(kind,					\
		{ SS_REQUEST_SCAN,	"scan" },		\
		{ SS_REQUEST_HANDSHAKE,	"handshake" })

#define ss_show_request(state)				\
	__print_symbolic(state,				\
		{ SS_REQUEST_IDLE,	"idle" },	\
		{ SS_REQUEST_PENDING,	"pending" },	\
		{ SS_REQUEST_TAKEN,	"taken" },	\
		{ SS_REQUEST_DONE,	"done" })

TRACE_EVENT(smtpsplice_request_state,
	TP_PROTO(u64 id, u32 kind, u32 from, u32 to, u32 portid),
	TP_ARGS(id, kind, from, to, portid),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, kind)
		__field(u32, from)
		__field(u32, to)
		__field(u32, portid)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->kind = kind;
		__entry->from = from;
		__entry->to = to;
		__entry->portid = portid;
	),
	TP_printk("session=%llu %s %s -> %s port=%u", __entry->id,
		  ss_show_kind(__entry->kind), ss_show_request(__entry->from),
		  ss_show_request(__entry->to), __entry->portid)
);

TRACE_EVENT(smtpsplice_tls_control,
	TP_PROTO(u64 id, bool client, u8 record, u8 first, int len),
	TP_ARGS(id, client, record, first, len),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(bool, client)
		__field(u8, record)
		__field(u8, first)
		__field(int, len)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->client = client;
		__entry->record = record;
		__entry->first = first;
		__entry->len = len;
	),
	TP_printk("session=%llu %s record=%u first=%u len=%d", __entry->id,
		  __entry->client ? "client" : "server", __entry->record,
		  __entry->first, __entry->len)
);

TRACE_EVENT(smtpsplice_tls_flood,
	TP_PROTO(u64 id, bool client, u32 pause),
	TP_ARGS(id, client, pause),
	TP_STRUCT__entry(
		__field(u64, id)
		__field(bool, client)
		__field(u32, pause)
	),
	TP_fast_assign(
		__entry->id = id;
		__entry->client = client;
		__entry->pause = pause;
	),
	TP_printk("session=%llu %s pause=%u", __entry->id,
		  __entry->client ? "client" : "server", __entry->pause)
);

TRACE_EVENT(smtpsplice_helper,
	TP_PROTO(u32 portid, bool up),
	TP_ARGS(portid, up),
	TP_STRUCT__entry(
		__field(u32, portid)
		__field(bool, up)
	),
	TP_fast_assign(
		__entry->portid = portid;
		__entry->up = up;
	),
	TP_printk("port=%u %s", __entry->portid, __entry->up ? "up" : "down")
);

#endif /* SS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
