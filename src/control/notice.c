/* SPDX-License-Identifier: ISC */
/* Decoding of notices: foreign JSON into checked structs. Encoding: notice_encode.c. */
#include "notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "notice_names.h"

const char *const notice_type_names[NOTICE_OTHER] = {
	[NOTICE_HELLO] = "hello",   [NOTICE_CONFIG] = "config", [NOTICE_HOLDERS] = "holders",
	[NOTICE_MORE] = "more",      [NOTICE_ROUTES] = "routes", [NOTICE_DENIED] = "denied",
	[NOTICE_GOODBYE] = "goodbye",
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
		else if (!quoted && (c == '{' || c == '[') && ++depth > NOTICE_DEPTH_MAX)
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

	if (!json_is_array(list) || n > ENGINE_ADDRESSES_MAX)
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

	if (!json_is_array(list) || n > ENGINE_ROUTES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || ip_prefix_parse(text, &out[i]) || !prefix_is_routable(&out[i]))
			return -EBADMSG;
	}
	*count = (uint32_t)n;
	return 0;
}

static int decode_hello(const json_t *root, struct notice_hello *out)
{
	uint32_t schema;

	if (copy_number(json_object_get(root, "schema"), UINT32_MAX, &schema) || schema == 0)
		return -EBADMSG;
	if (copy_text(json_object_get(root, "role"), out->role, sizeof out->role))
		return -EBADMSG;
	return copy_text(json_object_get(root, "software"), out->software, sizeof out->software);
}

static int decode_config(const json_t *root, struct notice_config *out)
{
	const json_t *mtu = json_object_get(root, "mtu");

	if (mtu && (copy_number(mtu, NOTICE_MTU_MAX, &out->mtu) || out->mtu < NOTICE_MTU_MIN))
		return -EBADMSG;
	if (copy_addresses(json_object_get(root, "addresses"), out->address, &out->address_count))
		return -EBADMSG;
	return copy_prefixes(json_object_get(root, "routes"), out->route, &out->route_count);
}

static int decode_routes(const json_t *root, struct notice_routes *out)
{
	return copy_prefixes(json_object_get(root, "routes"), out->route, &out->route_count);
}

static int decode_denied(const json_t *root, struct notice_denied *out)
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

static int decode_holder(const json_t *value, struct notice_holder *out)
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

static int decode_holders(const json_t *root, struct notice *out)
{
	const json_t *first = json_object_get(root, "first"), *last = json_object_get(root, "last");
	json_t *list = json_object_get(root, "holders");
	size_t n = json_array_size(list);
	struct notice_holder holder;

	if (!json_is_boolean(first) || !json_is_boolean(last) || !json_is_array(list) ||
	    n > NOTICE_HOLDERS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		if (decode_holder(json_array_get(list, i), &holder))
			return -EBADMSG;
	}
	out->holders.first = json_is_true(first);
	out->holders.last = json_is_true(last);
	out->holders.count = (uint32_t)n;
	out->list = json_incref(list);
	return 0;
}

static enum notice_type type_of(const char *name)
{
	for (unsigned i = 0; i < NOTICE_OTHER; i++) {
		if (strcmp(name, notice_type_names[i]) == 0)
			return (enum notice_type)i;
	}
	return NOTICE_OTHER;
}

static int decode_body(const json_t *root, struct notice *out)
{
	switch (out->type) {
	case NOTICE_HELLO:
		return decode_hello(root, &out->hello);
	case NOTICE_CONFIG:
		return decode_config(root, &out->config);
	case NOTICE_HOLDERS:
		return decode_holders(root, out);
	case NOTICE_ROUTES:
		return decode_routes(root, &out->routes);
	case NOTICE_DENIED:
		return decode_denied(root, &out->denied);
	case NOTICE_MORE:
	case NOTICE_GOODBYE:
	case NOTICE_OTHER:
		return 0;
	}
	return -EBADMSG;
}

static int decode_root(const json_t *root, struct notice **out)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	struct notice *m;
	int r;

	if (!type)
		return -EBADMSG;
	m = calloc(1, sizeof *m);
	if (!m)
		return -ENOMEM;
	m->type = type_of(type);
	r = decode_body(root, m);
	if (r)
		notice_free(m);
	else
		*out = m;
	return r;
}

int notice_decode(const uint8_t *bytes, size_t len, struct notice **out)
{
	json_error_t error;
	json_t *root;
	int r;

	if (len > NOTICE_BYTES_MAX || !depth_is_bounded(bytes, len))
		return -EBADMSG;
	root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EBADMSG;
	r = decode_root(root, out);
	json_decref(root);
	return r;
}

void notice_free(struct notice *notice)
{
	if (!notice)
		return;
	json_decref(notice->list);
	free(notice);
}

void notice_holder(const struct notice *notice, uint32_t i, struct notice_holder *out)
{
	memset(out, 0, sizeof *out);
	decode_holder(json_array_get(notice->list, i), out);
}
