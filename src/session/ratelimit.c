/* SPDX-License-Identifier: ISC */
/*
 * Entries lie in one array that doubles, named by their number: chained in hash buckets, and in one
 * list from the most to the least recently used. An entry whose bucket of tokens is full again says
 * no more than no entry, so the oldest is used again before the array grows.
 */
#include "ratelimit.h"

#include <stdlib.h>

#include <tund/base/bytes.h>
#include <tund/base/time.h>

#define TOKEN_NS (NS_PER_SEC / RATELIMIT_PER_SECOND)
#define FULL_NS (RATELIMIT_BURST * TOKEN_NS)
#define FIRST_CAPACITY 64
#define NONE UINT32_MAX

struct source {
	uint64_t family;
	uint64_t bits; /* the IPv4 address, or the IPv6 /64 */
};

struct entry {
	struct source source;
	uint64_t balance_ns; /* tokens, each worth TOKEN_NS */
	uint64_t last_ns;    /* when balance_ns was right */
	uint32_t chain;      /* next in the bucket */
	uint32_t newer, older;
};

struct ratelimit {
	struct siphash_key key;
	struct entry *entries;
	uint32_t *buckets;        /* as many as there is room for entries */
	uint32_t count, capacity; /* capacity: 0 or a power of two */
	uint32_t newest, oldest;
};

struct ratelimit *ratelimit_new(const struct siphash_key *key)
{
	struct ratelimit *limit = calloc(1, sizeof *limit);

	if (limit)
		*limit = (struct ratelimit){.key = *key, .newest = NONE, .oldest = NONE};
	return limit;
}

void ratelimit_free(struct ratelimit *limit)
{
	if (!limit)
		return;
	free(limit->entries);
	free(limit->buckets);
	free(limit);
}

size_t ratelimit_count(const struct ratelimit *limit)
{
	return limit->count;
}

static struct source source_of(const struct ip_addr *addr)
{
	return (struct source){
		.family = addr->family,
		.bits = addr->family == 6 ? get_be64(addr->bytes) : get_be32(addr->bytes),
	};
}

static uint32_t *bucket_of(struct ratelimit *limit, const struct source *source)
{
	uint64_t words[] = {source->family, source->bits};

	return &limit->buckets[siphash_words(&limit->key, words, 2) & (limit->capacity - 1)];
}

static void chain_add(struct ratelimit *limit, uint32_t i)
{
	uint32_t *bucket = bucket_of(limit, &limit->entries[i].source);

	limit->entries[i].chain = *bucket;
	*bucket = i;
}

static void chain_remove(struct ratelimit *limit, uint32_t i)
{
	uint32_t *link = bucket_of(limit, &limit->entries[i].source);

	while (*link != i)
		link = &limit->entries[*link].chain;
	*link = limit->entries[i].chain;
}

static void use_remove(struct ratelimit *limit, uint32_t i)
{
	const struct entry *e = &limit->entries[i];

	*(e->newer == NONE ? &limit->newest : &limit->entries[e->newer].older) = e->older;
	*(e->older == NONE ? &limit->oldest : &limit->entries[e->older].newer) = e->newer;
}

static void use_add(struct ratelimit *limit, uint32_t i)
{
	limit->entries[i].newer = NONE;
	limit->entries[i].older = limit->newest;
	*(limit->newest == NONE ? &limit->oldest : &limit->entries[limit->newest].newer) = i;
	limit->newest = i;
}

/* Doubles the room and hashes anew. False, and nothing changed, when memory is out. */
static bool grow(struct ratelimit *limit)
{
	uint32_t capacity = limit->capacity ? limit->capacity * 2 : FIRST_CAPACITY;
	uint32_t *buckets = malloc(capacity * sizeof *buckets);
	struct entry *entries = realloc(limit->entries, capacity * sizeof *entries);

	if (entries)
		limit->entries = entries;
	if (!buckets || !entries) {
		free(buckets);
		return false;
	}
	free(limit->buckets);
	limit->buckets = buckets;
	limit->capacity = capacity;
	for (uint32_t i = 0; i < capacity; i++)
		buckets[i] = NONE;
	for (uint32_t i = 0; i < limit->count; i++)
		chain_add(limit, i);
	return true;
}

static uint64_t balance_at(const struct entry *e, uint64_t now_ns)
{
	uint64_t gained = now_ns > e->last_ns ? now_ns - e->last_ns : 0;

	return gained >= FULL_NS - e->balance_ns ? FULL_NS : e->balance_ns + gained;
}

static uint32_t find(struct ratelimit *limit, const struct source *source)
{
	uint32_t i = limit->capacity ? *bucket_of(limit, source) : NONE;

	while (i != NONE && (limit->entries[i].source.bits != source->bits ||
			     limit->entries[i].source.family != source->family))
		i = limit->entries[i].chain;
	return i;
}

/* Whether the least recently used entry is to be used again instead of one more. */
static bool oldest_is_spare(const struct ratelimit *limit, uint64_t now_ns)
{
	return limit->count == RATELIMIT_ENTRIES_MAX ||
	       (limit->oldest != NONE &&
		balance_at(&limit->entries[limit->oldest], now_ns) == FULL_NS);
}

/* A new entry with all its tokens, in no list of use; NONE when memory is out. */
static uint32_t add(struct ratelimit *limit, uint64_t now_ns, const struct source *source)
{
	uint32_t i;

	if (oldest_is_spare(limit, now_ns)) {
		i = limit->oldest;
		use_remove(limit, i);
		chain_remove(limit, i);
	} else if (limit->count < limit->capacity || grow(limit)) {
		i = limit->count++;
	} else {
		return NONE;
	}
	limit->entries[i] = (struct entry){
		.source = *source,
		.balance_ns = FULL_NS,
		.last_ns = now_ns,
	};
	chain_add(limit, i);
	return i;
}

bool ratelimit_allow(struct ratelimit *limit, uint64_t now_ns, const struct ip_addr *source)
{
	struct source key = source_of(source);
	uint32_t i = find(limit, &key);
	struct entry *e;

	if (i != NONE)
		use_remove(limit, i);
	else
		i = add(limit, now_ns, &key);
	if (i == NONE)
		return false;
	use_add(limit, i);
	e = &limit->entries[i];
	e->balance_ns = balance_at(e, now_ns);
	e->last_ns = now_ns;
	if (e->balance_ns < TOKEN_NS)
		return false;
	e->balance_ns -= TOKEN_NS;
	return true;
}
