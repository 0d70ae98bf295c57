/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TLS_DH_H
#define SS_TLS_DH_H

#include <stdbool.h>

#include <gnutls/gnutls.h>

bool ss_dh_is_bounded(gnutls_session_t session, const gnutls_datum_t *message);
bool ss_dh_is_sound(gnutls_session_t session);

#endif /* SS_TLS_DH_H */
