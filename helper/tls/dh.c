// SPDX-License-Identifier: GPL-2.0
/*
 * The group of a Diffie-Hellman key exchange that a server has chosen. GnuTLS looks
 * at its length alone; a modulus that is composite, or whose group has small
 * subgroups, gives the key away all the same.
 */
#include <string.h>

#include <gmp.h>

#include "lib/cleanup.h"
#include "tls/dh.h"

#define MAX_BITS	4096	/* what is longer takes too long to look at */
#define ROUNDS		1	/* besides the Baillie-PSW test */

/* A safe prime: the group has no subgroup to speak of but one half of it */
static bool is_safe(const gnutls_datum_t *modulus)
{
	bool safe;
	mpz_t p;

	mpz_init(p);
	mpz_import(p, modulus->size, 1, 1, 1, 0, modulus->data);
	safe = mpz_sizeinbase(p, 2) <= MAX_BITS && mpz_probab_prime_p(p, ROUNDS);
	if (safe) {
		mpz_fdiv_q_2exp(p, p, 1);
		safe = mpz_probab_prime_p(p, ROUNDS);
	}
	mpz_clear(p);
	return safe;
}

bool ss_dh_is_bounded(gnutls_session_t session, const gnutls_datum_t *message)
{
	const gnutls_datum_t *const known[] = {
		&gnutls_ffdhe_6144_group_prime, &gnutls_ffdhe_8192_group_prime,
	};
	gnutls_kx_algorithm_t kx = gnutls_kx_get(session);
	size_t size;

	if ((kx != GNUTLS_KX_DHE_RSA && kx != GNUTLS_KX_DHE_DSS) || message->size < 2)
		return true;
	size = message->data[0] << 8 | message->data[1];
	if (size <= MAX_BITS / 8 || message->size - 2 < size)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i]->size == size && !memcmp(known[i]->data, message->data + 2, size))
			return true;
	return false;
}

bool ss_dh_is_sound(gnutls_session_t session)
{
	gnutls_kx_algorithm_t kx = gnutls_kx_get(session);
	gnutls_datum_t generator = {}, modulus = {};
	bool sound;

	if ((kx != GNUTLS_KX_DHE_RSA && kx != GNUTLS_KX_DHE_DSS) ||
	    gnutls_group_get(session) != GNUTLS_GROUP_INVALID)
		return true;
	if (gnutls_dh_get_group(session, &generator, &modulus))
		return false;
	sound = is_safe(&modulus);
	gnutls_free(generator.data);
	gnutls_free(modulus.data);
	return sound;
}
