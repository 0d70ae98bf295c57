// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzing of the ClientHello parser. An input is what a client sends first. It
 * is read as the helper reads it, anew with each octet that comes, and cut into
 * other records. What must hold, whatever was sent: see check_*().
 */
#include <ctype.h>
#include <string.h>

#include <sanitizer/asan_interface.h>

#include "lib/cleanup.h"
#include "tests/fuzz/fuzz.h"
#include "tls/client_hello.h"

#define RECORD_HEADER	5

/* The name goes to servers and into the log, so it must be nothing but a name */
static void check_name(const struct ss_client_hello *hello)
{
	size_t len = strnlen(hello->name, sizeof(hello->name));

	CHECK(len < sizeof(hello->name));
	for (size_t i = 0; i < len; i++)
		CHECK(isalnum((unsigned char)hello->name[i]) || strchr("-._", hello->name[i]));
	CHECK(hello->name[0] != '.' && !strstr(hello->name, ".."));
}

static void check_offers(const struct ss_client_hello *hello)
{
	CHECK(!hello->alpn_smtp || hello->alpn);
	for (int i = 0; i < 2; i++) {
		const struct ss_client_hello_offer *o = i ? &hello->tls13 : &hello->tls12;

		CHECK(!o->ecdsa || o->aes128 || o->aes256);
	}
}

/*
 * With more octets MORE may become anything. What is said besides is said for
 * good: the client may send octet by octet.
 */
static enum ss_client_hello_status check_prefixes(uint8_t *raw, size_t n,
						  struct ss_client_hello *hello)
{
	enum ss_client_hello_status status = SS_CLIENT_HELLO_MORE;

	/* What is not there yet must not be read */
	ASAN_POISON_MEMORY_REGION(raw, n);
	for (size_t len = 0; len <= n; len++) {
		struct ss_client_hello seen;
		enum ss_client_hello_status now;

		ASAN_UNPOISON_MEMORY_REGION(raw, len);
		now = ss_client_hello_parse(&seen, raw, len);
		check_name(&seen);
		if (status != SS_CLIENT_HELLO_MORE) {
			CHECK(now == status);
			CHECK(!memcmp(&seen, hello, sizeof(seen)));
		}
		status = now;
		*hello = seen;
	}
	return status;
}

/* The message without the records; nothing follows it. Return: its length. */
static size_t join(uint8_t *message, const uint8_t *raw, size_t n)
{
	size_t len = 0;

	for (size_t at = 0; at + RECORD_HEADER <= n;) {
		size_t body = raw[at + 3] << 8 | raw[at + 4];

		at += RECORD_HEADER;
		if (body > n - at)
			break;
		memcpy(message + len, raw + at, body);
		len += body;
		at += body;
		if (len >= 4 &&
		    len == 4 + ((size_t)message[1] << 16 | message[2] << 8 | message[3]))
			break;
	}
	return len;
}

/* How a good one is cut into records makes no difference */
static void check_records(const uint8_t *raw, size_t n, size_t piece,
			  const struct ss_client_hello *hello)
{
	uint8_t message[SS_CLIENT_HELLO_RAW], cut[SS_CLIENT_HELLO_RAW];
	size_t len = join(message, raw, n), at = 0;
	struct ss_client_hello other;

	CHECK(len <= SS_CLIENT_HELLO_MAX);
	if (len + (len / piece + 1) * RECORD_HEADER > sizeof(cut))
		return;
	for (size_t from = 0; from < len; from += piece) {
		size_t part = len - from < piece ? len - from : piece;
		const uint8_t header[] = { 22, 3, 1, part >> 8, part };

		memcpy(cut + at, header, sizeof(header));
		memcpy(cut + at + sizeof(header), message + from, part);
		at += sizeof(header) + part;
	}
	CHECK(ss_client_hello_parse(&other, cut, at) == SS_CLIENT_HELLO_OK);
	CHECK(!memcmp(&other, hello, sizeof(other)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ss_client_hello hello;
	uint8_t *raw;

	if (!n || n > SS_CLIENT_HELLO_RAW)
		return 0;
	raw = malloc(n);
	CHECK(raw);
	memcpy(raw, data, n);
	if (check_prefixes(raw, n, &hello) == SS_CLIENT_HELLO_OK) {
		check_offers(&hello);
		check_records(raw, n, 1 + raw[n - 1] % 64, &hello);
	}
	free(raw);
	return 0;
}
