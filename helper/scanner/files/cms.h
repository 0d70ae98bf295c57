/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_FILES_CMS_H
#define SS_SCANNER_FILES_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scanner/files/extract.h"

/**
 * ss_cms_is() - Whether a file is one of CMS.
 * @data: the file
 * @len: its length in bytes
 *
 * Return: whether it begins as one.
 */
bool ss_cms_is(const uint8_t *data, size_t len);

/**
 * ss_cms_is_enveloped() - Whether there is content that needs a key in it.
 * @data: what ss_cms_is() takes for CMS
 * @len: its length in bytes
 *
 * Return: whether the outermost content is encrypted.
 */
bool ss_cms_is_enveloped(const uint8_t *data, size_t len);

/**
 * ss_cms_read() - Hand out what is in CMS.
 * @data: the file
 * @len: its length in bytes
 * @inner: takes it; where that is CMS itself, as a file of CMS
 *
 * Return: whether it was what it should be, and all there.
 */
bool ss_cms_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

/**
 * ss_cms_text_is() - Whether a file is CMS in base64, with a line that says so or not.
 * @data: the file
 * @len: its length in bytes
 *
 * Return: whether it begins as such.
 */
bool ss_cms_text_is(const uint8_t *data, size_t len);

/**
 * ss_cms_text_read() - Decode such a file.
 * @data: the file
 * @len: its length in bytes
 * @inner: takes the CMS
 *
 * Return: true, what is no base64 ends it.
 */
bool ss_cms_text_read(const uint8_t *data, size_t len, const struct ss_extract_sink *inner);

#endif /* SS_SCANNER_FILES_CMS_H */
