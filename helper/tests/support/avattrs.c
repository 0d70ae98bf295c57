// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of an AV profile, for the tests.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>
#include <netlink/msg.h>

#include "tests/support/avattrs.h"

/* By way of libnl, which has written the attributes that the kernel reads as well */
void avattrs_put(struct avattrs *a, int type, const void *data, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_size(len + 64);
	struct nlattr *nla;
	size_t size;

	nlmsg_put(msg, 1, 1, 100, 0, 0);
	assert(!nla_put(msg, type, (int)len, data));
	nla = nlmsg_attrdata(nlmsg_hdr(msg), 0);
	size = NLA_ALIGN(nla->nla_len);
	assert(a->len + size <= sizeof(a->octets));
	memcpy(a->octets + a->len, nla, size);
	a->len += size;
	nlmsg_free(msg);
}

void avattrs_number(struct avattrs *a, int type, uint32_t value)
{
	avattrs_put(a, type, &value, sizeof(value));
}

void avattrs_size(struct avattrs *a, int type, uint64_t value)
{
	avattrs_put(a, type, &value, sizeof(value));
}

void avattrs_text(struct avattrs *a, int type, const char *text)
{
	avattrs_put(a, type, text, strlen(text) + 1);
}

/* The SHA-256 of @data */
void avattrs_hash(struct avattrs *a, int type, const void *data, size_t len)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	unsigned char hash[SMTPSPLICE_SHA256_SIZE];
	gsize size = sizeof(hash);

	g_checksum_update(sum, data, (gssize)len);
	g_checksum_get_digest(sum, hash, &size);
	g_checksum_free(sum);
	avattrs_put(a, type, hash, sizeof(hash));
}
