/* SPDX-License-Identifier: ISC */
/* Which entry of a bucket makes room for a new flow. All of it under the bucket's lock. */
#include <tund/policy/flow.h>

#include "flow_bucket.h"

/* How little an entry would be missed: the higher, the less. */
static uint64_t expendability(const struct bucket *b, size_t way, uint64_t now_ms)
{
	uint64_t word = way_word(b, way, WORD_STATE);
	bool kept = state_of(word) != FLOW_UNANSWERED && state_of(word) != FLOW_CLOSING;

	if (expiry_of(word) <= now_ms)
		return UINT64_MAX;
	return (EXPIRY_MASK - expiry_of(word)) | (kept ? 0 : EXPIRY_MASK + 1);
}

/* Which entries are in use, as bits; or only those of one client. */
static unsigned used_ways(const struct bucket *b)
{
	unsigned ways = 0;

	for (size_t i = 0; i < WAYS; i++)
		ways |= (unsigned)(atomic_load_explicit(&b->tag[i], memory_order_relaxed) != 0)
			<< i;
	return ways;
}

static unsigned ways_of(const struct bucket *b, unsigned among, const uint64_t *wanted)
{
	unsigned ways = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if ((among & (1u << i)) &&
		    client_of(way_word(b, i, WORD_DEVICES)) == client_of(wanted[WORD_DEVICES]))
			ways |= 1u << i;
	}
	return ways;
}

/* The entry of this tuple and client; WAYS if there is none. */
static size_t way_of(const struct bucket *b, uint32_t tag, const uint64_t *wanted)
{
	for (size_t i = 0; i < WAYS; i++) {
		size_t w = 0;

		if (atomic_load_explicit(&b->tag[i], memory_order_relaxed) != tag ||
		    !ways_of(b, 1u << i, wanted))
			continue;
		while (w < TUPLE_WORDS && way_word(b, i, w) == wanted[w])
			w++;
		if (w == TUPLE_WORDS)
			return i;
	}
	return WAYS;
}

/* In a bucket that is full. A client that has half of it pushes out its own: a flood of one leaves
 * the flows of others alone. */
static size_t evict(const struct bucket *b, const uint64_t *wanted, uint64_t now_ms)
{
	unsigned own = ways_of(b, (1u << WAYS) - 1, wanted);
	bool has_its_share = __builtin_popcount(own) >= WAYS / 2;
	size_t best = 0;
	uint64_t most = 0;

	for (size_t i = 0; i < WAYS; i++) {
		uint64_t value = expendability(b, i, now_ms);

		if (has_its_share && value != UINT64_MAX && !(own & (1u << i)))
			continue;
		if (value > most) {
			most = value;
			best = i;
		}
	}
	return best;
}

size_t flow_choose_way(const struct bucket *b, uint32_t tag, const uint64_t *wanted,
		       uint64_t now_ms)
{
	size_t same = way_of(b, tag, wanted);
	unsigned used = used_ways(b);

	if (same < WAYS)
		return same;
	if (used != (1u << WAYS) - 1)
		return (size_t)__builtin_ctz(~used);
	return evict(b, wanted, now_ms);
}
