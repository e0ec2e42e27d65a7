/* SPDX-License-Identifier: ISC */
/* Decoding of control messages: foreign JSON into checked structs. Encoding: control_message_encode.c. */
#include "control_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control_message_names.h"

const char *const control_message_type_names[CONTROL_MESSAGE_OTHER] = {
	[CONTROL_MESSAGE_HELLO] = "hello",        [CONTROL_MESSAGE_CONFIG] = "config",
	[CONTROL_MESSAGE_IDENTITIES] = "holders", [CONTROL_MESSAGE_MORE] = "more",
	[CONTROL_MESSAGE_ROUTES] = "routes",      [CONTROL_MESSAGE_DENIED] = "denied",
	[CONTROL_MESSAGE_GOODBYE] = "goodbye",    [CONTROL_MESSAGE_MTU] = "mtu",
};

/* The JSON library recurses as deep as the text does: a look at the brackets bounds it first. */
static bool depth_is_bounded(const uint8_t *bytes, size_t len)
{
	unsigned depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = bytes[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') && ++depth > CONTROL_MESSAGE_DEPTH_MAX)
			return false;
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return true;
}

/* Such a text ends in logs and on terminals: C0, DEL and C1 control characters have no place. */
static bool text_is_printable(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++) {
		if (*p < 0x20 || *p == 0x7f || (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return false;
	}
	return true;
}

static int copy_text(const json_t *value, char *out, size_t size)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) >= size || !*text || !text_is_printable(text))
		return -EBADMSG;
	strcpy(out, text); /* fits: just measured */
	return 0;
}

static int copy_number(const json_t *value, uint32_t max, uint32_t *out)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0 || n > (json_int_t)max)
		return -EBADMSG;
	*out = (uint32_t)n;
	return 0;
}

/* An address that a host inside the tunnel may have. */
static int copy_address(const json_t *value, struct ip_addr *out)
{
	const char *text = json_string_value(value);
	struct ip_addr a;

	if (!text || ip_addr_parse(text, &a) || ip_addr_is_special(&a))
		return -EBADMSG;
	*out = a;
	return 0;
}

static int copy_addresses(const json_t *list, struct ip_addr *out, uint32_t *count)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > NETWORK_ADDRESSES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (copy_address(json_array_get(list, i), &out[i]))
			return -EBADMSG;
	}
	*count = (uint32_t)n;
	return 0;
}

/* A route leads to hosts: nothing inside loopback, link-local, multicast or v4-mapped space. The
 * default routes contain such space, and are the host's to accept or not. */
static bool prefix_is_routable(const struct ip_prefix *p)
{
	return p->len == 0 || !ip_addr_is_special(&p->addr);
}

static int copy_prefixes(const json_t *list, struct ip_prefix *out, uint32_t *count)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > NETWORK_ROUTES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || ip_prefix_parse(text, &out[i]) || !prefix_is_routable(&out[i]))
			return -EBADMSG;
	}
	*count = (uint32_t)n;
	return 0;
}

static int decode_hello(const json_t *root, struct control_message_hello *out)
{
	uint32_t schema;

	if (copy_number(json_object_get(root, "schema"), UINT32_MAX, &schema) || schema == 0)
		return -EBADMSG;
	if (copy_text(json_object_get(root, "role"), out->role, sizeof out->role))
		return -EBADMSG;
	return copy_text(json_object_get(root, "software"), out->software, sizeof out->software);
}

static int decode_mtu(const json_t *value, uint32_t *out)
{
	if (copy_number(value, NETWORK_MTU_MAX, out) || *out < NETWORK_MTU_MIN)
		return -EBADMSG;
	return 0;
}

static int decode_config(const json_t *root, struct network *out)
{
	const json_t *mtu = json_object_get(root, "mtu");

	if (mtu && decode_mtu(mtu, &out->mtu))
		return -EBADMSG;
	if (copy_addresses(json_object_get(root, "addresses"), out->address, &out->address_count))
		return -EBADMSG;
	return copy_prefixes(json_object_get(root, "routes"), out->route, &out->route_count);
}

static int decode_routes(const json_t *root, struct control_message_routes *out)
{
	return copy_prefixes(json_object_get(root, "routes"), out->route, &out->route_count);
}

static int decode_denied(const json_t *root, struct control_message_denied *out)
{
	const json_t *destination = json_object_get(root, "destination");
	const json_t *port = json_object_get(root, "port");
	const char *text = json_string_value(destination);
	uint32_t proto, number = 0;

	/* a denied destination may well be a special address: it is only shown */
	if (!text || ip_addr_parse(text, &out->destination))
		return -EBADMSG;
	if (copy_number(json_object_get(root, "proto"), UINT8_MAX, &proto))
		return -EBADMSG;
	if (port && copy_number(port, UINT16_MAX, &number))
		return -EBADMSG;
	out->proto = (uint8_t)proto;
	out->port = (uint16_t)number;
	return 0;
}

static int decode_identity(const json_t *value, struct control_message_identity *out)
{
	const json_t *groups = json_object_get(value, "groups");
	size_t n = json_array_size(groups);

	if (copy_text(json_object_get(value, "principal"), out->principal, sizeof out->principal))
		return -EBADMSG;
	if (!json_is_array(groups) || n > sizeof out->group / sizeof *out->group)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (copy_text(json_array_get(groups, i), out->group[i], sizeof out->group[i]))
			return -EBADMSG;
	}
	out->group_count = (uint32_t)n;
	return copy_addresses(json_object_get(value, "addresses"), out->address,
			      &out->address_count);
}

static int decode_identities(const json_t *root, struct control_message *out)
{
	const json_t *first = json_object_get(root, "first"), *last = json_object_get(root, "last");
	json_t *list = json_object_get(root, "holders");
	size_t n = json_array_size(list);
	struct control_message_identity identity;

	if (!json_is_boolean(first) || !json_is_boolean(last) || !json_is_array(list) ||
	    n > CONTROL_MESSAGE_IDENTITIES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (decode_identity(json_array_get(list, i), &identity))
			return -EBADMSG;
	}
	out->identities.first = json_is_true(first);
	out->identities.last = json_is_true(last);
	out->identities.count = (uint32_t)n;
	out->list = json_incref(list);
	return 0;
}

static enum control_message_type type_of(const char *name)
{
	for (unsigned i = 0; i < CONTROL_MESSAGE_OTHER; i++) {
		if (strcmp(name, control_message_type_names[i]) == 0)
			return (enum control_message_type)i;
	}
	return CONTROL_MESSAGE_OTHER;
}

static int decode_body(const json_t *root, struct control_message *out)
{
	switch (out->type) {
	case CONTROL_MESSAGE_HELLO:
		return decode_hello(root, &out->hello);
	case CONTROL_MESSAGE_CONFIG:
		return decode_config(root, &out->config);
	case CONTROL_MESSAGE_IDENTITIES:
		return decode_identities(root, out);
	case CONTROL_MESSAGE_ROUTES:
		return decode_routes(root, &out->routes);
	case CONTROL_MESSAGE_DENIED:
		return decode_denied(root, &out->denied);
	case CONTROL_MESSAGE_MTU:
		return decode_mtu(json_object_get(root, "mtu"), &out->mtu);
	case CONTROL_MESSAGE_MORE:
	case CONTROL_MESSAGE_GOODBYE:
	case CONTROL_MESSAGE_OTHER:
		return 0;
	}
	return -EBADMSG;
}

static int decode_root(const json_t *root, struct control_message **out)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	struct control_message *m;
	int r;

	if (!type)
		return -EBADMSG;
	m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	m->type = type_of(type);
	r = decode_body(root, m);
	if (r)
		control_message_free(m);
	else
		*out = m;
	return r;
}

int control_message_decode(const uint8_t *bytes, size_t len, struct control_message **out)
{
	json_error_t error;
	json_t *root;
	int r;

	if (len > CONTROL_MESSAGE_BYTES_MAX || !depth_is_bounded(bytes, len))
		return -EBADMSG;
	root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	r = decode_root(root, out);
	json_decref(root);
	return r;
}

void control_message_free(struct control_message *message)
{
	if (!message)
		return;
	json_decref(message->list);
	free(message);
}

void control_message_identity(const struct control_message *message, uint32_t i,
			      struct control_message_identity *out)
{
	memset(out, 0, sizeof *out);
	decode_identity(json_array_get(message->list, i), out);
}
