// SPDX-License-Identifier: GPL-2.0
/*
 * A TLS profile, from the kernel's attributes, and what it exempts. The kernel
 * has checked the attributes; lengths and ranges are checked once more, since
 * this is read by the process that has the CA's key.
 */
#include <errno.h>
#include <regex.h>
#include <string.h>
#include <strings.h>

#include "proto/attrs.h"
#include "tls/tls_profile.h"

void ss_tls_profile_default(struct ss_tls_profile *profile)
{
	*profile = (struct ss_tls_profile){
		.expired = SMTPSPLICE_TLS_ACTION_BLOCK,
		.revoked = SMTPSPLICE_TLS_ACTION_BLOCK,
		.untrusted = SMTPSPLICE_TLS_ACTION_ALLOW,
		.validation_timeout = SMTPSPLICE_TLS_ACTION_ALLOW,
		.validation_failure = SMTPSPLICE_TLS_ACTION_BLOCK,
		.sni_check = SMTPSPLICE_SNI_CHECK_ENABLE,
		.version = SMTPSPLICE_TLS_SUPPORT_BLOCK,
		.cipher = SMTPSPLICE_TLS_SUPPORT_BLOCK,
		.negotiation = SMTPSPLICE_TLS_SUPPORT_BLOCK,
		.client_certificate = SMTPSPLICE_CLIENT_CERTIFICATE_INSPECT,
		.cert_mode = SMTPSPLICE_CERT_MODE_RE_SIGN,
	};
}

static int read_enum(uint32_t *value, const struct nlattr *nla, uint32_t max)
{
	if (nla_len(nla) < (int)sizeof(*value) || nla_get_u32(nla) > max)
		return -EPROTO;
	*value = nla_get_u32(nla);
	return 0;
}

static int add_address(struct ss_tls_profile *p, const struct nlattr *nest)
{
	const struct nlattr *addr = nla_find(nla_data(nest), nla_len(nest),
					     SMTPSPLICE_A_PREFIX_ADDR);
	const struct nlattr *len = nla_find(nla_data(nest), nla_len(nest),
					    SMTPSPLICE_A_PREFIX_LEN);
	struct ss_prefix *prefix = &p->addresses[p->address_count];

	if (p->address_count == SMTPSPLICE_EXEMPT_MAX || !addr ||
	    (nla_len(addr) != 4 && nla_len(addr) != 16))
		return -EPROTO;
	prefix->size = nla_len(addr);
	prefix->len = prefix->size * 8;
	memcpy(prefix->addr, nla_data(addr), prefix->size);
	if (len && (nla_len(len) < 1 || nla_get_u8(len) > prefix->len))
		return -EPROTO;
	if (len)
		prefix->len = nla_get_u8(len);
	p->address_count++;
	return 0;
}

static int add_pattern(char (*list)[SMTPSPLICE_PATTERN_MAX + 1],
		       unsigned int *count, const struct nlattr *nla)
{
	int ret;

	if (*count == SMTPSPLICE_EXEMPT_MAX)
		return -EPROTO;
	ret = ss_attrs_read_text(list[*count], sizeof(*list), nla);
	if (!ret)
		++*count;
	return ret;
}

static int read_one(struct ss_tls_profile *p, const struct nlattr *nla)
{
	switch (nla_type(nla)) {
	case SMTPSPLICE_A_TLS_PROFILE_EXPIRED_SERVER_CERT:
		return read_enum(&p->expired, nla, SMTPSPLICE_TLS_ACTION_IGNORE);
	case SMTPSPLICE_A_TLS_PROFILE_REVOKED_SERVER_CERT:
		return read_enum(&p->revoked, nla, SMTPSPLICE_TLS_ACTION_IGNORE);
	case SMTPSPLICE_A_TLS_PROFILE_UNTRUSTED_SERVER_CERT:
		return read_enum(&p->untrusted, nla, SMTPSPLICE_TLS_ACTION_IGNORE);
	case SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_TIMEOUT:
		return read_enum(&p->validation_timeout, nla,
				 SMTPSPLICE_TLS_ACTION_IGNORE);
	case SMTPSPLICE_A_TLS_PROFILE_CERT_VALIDATION_FAILURE:
		return read_enum(&p->validation_failure, nla,
				 SMTPSPLICE_TLS_ACTION_IGNORE);
	case SMTPSPLICE_A_TLS_PROFILE_SNI_SERVER_CERT_CHECK:
		return read_enum(&p->sni_check, nla, SMTPSPLICE_SNI_CHECK_DISABLE);
	case SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_VERSION:
		return read_enum(&p->version, nla, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	case SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_CIPHER:
		return read_enum(&p->cipher, nla, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	case SMTPSPLICE_A_TLS_PROFILE_UNSUPPORTED_SSL_NEGOTIATION:
		return read_enum(&p->negotiation, nla, SMTPSPLICE_TLS_SUPPORT_BLOCK);
	case SMTPSPLICE_A_TLS_PROFILE_CLIENT_CERTIFICATE:
		return read_enum(&p->client_certificate, nla,
				 SMTPSPLICE_CLIENT_CERTIFICATE_BLOCK);
	case SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT_MODE:
		return read_enum(&p->cert_mode, nla, SMTPSPLICE_CERT_MODE_REPLACE);
	case SMTPSPLICE_A_TLS_PROFILE_SERVER_CERT:
		return ss_attrs_read_text(p->cert, sizeof(p->cert), nla);
	case SMTPSPLICE_A_TLS_PROFILE_EXEMPT_ADDRESS:
		return add_address(p, nla);
	case SMTPSPLICE_A_TLS_PROFILE_EXEMPT_NAME:
		return add_pattern(p->names, &p->name_count, nla);
	case SMTPSPLICE_A_TLS_PROFILE_EXEMPT_REGEX:
		return add_pattern(p->regexes, &p->regex_count, nla);
	}
	return 0;	/* what is the kernel's own business */
}

int ss_tls_profile_parse(struct ss_tls_profile *profile, const struct nlattr *nest)
{
	struct nlattr *nla;
	int rem;

	ss_tls_profile_default(profile);
	if (!nest)
		return 0;
	nla_for_each_attr(nla, (struct nlattr *)nla_data(nest), nla_len(nest), rem) {
		int ret = read_one(profile, nla);

		if (ret)
			return ret;
	}
	return 0;
}

static bool prefix_has(const struct ss_prefix *p, const uint8_t *addr)
{
	unsigned int whole = p->len / 8, bits = p->len % 8;
	uint8_t mask = 0xff00 >> bits;

	return !memcmp(p->addr, addr, whole) &&
	       (!bits || !((p->addr[whole] ^ addr[whole]) & mask));
}

bool ss_tls_profile_exempts_address(const struct ss_tls_profile *profile,
				    const uint8_t *addr, size_t size)
{
	for (unsigned int i = 0; i < profile->address_count; i++)
		if (profile->addresses[i].size == size &&
		    prefix_has(&profile->addresses[i], addr))
			return true;
	return false;
}

/* Count a name without the dot at the end that a fully qualified one may have */
static size_t name_length(const char *name)
{
	size_t len = strlen(name);

	return len && name[len - 1] == '.' ? len - 1 : len;
}

/* A "*" at the start stands for any one label */
static bool name_matches(const char *pattern, const char *name, size_t len)
{
	size_t want = name_length(pattern);

	if (want > 1 && pattern[0] == '*' && pattern[1] == '.') {
		const char *dot = memchr(name, '.', len);

		if (!dot || dot == name)
			return false;
		pattern++;
		want--;
		len -= dot - name;
		name = dot;
	}
	return want == len && !strncasecmp(pattern, name, len);
}

static bool regex_matches(const char *pattern, const char *name)
{
	regex_t regex;
	bool found;

	/* A pattern that does not compile exempts nothing: those servers are inspected */
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB))
		return false;
	found = !regexec(&regex, name, 0, NULL, 0);
	regfree(&regex);
	return found;
}

bool ss_tls_profile_exempts_name(const struct ss_tls_profile *profile, const char *name)
{
	char bare[SMTPSPLICE_PATTERN_MAX + 1] = "";
	size_t len = name_length(name);

	if (!len || len >= sizeof(bare))
		return false;
	memcpy(bare, name, len);
	for (unsigned int i = 0; i < profile->name_count; i++)
		if (name_matches(profile->names[i], bare, len))
			return true;
	for (unsigned int i = 0; i < profile->regex_count; i++)
		if (regex_matches(profile->regexes[i], bare))
			return true;
	return false;
}
