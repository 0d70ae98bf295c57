// SPDX-License-Identifier: GPL-2.0
/*
 * The scan of one message: the readings of it that the engine gets, the verdict, and what
 * the log and the reply say of it. Runs in a scan worker; all that it is given is hostile.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/av_profile.h"
#include "common/template.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"
#include "scanner/cache.h"
#include "scanner/engine.h"
#include "scanner/files/inspect.h"
#include "scanner/judge.h"
#include "scanner/message.h"
#include "scanner/mime/ambiguity.h"
#include "scanner/mime/flags.h"
#include "scanner/mime/lenient.h"
#include "scanner/mime/parser.h"
#include "scanner/mime/rewrite.h"
#include "scanner/parts.h"
#include "scanner/scan.h"

#define DEFAULT_FILE	"message"
#define CACHED		256	/* results of about 4 KB each */
/* Leave so much of the time for the search for the infected part's name */
#define NAME_SHARE	5
#define HEX_SIZE	3

/**
 * struct run - The scan of one message.
 * @scan: what it is scanned with
 * @job: what is asked
 * @profile: the AV profile
 * @end: when it has to end, see ss_process_now()
 * @engine_end: when the engine has to
 * @message: as on the wire
 * @copy: to be scanned
 * @parts: what its parts are
 * @findings: what was found
 */
struct run {
	struct ss_scan *scan;
	const struct ss_scan_job *job;
	const struct ss_av_profile *profile;
	uint64_t end;
	uint64_t engine_end;
	struct ss_message message;
	struct ss_message copy;
	struct ss_parts parts;
	struct ss_findings findings;
};

static void cleanup_tree(struct ss_mime_tree **tree)
{
	ss_mime_free(*tree);
}

static void cleanup_parts(struct ss_parts **parts)
{
	free(*parts);
}

static void cleanup_profile(struct ss_av_profile **profile)
{
	free(*profile);
}

static void cleanup_run(struct run **run)
{
	if (!*run)
		return;
	ss_message_cleanup(&(*run)->copy);
	ss_message_cleanup(&(*run)->message);
	free(*run);
}

struct ss_scan *ss_scan_new(struct ss_engine *engine)
{
	struct ss_scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->engine = engine;
	scan->inspect = ss_inspect_open();
	scan->cache = ss_cache_new(sizeof(struct ss_scan_result), CACHED);
	if (scan->inspect && scan->cache)
		return scan;
	ss_scan_free(scan);
	return NULL;
}

void ss_scan_free(struct ss_scan *scan)
{
	if (!scan)
		return;
	if (scan->inspect)
		ss_inspect_close(scan->inspect);
	ss_cache_free(scan->cache);
	free(scan);
}

/* -- what is found -------------------------------------------------------- */

static void failed(struct ss_findings *f, bool late, const char *why)
{
	f->failed = true;
	f->late |= late;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* Give one reading of the message to the engine */
static void scan_fd(struct run *run, int fd)
{
	struct ss_findings *f = &run->findings;
	struct ss_engine_finding finding;
	uint64_t now = ss_process_now();

	if (now >= run->engine_end) {
		failed(f, true, "no time left");
		return;
	}
	switch (ss_engine_scan(run->scan->engine, fd, run->engine_end - now, &finding)) {
	case SS_ENGINE_INFECTED:
		f->infected = true;
		ss_text_clean_str(SS_TEXT_PRINT, f->virus, sizeof(f->virus), finding.text);
		break;
	case SS_ENGINE_LIMITED:
		snprintf(f->limit, sizeof(f->limit), "%s", finding.text);
		break;
	case SS_ENGINE_LATE:
		failed(f, true, finding.text);
		break;
	case SS_ENGINE_FAILED:
		failed(f, false, finding.text);
		break;
	case SS_ENGINE_CLEAN:
		break;
	}
	f->partial |= finding.partial;
}

/* Scan what a server sees that takes bare LF for a line end: it unstuffs other dots */
static void scan_lax(struct run *run)
{
	struct ss_message lax __cleanup(ss_message_cleanup) = SS_MESSAGE_NONE;
	int ret = ss_message_make(&lax, &run->message, SS_DOTS_LAX);

	if (ret)
		failed(&run->findings, false, strerror(-ret));
	else if (lax.len != run->copy.len)
		scan_fd(run, lax.fd);
}

/*
 * Scan the message with a bare CR as a line end. libclamav knows CRLF and LF: what is
 * lines for a reader who takes CR for a line end would be one long line for it
 * (THREATS E4).
 */
static void scan_bare_cr(struct run *run)
{
	struct ss_message lines __cleanup(ss_message_cleanup) = SS_MESSAGE_NONE;
	int ret = ss_message_make(&lines, &run->message, SS_DOTS_NONE);

	if (ret) {
		failed(&run->findings, false, strerror(-ret));
		return;
	}
	ss_dots_bare_cr(lines.map + lines.head, lines.len - lines.head);
	scan_fd(run, lines.fd);
}

static bool has_bare_cr(const struct ss_message *message)
{
	const char *s = message->map, *end = s + message->len;

	while (s && s < end && (s = memchr(s, '\r', end - s))) {
		if (++s == end || *s != '\n')
			return true;
	}
	return false;
}

static bool has_bare_dot(const struct ss_message *message)
{
	const char *s = message->map, *end = s + message->len;

	while (s && s < end) {
		s = memchr(s, '\n', end - s);
		if (!s)
			break;
		if (s + 1 < end && s[1] == '.' &&
		    (s == message->map || s[-1] != '\r'))
			return true;
		s++;
	}
	return false;
}

/* Scan what another reader may take for the content of a part */
static bool scan_reading(const void *data, size_t len, void *arg)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	struct run *run = arg;

	fd = memfd_create("smtpsplice-reading", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
		failed(&run->findings, false, strerror(errno));
		return false;
	}
	scan_fd(run, fd);
	return !run->findings.infected && !run->findings.late;
}

/* Scan all that some reader might make of the message */
static void scan_ambiguous(struct run *run)
{
	struct ss_findings *f = &run->findings;
	int ret = ss_lenient_all(run->copy.map + run->copy.head,
				 run->copy.len - run->copy.head, scan_reading, run);

	if (ret == -E2BIG && !f->limit[0])
		snprintf(f->limit, sizeof(f->limit), "Smtpsplice.Mime.Limit");
	else if (ret && ret != -E2BIG)
		failed(f, false, strerror(-ret));
}

/* Scan the message as other readers may see it, too (THREATS E1, E4) */
static void scan_readings(struct run *run)
{
	struct ss_findings *f = &run->findings;

	/* bare CRs come by BDAT alone, and there all dots are of the message */
	if (run->job->chunked && has_bare_cr(&run->message))
		scan_bare_cr(run);
	if (!f->infected && !run->job->chunked && has_bare_dot(&run->message))
		scan_lax(run);
	f->ambiguous = ss_ambiguity_check(run->copy.map + run->copy.head,
					  run->copy.len - run->copy.head);
	if (f->ambiguous & SS_AMBIGUITY_LIMIT && !f->limit[0])
		snprintf(f->limit, sizeof(f->limit), "Smtpsplice.Mime.Limit");
	f->ambiguous &= ~SS_AMBIGUITY_LIMIT;
	if (f->ambiguous && !f->infected &&
	    run->profile->ambiguity == SMTPSPLICE_AMBIGUITY_MONITOR)
		scan_ambiguous(run);
}

static bool find_partial(const struct ss_mime_part *part, void *arg)
{
	bool *found = arg;

	*found = ss_mime_part_is_partial(part);
	return !*found;
}

/* Is the copy a fragment, which nobody can scan, or is one in it? */
static bool is_partial(const struct run *run, const struct ss_mime_tree *tree)
{
	bool found = false;

	if (!ss_mime_may_be_partial(run->copy.map, run->copy.len))
		return false;
	/* A message that is too deep to look at is refused as well */
	return !tree || !ss_mime_walk(tree, find_partial, &found) || found;
}

/* Look at the parts of a copy, or of what is left of it; what is wrong with them counts */
static void walk_parts(struct run *run, struct ss_parts *parts, const struct ss_mime_tree *tree)
{
	struct ss_findings *f = &run->findings;

	parts->inspect = run->scan->inspect;
	parts->profile = run->profile;
	parts->engine = run->scan->engine;
	parts->end = run->end;
	if (!tree)
		failed(f, false, "MIME structure cannot be read");
	else if (!ss_parts_walk(parts, tree) && !f->limit[0])
		snprintf(f->limit, sizeof(f->limit), "Smtpsplice.Mime.Limit");
	if (parts->failed)
		failed(f, false, parts->why);
	/* time is not for an archive's options to decide */
	if (parts->missed || parts->found.found & SS_KIND_BIT(SS_KIND_TIMEOUT))
		failed(f, true, "no time left");
	f->partial |= parts->partial;
	f->ambiguous |= parts->ambiguous;
	if (parts->limit[0] && !f->limit[0])
		memcpy(f->limit, parts->limit, sizeof(f->limit));
}

static void take_virus(struct ss_findings *f, const char *virus)
{
	f->infected = true;
	ss_text_clean_str(SS_TEXT_PRINT, f->virus, sizeof(f->virus), virus);
}

/* Look at the parts of what is left without the allowed ones: one may be odd to the engine */
static void scan_rest(struct run *run, int fd)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = ss_mime_parse(fd);
	struct ss_parts *rest __cleanup(cleanup_parts) = calloc(1, sizeof(*rest));

	if (!rest) {
		failed(&run->findings, false, strerror(ENOMEM));
		return;
	}
	walk_parts(run, rest, tree);
	if (rest->virus[0])
		take_virus(&run->findings, rest->virus);
}

/*
 * All parts that are infected are fine by their hashes. But there is more in a
 * message than its parts, and the engine has ended with the first find: is the
 * rest of it clean, and to be read in one way alone?
 */
static void scan_without_allowed(struct run *run)
{
	int fd __cleanup(ss_cleanup_fd) = -1;
	/* as it is scanned, with our line in front and no dots */
	const struct ss_rewrite_message in = { .fd = run->copy.fd, .chunked = true };
	struct ss_rewrite_part list[SS_PARTS_BAD_MAX];
	const struct ss_parts *parts = &run->parts;
	struct ss_findings *f = &run->findings;
	struct ss_rewrite_notes notes;
	size_t count = 0;

	for (unsigned int i = 0; i < parts->bad_count; i++)
		if (parts->bad[i].infected)
			list[count++] = (struct ss_rewrite_part){ parts->bad[i].index, "-" };
	if (ss_rewrite_replace(&in, list, count, &fd, &notes))
		return;
	f->infected = false;
	f->virus[0] = '\0';
	scan_fd(run, fd);
	if (!f->infected)
		scan_readings(run);
	if (!f->infected)
		scan_rest(run, fd);
}

/* The first part that is infected and not allowed, or NULL */
static const struct ss_parts_bad *find_infected(const struct ss_parts *parts)
{
	for (unsigned int i = 0; i < parts->bad_count && i < SS_PARTS_BAD_MAX; i++)
		if (parts->bad[i].infected && !parts->bad[i].allowed)
			return &parts->bad[i];
	return NULL;
}

static void look_at_parts(struct run *run)
{
	struct ss_mime_tree *tree __cleanup(cleanup_tree) = ss_mime_parse(run->copy.fd);
	struct ss_findings *f = &run->findings;
	struct ss_parts *parts = &run->parts;
	const struct ss_parts_bad *bad;

	parts->each = f->infected;
	f->partial |= is_partial(run, tree);
	walk_parts(run, parts, tree);
	f->content = parts->found;
	if (parts->virus[0] && !f->infected)
		take_virus(f, parts->virus);
	if (f->infected && ss_parts_all_allowed(parts))
		scan_without_allowed(run);
	/* what is said to be found in a file is what is in that one */
	bad = f->infected ? find_infected(parts) : NULL;
	if (bad)
		ss_text_clean_str(SS_TEXT_PRINT, f->virus, sizeof(f->virus), bad->virus);
}

static int make_copy(struct run *run)
{
	return ss_message_make(&run->copy, &run->message, run->job->chunked ?
			       SS_DOTS_NONE : SS_DOTS_STRICT);
}

/* Look for all that there can be in the copy */
static void inspect_copy(struct run *run)
{
	scan_fd(run, run->copy.fd);
	if (!run->findings.infected)
		scan_readings(run);
	look_at_parts(run);
}

/* -- what is said of it --------------------------------------------------- */

static void set_name(char *dst, const char *name)
{
	ss_text_clean_str(SS_TEXT_PRINT, dst, SS_MIME_TEXT_SIZE, name);
}

static void set_hash(struct ss_scan_result *result, const unsigned char *hash)
{
	for (size_t i = 0; i < SS_INSPECT_HASH_SIZE; i++)
		snprintf(result->filehash + 2 * i, HEX_SIZE, "%02x", hash[i]);
}

/* The first part that is the cause, or NULL */
static const struct ss_parts_bad *find_bad(const struct ss_parts *parts,
					   const struct ss_judgement *j)
{
	if (j->cause == SS_CAUSE_VIRUS)
		return find_infected(parts);
	for (unsigned int i = 0; i < parts->bad_count && i < SS_PARTS_BAD_MAX; i++)
		if (j->kind < SS_KIND_COUNT && parts->bad[i].found & SS_KIND_BIT(j->kind))
			return &parts->bad[i];
	return NULL;
}

/* Set which file is the cause */
static void name_file(const struct run *run, const struct ss_judgement *j,
		      struct ss_scan_result *result)
{
	const struct ss_parts *parts = &run->parts;
	const struct ss_parts_bad *bad = find_bad(parts, j);

	if (bad) {
		set_name(result->file, bad->name);
		set_hash(result, bad->hash);
	}
	/* the member of an archive, where it is known */
	if (j->cause != SS_CAUSE_VIRUS && j->kind < SS_KIND_COUNT)
		set_name(result->file, parts->found.detail[j->kind].name);
	if (!result->file[0] && parts->attachments == 1)
		set_name(result->file, parts->name);
	if (!result->file[0])
		set_name(result->file, DEFAULT_FILE);
}

/* -- what goes on without it ---------------------------------------------- */

/* Make the text that stands for a part. Return: the caller's, or NULL without memory. */
static char *make_text(const struct run *run, const struct ss_parts_bad *bad)
{
	struct ss_findings findings = {
		.infected = bad->infected, .content.found = bad->found,
	};
	struct ss_template_values values = {
		.file = bad->name[0] ? bad->name : DEFAULT_FILE,
		.source_ip = run->job->source,
		.dest_ip = run->job->dest,
		.email_from = run->job->from,
		.email_to = run->job->to,
		.protocol = ss_template_protocol(run->job->tls),
	};
	struct ss_judgement j;

	/* one part may be there for another cause than the message */
	snprintf(findings.virus, sizeof(findings.virus), "%s", bad->virus);
	j = ss_judge(run->profile, &findings);
	values.virus = j.virus;
	return ss_template_text(run->profile->replacement[0] ? run->profile->replacement :
				ss_template_default_text(j.cause), &values);
}

/*
 * Make a message without the bad parts. Return: its file, or an errno: then there
 * is nothing to let through.
 */
static int replace_parts(const struct run *run, struct ss_scan_result *result)
{
	const struct ss_rewrite_message in = {
		.fd = run->copy.fd, .skip = run->copy.head, .chunked = run->job->chunked,
	};
	struct ss_rewrite_part list[SS_PARTS_BAD_MAX];
	char *texts[SS_PARTS_BAD_MAX] = {};
	const struct ss_parts *parts = &run->parts;
	struct ss_rewrite_notes notes = {};
	unsigned int count = 0;
	int out = -1, ret = 0;

	if (run->job->splice || parts->bad_count > SS_PARTS_BAD_MAX || parts->late)
		return -ENOTSUP;
	for (unsigned int i = 0; i < parts->bad_count && !ret; i++) {
		if (parts->bad[i].allowed)
			continue;
		texts[count] = make_text(run, &parts->bad[i]);
		ret = texts[count] ? 0 : -ENOMEM;
		list[count] = (struct ss_rewrite_part){ parts->bad[i].index, texts[count] };
		count++;
	}
	if (!ret)
		ret = count ? ss_rewrite_replace(&in, list, count, &out, &notes) : -ENOTSUP;
	for (unsigned int i = 0; i < count; i++)
		free(texts[i]);
	snprintf(result->broken, sizeof(result->broken), "%s", notes.words);
	return ret ? ret : out;
}

/*
 * Scan what was made as any other message: behind the first find there may be more,
 * which nothing has looked at. Whatever is found now refuses the message.
 */
static bool replacement_is_clean(const struct run *run, int fd, struct ss_scan_result *result)
{
	struct run *again __cleanup(cleanup_run) = calloc(1, sizeof(*again));
	off_t size = lseek(fd, 0, SEEK_END);
	struct ss_judgement j;

	if (!again || size < 0)
		return false;
	*again = (struct run){
		.scan = run->scan, .job = run->job, .profile = run->profile,
		.end = run->end, .engine_end = run->end,
		.message = SS_MESSAGE_NONE, .copy = SS_MESSAGE_NONE,
	};
	if (ss_message_map(&again->message, fd, size) || make_copy(again))
		return false;
	inspect_copy(again);
	j = ss_judge(run->profile, &again->findings);
	result->unscanned = j.unscanned;
	result->tag = j.tag;
	return j.verdict == SMTPSPLICE_VERDICT_ACCEPT && !j.found &&
	       !again->findings.failed && !again->findings.limit[0];
}

/* Return: the file of what is to go on in its place, or -1 */
static int make_replacement(const struct run *run, struct ss_scan_result *result)
{
	const uint32_t unscanned = result->unscanned;
	int out = replace_parts(run, result);

	if (out < 0)
		return -1;
	if (!replacement_is_clean(run, out, result)) {
		result->unscanned = unscanned;
		result->tag = false;
		ss_cleanup_fd(&out);
		return -1;
	}
	result->verdict = SMTPSPLICE_VERDICT_ACCEPT;
	result->replaced = true;
	return out;
}

/* -- what is kept of it --------------------------------------------------- */

static void put_aside(const struct run *run, int quarantine, struct ss_scan_result *result)
{
	int ret = ss_message_put_aside(quarantine, &run->copy);

	result->quarantined = !ret;
	result->quarantine_error = -ret;
}

/* Does the profile want it put aside? Not what is only too big, or not scanned. */
static bool is_kept(const struct run *run, const struct ss_scan_result *result)
{
	return run->profile->quarantine == SMTPSPLICE_SWITCH_ENABLE && result->found &&
	       !result->monitored && result->verdict != SMTPSPLICE_VERDICT_TEMPFAIL &&
	       result->cause != SS_CAUSE_OVERSIZE &&
	       result->cause != SS_CAUSE_SCAN_FAILURE;
}

static void fill_result(const struct run *run, const struct ss_judgement *j,
			struct ss_scan_result *result)
{
	result->verdict = j->verdict;
	result->cause = j->cause;
	result->unscanned = j->unscanned;
	result->conditions = j->conditions;
	result->found = j->found;
	result->monitored = j->monitored;
	result->tag = j->tag;
	snprintf(result->virus, sizeof(result->virus), "%s", j->virus);
	if ((run->findings.failed && !result->found) || j->cause == SS_CAUSE_SCAN_FAILURE)
		snprintf(result->detail, sizeof(result->detail), "%s", run->findings.why);
	if (j->found && j->cause != SS_CAUSE_SCAN_FAILURE)
		name_file(run, j, result);
	result->attachment = run->parts.attachments > 0;
}

/* -- one message ---------------------------------------------------------- */

static void look_for(struct run *run)
{
	struct ss_findings *f = &run->findings;

	f->oversize = run->profile->oversize_limit &&
		      run->job->size > run->profile->oversize_limit;
	if (!f->oversize)
		inspect_copy(run);
}

/* Look the message up. Return: whether @result is set to what became of it before. */
static bool cache_find(struct run *run, const void *profile, size_t len,
		       unsigned char key[SS_CACHE_KEY_SIZE], struct ss_scan_result *result)
{
	const uint32_t how[] = { run->job->chunked, run->job->splice };
	const struct ss_cache_text texts[] = {
		{ run->message.map, run->message.len }, { profile, len }, { how, sizeof(how) },
	};
	const struct ss_scan_result *known;

	if (run->profile->cache != SMTPSPLICE_SWITCH_ENABLE)
		return false;
	ss_cache_key(key, texts, ARRAY_SIZE(texts));
	known = ss_cache_find(run->scan->cache, key);
	if (!known)
		return false;
	*result = *known;
	result->cached = true;
	return true;
}

/*
 * Keep the result. Not one that failed, or was late, and may do better the next time, nor
 * one with a replacement, which is not kept.
 */
static void cache_put(struct run *run, const unsigned char key[SS_CACHE_KEY_SIZE],
		      const struct ss_judgement *j, const struct ss_scan_result *result)
{
	const struct ss_findings *f = &run->findings;

	if (run->profile->cache != SMTPSPLICE_SWITCH_ENABLE || j->replace || f->failed ||
	    run->parts.late || f->content.found & SS_KIND_BIT(SS_KIND_TIMEOUT) ||
	    result->verdict == SMTPSPLICE_VERDICT_TEMPFAIL)
		return;
	ss_cache_put(run->scan->cache, key, result);
}

/* Return: the file of a replacement, or -1 */
static int scan_now(struct run *run, const unsigned char key[SS_CACHE_KEY_SIZE],
		    struct ss_scan_result *result)
{
	struct ss_judgement j;
	int out = -1;

	look_for(run);
	j = ss_judge(run->profile, &run->findings);
	fill_result(run, &j, result);
	ss_mime_read_head(run->copy.map, run->copy.len, &result->head);
	if (j.replace)
		out = make_replacement(run, result);
	cache_put(run, key, &j, result);
	return out;
}

/* Tell that the message cannot be read: @error */
static void give_up(struct run *run, int error, struct ss_scan_result *result)
{
	struct ss_judgement j = ss_judgement_of_failure(run->profile->scan_error, false);

	failed(&run->findings, false, strerror(-error));
	fill_result(run, &j, result);
}

static int scan_run(struct run *run, int fd, int quarantine, const void *profile,
		    size_t len, struct ss_scan_result *result)
{
	unsigned char key[SS_CACHE_KEY_SIZE];
	int ret, out = -1;

	ret = ss_message_map(&run->message, fd, run->job->size);
	if (!ret)
		ret = make_copy(run);
	if (ret) {
		give_up(run, ret, result);
		return -1;
	}
	if (!cache_find(run, profile, len, key, result))
		out = scan_now(run, key, result);
	result->keep = is_kept(run, result);
	if (quarantine >= 0 && result->keep)
		put_aside(run, quarantine, result);
	return out;
}

int ss_scan_message(struct ss_scan *scan, int fd, int quarantine,
		    const struct ss_scan_job *job, const void *profile, size_t len,
		    struct ss_scan_result *result)
{
	struct ss_av_profile *parsed __cleanup(cleanup_profile) = calloc(1, sizeof(*parsed));
	struct run *run __cleanup(cleanup_run) = calloc(1, sizeof(*run));
	uint64_t end = ss_process_now() + job->limit_ms;
	int ret;

	memset(result, 0, sizeof(*result));
	if (!run || !parsed) {
		result->verdict = SMTPSPLICE_VERDICT_TEMPFAIL;
		result->cause = SS_CAUSE_SCAN_FAILURE;
		return -1;
	}
	*run = (struct run){
		.scan = scan, .job = job, .profile = parsed,
		.end = end, .engine_end = end - job->limit_ms / NAME_SHARE,
		.message = SS_MESSAGE_NONE, .copy = SS_MESSAGE_NONE,
	};
	ret = ss_av_profile_parse(parsed, profile, len);
	if (!ret)
		return scan_run(run, fd, quarantine, profile, len, result);
	give_up(run, ret, result);
	return -1;
}
