/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_FLAGS_H
#define SS_SCANNER_MIME_FLAGS_H

/**
 * enum ss_ambiguity_flag - Why two readers of a message may see different content.
 * @SS_AMBIGUITY_SEPARATOR: it is not plain where a header ends
 * @SS_AMBIGUITY_HEADER: a line in a header that is no field, or a control in one
 * @SS_AMBIGUITY_LINE_END: a bare CR or LF where lines matter
 * @SS_AMBIGUITY_DUPLICATE: a MIME field twice in a header
 * @SS_AMBIGUITY_FIELD: odd name, folding, length or bytes of a MIME field
 * @SS_AMBIGUITY_TYPE: value of Content-Type or MIME-Version
 * @SS_AMBIGUITY_ENCODING: value of Content-Transfer-Encoding, or where it may not be
 * @SS_AMBIGUITY_BOUNDARY: parameter boundary
 * @SS_AMBIGUITY_DELIMITER: a line that some take as a delimiter
 * @SS_AMBIGUITY_UNCLOSED: a multipart without its last delimiter
 * @SS_AMBIGUITY_MARGIN: MIME fields or a file in front of the parts or behind them
 * @SS_AMBIGUITY_BASE64: base64 that decoders disagree on
 * @SS_AMBIGUITY_QUOTED: quoted-printable that decoders disagree on
 * @SS_AMBIGUITY_NAME: one file with two names
 * @SS_AMBIGUITY_CHARSET: HTML in a charset that hides ASCII
 * @SS_AMBIGUITY_LIMIT: too many parts, too deep, or a field too long
 */
enum ss_ambiguity_flag {
	SS_AMBIGUITY_SEPARATOR	= 1 << 0,
	SS_AMBIGUITY_HEADER	= 1 << 1,
	SS_AMBIGUITY_LINE_END	= 1 << 2,
	SS_AMBIGUITY_DUPLICATE	= 1 << 3,
	SS_AMBIGUITY_FIELD	= 1 << 4,
	SS_AMBIGUITY_TYPE	= 1 << 5,
	SS_AMBIGUITY_ENCODING	= 1 << 6,
	SS_AMBIGUITY_BOUNDARY	= 1 << 7,
	SS_AMBIGUITY_DELIMITER	= 1 << 8,
	SS_AMBIGUITY_UNCLOSED	= 1 << 9,
	SS_AMBIGUITY_MARGIN	= 1 << 10,
	SS_AMBIGUITY_BASE64	= 1 << 11,
	SS_AMBIGUITY_QUOTED	= 1 << 12,
	SS_AMBIGUITY_NAME	= 1 << 13,
	SS_AMBIGUITY_CHARSET	= 1 << 14,
	SS_AMBIGUITY_LIMIT	= 1 << 15,
};

#endif /* SS_SCANNER_MIME_FLAGS_H */
