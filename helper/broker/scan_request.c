// SPDX-License-Identifier: GPL-2.0
/*
 * A scan request as it comes from the kernel.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "broker/scan_request.h"
#include "common/av_profile.h"
#include "lib/cleanup.h"
#include "lib/process.h"
#include "lib/text.h"
#include "proto/scan_msg.h"

#define MAX_RCPTS_TEXT	(64 << 10)
#define DEFAULT_TIMEOUT	60000

/* Bytes that each attribute must have at least; 0: any number */
static const uint8_t least[SMTPSPLICE_A_SCAN_MAX + 1] = {
	[SMTPSPLICE_A_SCAN_COOKIE]	= sizeof(uint64_t),
	[SMTPSPLICE_A_SCAN_FD]		= sizeof(int32_t),
	[SMTPSPLICE_A_SCAN_SIZE]	= sizeof(uint64_t),
	[SMTPSPLICE_A_SCAN_TIMEOUT]	= sizeof(uint32_t),
	[SMTPSPLICE_A_SCAN_ATTEMPT]	= sizeof(uint32_t),
	[SMTPSPLICE_A_SCAN_RCPT_COUNT]	= sizeof(uint32_t),
	[SMTPSPLICE_A_SCAN_MODE]	= sizeof(uint32_t),
};

/* A path as it stood on the wire; a NUL in it is no end */
static void read_path(char *dst, size_t size, const struct nlattr *nla)
{
	ss_text_clean(SS_TEXT_JSON, dst, size, nla_data(nla), nla_len(nla));
}

/* A comma may be a part of an address */
static int add_to_list(struct ss_scan_request *req, const char *one)
{
	size_t old = req->rcpt_list_size, len = strlen(one);
	char *more;

	if (!len)
		return 0;
	more = realloc(req->rcpt_list, old + len + 2);
	if (!more)
		return -ENOMEM;
	memcpy(more + old, one, len + 1);
	more[old + len + 1] = '\0';
	req->rcpt_list = more;
	req->rcpt_list_size = old + len + 1;
	return 0;
}

static int add_rcpt(struct ss_scan_request *req, const struct nlattr *nla)
{
	size_t old = req->rcpts ? strlen(req->rcpts) : 0;
	char one[SS_SCAN_REQUEST_ADDRESS_SIZE], *more;

	read_path(one, sizeof(one), nla);
	if (old + strlen(one) + 2 > MAX_RCPTS_TEXT)
		return 0;
	more = realloc(req->rcpts, old + strlen(one) + 2);
	if (!more)
		return -ENOMEM;
	req->rcpts = more;
	if (old)
		more[old++] = ',';
	strcpy(more + old, one);
	return add_to_list(req, one);
}

/* The worker reads it; here only its length matters */
static int read_profile(struct ss_scan_request *req, const struct nlattr *nla)
{
	if (req->av || nla_len(nla) > SS_AV_PROFILE_OCTETS)
		return -EPROTO;
	req->av = malloc(nla_len(nla) + 1);
	if (!req->av)
		return -ENOMEM;
	req->av_len = nla_len(nla);
	memcpy(req->av, nla_data(nla), req->av_len);
	return 0;
}

static int read_one(struct ss_scan_request *req, const struct nlattr *nla)
{
	switch (nla_type(nla)) {
	case SMTPSPLICE_A_SCAN_COOKIE:
		memcpy(&req->cookie, nla_data(nla), sizeof(req->cookie));
		break;
	case SMTPSPLICE_A_SCAN_SIZE:
		memcpy(&req->size, nla_data(nla), sizeof(req->size));
		break;
	case SMTPSPLICE_A_SCAN_TIMEOUT:
		req->timeout = nla_get_u32(nla);
		break;
	case SMTPSPLICE_A_SCAN_ATTEMPT:
		req->attempt = nla_get_u32(nla);
		break;
	case SMTPSPLICE_A_SCAN_HELO:
		read_path(req->helo, sizeof(req->helo), nla);
		break;
	case SMTPSPLICE_A_SCAN_SENDER:
		read_path(req->sender, sizeof(req->sender), nla);
		break;
	case SMTPSPLICE_A_SCAN_RCPT:
		return add_rcpt(req, nla);
	case SMTPSPLICE_A_SCAN_RCPT_COUNT:
		req->rcpt_count = nla_get_u32(nla);
		break;
	case SMTPSPLICE_A_SCAN_CHUNKED:
		req->chunked = true;
		break;
	case SMTPSPLICE_A_SCAN_TLS:
		req->tls = true;
		break;
	case SMTPSPLICE_A_SCAN_MODE:
		req->splice = nla_get_u32(nla) == SMTPSPLICE_MODE_SPLICE;
		break;
	case SMTPSPLICE_A_SCAN_AV:
		return read_profile(req, nla);
	default:
		return ss_flow_read(&req->flow, SMTPSPLICE_A_SCAN_SESSION, nla);
	}
	return 0;
}

int ss_scan_request_parse(struct ss_scan_request **out, struct nlattr *attrs, int len)
{
	struct ss_scan_request *req = calloc(1, sizeof(*req));
	int fd = ss_flow_take_fd(attrs, len, SMTPSPLICE_A_SCAN_FD), rem, ret = 0;
	bool cookie = false;
	struct nlattr *nla;

	if (!req) {
		ss_cleanup_fd(&fd);
		return -ENOMEM;
	}
	req->fd = fd;
	req->timeout = DEFAULT_TIMEOUT;
	req->received = ss_process_now();
	nla_for_each_attr(nla, attrs, len, rem) {
		int type = nla_type(nla);

		if (type <= 0 || type > SMTPSPLICE_A_SCAN_MAX)
			continue;
		if (nla_len(nla) < least[type])
			ret = -EPROTO;
		if (!ret)
			ret = read_one(req, nla);
		cookie |= type == SMTPSPLICE_A_SCAN_COOKIE;
	}
	if (!ret && (fd < 0 || !cookie))
		ret = -EPROTO;
	if (ret) {
		ss_scan_request_free(req);
		return ret;
	}
	*out = req;
	return 0;
}

void ss_scan_request_free(struct ss_scan_request *req)
{
	if (!req)
		return;
	ss_cleanup_fd(&req->fd);
	free(req->rcpts);
	free(req->av);
	free(req->rcpt_list);
	free(req);
}
