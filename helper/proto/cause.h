/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_CAUSE_H
#define SS_PROTO_CAUSE_H

/**
 * enum ss_cause - Why a message is refused, or a part of it removed.
 * @SS_CAUSE_VIRUS: a virus was found
 * @SS_CAUSE_EXECUTABLE: an executable, and those count as viruses
 * @SS_CAUSE_FILENAME: the name or the type of a file is blocked
 * @SS_CAUSE_OVERSIZE: too big
 * @SS_CAUSE_ARCHIVE: an archive that cannot be looked into
 * @SS_CAUSE_PARTIAL: a fragment of a message
 * @SS_CAUSE_AMBIGUOUS: MIME that readers do not agree on
 * @SS_CAUSE_HASH: the hash of a file is blocked
 * @SS_CAUSE_SCAN_FAILURE: it could not be scanned; may be a reply "4yz"
 * @SS_CAUSE_UNDECODABLE: a limit of the scanner was exceeded
 * @SS_CAUSE_ENCRYPTED: encrypted for its recipient
 * @SS_CAUSE_COUNT: how many there are
 */
enum ss_cause {
	SS_CAUSE_VIRUS,
	SS_CAUSE_EXECUTABLE,
	SS_CAUSE_FILENAME,
	SS_CAUSE_OVERSIZE,
	SS_CAUSE_ARCHIVE,
	SS_CAUSE_PARTIAL,
	SS_CAUSE_AMBIGUOUS,
	SS_CAUSE_HASH,
	SS_CAUSE_SCAN_FAILURE,
	SS_CAUSE_UNDECODABLE,
	SS_CAUSE_ENCRYPTED,
	SS_CAUSE_COUNT,
};

#endif /* SS_PROTO_CAUSE_H */
