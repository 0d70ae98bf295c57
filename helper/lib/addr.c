// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4 and IPv6 addresses and prefixes as people write them. Pure functions.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

/* Zero the bits behind the prefix. Return: whether one of them was set. */
static bool mask_host_bits(struct ss_prefix *p)
{
	bool had = false;

	for (unsigned int bit = p->len; bit < p->size * 8u; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		had |= p->addr[bit / 8] & mask;
		p->addr[bit / 8] &= ~mask;
	}
	return had;
}

static int parse_len(const char *text, unsigned int max)
{
	unsigned int len = 0;
	const char *s = text;

	for (; *s >= '0' && *s <= '9' && len <= max; s++)
		len = len * 10 + (*s - '0');
	return *s || s == text || s - text > 3 || len > max ? -1 : (int)len;
}

int ss_addr_parse_prefix(struct ss_prefix *prefix, const char *text,
			 char *why, size_t size)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char copy[INET6_ADDRSTRLEN + 5], good[SS_ADDR_SIZE];
	char *slash;
	int len;

	memset(prefix, 0, sizeof(*prefix));
	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy)) {
		snprintf(why, size, "\"%.40s...\" is not an address or prefix", text);
		return -EINVAL;
	}
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, copy, prefix->addr) == 1) {
		prefix->size = 4;
	} else if (inet_pton(AF_INET6, copy, prefix->addr) == 1) {
		prefix->size = 16;
	} else {
		snprintf(why, size, "\"%s\" is not an address or prefix", text);
		return -EINVAL;
	}
	len = slash ? parse_len(slash + 1, prefix->size * 8) : prefix->size * 8;
	if (len < 0) {
		snprintf(why, size, "\"%s\" has a wrong prefix length (0 to %d)",
			 text, prefix->size * 8);
		return -EINVAL;
	}
	prefix->len = len;
	if (prefix->size == 16 && len >= 96 &&
	    !memcmp(prefix->addr, mapped, sizeof(mapped))) {
		snprintf(why, size, "\"%s\" is an IPv4 address in IPv6 form, write it as IPv4",
			 text);
		return -EINVAL;
	}
	if (mask_host_bits(prefix)) {
		snprintf(why, size, "\"%s\" has host bits set, did you mean %s?",
			 text, ss_addr_format_prefix(good, prefix));
		return -EINVAL;
	}
	return 0;
}

const char *ss_addr_format(char buf[SS_ADDR_SIZE], const void *addr, size_t len)
{
	if ((len != 4 && len != 16) ||
	    !inet_ntop(len == 4 ? AF_INET : AF_INET6, addr, buf, SS_ADDR_SIZE))
		strcpy(buf, "?");
	return buf;
}

const char *ss_addr_format_prefix(char buf[SS_ADDR_SIZE],
				  const struct ss_prefix *prefix)
{
	size_t n = strlen(ss_addr_format(buf, prefix->addr, prefix->size));

	snprintf(buf + n, SS_ADDR_SIZE - n, "/%u", prefix->len);
	return buf;
}

const char *ss_addr_format_port(char buf[SS_ADDR_SIZE], const char *addr,
				unsigned int port)
{
	bool v6 = strchr(addr, ':');

	snprintf(buf, SS_ADDR_SIZE, "%s%.*s%s:%u", v6 ? "[" : "",
		 INET6_ADDRSTRLEN - 1, addr, v6 ? "]" : "", port & 0xffff);
	return buf;
}
