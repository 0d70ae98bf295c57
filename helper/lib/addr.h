/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_LIB_ADDR_H
#define SS_LIB_ADDR_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Room for "[address]:port" or "address/len" */
#define SS_ADDR_SIZE	(INET6_ADDRSTRLEN + 8)

/**
 * struct ss_prefix - An address prefix.
 * @addr: the address in network byte order; host bits are zero
 * @size: octets of @addr that count: 4 or 16
 * @len: length of the prefix in bits
 */
struct ss_prefix {
	uint8_t addr[16];
	uint8_t size;
	uint8_t len;
};

int ss_addr_parse_prefix(struct ss_prefix *prefix, const char *text,
			 char *why, size_t size);
const char *ss_addr_format(char buf[SS_ADDR_SIZE], const void *addr, size_t len);
const char *ss_addr_format_prefix(char buf[SS_ADDR_SIZE],
				  const struct ss_prefix *prefix);
const char *ss_addr_format_port(char buf[SS_ADDR_SIZE], const char *addr,
				unsigned int port);

#endif /* SS_LIB_ADDR_H */
