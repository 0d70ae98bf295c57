// SPDX-License-Identifier: GPL-2.0
/* Does the kernel's TLS stop behind a KeyUpdate (6.14)? */
#include <net/tls.h>

bool probe(struct tls_sw_context_rx *ctx);
bool probe(struct tls_sw_context_rx *ctx)
{
	return ctx->key_update_pending;
}
