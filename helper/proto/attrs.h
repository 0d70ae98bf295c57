/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SS_PROTO_ATTRS_H
#define SS_PROTO_ATTRS_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>
#include <netlink/attr.h>

/**
 * enum ss_attr_type - How an attribute is shown.
 * @SS_ATTR_U32: a number
 * @SS_ATTR_U64: a number
 * @SS_ATTR_U16: a number
 * @SS_ATTR_ENUM: the name of a value
 * @SS_ATTR_MS: a number of milliseconds
 * @SS_ATTR_TEXT: a string or bytes that a peer sent
 * @SS_ATTR_LINES: a string of any number of lines
 * @SS_ATTR_ADDR: an address
 * @SS_ATTR_PORTS: all attributes of that type: an array of numbers
 * @SS_ATTR_PREFIXES: all attributes of that type: an array of prefixes
 * @SS_ATTR_TEXTS: all attributes of that type: an array of strings
 * @SS_ATTR_FLAGS: the names of the bits that are set, an array
 * @SS_ATTR_HASHES: all attributes of that type: an array of hashes in hex
 * @SS_ATTR_TLS_PROFILE: the set tls-profile, shown as if it were a part of this one
 * @SS_ATTR_AV_PROFILE: the set av-profile, likewise
 */
enum ss_attr_type {
	SS_ATTR_U32,
	SS_ATTR_U64,
	SS_ATTR_U16,
	SS_ATTR_ENUM,
	SS_ATTR_MS,
	SS_ATTR_TEXT,
	SS_ATTR_LINES,
	SS_ATTR_ADDR,
	SS_ATTR_PORTS,
	SS_ATTR_PREFIXES,
	SS_ATTR_TEXTS,
	SS_ATTR_FLAGS,
	SS_ATTR_HASHES,
	SS_ATTR_TLS_PROFILE,
	SS_ATTR_AV_PROFILE,
};

/**
 * struct ss_names - The names of an enum's values, as in uapi/smtpsplice.yaml.
 * @count: how many
 * @name: the names
 */
struct ss_names {
	unsigned int count;
	const char *const *name;
};

/**
 * struct ss_attr - One attribute of a set.
 * @name: its name in uapi/smtpsplice.yaml
 * @type: how it is shown
 * @names: the names of its values, for SS_ATTR_ENUM and SS_ATTR_FLAGS
 */
struct ss_attr {
	const char *name;
	enum ss_attr_type type;
	const struct ss_names *names;
};

/**
 * struct ss_attr_set - An attribute set.
 * @max: the largest attribute type
 * @attr: indexed by attribute type; [0] is empty
 */
struct ss_attr_set {
	int max;
	const struct ss_attr *attr;
};

extern const struct ss_attr_set ss_attrs_policy;
extern const struct ss_attr_set ss_attrs_tls_profile;
extern const struct ss_attr_set ss_attrs_tls;
extern const struct ss_attr_set ss_attrs_settings;
extern const struct ss_attr_set ss_attrs_session;
extern const struct ss_attr_set ss_attrs_av;
extern const struct ss_attr_set ss_attrs_av_profile;
extern const struct ss_attr_set ss_attrs_stats;
extern const struct ss_attr_set ss_attrs_event;

/**
 * ss_attrs_decode() - Turn the attributes of a message into a JSON object.
 * @set: their set
 * @attrs: the first attribute
 * @len: bytes of attributes
 *
 * Attributes that the set does not have (a newer module) are left out. All
 * strings are fit for a terminal.
 *
 * Return: the object, the caller's.
 */
struct json_object *ss_attrs_decode(const struct ss_attr_set *set,
				    struct nlattr *attrs, int len);

/**
 * ss_attrs_find() - Look an attribute up by its name.
 * @set: the set
 * @name: the name
 *
 * Return: the attribute type, 0 where there is none.
 */
int ss_attrs_find(const struct ss_attr_set *set, const char *name);

/**
 * ss_attrs_find_value() - Look a value up by its name.
 * @names: the names
 * @name: the name
 *
 * Return: the value, -1 where there is none.
 */
int ss_attrs_find_value(const struct ss_names *names, const char *name);

/**
 * ss_attrs_value_name() - The name of a value.
 * @set: the set
 * @type: an attribute of it that is an SS_ATTR_ENUM
 * @value: the value
 *
 * Return: its name, "?" where it has none.
 */
const char *ss_attrs_value_name(const struct ss_attr_set *set, int type,
				uint64_t value);

/**
 * ss_attrs_read_text() - Read a string that is to be used as it is.
 * @text: where to; not touched by an error
 * @size: room at @text in bytes
 * @nla: the attribute; its NUL may be absent
 *
 * Unlike what ss_attrs_decode() shows, it is not made fit for a terminal.
 *
 * Return: 0, or -EPROTO where it is empty or too long.
 */
int ss_attrs_read_text(char *text, size_t size, const struct nlattr *nla);

#endif /* SS_PROTO_ATTRS_H */
