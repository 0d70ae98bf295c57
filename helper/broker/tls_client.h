/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_BROKER_TLS_CLIENT_H
#define SS_BROKER_TLS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/tls_request.h"
#include "proto/tls_msg.h"

#define SS_TLS_CLIENT_BUCKETS	256

/**
 * typedef ss_tls_client_fn - Takes the result of a pair of handshakes, whoever it
 * is from. Called once for each that was given.
 * @arg: the owner's
 * @hs: the request; freed afterwards
 * @result: what became of it
 */
typedef void (*ss_tls_client_fn)(void *arg, const struct ss_tls_request *hs,
				 const struct ss_tls_result *result);

/**
 * struct ss_tls_client - The handshakes that are with the tls process.
 * @sock: to the tls process, non-blocking, or -1
 * @pidfd: the tls process, or -1
 * @bucket: requests in flight, by cookie
 * @unsent: the one of them that @sock had no room for, or NULL
 * @count: how many are in flight
 * @max: how many may be
 * @heard: when the tls process last gave a result
 * @look: when to look for overdue ones
 * @finish: takes results
 * @arg: for @finish
 */
struct ss_tls_client {
	int sock;
	int pidfd;
	struct ss_tls_request *bucket[SS_TLS_CLIENT_BUCKETS];
	struct ss_tls_request *unsent;
	unsigned int count;
	unsigned int max;
	uint64_t heard;
	uint64_t look;
	ss_tls_client_fn finish;
	void *arg;
};

/**
 * ss_tls_client_init() - Begin without a tls process.
 * @client: the handshakes
 * @fn: takes their results
 * @arg: for @fn
 */
void ss_tls_client_init(struct ss_tls_client *client, ss_tls_client_fn fn, void *arg);

/**
 * ss_tls_client_attach() - Give handshakes to this tls process from now on.
 * @client: the handshakes; what the one before has not answered has failed
 * @sock: its socket, non-blocking, taken over
 * @pidfd: itself, taken over
 */
void ss_tls_client_attach(struct ss_tls_client *client, int sock, int pidfd);

/**
 * ss_tls_client_ready() - Ask whether one more can be taken.
 * @client: the handshakes
 *
 * Return: whether ss_tls_client_give() may be called.
 */
bool ss_tls_client_ready(const struct ss_tls_client *client);

/**
 * ss_tls_client_give() - Hand a request to the tls process.
 * @client: the handshakes, ready
 * @hs: the request, taken over
 */
void ss_tls_client_give(struct ss_tls_client *client, struct ss_tls_request *hs);

/**
 * ss_tls_client_events() - What to poll for at @sock.
 * @client: the handshakes
 *
 * Return: poll events.
 */
short ss_tls_client_events(const struct ss_tls_client *client);

/**
 * ss_tls_client_event() - Go on after poll().
 * @client: the handshakes
 * @revents: what has come
 */
void ss_tls_client_event(struct ss_tls_client *client, short revents);

/**
 * ss_tls_client_look() - Give up on what is long overdue.
 * @client: the handshakes
 *
 * The tls process keeps the kernel's deadlines. Where it does not, it has lost
 * the request; where it has answered nothing at all since, it hangs.
 */
void ss_tls_client_look(struct ss_tls_client *client);

#endif /* SS_BROKER_TLS_CLIENT_H */
