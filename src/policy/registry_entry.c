/* SPDX-License-Identifier: ISC */
/* Makes the entries of a registry. */
#include "registry_entry.h"

#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>

#define ALIGNMENT _Alignof(struct registry_entry)

/* How many words hold the bits of these groups. */
static size_t words_of(const struct spec_strings *list, const struct names *groups)
{
	size_t words = 0;

	for (size_t i = 0; i < list->count; i++) {
		uint32_t bit = names_find(groups, list->items[i]);

		if (bit != NAME_NONE && bit / 64 + 1 > words)
			words = bit / 64 + 1;
	}
	return words;
}

static void set_bits(uint64_t *words, const struct spec_strings *list, const struct names *groups)
{
	for (size_t i = 0; i < list->count; i++) {
		uint32_t bit = names_find(groups, list->items[i]);

		if (bit != NAME_NONE)
			words[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies to *at, which moves on. */
static void *put(char **at, const void *from, size_t size)
{
	char *to = *at;

	if (size)
		memcpy(to, from, size);
	*at += size;
	return to;
}

static const char *put_text(char **at, const char *text)
{
	return text ? put(at, text, text_size(text)) : NULL;
}

static void make_nodes(struct registry_entry *e)
{
	const struct spec_device *d = e->device.spec;

	e->node_count = (uint32_t)d->address_count;
	for (size_t i = 0; i < d->address_count; i++) {
		struct registry_node *n = &e->nodes[i];

		n->device = &e->device;
		n->word[0] = get_be64(d->addresses[i].bytes);
		n->word[1] = get_be64(d->addresses[i].bytes + 8);
		n->kind = (uint64_t)d->zone << 8 | d->addresses[i].family;
	}
}

struct registry_entry *registry_entry_new(const struct spec_principal *p, size_t position,
					  const struct names *groups)
{
	const struct spec_device *d = &p->devices[position];
	size_t words = words_of(&p->groups, groups);
	size_t addresses = d->address_count * sizeof *d->addresses;
	size_t size = sizeof(struct registry_entry) + sizeof *d +
		      d->address_count * sizeof(struct registry_node) + words * sizeof(uint64_t) +
		      addresses + text_size(p->id) + text_size(d->name) + text_size(d->place.file);
	struct registry_entry *e;
	struct spec_device *spec;
	uint64_t *bits;
	char *at;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	e = aligned_alloc(ALIGNMENT, size);
	if (!e)
		return NULL;
	memset(e, 0, size);
	bits = (uint64_t *)&e->nodes[d->address_count];
	set_bits(bits, &p->groups, groups);
	at = (char *)(bits + words);
	spec = put(&at, d, sizeof *d);
	spec->addresses = put(&at, d->addresses, addresses);
	spec->name = put_text(&at, d->name);
	spec->place.file = put_text(&at, d->place.file);
	e->device.spec = spec;
	e->device.id = put_text(&at, p->id);
	e->device.zone = spec->zone;
	e->device.kind = p->kind;
	e->device.order = (uint32_t)position;
	e->device.group_words = (uint16_t)words;
	e->device.groups = bits;
	e->device.first_groups = words ? bits[0] : 0;
	make_nodes(e);
	return e;
}

void registry_entry_free(struct registry_entry *e)
{
	if (!e)
		return;
	explicit_bzero((void *)e->device.spec->preshared_key, KEY_SIZE);
	free(e);
}

/* In constant time, as far as the values go. */
static bool same_secret(const uint8_t a[KEY_SIZE], const uint8_t b[KEY_SIZE])
{
	uint8_t difference = 0;

	for (size_t i = 0; i < KEY_SIZE; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static bool same_spec(const struct spec_device *a, const struct spec_device *b)
{
	if (memcmp(a->public_key, b->public_key, KEY_SIZE) != 0 || a->zone != b->zone ||
	    a->wireguard != b->wireguard || a->has_preshared_key != b->has_preshared_key ||
	    !same_secret(a->preshared_key, b->preshared_key) ||
	    a->address_count != b->address_count || strcmp(a->name, b->name) != 0)
		return false;
	for (size_t i = 0; i < a->address_count; i++) {
		if (!ip_addr_equal(&a->addresses[i], &b->addresses[i]))
			return false;
	}
	return true;
}

bool registry_entry_equal(const struct registry_entry *a, const struct registry_entry *b)
{
	const struct registry_device *x = &a->device, *y = &b->device;

	/* the order counts where one of several is chosen: among connectors */
	return x->principal == y->principal &&
	       (x->kind != PRINCIPAL_CONNECTOR || x->order == y->order) &&
	       x->group_words == y->group_words &&
	       (x->group_words == 0 ||
		memcmp(x->groups, y->groups, x->group_words * sizeof *x->groups) == 0) &&
	       same_spec(x->spec, y->spec);
}
