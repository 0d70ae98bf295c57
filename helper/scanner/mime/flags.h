/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_SCANNER_MIME_FLAGS_H
#define SS_SCANNER_MIME_FLAGS_H

/**
 * enum ss_gate_flag - Why two readers of a message may see different content.
 * @SS_GATE_SEPARATOR: it is not plain where a header ends
 * @SS_GATE_HEADER: a line in a header that is no field, or a control in one
 * @SS_GATE_LINE_END: a bare CR or LF where lines matter
 * @SS_GATE_DUPLICATE: a MIME field twice in a header
 * @SS_GATE_FIELD: odd name, folding, length or octets of a MIME field
 * @SS_GATE_TYPE: value of Content-Type or MIME-Version
 * @SS_GATE_ENCODING: value of Content-Transfer-Encoding, or where it may not be
 * @SS_GATE_BOUNDARY: parameter boundary
 * @SS_GATE_DELIMITER: a line that some take as a delimiter
 * @SS_GATE_UNCLOSED: a multipart without its last delimiter
 * @SS_GATE_MARGIN: MIME fields or a file in front of the parts or behind them
 * @SS_GATE_BASE64: base64 that decoders disagree on
 * @SS_GATE_QUOTED: quoted-printable that decoders disagree on
 * @SS_GATE_NAME: one file with two names
 * @SS_GATE_CHARSET: HTML in a charset that hides ASCII
 * @SS_GATE_LIMIT: too many parts, too deep, or a field too long
 */
enum ss_gate_flag {
	SS_GATE_SEPARATOR	= 1 << 0,
	SS_GATE_HEADER		= 1 << 1,
	SS_GATE_LINE_END	= 1 << 2,
	SS_GATE_DUPLICATE	= 1 << 3,
	SS_GATE_FIELD		= 1 << 4,
	SS_GATE_TYPE		= 1 << 5,
	SS_GATE_ENCODING	= 1 << 6,
	SS_GATE_BOUNDARY	= 1 << 7,
	SS_GATE_DELIMITER	= 1 << 8,
	SS_GATE_UNCLOSED	= 1 << 9,
	SS_GATE_MARGIN		= 1 << 10,
	SS_GATE_BASE64		= 1 << 11,
	SS_GATE_QUOTED		= 1 << 12,
	SS_GATE_NAME		= 1 << 13,
	SS_GATE_CHARSET		= 1 << 14,
	SS_GATE_LIMIT		= 1 << 15,
};

#endif /* SS_SCANNER_MIME_FLAGS_H */
