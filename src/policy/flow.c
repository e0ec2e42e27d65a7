/* SPDX-License-Identifier: ISC */
/*
 * The flow table: finding and changing entries; flow_choose.c says which one a new flow replaces.
 * Readers copy an entry between two reads of its sequence number, which is odd while a writer is at
 * it. Every word is atomic. The loads of the copied words are acquire and the stores release:
 * whoever sees a new word also sees the odd sequence number before it. State and expiry share one
 * word with the low bits of the sequence number, so that a packet can move them on without a lock
 * and never touches an entry that has become another's.
 */
#include <tund/policy/flow.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/inner.h>

#include "flow_bucket.h"

#define LOCKS 64         /* a power of two; a bucket's lock is found by its number */
#define READ_ATTEMPTS 64 /* then it counts as not found, and the packet is judged anew */

/* Expiry moves in steps, to keep the cache line shared. */
#define EXPIRY_STEP_MS 1000

struct flow_table {
	struct bucket *buckets; /* in `memory`, aligned */
	void *memory;
	size_t mask; /* number of buckets - 1 */
	struct siphash_key key;
	pthread_mutex_t locks[LOCKS];
};

struct flow_table *flow_table_new(size_t capacity, const struct siphash_key *key)
{
	struct flow_table *t = calloc(1, sizeof *t);
	size_t n = 1;

	while (n < capacity / WAYS + (capacity % WAYS != 0))
		n *= 2;
	if (!t)
		return NULL;
	/* calloc() leaves pages that are not used to the system, aligned_alloc() could not */
	t->memory = calloc(n + 1, sizeof *t->buckets);
	if (!t->memory) {
		free(t);
		return NULL;
	}
	t->buckets = (void *)(((uintptr_t)t->memory + _Alignof(struct bucket) - 1) &
			      ~(uintptr_t)(_Alignof(struct bucket) - 1));
	t->mask = n - 1;
	t->key = *key;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&t->locks[i], NULL);
	return t;
}

void flow_table_free(struct flow_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&t->locks[i]);
	free(t->memory);
	explicit_bzero(&t->key, sizeof t->key);
	free(t);
}

static uint64_t pack_state(uint64_t sequence, enum flow_state state, uint64_t expiry_ms)
{
	return sequence << 48 | (uint64_t)state << EXPIRY_BITS | (expiry_ms & EXPIRY_MASK);
}

static uint64_t lifetime_ns(uint8_t proto, enum flow_state state)
{
	switch (proto) {
	case PROTO_TCP:
		if (state == FLOW_UNANSWERED)
			return FLOW_TCP_OPENING_NS;
		return state == FLOW_CLOSING ? FLOW_TCP_CLOSING_NS : FLOW_TCP_ESTABLISHED_NS;
	case PROTO_UDP:
		return state == FLOW_UNANSWERED ? FLOW_UDP_UNANSWERED_NS : FLOW_UDP_ANSWERED_NS;
	case PROTO_ICMP:
	case PROTO_ICMPV6:
		return FLOW_ICMP_NS;
	}
	return FLOW_OTHER_NS;
}

static uint64_t expiry_ms(uint64_t now_ns, uint8_t proto, enum flow_state state)
{
	return (now_ns + lifetime_ns(proto, state)) / NS_PER_MS;
}

/* The words of the tuple that the other direction has. */
static void reverse_words(const uint64_t word[TUPLE_WORDS], uint64_t out[TUPLE_WORDS])
{
	uint64_t ports = word[WORD_PORTS];

	out[WORD_SRC_HIGH] = word[WORD_DST_HIGH];
	out[WORD_SRC_LOW] = word[WORD_DST_LOW];
	out[WORD_DST_HIGH] = word[WORD_SRC_HIGH];
	out[WORD_DST_LOW] = word[WORD_SRC_LOW];
	out[WORD_PORTS] = ports << 16 >> 48 << 48 | ports >> 48 << 32 | (uint32_t)ports;
}

static void unpack_tuple(const uint64_t *word, struct flow_tuple *t)
{
	t->src.family = t->dst.family = (uint8_t)word[WORD_PORTS];
	put_be64(t->src.bytes, word[WORD_SRC_HIGH]);
	put_be64(t->src.bytes + 8, word[WORD_SRC_LOW]);
	put_be64(t->dst.bytes, word[WORD_DST_HIGH]);
	put_be64(t->dst.bytes + 8, word[WORD_DST_LOW]);
	t->src_port = (uint16_t)(word[WORD_PORTS] >> 48);
	t->dst_port = (uint16_t)(word[WORD_PORTS] >> 32);
	t->zone = (uint16_t)(word[WORD_PORTS] >> 16);
	t->proto = (uint8_t)(word[WORD_PORTS] >> 8);
}

static bool words_before(const uint64_t *a, const uint64_t *b)
{
	for (size_t w = 0; w < TUPLE_WORDS; w++) {
		if (a[w] != b[w])
			return a[w] < b[w];
	}
	return false;
}

/* The same for both directions: of the two, the lesser is hashed. IPv4 needs two words only. */
static uint64_t hash_of(const struct flow_table *t, const uint64_t *word, const uint64_t *back)
{
	const uint64_t *w = words_before(word, back) ? word : back;
	const uint64_t v4[] = {w[WORD_SRC_HIGH] | w[WORD_DST_HIGH] >> 32, w[WORD_PORTS]};

	if ((uint8_t)w[WORD_PORTS] == 4)
		return siphash_words(&t->key, v4, sizeof v4 / sizeof *v4);
	return siphash_words(&t->key, w, TUPLE_WORDS);
}

/* What a bucket remembers of a hash; never 0. Its other half chooses the bucket. */
static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)hash | 1;
}

static struct bucket *bucket_of(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[(hash >> 32) & t->mask];
}

static pthread_mutex_t *lock_of(struct flow_table *t, const struct bucket *b)
{
	return &t->locks[(size_t)(b - t->buckets) % LOCKS];
}

/* Copies an entry whole; false if a writer is at it again and again. */
static bool way_read(const struct bucket *b, size_t way, uint32_t *sequence,
		     uint64_t word[WORD_COUNT])
{
	for (int i = 0; i < READ_ATTEMPTS; i++) {
		*sequence = atomic_load_explicit(&b->sequence[way], memory_order_acquire);
		for (size_t w = 0; w < WORD_COUNT; w++)
			word[w] = atomic_load_explicit(&b->word[way][w], memory_order_acquire);
		if (!(*sequence & 1) &&
		    atomic_load_explicit(&b->sequence[way], memory_order_relaxed) == *sequence)
			return true;
	}
	return false;
}

/* Under the bucket's lock. */
static void way_write(struct bucket *b, size_t way, const uint64_t word[WORD_COUNT])
{
	uint32_t sequence = atomic_load_explicit(&b->sequence[way], memory_order_relaxed);

	atomic_store_explicit(&b->sequence[way], sequence + 1, memory_order_relaxed);
	for (size_t w = 0; w < WORD_COUNT; w++)
		atomic_store_explicit(&b->word[way][w], word[w], memory_order_release);
	atomic_store_explicit(&b->sequence[way], sequence + 2, memory_order_release);
}

static void fill_flow(const uint64_t *word, uint32_t sequence, uint64_t slot, struct flow *out)
{
	unpack_tuple(word, &out->tuple);
	out->client = client_of(word[WORD_DEVICES]);
	out->next_hop = next_hop_of(word[WORD_DEVICES]);
	out->route = (uint32_t)(word[WORD_DEVICES] & ROUTE_MASK);
	if (out->route == ROUTE_MASK)
		out->route = UINT32_MAX;
	out->generation = (uint32_t)(word[WORD_POLICY] >> 32);
	out->client_generation = (uint32_t)word[WORD_POLICY];
	out->state = state_of(word[WORD_STATE]);
	out->slot = slot;
	out->sequence = sequence;
}

/* As `device`: whoever sent it. */
#define ANY_SENDER UINT32_MAX

/* The packet that is looked for: its tuple as both directions would store it. */
struct wanted {
	uint64_t original[TUPLE_WORDS], reply[TUPLE_WORDS];
	uint32_t device;
	unsigned directions;
};

/* The direction in which an entry is the packet's, or 0. */
static unsigned match(const struct wanted *w, const uint64_t *word)
{
	unsigned direction = same_tuple(word, w->original) ? FLOW_ORIGINAL
			     : same_tuple(word, w->reply)  ? FLOW_REPLY
							   : 0;

	if (!(direction & w->directions))
		return 0;
	if (w->device != ANY_SENDER && sender_of(word, (enum flow_direction)direction) != w->device)
		return 0;
	return direction;
}

/* A miss is mostly followed by flow_insert(), which weighs the entries of a full bucket against each
 * other: they are fetched while the policy is asked. */
static void expect_insert(const struct bucket *b)
{
	for (size_t i = 0; i < WAYS; i++)
		__builtin_prefetch(&b->word[i], 1);
}

static bool find(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
		 uint32_t device, unsigned directions, struct flow *out,
		 enum flow_direction *direction)
{
	struct wanted w = {.device = device, .directions = directions};
	uint64_t hash, word[WORD_COUNT];
	const struct bucket *b;

	flow_pack_tuple(tuple, w.original);
	reverse_words(w.original, w.reply);
	hash = hash_of(t, w.original, w.reply);
	b = bucket_of(t, hash);
	for (size_t i = 0; i < WAYS; i++) {
		uint32_t sequence;
		unsigned found;

		if (atomic_load_explicit(&b->tag[i], memory_order_acquire) != tag_of(hash) ||
		    !way_read(b, i, &sequence, word) ||
		    expiry_of(word[WORD_STATE]) <= now_ns / NS_PER_MS)
			continue;
		found = match(&w, word);
		if (!found)
			continue;
		fill_flow(word, sequence, (uint64_t)(b - t->buckets) * WAYS + i, out);
		*direction = (enum flow_direction)found;
		return true;
	}
	expect_insert(b);
	return false;
}

bool flow_find(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
	       uint32_t device, unsigned directions, struct flow *out,
	       enum flow_direction *direction)
{
	return device != ANY_SENDER && find(t, now_ns, tuple, device, directions, out, direction);
}

bool flow_exists(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
		 enum flow_direction direction)
{
	enum flow_direction found;
	struct flow flow;

	return find(t, now_ns, tuple, ANY_SENDER, direction, &flow, &found);
}

static void pack_policy(const struct flow *flow, uint64_t word[WORD_COUNT])
{
	word[WORD_DEVICES] = (uint64_t)flow->client << CLIENT_SHIFT |
			     (uint64_t)flow->next_hop << NEXT_HOP_SHIFT |
			     (flow->route & ROUTE_MASK);
	word[WORD_POLICY] = (uint64_t)flow->generation << 32 | flow->client_generation;
}

void flow_insert(struct flow_table *t, uint64_t now_ns, const struct flow *flow)
{
	uint64_t hash, word[WORD_COUNT], back[TUPLE_WORDS];
	pthread_mutex_t *lock;
	struct bucket *b;
	uint32_t sequence;
	size_t way;

	flow_pack_tuple(&flow->tuple, word);
	pack_policy(flow, word);
	reverse_words(word, back);
	hash = hash_of(t, word, back);
	b = bucket_of(t, hash);
	lock = lock_of(t, b);
	pthread_mutex_lock(lock);
	way = flow_choose_way(b, tag_of(hash), word, now_ns / NS_PER_MS);
	sequence = atomic_load_explicit(&b->sequence[way], memory_order_relaxed) + 2;
	word[WORD_STATE] = pack_state(sequence, flow->state,
				      expiry_ms(now_ns, flow->tuple.proto, flow->state));
	way_write(b, way, word);
	atomic_store_explicit(&b->tag[way], tag_of(hash), memory_order_release);
	pthread_mutex_unlock(lock);
}

/* Whether the entry is still the one that `flow` was read from. */
static bool way_is(const struct bucket *b, const struct flow *flow)
{
	return atomic_load_explicit(&b->sequence[flow->slot % WAYS], memory_order_acquire) ==
	       flow->sequence;
}

bool flow_is_current(const struct flow_table *t, uint64_t now_ns, const struct flow *flow)
{
	const struct bucket *b = &t->buckets[flow->slot / WAYS];
	uint64_t state = atomic_load_explicit(&b->word[flow->slot % WAYS][WORD_STATE],
					      memory_order_acquire);

	return state >> 48 == (flow->sequence & 0xffff) &&
	       expiry_of(state) > now_ns / NS_PER_MS && way_is(b, flow);
}

static enum flow_state next_tcp_state(enum flow_state state, enum flow_direction direction,
				      uint8_t flags)
{
	bool original = direction == FLOW_ORIGINAL;

	if (flags & TCP_RST)
		return FLOW_CLOSING;
	if (flags & TCP_FIN) {
		enum flow_state mine = original ? FLOW_FIN_FROM_CLIENT : FLOW_FIN_FROM_PEER;
		enum flow_state other = original ? FLOW_FIN_FROM_PEER : FLOW_FIN_FROM_CLIENT;

		return state == other || state == FLOW_CLOSING ? FLOW_CLOSING : mine;
	}
	if (original && (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
		return state == FLOW_ANSWERED ? state : FLOW_UNANSWERED;
	return !original && state == FLOW_UNANSWERED ? FLOW_ANSWERED : state;
}

static enum flow_state next_state(uint8_t proto, enum flow_state state,
				  enum flow_direction direction, uint8_t flags)
{
	if (proto == PROTO_TCP)
		return next_tcp_state(state, direction, flags);
	return direction == FLOW_REPLY ? FLOW_ANSWERED : state;
}

void flow_touch(struct flow_table *t, uint64_t now_ns, const struct flow *flow,
		enum flow_direction direction, uint8_t tcp_flags)
{
	struct bucket *b = &t->buckets[flow->slot / WAYS];
	_Atomic uint64_t *at = &b->word[flow->slot % WAYS][WORD_STATE];
	uint64_t old = atomic_load_explicit(at, memory_order_relaxed), new;

	do {
		enum flow_state state =
			next_state(flow->tuple.proto, state_of(old), direction, tcp_flags);
		uint64_t expiry = expiry_ms(now_ns, flow->tuple.proto, state);

		if (old >> 48 != (flow->sequence & 0xffff))
			return;
		if (state == state_of(old) && expiry < expiry_of(old) + EXPIRY_STEP_MS)
			return;
		new = pack_state(flow->sequence, state, expiry);
	} while (!atomic_compare_exchange_weak_explicit(at, &old, new, memory_order_release,
							memory_order_relaxed));
}

/* The bucket of a flow, locked, if the entry is still this flow's; else NULL, not locked. */
static struct bucket *lock_flow(struct flow_table *t, const struct flow *flow)
{
	struct bucket *b = &t->buckets[flow->slot / WAYS];

	pthread_mutex_lock(lock_of(t, b));
	if (way_is(b, flow))
		return b;
	pthread_mutex_unlock(lock_of(t, b));
	return NULL;
}

void flow_renew(struct flow_table *t, struct flow *flow)
{
	struct bucket *b = lock_flow(t, flow);
	size_t way = flow->slot % WAYS;
	uint64_t word[WORD_COUNT];

	if (!b)
		return;
	for (size_t w = 0; w < WORD_COUNT; w++)
		word[w] = way_word(b, way, w);
	pack_policy(flow, word);
	flow->sequence = (uint32_t)flow->sequence + 2u;
	word[WORD_STATE] = pack_state(flow->sequence, state_of(word[WORD_STATE]),
				      expiry_of(word[WORD_STATE]));
	way_write(b, way, word);
	pthread_mutex_unlock(lock_of(t, b));
}

void flow_remove(struct flow_table *t, const struct flow *flow)
{
	static const uint64_t nothing[WORD_COUNT];
	struct bucket *b = lock_flow(t, flow);

	if (!b)
		return;
	atomic_store_explicit(&b->tag[flow->slot % WAYS], 0, memory_order_release);
	way_write(b, flow->slot % WAYS, nothing);
	pthread_mutex_unlock(lock_of(t, b));
}

size_t flow_count(const struct flow_table *t, uint64_t now_ns)
{
	size_t count = 0;

	for (size_t i = 0; i <= t->mask; i++) {
		for (size_t way = 0; way < WAYS; way++) {
			const struct bucket *b = &t->buckets[i];

			count += atomic_load_explicit(&b->tag[way], memory_order_relaxed) &&
				 expiry_of(way_word(b, way, WORD_STATE)) > now_ns / NS_PER_MS;
		}
	}
	return count;
}
