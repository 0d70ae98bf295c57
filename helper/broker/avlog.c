// SPDX-License-Identifier: GPL-2.0
/*
 * The log: a JSON object a line for each verdict, and for each session whose TLS
 * was not taken off, with FortiOS's field names where it has one. Never message
 * bodies, never credentials.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "broker/avlog.h"
#include "common/template.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"
#include "proto/attrs.h"

#define PATH_SIZE	4096

/**
 * struct kind - The words of the log for a cause.
 * @logid: id of the record; FortiOS's where it has one, with the event type in its third
 *   and fourth digit
 * @eventtype: what happened
 * @msg: the same in words
 */
struct kind {
	const char *logid;
	const char *eventtype;
	const char *msg;
};

static const struct kind kinds[SS_CAUSE_COUNT] = {
	[SS_CAUSE_VIRUS]	= { "0211008192", "infected", "File is infected." },
	[SS_CAUSE_EXECUTABLE] = { "smtpsplice-executable", "infected",
				     "File is an executable." },
	[SS_CAUSE_FILENAME]	= { "0212008448", "filename",
				    "Name or type of file is blocked." },
	[SS_CAUSE_OVERSIZE]	= { "0213008704", "oversize", "Message is too big." },
	[SS_CAUSE_ARCHIVE]	= { "smtpsplice-archive", "archive",
				    "Archive cannot be looked into." },
	[SS_CAUSE_PARTIAL]	= { "smtpsplice-partial", "infected",
				    "Message fragment cannot be scanned." },
	[SS_CAUSE_AMBIGUOUS]	= { "smtpsplice-ambiguous", "ambiguous",
				    "MIME structure is ambiguous." },
	[SS_CAUSE_HASH]		= { "smtpsplice-hash", "infected", "Hash of file is blocked." },
	[SS_CAUSE_SCAN_FAILURE] = { "smtpsplice-scanerror", "scanerror",
				       "File could not be scanned." },
	[SS_CAUSE_UNDECODABLE] = { "smtpsplice-undecodable", "undecodable",
				      "A limit of the scanner was exceeded." },
	[SS_CAUSE_ENCRYPTED]	= { "smtpsplice-encrypted", "encrypted",
				    "Message is encrypted and cannot be scanned." },
};

static const struct kind kind_clean = {
	"smtpsplice-clean", "clean", "File is clean."
};

static const struct kind kind_unscanned = {
	"smtpsplice-unscanned", "unscanned", "File passes unscanned."
};

/* FortiOS has another id for what is only monitored */
static const struct kind kind_monitored = {
	"0211008193", "infected", "File is infected."
};

static void put_text(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

static void put_if(struct json_object *obj, const char *key, const char *value)
{
	if (value && *value)
		put_text(obj, key, value);
}

static void put_number(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

static void put_time(struct json_object *obj)
{
	struct timespec now;
	char text[32];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	put_text(obj, "date", text);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	put_text(obj, "time", text);
	put_number(obj, "eventtime", (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	strftime(text, sizeof(text), "%z", &tm);
	put_text(obj, "tz", text);
}

static const struct kind *find_kind(const struct ss_avlog_record *rec)
{
	const struct ss_scan_result *res = rec->result;

	/* it was to pass, but the kernel would not have the verdict */
	if (rec->verdict == SMTPSPLICE_VERDICT_TEMPFAIL && !res->found)
		return &kinds[SS_CAUSE_SCAN_FAILURE];
	if (res->monitored && res->cause == SS_CAUSE_VIRUS)
		return &kind_monitored;
	if (res->found)
		return &kinds[res->cause];
	return res->unscanned ? &kind_unscanned : &kind_clean;
}

static const char *find_action(const struct ss_avlog_record *rec)
{
	switch (rec->verdict) {
	case SMTPSPLICE_VERDICT_REJECT:
		return "blocked";
	case SMTPSPLICE_VERDICT_DISCARD:
		return "discarded";
	case SMTPSPLICE_VERDICT_TEMPFAIL:
		return "tempfail";
	default:
		return rec->result->replaced ? "replaced" :
		       rec->result->monitored ? "monitored" : "passthrough";
	}
}

static void put_kind(struct json_object *obj, const struct ss_avlog_record *rec)
{
	const struct kind *k = find_kind(rec);

	put_text(obj, "logid", k->logid);
	put_text(obj, "type", "utm");
	put_text(obj, "subtype", "virus");
	put_text(obj, "eventtype", k->eventtype);
	put_text(obj, "level", k == &kinds[SS_CAUSE_SCAN_FAILURE] ? "error" :
		 k == &kind_clean || rec->result->monitored ? "notice" : "warning");
	put_text(obj, "msg", k->msg);
	put_text(obj, "action", find_action(rec));
	put_text(obj, "service", ss_template_protocol(rec->req->tls));
}

static void put_flow(struct json_object *obj, const struct ss_flow *flow)
{
	put_number(obj, "sessionid", flow->session);
	put_text(obj, "policy", flow->policy);
	put_text(obj, "srcip", flow->client);
	put_number(obj, "srcport", flow->client_port);
	put_text(obj, "srcintf", flow->iif);
	put_text(obj, "dstip", flow->server);
	put_number(obj, "dstport", flow->server_port);
	put_number(obj, "proto", 6);
}

static void put_envelope(struct json_object *obj, const struct ss_scan_request *req)
{
	put_text(obj, "helo", req->helo);
	put_text(obj, "sender", req->sender);
	put_text(obj, "recipient", req->rcpts ? req->rcpts : "");
	put_number(obj, "recipientcount", req->rcpt_count);
}

/* Add what was found, if anything */
static void put_found(struct json_object *obj, const struct ss_avlog_record *rec)
{
	const struct ss_scan_result *res = rec->result;

	if (!res->found || res->cause == SS_CAUSE_SCAN_FAILURE)
		return;
	put_text(obj, "filename", res->file);
	/* a limit that was exceeded is no virus, see put_unscanned() */
	if (res->cause != SS_CAUSE_UNDECODABLE)
		put_text(obj, "virus", res->virus);
	put_if(obj, "dtype", res->cached ? "cached" :
	       res->cause != SS_CAUSE_UNDECODABLE ? "Virus" : NULL);
	put_if(obj, "filehash", res->filehash);
	put_text(obj, "quarskip", rec->quarfile ? "No-skip" : rec->quarantine ?
		 "File-was-not-quarantined" : "Quarantine-disabled");
	put_if(obj, "quarfile", rec->quarfile);
	/* signatures that no longer fit what goes to the server */
	if (res->replaced)
		put_if(obj, "broken", res->broken);
}

/* Add why not all of the message was scanned */
static void put_unscanned(struct json_object *obj, const struct ss_avlog_record *rec)
{
	const struct ss_scan_result *res = rec->result;
	struct json_object *list;
	const char *name;

	if (res->cause == SS_CAUSE_UNDECODABLE)
		put_if(obj, "limit", res->virus);
	if (rec->verdict == SMTPSPLICE_VERDICT_ACCEPT && res->unscanned)
		put_text(obj, "unscanned",
			 ss_attrs_value_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_UNSCANNED,
					     res->unscanned));
	if (!res->conditions)
		return;
	list = json_object_new_array();
	for (int i = 0; i < 32; i++) {
		if (!(res->conditions & 1u << i))
			continue;
		name = ss_attrs_value_name(&ss_attrs_av_profile,
					   SMTPSPLICE_A_AV_PROFILE_ARCHIVE_LOG, i);
		json_object_array_add(list, json_object_new_string(name));
	}
	json_object_object_add(obj, "archive", list);
}

static void put_message(struct json_object *obj, const struct ss_avlog_record *rec)
{
	const struct ss_scan_result *res = rec->result;

	put_text(obj, "from", res->head.from);
	put_text(obj, "to", res->head.to);
	put_text(obj, "subject", res->head.subject);
	put_text(obj, "messageid", res->head.messageid);
	put_text(obj, "attachment", res->attachment ? "yes" : "no");
	put_number(obj, "size", rec->req->size);
	put_found(obj, rec);
	put_unscanned(obj, rec);
	put_if(obj, "error", rec->detail);
	put_number(obj, "scantime_ms", rec->scantime_ms);
	put_if(obj, "reply", rec->reply);
}

static int take_fd(struct ss_avlog *log, int fd)
{
	ss_cleanup_fd(&log->fd);
	*log = (struct ss_avlog){ .fd = fd };
	return 0;
}

int ss_avlog_open(struct ss_avlog *log, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_SIZE];
	int fd;

	if (!strcmp(path, "-")) {
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : take_fd(log, fd);
	}
	if (slash && slash != path && slash - path < PATH_SIZE) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		mkdir(dir, 0750);
	}
	/* Non-blocking for a named pipe: neither its open nor its full buffer waits */
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		  0640);
	return fd < 0 ? -errno : take_fd(log, fd);
}

/*
 * Append @obj, which is freed. A record for which there was no room in a pipe, or on the
 * disk, may be there in part: the next one begins behind its line.
 */
static int write_line(struct ss_avlog *log, struct json_object *obj)
{
	const char *text;
	char *line;
	ssize_t n;
	int len;

	text = json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	len = text ? asprintf(&line, "%s%s\n", log->torn ? "\n" : "", text) : -1;
	json_object_put(obj);
	if (len < 0)
		return -ENOMEM;
	n = ss_process_write(log->fd, line, len);
	if (n < 0)
		n = -errno;
	free(line);
	if (n > 0)
		log->torn = n < len;
	return n < 0 ? (int)n : n < len ? -ENOSPC : 0;
}

int ss_avlog_write(struct ss_avlog *log, const struct ss_avlog_record *rec)
{
	struct json_object *obj = json_object_new_object();

	put_time(obj);
	put_kind(obj, rec);
	put_flow(obj, &rec->req->flow);
	put_envelope(obj, rec->req);
	put_message(obj, rec);
	return write_line(log, obj);
}

/* A string of a peer or the tls process */
static void put_clean(struct json_object *obj, const char *key, const char *value,
		      const char *none)
{
	char clean[SMTPSPLICE_TEXT_MAX + 1];

	ss_text_clean_str(SS_TEXT_JSON, clean, sizeof(clean), value);
	put_if(obj, key, clean[0] ? clean : none);
}

static const char *handshake_subtype(const struct ss_avlog_handshake *rec)
{
	if (rec->bypassed)
		return "ssl-exempt";
	switch (rec->cause) {
	case SMTPSPLICE_TLS_CAUSE_CLIENT_CERTIFICATE:
	case SMTPSPLICE_TLS_CAUSE_EXPIRED:
	case SMTPSPLICE_TLS_CAUSE_REVOKED:
	case SMTPSPLICE_TLS_CAUSE_UNTRUSTED:
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_TIMEOUT:
	case SMTPSPLICE_TLS_CAUSE_VALIDATION_FAILURE:
	case SMTPSPLICE_TLS_CAUSE_SERVER_NAME:
	case SMTPSPLICE_TLS_CAUSE_OWN_CA:
		return "ssl-anomaly";
	default:
		return "ssl-handshake";
	}
}

int ss_avlog_write_handshake(struct ss_avlog *log, const struct ss_avlog_handshake *rec)
{
	struct json_object *obj = json_object_new_object();

	put_time(obj);
	put_text(obj, "type", "ssl");
	put_text(obj, "subtype", handshake_subtype(rec));
	put_text(obj, "level", rec->bypassed ? "notice" : "warning");
	put_text(obj, "action", rec->bypassed ? "exempt" : "blocked");
	put_text(obj, "reason", ss_attrs_value_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_CAUSE,
						    rec->cause));
	put_clean(obj, "msg", rec->text, rec->bypassed ? "TLS was passed on unscanned." :
		  "TLS handshake failed.");
	put_text(obj, "service", ss_template_protocol(true));
	put_flow(obj, rec->flow);
	put_clean(obj, "hostname", rec->server_name, NULL);
	return write_line(log, obj);
}
