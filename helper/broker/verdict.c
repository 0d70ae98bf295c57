// SPDX-License-Identifier: GPL-2.0
/*
 * The broker's answer to a scan request: the verdict for the kernel, the record for the
 * log, and, where the message is to be kept, its place and its note in the quarantine.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <json-c/json.h>

#include "broker/verdict.h"
#include "common/judgement.h"
#include "common/template.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"
#include "proto/attrs.h"
#include "quarantine/note.h"

void ss_verdict_put_text(struct nl_msg *msg, int type, const char *text)
{
	char clean[SMTPSPLICE_TEXT_MAX + 1];

	ss_text_clean_str(SS_TEXT_PRINT, clean, sizeof(clean), text);
	if (clean[0])
		nla_put_string(msg, type, clean);
}

/* Add what goes with the verdict accept: a header field, another message */
static void put_accept(struct nl_msg *msg, const struct ss_scan_result *result,
		       int replacement)
{
	char tag[SMTPSPLICE_REPLY_MAX + 1];

	if (result->tag && result->unscanned != SMTPSPLICE_UNSCANNED_NONE) {
		snprintf(tag, sizeof(tag), "X-Smtpsplice-Unscanned: %s",
			 ss_attrs_value_name(&ss_attrs_event, SMTPSPLICE_A_EVENT_UNSCANNED,
					     result->unscanned));
		nla_put_string(msg, SMTPSPLICE_A_SCAN_TAG, tag);
	}
	if (result->replaced)
		nla_put_s32(msg, SMTPSPLICE_A_SCAN_REPLACEMENT, replacement);
}

/* Is the client to blame, rather than its mail odd? */
static bool is_sender_of_viruses(const struct ss_scan_result *result)
{
	return result->found && !result->monitored &&
	       (result->cause == SS_CAUSE_VIRUS || result->cause == SS_CAUSE_HASH ||
		result->cause == SS_CAUSE_EXECUTABLE);
}

static int send_verdict(struct ss_verdicts *v, const struct ss_avlog_record *rec,
			int replacement)
{
	struct nl_msg *msg = ss_genl_message(v->work, SMTPSPLICE_CMD_SCAN_VERDICT, 0);

	/* The message is larger than all of this can be */
	if (msg) {
		nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, rec->req->cookie);
		nla_put_u32(msg, SMTPSPLICE_A_SCAN_VERDICT, rec->verdict);
		if (rec->reply)
			nla_put_string(msg, SMTPSPLICE_A_SCAN_REPLY, rec->reply);
		if (rec->verdict == SMTPSPLICE_VERDICT_ACCEPT)
			put_accept(msg, rec->result, replacement);
		if (is_sender_of_viruses(rec->result))
			nla_put_flag(msg, SMTPSPLICE_A_SCAN_INFECTED);
		nla_put_u32(msg, SMTPSPLICE_A_SCAN_UNSCANNED, rec->result->unscanned);
		/* the name of a limit is not that of a virus; the reply has it */
		if (rec->result->found && rec->result->cause != SS_CAUSE_UNDECODABLE)
			ss_verdict_put_text(msg, SMTPSPLICE_A_SCAN_VIRUS, rec->result->virus);
		if (rec->result->found)
			ss_verdict_put_text(msg, SMTPSPLICE_A_SCAN_FILE, rec->result->file);
	}
	return ss_genl_call(v->work, msg, NULL, NULL);
}

/*
 * The kernel has refused the verdict, and waits for another one. Without it the
 * message may pass, unscanned, when the time is over.
 */
static void send_tempfail(struct ss_verdicts *v, const struct ss_scan_request *req)
{
	struct nl_msg *msg = ss_genl_message(v->work, SMTPSPLICE_CMD_SCAN_VERDICT, 0);

	if (msg) {
		nla_put_u64(msg, SMTPSPLICE_A_SCAN_COOKIE, req->cookie);
		nla_put_u32(msg, SMTPSPLICE_A_SCAN_VERDICT, SMTPSPLICE_VERDICT_TEMPFAIL);
	}
	ss_genl_call(v->work, msg, NULL, NULL);
}

void ss_verdict_wrote_log(struct ss_verdicts *v, int ret)
{
	if (ret && !v->log_failed)
		ss_process_say("cannot write to %s: %s", v->conf->log, strerror(-ret));
	v->log_failed = ret;
}

static void read_profile(struct ss_verdicts *v, const struct ss_scan_request *req)
{
	/* The kernel has checked it: an attribute that cannot be read is a newer kernel's */
	ss_av_profile_parse(&v->profile, req->av, req->av_len);
}

/**
 * struct kept - What became of an infected message.
 * @name: its name in the quarantine
 * @why: or why it has none
 */
struct kept {
	char name[SS_QUARANTINE_NAME_SIZE];
	char why[128];
};

/* Is it the message, as far as can be told? A worker has had it in its hands. */
static bool is_plausible(int fd, const struct ss_scan_request *req)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size && (uint64_t)st.st_size <= req->size;
}

static void note_text(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

static void note_number(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

static struct json_object *list_rcpts(const struct ss_scan_request *req)
{
	struct json_object *array = json_object_new_array();
	const char *rcpt = req->rcpt_list;

	for (; rcpt && *rcpt; rcpt += strlen(rcpt) + 1)
		json_object_array_add(array, json_object_new_string(rcpt));
	return array;
}

struct json_object *ss_verdict_note(const struct ss_scan_request *req,
				    const struct ss_scan_result *result)
{
	struct json_object *obj = json_object_new_object();
	char text[SS_QUARANTINE_NOTE_TIME_SIZE];

	ss_quarantine_note_time(time(NULL), text);
	note_text(obj, "time", text);
	note_number(obj, "session", req->flow.session);
	note_text(obj, "policy", req->flow.policy);
	note_text(obj, "client", req->flow.client);
	note_number(obj, "client-port", req->flow.client_port);
	note_text(obj, "server", req->flow.server);
	note_number(obj, "server-port", req->flow.server_port);
	note_text(obj, "helo", req->helo);
	note_text(obj, "sender", req->sender);
	json_object_object_add(obj, "rcpts", list_rcpts(req));
	note_number(obj, "rcpt-count", req->rcpt_count);
	note_text(obj, "cause", ss_template_cause_name(result->cause));
	note_text(obj, "virus", result->virus);
	note_text(obj, "file", result->file);
	note_text(obj, "subject", result->head.subject);
	return obj;
}

/* Return: 0, or an errno why it is not kept */
static int keep_file(struct ss_verdicts *v, const struct ss_avlog_record *rec, int fd, char *name)
{
	struct json_object *note = ss_verdict_note(rec->req, rec->result);
	int ret = ss_quarantine_keep(&v->quarantine, fd, rec->req->flow.session, note, name);

	json_object_put(note);
	return ret;
}

/* Give an infected message its name in the quarantine. It is refused in any case. */
static void keep_message(struct ss_verdicts *v, struct ss_avlog_record *rec, int fd,
			 struct kept *kept)
{
	int ret = fd < 0 ? fd : -rec->result->quarantine_error;

	if (!ret && rec->result->quarantined && !is_plausible(fd, rec->req))
		ret = -EBADMSG;
	if (!ret)
		ret = rec->result->quarantined ? keep_file(v, rec, fd, kept->name) : -EIO;
	if (ret) {
		snprintf(kept->why, sizeof(kept->why), "quarantine: %s",
			 ss_quarantine_why(ret));
		rec->detail = kept->why;
	} else {
		rec->quarfile = kept->name;
	}
	if (ret && ret != v->quarantine.told)
		ss_process_say("cannot put a message aside in %s: %s", v->conf->quarantine,
			       ss_quarantine_why(ret));
	v->quarantine.told = ret;
}

/*
 * The template of the reply. What the profile or --reply says has to fit the
 * verdict: 4yz to come back, 5yz to give up, 2yz to be lied to.
 */
static const char *find_template(const struct ss_verdicts *v, const struct ss_scan_result *result)
{
	const char *own = v->profile.reply[result->cause];
	char class = result->verdict == SMTPSPLICE_VERDICT_REJECT ? '5' : '4';

	if (result->verdict == SMTPSPLICE_VERDICT_DISCARD)
		return "250 2.0.0 Ok";
	if (*own == class && ss_template_valid_reply(result->cause, own))
		return own;
	if (result->cause == SS_CAUSE_VIRUS && *v->conf->reply == class)
		return v->conf->reply;
	own = ss_template_default(result->cause);
	if (*own == class)
		return own;
	return class == '5' ? "554 5.3.0 Message could not be scanned" :
	       result->cause == SS_CAUSE_OVERSIZE ? "452 4.3.4 Message is too big" :
	       ss_template_default(SS_CAUSE_SCAN_FAILURE);
}

static void make_reply(const struct ss_verdicts *v, const struct ss_avlog_record *rec,
		       char reply[SS_TEMPLATE_REPLY_SIZE])
{
	struct ss_template_values values = {
		.file = rec->result->file,
		.virus = rec->result->virus,
		.quarfile = rec->quarfile,
		.source_ip = rec->req->flow.client,
		.dest_ip = rec->req->flow.server,
		.email_from = rec->req->sender,
		.email_to = rec->req->rcpts,
		.protocol = ss_template_protocol(rec->req->tls),
	};

	ss_template_reply(reply, find_template(v, rec->result), &values);
}

/* Return: 0, or why the kernel refused the verdict; @rec is what became of it then */
static int give_verdict(struct ss_verdicts *v, struct ss_avlog_record *rec, int replacement)
{
	int ret = send_verdict(v, rec, replacement);

	if (!ret)
		return 0;
	if (ret != -ENOENT && ret != -EPERM) {
		ss_process_say("verdict refused: %s %s", strerror(-ret), v->work->extack);
		send_tempfail(v, rec->req);
	}
	/* The client has the kernel's own 451, or is gone */
	rec->verdict = SMTPSPLICE_VERDICT_TEMPFAIL;
	rec->reply = NULL;
	rec->detail = ret == -ENOENT ? "the verdict came too late" : strerror(-ret);
	return ret;
}

int ss_verdict_give(struct ss_verdicts *v, struct ss_scan_request *req,
		    const struct ss_scan_result *result, int quarantine, int replacement)
{
	char reply[SS_TEMPLATE_REPLY_SIZE];
	struct kept kept;
	struct ss_avlog_record rec = {
		.req = req,
		.result = result,
		.verdict = result->verdict,
		.quarantine = v->quarantine.dir >= 0,
		.detail = result->detail,
		.scantime_ms = ss_process_now() - req->received,
	};
	int ret;

	read_profile(v, req);
	if (rec.quarantine && result->keep && result->found)
		keep_message(v, &rec, quarantine, &kept);
	if (rec.verdict != SMTPSPLICE_VERDICT_ACCEPT) {
		make_reply(v, &rec, reply);
		rec.reply = reply;
	}
	ret = give_verdict(v, &rec, replacement);
	ss_verdict_wrote_log(v, ss_avlog_write(&v->log, &rec));
	ss_scan_request_free(req);
	return ret == -EPERM ? ret : 0;
}

int ss_verdict_fail(struct ss_verdicts *v, struct ss_scan_request *req, bool late,
		    const char *why)
{
	struct ss_scan_result result = {};
	struct ss_judgement j;

	read_profile(v, req);
	j = ss_judgement_of_failure(late ? v->profile.scan_timeout : v->profile.scan_error, late);
	result.verdict = j.verdict;
	result.cause = j.cause;
	result.found = j.found;
	result.unscanned = j.unscanned;
	result.tag = j.tag;
	snprintf(result.detail, sizeof(result.detail), "%s", why);
	return ss_verdict_give(v, req, &result, -1, -1);
}
