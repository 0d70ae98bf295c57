/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Needs of the SMTP engine, in full: taken from the kernel, and from the C library
 * where the engine is tested and fuzzed in userspace.
 */
#ifndef SS_PORTABLE_H
#define SS_PORTABLE_H

#ifdef __KERNEL__
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON_ZERO(e) ((int)sizeof(char[1 - 2 * !!(e)]) - 1)
#endif

#endif /* SS_PORTABLE_H */
