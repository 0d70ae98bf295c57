/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_TLS_H
#define SS_TLS_TLS_H

struct ss_conf;

/**
 * ss_tls_run() - Be the tls process. Does not return.
 * @conf: the command line
 * @sock: to the broker, by which jobs come in and results go out
 */
void ss_tls_run(const struct ss_conf *conf, int sock) __attribute__((noreturn));

#endif /* SS_TLS_TLS_H */
