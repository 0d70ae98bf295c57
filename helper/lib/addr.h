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
 * @size: bytes of @addr that count: 4 or 16
 * @len: length of the prefix in bits
 */
struct ss_prefix {
	uint8_t addr[16];
	uint8_t size;
	uint8_t len;
};

/**
 * ss_addr_parse_prefix() - Read "address" or "address/length".
 * @prefix: the prefix
 * @text: what was typed; an address alone is the prefix of that one host
 * @why: what is wrong with @text, a part of a sentence that names it
 * @size: room at @why
 *
 * Return: 0, or -EINVAL with @why set.
 */
int ss_addr_parse_prefix(struct ss_prefix *prefix, const char *text,
			 char *why, size_t size);

/**
 * ss_addr_format() - Write an address.
 * @buf: where to
 * @addr: the address in network byte order
 * @len: its length, 4 or 16; any other gives "?"
 *
 * Return: @buf.
 */
const char *ss_addr_format(char buf[SS_ADDR_SIZE], const void *addr, size_t len);

/**
 * ss_addr_format_prefix() - Write a prefix as "address/length".
 * @buf: where to
 * @prefix: the prefix
 *
 * Return: @buf.
 */
const char *ss_addr_format_prefix(char buf[SS_ADDR_SIZE],
				  const struct ss_prefix *prefix);

/**
 * ss_addr_format_port() - Write "address:port", or "[address]:port" for IPv6.
 * @buf: where to
 * @addr: the address as text
 * @port: the port
 *
 * Return: @buf.
 */
const char *ss_addr_format_port(char buf[SS_ADDR_SIZE], const char *addr,
				unsigned int port);

#endif /* SS_LIB_ADDR_H */
