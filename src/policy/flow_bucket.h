/* SPDX-License-Identifier: ISC */
/*
 * A bucket of the flow table. What a look-up reads first, a few bits of each entry's hash, lies in
 * one cache line together with the entries' sequence numbers; each entry fills one more. So a miss
 * costs one line and a hit two. Private to the policy layer.
 */
#ifndef TUND_POLICY_FLOW_BUCKET_H
#define TUND_POLICY_FLOW_BUCKET_H

#include <stdatomic.h>

#include <tund/policy/flow.h>

#include "flow_tuple.h"

#define WAYS 8

/* Of an entry, behind the words of its tuple. */
enum {
	WORD_DEVICES = TUPLE_WORDS, /* client, next hop, route */
	WORD_POLICY,                /* generations of the rules and of the client */
	WORD_STATE,                 /* sequence & 0xffff, state, expiry */
	WORD_COUNT,
};

/* Expiry is kept in milliseconds. */
#define EXPIRY_BITS 44
#define EXPIRY_MASK ((UINT64_C(1) << EXPIRY_BITS) - 1)

/* Of WORD_DEVICES, from the top: a device has 23 bits (REGISTRY_MAX), a route 18, all of them set
 * for none (POLICY_MAX_ROUTES). */
#define CLIENT_SHIFT 41
#define NEXT_HOP_SHIFT 18
#define DEVICE_MASK ((UINT64_C(1) << 23) - 1)
#define ROUTE_MASK ((UINT64_C(1) << 18) - 1)

struct bucket {
	_Alignas(64) _Atomic uint32_t tag[WAYS]; /* 0: empty */
	_Atomic uint32_t sequence[WAYS];
	_Atomic uint64_t word[WAYS][WORD_COUNT];
};

static inline uint64_t way_word(const struct bucket *b, size_t way, size_t word)
{
	return atomic_load_explicit(&b->word[way][word], memory_order_relaxed);
}

static inline enum flow_state state_of(uint64_t word)
{
	return (enum flow_state)(word >> EXPIRY_BITS & 15);
}

static inline uint64_t expiry_of(uint64_t word)
{
	return word & EXPIRY_MASK;
}

static inline bool same_tuple(const uint64_t *a, const uint64_t *b)
{
	for (size_t w = 0; w < TUPLE_WORDS; w++) {
		if (a[w] != b[w])
			return false;
	}
	return true;
}

static inline uint32_t client_of(uint64_t devices)
{
	return (uint32_t)(devices >> CLIENT_SHIFT);
}

static inline uint32_t next_hop_of(uint64_t devices)
{
	return (uint32_t)(devices >> NEXT_HOP_SHIFT & DEVICE_MASK);
}

/* The device that must be the sender in this direction. */
static inline uint32_t sender_of(const uint64_t *word, enum flow_direction direction)
{
	return direction == FLOW_ORIGINAL ? client_of(word[WORD_DEVICES])
					  : next_hop_of(word[WORD_DEVICES]);
}

/*
 * The way that the flow of these words (tuple and devices) is to be written to: that of the same
 * tuple and client, else the one that would be missed least. Under the bucket's lock.
 */
size_t flow_choose_way(const struct bucket *b, uint32_t tag, const uint64_t *wanted,
		       uint64_t now_ms);

#endif
