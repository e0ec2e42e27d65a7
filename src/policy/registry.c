/* SPDX-License-Identifier: ISC */
/*
 * The tables of devices. An entry is complete before a release store links it, and readers load
 * links with acquire, so they see it whole. One that is unlinked keeps its own links: a reader that
 * stands on it goes on along them, over nodes that are retired later than it, until it leaves the
 * epoch. A device's new addresses are linked before its old ones go, and behind them in their lists,
 * so that one that stays is never missed.
 */
#include <tund/policy/registry.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/policy/words.h>

#include "names.h"
#include "registry_entry.h"

#define CHUNK 1024                /* numbers that are given room at once */
#define ADDRESS_BITS 17           /* buckets, as a power of two; what is not used costs no memory */
#define KEY_BITS 16
#define RESTING 256               /* numbers that are given up wait behind as many others */

struct chunk {
	struct registry_entry *_Atomic entry[CHUNK];
};

struct registry {
	struct epoch *epoch;
	_Atomic uint32_t version; /* the generation of the last change */
	struct chunk *_Atomic chunks[REGISTRY_MAX / CHUNK];
	struct registry_node *_Atomic *addresses;
	/* the owner's */
	struct registry_entry **keys;
	struct names groups, principals;
	uint32_t limit, count;
	uint32_t *given_up; /* a ring with room for every number */
	uint32_t ring_size, ring_first, ring_count;
};

struct registry *registry_new(struct epoch *epoch)
{
	struct registry *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->epoch = epoch;
	r->addresses = calloc((size_t)1 << ADDRESS_BITS, sizeof *r->addresses);
	r->keys = calloc((size_t)1 << KEY_BITS, sizeof(struct registry_entry *));
	if (!r->addresses || !r->keys || names_init(&r->groups) < 0 ||
	    names_init(&r->principals) < 0) {
		registry_free(r);
		return NULL;
	}
	return r;
}

static struct registry_entry *entry_at(const struct registry *r, uint32_t number)
{
	struct chunk *c;

	if (number >= REGISTRY_MAX)
		return NULL;
	c = atomic_load_explicit(&r->chunks[number / CHUNK], memory_order_acquire);
	return c ? atomic_load_explicit(&c->entry[number % CHUNK], memory_order_acquire) : NULL;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (uint32_t i = 0; i < r->limit; i++)
		registry_entry_free(entry_at(r, i));
	for (size_t i = 0; i < REGISTRY_MAX / CHUNK; i++)
		free(atomic_load_explicit(&r->chunks[i], memory_order_relaxed));
	names_clear(&r->groups);
	names_clear(&r->principals);
	free(r->addresses);
	free(r->keys);
	free(r->given_up);
	free(r);
}

const struct registry_device *registry_device(const struct registry *r, uint32_t number)
{
	const struct registry_entry *e = entry_at(r, number);

	return e ? &e->device : NULL;
}

/* What is compared of an address. */
struct wanted {
	uint64_t word[2], kind;
};

static struct wanted wanted_of(uint32_t zone, const struct ip_addr *a)
{
	return (struct wanted){
		.word = {get_be64(a->bytes), get_be64(a->bytes + 8)},
		.kind = (uint64_t)zone << 8 | a->family,
	};
}

static bool is_wanted(const struct registry_node *n, const struct wanted *w)
{
	return n->word[0] == w->word[0] && n->word[1] == w->word[1] && n->kind == w->kind;
}

/* Addresses that follow each other, as those of a pool do, have buckets that do, and so share cache
 * lines; all but the last bits are mixed by multiplication (Knuth 6.4). */
static struct registry_node *_Atomic *bucket_of(const struct registry *r, uint64_t kind,
						const uint64_t word[2])
{
	uint64_t last = word[1] + (word[0] >> 32) * ((kind & 0xff) == 4);
	uint64_t rest = (word[0] * ((kind & 0xff) != 4) ^ last >> ADDRESS_BITS ^ kind << 48) *
			UINT64_C(0x9e3779b97f4a7c15);

	return &r->addresses[(last + (rest >> 32)) % (1u << ADDRESS_BITS)];
}

bool registry_holds(const struct registry_device *d, const struct ip_addr *a)
{
	const struct registry_entry *e =
		(const void *)((const char *)d - offsetof(struct registry_entry, device));
	const struct wanted w = wanted_of(d->zone, a);

	for (uint32_t i = 0; i < e->node_count; i++) {
		if (is_wanted(&e->nodes[i], &w))
			return true;
	}
	return false;
}

const struct registry_device *registry_by_address(const struct registry *r, uint32_t zone,
						  const struct ip_addr *a)
{
	const struct wanted w = wanted_of(zone, a);
	const struct registry_node *n =
		atomic_load_explicit(bucket_of(r, w.kind, w.word), memory_order_acquire);

	while (n && !is_wanted(n, &w))
		n = atomic_load_explicit(&n->next, memory_order_acquire);
	return n ? n->device : NULL;
}

uint32_t registry_version(const struct registry *r)
{
	return atomic_load_explicit(&r->version, memory_order_acquire);
}

static struct registry_entry **key_chain(const struct registry *r, const uint8_t key[KEY_SIZE])
{
	uint64_t mix = 0;

	for (size_t i = 0; i < KEY_SIZE; i += 8)
		mix = (mix ^ mix >> 32 ^ get_be64(key + i)) * UINT64_C(0x9e3779b97f4a7c15);
	return &r->keys[mix >> (64 - KEY_BITS)];
}

static struct registry_entry *entry_by_key(const struct registry *r, const uint8_t key[KEY_SIZE])
{
	struct registry_entry *e = *key_chain(r, key);

	while (e && memcmp(e->device.spec->public_key, key, KEY_SIZE) != 0)
		e = e->next_key;
	return e;
}

const struct registry_device *registry_by_key(const struct registry *r,
					      const uint8_t key[KEY_SIZE])
{
	const struct registry_entry *e = entry_by_key(r, key);

	return e ? &e->device : NULL;
}

uint32_t registry_limit(const struct registry *r)
{
	return r->limit;
}

uint32_t registry_count(const struct registry *r)
{
	return r->count;
}

/* Room to give up `limit` + 1 numbers. */
static int reserve_ring(struct registry *r)
{
	uint32_t size = r->ring_size ? r->ring_size * 2 : CHUNK, *ring;

	if (r->limit < r->ring_size)
		return 0;
	ring = calloc(size, sizeof *ring);
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->ring_count; i++)
		ring[i] = r->given_up[(r->ring_first + i) % r->ring_size];
	free(r->given_up);
	r->given_up = ring;
	r->ring_size = size;
	r->ring_first = 0;
	return 0;
}

static int take_number(struct registry *r, uint32_t *out)
{
	struct chunk *c;

	if (r->ring_count > RESTING) {
		*out = r->given_up[r->ring_first];
		r->ring_first = (r->ring_first + 1) % r->ring_size;
		r->ring_count--;
		return 0;
	}
	if (r->limit == REGISTRY_MAX)
		return -ENOSPC;
	if (reserve_ring(r) < 0)
		return -ENOMEM;
	if (r->limit % CHUNK == 0) {
		c = calloc(1, sizeof *c);
		if (!c)
			return -ENOMEM;
		atomic_store_explicit(&r->chunks[r->limit / CHUNK], c, memory_order_release);
	}
	*out = r->limit++;
	return 0;
}

static void give_up_number(struct registry *r, uint32_t number)
{
	r->given_up[(r->ring_first + r->ring_count++) % r->ring_size] = number;
}

/* A principal's name among numbers: no two kinds share one. */
static const char *principal_name(enum principal_kind kind, const char *id,
				  char text[POLICY_MAX_TEXT + 16])
{
	size_t n = strlen(word_kinds[kind]), len = strnlen(id, POLICY_MAX_TEXT);

	memcpy(text, word_kinds[kind], n);
	text[n] = ':';
	memcpy(text + n + 1, id, len);
	text[n + 1 + len] = '\0';
	return text;
}

static int prepare(struct registry *r, struct registry_entry *e)
{
	char name[POLICY_MAX_TEXT + 16];
	struct registry_device *d = &e->device;
	int err = 0;

	e->before = entry_by_key(r, d->spec->public_key);
	d->principal = names_use(&r->principals, principal_name(d->kind, d->id, name));
	if (d->principal == NAME_NONE)
		return -ENOMEM;
	if (e->before) {
		d->number = e->before->device.number;
		d->user = e->before->device.user;
	} else {
		err = take_number(r, &d->number);
	}
	if (err < 0)
		names_release(&r->principals, d->principal);
	return err;
}

int registry_prepare(struct registry *r, const struct spec_principal *p, size_t position,
		     struct registry_entry **out)
{
	struct registry_entry *e = registry_entry_new(p, position, &r->groups);
	int err = e ? prepare(r, e) : -ENOMEM;

	if (err < 0) {
		registry_entry_free(e);
		return err;
	}
	*out = e;
	if (e->before && registry_entry_equal(e, e->before)) {
		registry_discard(r, e);
		*out = NULL;
	}
	return 0;
}

const struct registry_device *registry_before(const struct registry_entry *e)
{
	return e->before ? &e->before->device : NULL;
}

const struct registry_device *registry_after(const struct registry_entry *e)
{
	return &e->device;
}

void registry_set_user(struct registry_entry *e, void *user)
{
	e->device.user = user;
}

void registry_discard(struct registry *r, struct registry_entry *e)
{
	names_release(&r->principals, e->device.principal);
	if (!e->before)
		give_up_number(r, e->device.number);
	registry_entry_free(e);
}

/* The node of the same address, or the end of its bucket's list. */
static struct registry_node *same_address(struct registry_node *at, const struct registry_node *n)
{
	while (at && !(at->word[0] == n->word[0] && at->word[1] == n->word[1] &&
		       at->kind == n->kind))
		at = atomic_load_explicit(&at->next, memory_order_relaxed);
	return at;
}

/* A node of an address that is there already stands behind that one, so that whoever comes by finds
 * either, also while the first is unlinked; any other stands at the head. */
static void link_addresses(struct registry *r, struct registry_entry *e)
{
	for (size_t i = 0; i < e->node_count; i++) {
		struct registry_node *n = &e->nodes[i], *same;
		struct registry_node *_Atomic *from = bucket_of(r, n->kind, n->word);

		same = same_address(atomic_load_explicit(from, memory_order_relaxed), n);
		if (same)
			from = &same->next;
		atomic_store_explicit(&n->next, atomic_load_explicit(from, memory_order_relaxed),
				      memory_order_relaxed);
		atomic_store_explicit(from, n, memory_order_release);
	}
}

static void unlink_addresses(struct registry *r, struct registry_entry *e)
{
	for (size_t i = 0; i < e->node_count; i++) {
		struct registry_node *n = &e->nodes[i], *at;
		struct registry_node *_Atomic *from = bucket_of(r, n->kind, n->word);

		while ((at = atomic_load_explicit(from, memory_order_relaxed)) != n)
			from = &at->next;
		atomic_store_explicit(from, atomic_load_explicit(&n->next, memory_order_relaxed),
				      memory_order_release);
	}
}

static void unlink_key(struct registry *r, struct registry_entry *e)
{
	struct registry_entry **at = key_chain(r, e->device.spec->public_key);

	while (*at != e)
		at = &(*at)->next_key;
	*at = e->next_key;
}

static void put_entry(struct registry *r, uint32_t number, struct registry_entry *e)
{
	struct chunk *c = atomic_load_explicit(&r->chunks[number / CHUNK], memory_order_relaxed);

	atomic_store_explicit(&c->entry[number % CHUNK], e, memory_order_release);
}

static void release(void *object)
{
	registry_entry_free(object);
}

/* Whatever readers could find it by is another's, or nobody's, by now; but for its addresses. */
static void retire(struct registry *r, struct registry_entry *e)
{
	unlink_addresses(r, e);
	unlink_key(r, e);
	names_release(&r->principals, e->device.principal);
	if (r->epoch)
		epoch_retire(r->epoch, &e->retired, release, e);
	else
		registry_entry_free(e);
}

static uint32_t next_generation(const struct registry *r)
{
	return atomic_load_explicit(&r->version, memory_order_relaxed) + 1;
}

void registry_commit(struct registry *r, struct registry_entry *e)
{
	struct registry_entry **chain = key_chain(r, e->device.spec->public_key);
	struct registry_entry *before = e->before;

	e->device.generation = next_generation(r);
	e->before = NULL;
	link_addresses(r, e);
	put_entry(r, e->device.number, e);
	e->next_key = *chain;
	*chain = e;
	if (before)
		retire(r, before);
	else
		r->count++;
	atomic_store_explicit(&r->version, e->device.generation, memory_order_release);
}

bool registry_is_same_to(const struct registry_entry *e, uint32_t groups)
{
	const struct registry_device *a = &e->device, *b = registry_before(e);

	if (!b || a->principal != b->principal || a->zone != b->zone ||
	    a->spec->address_count != b->spec->address_count)
		return false;
	for (size_t i = 0; i < a->spec->address_count; i++) {
		if (!registry_holds(b, &a->spec->addresses[i]))
			return false;
	}
	for (uint32_t bit = 0; bit < groups; bit++) {
		if (registry_in_group(a, bit) != registry_in_group(b, bit))
			return false;
	}
	return true;
}

void registry_suspend(struct registry *r, uint32_t number)
{
	put_entry(r, number, NULL);
	atomic_store_explicit(&r->version, next_generation(r), memory_order_release);
}

void registry_remove(struct registry *r, uint32_t number)
{
	struct registry_entry *e = entry_at(r, number);

	if (!e)
		return;
	put_entry(r, number, NULL);
	retire(r, e);
	give_up_number(r, number);
	r->count--;
	atomic_store_explicit(&r->version, next_generation(r), memory_order_release);
}

uint32_t registry_group(struct registry *r, const char *group)
{
	return names_pin(&r->groups, group);
}

uint32_t registry_group_count(const struct registry *r)
{
	return r->groups.count;
}

uint32_t registry_principal(struct registry *r, enum principal_kind kind, const char *id)
{
	char name[POLICY_MAX_TEXT + 16];

	return names_pin(&r->principals, principal_name(kind, id, name));
}
