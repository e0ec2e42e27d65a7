/* SPDX-License-Identifier: ISC */
/*
 * The flow table. A bucket has WAYS entries; next to each lies its hash, so that a miss touches one
 * cache line. Readers copy an entry between two reads of its sequence number, which is odd while a
 * writer is at it. Every word is atomic. The loads of the copied words are acquire and the stores
 * release: whoever sees a new word also sees the odd sequence number before it. State and expiry
 * share one word with the low bits of the sequence number, so that a packet can move them on
 * without a lock and never touches an entry that has become another's.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/policy/flow.h>
#include <tund/wire/inner.h>

#define WAYS 8
#define LOCKS 64         /* a power of two; a bucket's lock is found by its number */
#define READ_ATTEMPTS 64 /* then it counts as not found, and the packet is judged anew */

/* Expiry is kept in milliseconds; it moves in steps, to keep the cache line shared. */
#define EXPIRY_BITS 44
#define EXPIRY_MASK ((UINT64_C(1) << EXPIRY_BITS) - 1)
#define EXPIRY_STEP_MS 1000

enum {
	WORD_SRC_HIGH,
	WORD_SRC_LOW,
	WORD_DST_HIGH,
	WORD_DST_LOW,
	WORD_PORTS,   /* source port, destination port, protocol, family */
	WORD_DEVICES, /* client, next hop */
	WORD_POLICY,  /* route, generation */
	WORD_STATE,   /* sequence & 0xffff, state, expiry */
	WORD_COUNT,
};

struct slot {
	_Atomic uint64_t sequence;
	_Atomic uint64_t word[WORD_COUNT];
};

struct bucket {
	_Atomic uint64_t hash[WAYS]; /* 0: empty */
	struct slot slot[WAYS];
};

struct flow_table {
	struct bucket *buckets;
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
	t->buckets = calloc(n, sizeof *t->buckets);
	if (!t->buckets) {
		free(t);
		return NULL;
	}
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
	free(t->buckets);
	explicit_bzero(&t->key, sizeof t->key);
	free(t);
}

static uint64_t pack_state(uint64_t sequence, enum flow_state state, uint64_t expiry_ms)
{
	return sequence << 48 | (uint64_t)state << EXPIRY_BITS | (expiry_ms & EXPIRY_MASK);
}

static enum flow_state state_of(uint64_t word)
{
	return (enum flow_state)(word >> EXPIRY_BITS & 15);
}

static uint64_t expiry_of(uint64_t word)
{
	return word & EXPIRY_MASK;
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

static struct flow_tuple reversed(const struct flow_tuple *t)
{
	return (struct flow_tuple){
		.src = t->dst,
		.dst = t->src,
		.src_port = t->dst_port,
		.dst_port = t->src_port,
		.proto = t->proto,
	};
}

static void pack_tuple(const struct flow_tuple *t, uint64_t word[WORD_PORTS + 1])
{
	word[WORD_SRC_HIGH] = get_be64(t->src.bytes);
	word[WORD_SRC_LOW] = get_be64(t->src.bytes + 8);
	word[WORD_DST_HIGH] = get_be64(t->dst.bytes);
	word[WORD_DST_LOW] = get_be64(t->dst.bytes + 8);
	word[WORD_PORTS] = (uint64_t)t->src_port << 48 | (uint64_t)t->dst_port << 32 |
			   (uint64_t)t->proto << 8 | t->src.family;
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
	t->proto = (uint8_t)(word[WORD_PORTS] >> 8);
}

/* The same for both directions, and never 0. */
static uint64_t hash_of(const struct flow_table *t, const struct flow_tuple *tuple)
{
	int order = ip_addr_compare(&tuple->src, &tuple->dst);
	uint64_t word[WORD_PORTS + 1];
	struct flow_tuple back;

	if (order > 0 || (order == 0 && tuple->src_port > tuple->dst_port)) {
		back = reversed(tuple);
		tuple = &back;
	}
	pack_tuple(tuple, word);
	return siphash_words(&t->key, word, WORD_PORTS + 1) | 1;
}

static struct bucket *bucket_of(const struct flow_table *t, uint64_t hash)
{
	return &t->buckets[(hash >> 1) & t->mask];
}

static pthread_mutex_t *lock_of(struct flow_table *t, const struct bucket *b)
{
	return &t->locks[(size_t)(b - t->buckets) % LOCKS];
}

/* Copies an entry whole; false if a writer is at it again and again. */
static bool slot_read(const struct slot *s, uint64_t *sequence, uint64_t word[WORD_COUNT])
{
	for (int i = 0; i < READ_ATTEMPTS; i++) {
		*sequence = atomic_load_explicit(&s->sequence, memory_order_acquire);
		for (size_t w = 0; w < WORD_COUNT; w++)
			word[w] = atomic_load_explicit(&s->word[w], memory_order_acquire);
		if (!(*sequence & 1) &&
		    atomic_load_explicit(&s->sequence, memory_order_relaxed) == *sequence)
			return true;
	}
	return false;
}

/* Under the bucket's lock. */
static void slot_write(struct slot *s, const uint64_t word[WORD_COUNT])
{
	uint64_t sequence = atomic_load_explicit(&s->sequence, memory_order_relaxed);

	atomic_store_explicit(&s->sequence, sequence + 1, memory_order_relaxed);
	for (size_t w = 0; w < WORD_COUNT; w++)
		atomic_store_explicit(&s->word[w], word[w], memory_order_release);
	atomic_store_explicit(&s->sequence, sequence + 2, memory_order_release);
}

static bool same_tuple(const uint64_t *a, const uint64_t *b)
{
	for (size_t w = 0; w <= WORD_PORTS; w++) {
		if (a[w] != b[w])
			return false;
	}
	return true;
}

static void fill_flow(const uint64_t *word, uint64_t sequence, uint64_t slot, struct flow *out)
{
	unpack_tuple(word, &out->tuple);
	out->client = (uint32_t)(word[WORD_DEVICES] >> 32);
	out->next_hop = (uint32_t)word[WORD_DEVICES];
	out->route = (uint32_t)(word[WORD_POLICY] >> 32);
	out->generation = (uint32_t)word[WORD_POLICY];
	out->state = state_of(word[WORD_STATE]);
	out->slot = slot;
	out->sequence = sequence;
}

/* The device that must be the sender in this direction. */
static uint32_t sender_of(const uint64_t *word, enum flow_direction direction)
{
	return (uint32_t)(direction == FLOW_ORIGINAL ? word[WORD_DEVICES] >> 32
						     : word[WORD_DEVICES]);
}

/* As `device`: whoever sent it. */
#define ANY_SENDER UINT32_MAX

/* The packet that is looked for: its tuple as both directions would store it. */
struct wanted {
	uint64_t original[WORD_PORTS + 1], reply[WORD_PORTS + 1];
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

static bool find(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
		 uint32_t device, unsigned directions, struct flow *out,
		 enum flow_direction *direction)
{
	struct wanted w = {.device = device, .directions = directions};
	struct flow_tuple back = reversed(tuple);
	uint64_t hash = hash_of(t, tuple), word[WORD_COUNT], sequence;
	const struct bucket *b = bucket_of(t, hash);

	pack_tuple(tuple, w.original);
	pack_tuple(&back, w.reply);
	for (size_t i = 0; i < WAYS; i++) {
		unsigned found;

		if (atomic_load_explicit(&b->hash[i], memory_order_acquire) != hash ||
		    !slot_read(&b->slot[i], &sequence, word) ||
		    expiry_of(word[WORD_STATE]) <= now_ns / NS_PER_MS)
			continue;
		found = match(&w, word);
		if (!found)
			continue;
		fill_flow(word, sequence, (uint64_t)(b - t->buckets) * WAYS + i, out);
		*direction = (enum flow_direction)found;
		return true;
	}
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

/* How little an entry would be missed: the higher, the less. Under the bucket's lock. */
static uint64_t expendability(const struct bucket *b, size_t way, uint64_t now_ms)
{
	uint64_t word = atomic_load_explicit(&b->slot[way].word[WORD_STATE], memory_order_relaxed);
	bool kept = state_of(word) != FLOW_UNANSWERED && state_of(word) != FLOW_CLOSING;

	if (atomic_load_explicit(&b->hash[way], memory_order_relaxed) == 0)
		return UINT64_MAX;
	if (expiry_of(word) <= now_ms)
		return UINT64_MAX - 1;
	return (EXPIRY_MASK - expiry_of(word)) | (kept ? 0 : EXPIRY_MASK + 1);
}

/* Which live entries of a bucket are one client's, as bits. */
static unsigned ways_of(const struct bucket *b, uint32_t client)
{
	uint64_t sequence, word[WORD_COUNT];
	unsigned ways = 0;

	for (size_t i = 0; i < WAYS; i++) {
		if (atomic_load_explicit(&b->hash[i], memory_order_relaxed) != 0 &&
		    slot_read(&b->slot[i], &sequence, word) &&
		    sender_of(word, FLOW_ORIGINAL) == client)
			ways |= 1u << i;
	}
	return ways;
}

/* The entry of this tuple and client, among `ways`; WAYS if there is none. */
static size_t way_of(const struct bucket *b, uint64_t hash, const uint64_t *wanted, unsigned ways)
{
	uint64_t sequence, word[WORD_COUNT];

	for (size_t i = 0; i < WAYS; i++) {
		if ((ways & (1u << i)) &&
		    atomic_load_explicit(&b->hash[i], memory_order_relaxed) == hash &&
		    slot_read(&b->slot[i], &sequence, word) && same_tuple(word, wanted))
			return i;
	}
	return WAYS;
}

/*
 * The entry of this tuple and client, else the one that would be missed least. A client that has
 * half of the bucket pushes out its own: a flood of one leaves the flows of others alone.
 */
static size_t choose_way(const struct bucket *b, uint64_t hash, const uint64_t *wanted,
			 uint32_t client, uint64_t now_ms)
{
	unsigned own = ways_of(b, client);
	bool has_its_share = __builtin_popcount(own) >= WAYS / 2;
	size_t best = way_of(b, hash, wanted, own);
	uint64_t most = 0;

	if (best < WAYS)
		return best;
	for (size_t i = 0; i < WAYS; i++) {
		uint64_t value = expendability(b, i, now_ms);
		bool free = value >= UINT64_MAX - 1;

		if (has_its_share && !free && !(own & (1u << i)))
			continue;
		if (value > most) {
			most = value;
			best = i;
		}
	}
	return best;
}

static void pack_policy(const struct flow *flow, uint64_t word[WORD_COUNT])
{
	word[WORD_DEVICES] = (uint64_t)flow->client << 32 | flow->next_hop;
	word[WORD_POLICY] = (uint64_t)flow->route << 32 | flow->generation;
}

void flow_insert(struct flow_table *t, uint64_t now_ns, const struct flow *flow)
{
	uint64_t hash = hash_of(t, &flow->tuple), word[WORD_COUNT], sequence;
	struct bucket *b = bucket_of(t, hash);
	pthread_mutex_t *lock = lock_of(t, b);
	size_t way;

	pack_tuple(&flow->tuple, word);
	pack_policy(flow, word);
	pthread_mutex_lock(lock);
	way = choose_way(b, hash, word, flow->client, now_ns / NS_PER_MS);
	sequence = atomic_load_explicit(&b->slot[way].sequence, memory_order_relaxed) + 2;
	word[WORD_STATE] = pack_state(sequence, flow->state,
				      expiry_ms(now_ns, flow->tuple.proto, flow->state));
	slot_write(&b->slot[way], word);
	atomic_store_explicit(&b->hash[way], hash, memory_order_release);
	pthread_mutex_unlock(lock);
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
	struct slot *s = &t->buckets[flow->slot / WAYS].slot[flow->slot % WAYS];
	_Atomic uint64_t *at = &s->word[WORD_STATE];
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
	const struct slot *s = &b->slot[flow->slot % WAYS];

	pthread_mutex_lock(lock_of(t, b));
	if (atomic_load_explicit(&s->sequence, memory_order_relaxed) == flow->sequence)
		return b;
	pthread_mutex_unlock(lock_of(t, b));
	return NULL;
}

void flow_renew(struct flow_table *t, struct flow *flow)
{
	struct bucket *b = lock_flow(t, flow);
	uint64_t word[WORD_COUNT];
	struct slot *s;

	if (!b)
		return;
	s = &b->slot[flow->slot % WAYS];
	for (size_t w = 0; w < WORD_COUNT; w++)
		word[w] = atomic_load_explicit(&s->word[w], memory_order_relaxed);
	pack_policy(flow, word);
	word[WORD_STATE] = pack_state(flow->sequence + 2, state_of(word[WORD_STATE]),
				      expiry_of(word[WORD_STATE]));
	slot_write(s, word);
	flow->sequence += 2;
	pthread_mutex_unlock(lock_of(t, b));
}

void flow_remove(struct flow_table *t, const struct flow *flow)
{
	static const uint64_t nothing[WORD_COUNT];
	struct bucket *b = lock_flow(t, flow);

	if (!b)
		return;
	atomic_store_explicit(&b->hash[flow->slot % WAYS], 0, memory_order_release);
	slot_write(&b->slot[flow->slot % WAYS], nothing);
	pthread_mutex_unlock(lock_of(t, b));
}

size_t flow_count(const struct flow_table *t, uint64_t now_ns)
{
	size_t count = 0;

	for (size_t i = 0; i <= t->mask; i++) {
		for (size_t way = 0; way < WAYS; way++) {
			const struct bucket *b = &t->buckets[i];
			uint64_t state = atomic_load_explicit(&b->slot[way].word[WORD_STATE],
							      memory_order_relaxed);

			count += atomic_load_explicit(&b->hash[way], memory_order_relaxed) &&
				 expiry_of(state) > now_ns / NS_PER_MS;
		}
	}
	return count;
}
