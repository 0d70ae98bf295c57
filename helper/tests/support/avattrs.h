/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_TESTS_SUPPORT_AVATTRS_H
#define SS_TESTS_SUPPORT_AVATTRS_H

#include <stddef.h>
#include <stdint.h>

#include <linux/smtpsplice.h>

#define AV(name)	SMTPSPLICE_A_AV_PROFILE_##name

/**
 * struct avattrs - Attributes of an AV profile, as the kernel sends them.
 * @octets: them
 * @len: octets of them
 */
struct avattrs {
	uint8_t octets[65536] __attribute__((aligned(8)));
	size_t len;
};

void avattrs_put(struct avattrs *a, int type, const void *data, size_t len);
void avattrs_number(struct avattrs *a, int type, uint32_t value);
void avattrs_size(struct avattrs *a, int type, uint64_t value);
void avattrs_text(struct avattrs *a, int type, const char *text);
void avattrs_hash(struct avattrs *a, int type, const void *data, size_t len);

#endif /* SS_TESTS_SUPPORT_AVATTRS_H */
