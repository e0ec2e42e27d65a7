/* SPDX-License-Identifier: ISC */
/* Kinds of options whose value is a name or a list. */
#include "config_kind_net.h"

#include <string.h>

#include "config_check.h"

static void write_text(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	write_u8(w, (uint8_t)len);
	write_bytes(w, text, len);
}

/* A text of fewer than `size` bytes, without a NUL in it. */
static void read_text(struct reader *r, char *out, size_t size)
{
	uint8_t len = read_u8(r);

	if (len >= size)
		r->failed = true;
	else
		read_copy(r, out, len);
	if (r->failed)
		return;
	memset(out + len, 0, size - len);
	r->failed = strlen(out) != len;
}

void kind_interface_set_default(const struct option *option, void *field)
{
	strncpy(field, option->text, option->size);
}

bool kind_interface_is_empty(const struct option *option, const void *field)
{
	(void)option;
	return *(const char *)field == '\0';
}

void kind_interface_encode(const struct option *option, const void *field, struct writer *w)
{
	(void)option;
	write_text(w, field);
}

void kind_interface_decode(const struct option *option, void *field, struct reader *r)
{
	read_text(r, field, option->size);
	if (!r->failed && !config_interface_is_valid(field))
		r->failed = true;
}

void kind_endpoint_set_default(const struct option *option, void *field)
{
	struct config_edge *edge = field;

	(void)option;
	memset(edge->host, 0, sizeof edge->host);
	edge->port = 0;
}

bool kind_endpoint_is_empty(const struct option *option, const void *field)
{
	const struct config_edge *edge = field;

	(void)option;
	return edge->host[0] == '\0';
}

bool kind_endpoint_equal(const struct option *option, const void *a, const void *b)
{
	const struct config_edge *x = a, *y = b;

	(void)option;
	return strcmp(x->host, y->host) == 0 && x->port == y->port;
}

void kind_endpoint_encode(const struct option *option, const void *field, struct writer *w)
{
	const struct config_edge *edge = field;

	(void)option;
	write_text(w, edge->host);
	write_u16(w, edge->port);
}

void kind_endpoint_decode(const struct option *option, void *field, struct reader *r)
{
	struct config_edge *edge = field;

	(void)option;
	read_text(r, edge->host, sizeof edge->host);
	edge->port = read_u16(r);
	if (!r->failed && (!host_is_valid(edge->host) || edge->port == 0))
		r->failed = true;
}

static void write_addr(struct writer *w, const struct ip_addr *a)
{
	write_u8(w, a->family);
	write_bytes(w, a->bytes, ip_addr_size(a));
}

static void read_addr(struct reader *r, struct ip_addr *out)
{
	uint8_t family = read_u8(r);

	*out = (struct ip_addr){.family = family};
	if (family != 4 && family != 6)
		r->failed = true;
	read_copy(r, out->bytes, ip_addr_size(out));
}

void kind_prefixes_set_default(const struct option *option, void *field)
{
	struct prefix_list *list = field;

	list->count = 0;
	for (size_t i = 0; option->prefixes && option->prefixes[i]; i++)
		if (ip_prefix_parse(option->prefixes[i], &list->prefix[list->count]) == 0)
			list->count++;
}

bool kind_prefixes_is_empty(const struct option *option, const void *field)
{
	const struct prefix_list *list = field;

	(void)option;
	return list->count == 0;
}

bool kind_prefixes_equal(const struct option *option, const void *a, const void *b)
{
	const struct prefix_list *x = a, *y = b;
	bool equal = x->count == y->count;

	(void)option;
	for (uint32_t i = 0; equal && i < x->count; i++)
		equal = ip_prefix_equal(&x->prefix[i], &y->prefix[i]);
	return equal;
}

void kind_prefixes_encode(const struct option *option, const void *field, struct writer *w)
{
	const struct prefix_list *list = field;

	(void)option;
	write_u32(w, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		write_addr(w, &list->prefix[i].addr);
		write_u8(w, list->prefix[i].len);
	}
}

static void read_prefix(struct reader *r, struct ip_prefix *out)
{
	struct ip_prefix p, canonical;

	read_addr(r, &p.addr);
	p.len = read_u8(r);
	canonical = ip_prefix_of(&p.addr, p.len);
	if (!ip_prefix_equal(&p, &canonical))
		r->failed = true;
	*out = canonical;
}

void kind_prefixes_decode(const struct option *option, void *field, struct reader *r)
{
	struct prefix_list *list = field;
	uint32_t count = read_u32(r);
	struct ip_prefix p;

	(void)option;
	list->count = 0;
	if (count > CONFIG_PREFIXES_MAX)
		r->failed = true;
	while (!r->failed && list->count < count) {
		read_prefix(r, &p);
		if (prefix_is_listed(list, &p))
			r->failed = true;
		else
			list->prefix[list->count++] = p;
	}
}

void kind_addresses_set_default(const struct option *option, void *field)
{
	struct address_list *list = field;

	(void)option;
	list->count = 0;
}

bool kind_addresses_is_empty(const struct option *option, const void *field)
{
	const struct address_list *list = field;

	(void)option;
	return list->count == 0;
}

bool kind_addresses_equal(const struct option *option, const void *a, const void *b)
{
	const struct address_list *x = a, *y = b;
	bool equal = x->count == y->count;

	(void)option;
	for (uint32_t i = 0; equal && i < x->count; i++)
		equal = ip_addr_equal(&x->addr[i], &y->addr[i]);
	return equal;
}

void kind_addresses_encode(const struct option *option, const void *field, struct writer *w)
{
	const struct address_list *list = field;

	(void)option;
	write_u32(w, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		write_addr(w, &list->addr[i]);
}

void kind_addresses_decode(const struct option *option, void *field, struct reader *r)
{
	struct address_list *list = field;
	uint32_t count = read_u32(r);
	struct ip_addr a;

	list->count = 0;
	if (count > option->max)
		r->failed = true;
	while (!r->failed && list->count < count) {
		read_addr(r, &a);
		if (ip_addr_is_special(&a) || address_is_listed(list, &a))
			r->failed = true;
		else
			list->addr[list->count++] = a;
	}
}
