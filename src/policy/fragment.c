/* SPDX-License-Identifier: ISC */
/* Fragments: which bytes of a datagram were seen, what waits, and what its first was told. */
#include <tund/policy/fragment.h>

#include <stdlib.h>
#include <string.h>

#include <tund/policy/policy.h>

enum datagram_state {
	DATAGRAM_FREE,
	DATAGRAM_WAITING, /* for the first fragment */
	DATAGRAM_ACCEPTED,
	DATAGRAM_CONDEMNED, /* denied, or overlapping: `reason` says */
};

struct range {
	uint32_t first, behind; /* bytes of the datagram */
};

struct datagram {
	enum datagram_state state;
	struct ip_addr src, dst;
	uint32_t id, device;
	uint32_t generation, device_generation; /* with which it was accepted */
	uint8_t proto;
	enum reason reason;
	uint32_t next_hop;
	uint32_t size; /* bytes of the whole payload; 0 until the last fragment was seen */
	uint64_t expiry_ns, created_ns;
	size_t range_count, held_count;
	struct range ranges[FRAGMENT_PIECES]; /* seen, disjoint, ascending, not touching */
	size_t held_len[FRAGMENT_PIECES];
};

struct fragment_table {
	struct datagram datagrams[FRAGMENT_DATAGRAMS];
	size_t enforcer; /* the datagram whose first fragment is with the caller */
	uint64_t expired, evicted;
	uint8_t held[FRAGMENT_DATAGRAMS][FRAGMENT_PIECES][FRAGMENT_HELD_BYTES];
};

struct fragment_table *fragment_table_new(void)
{
	return calloc(1, sizeof(struct fragment_table));
}

void fragment_table_free(struct fragment_table *t)
{
	free(t);
}

static bool same_datagram(const struct datagram *g, uint32_t device, const struct inner_packet *p)
{
	return g->id == p->frag_id && g->device == device && g->proto == p->frag_proto &&
	       ip_addr_equal(&g->src, &p->src) && ip_addr_equal(&g->dst, &p->dst);
}

static void release(struct datagram *g, uint64_t *lost)
{
	if (g->state == DATAGRAM_WAITING)
		*lost += g->held_count;
	g->state = DATAGRAM_FREE;
}

static void expire(struct fragment_table *t, uint64_t now_ns)
{
	for (size_t i = 0; i < FRAGMENT_DATAGRAMS; i++) {
		struct datagram *g = &t->datagrams[i];

		if (g->state != DATAGRAM_FREE && g->expiry_ns <= now_ns)
			release(g, &t->expired);
	}
}

static struct datagram *find(struct fragment_table *t, uint32_t device,
			     const struct inner_packet *p)
{
	for (size_t i = 0; i < FRAGMENT_DATAGRAMS; i++) {
		struct datagram *g = &t->datagrams[i];

		if (g->state != DATAGRAM_FREE && same_datagram(g, device, p))
			return g;
	}
	return NULL;
}

/* The oldest datagram, of this device or (DEVICE_NONE) of all; their number in *count. */
static struct datagram *oldest(struct fragment_table *t, uint32_t device, size_t *count)
{
	struct datagram *found = NULL;

	*count = 0;
	for (size_t i = 0; i < FRAGMENT_DATAGRAMS; i++) {
		struct datagram *g = &t->datagrams[i];

		if (g->state == DATAGRAM_FREE || (device != DEVICE_NONE && g->device != device))
			continue;
		++*count;
		if (!found || g->created_ns < found->created_ns)
			found = g;
	}
	return found;
}

/* A free datagram, where necessary by pushing one out: the device's own, if it has its share. */
static struct datagram *make_room(struct fragment_table *t, uint32_t device)
{
	size_t count;
	struct datagram *g = oldest(t, device, &count);

	if (count >= FRAGMENT_PER_DEVICE) {
		release(g, &t->evicted);
		return g;
	}
	g = oldest(t, DEVICE_NONE, &count);
	if (count == FRAGMENT_DATAGRAMS) {
		release(g, &t->evicted);
		return g;
	}
	for (g = t->datagrams; g->state != DATAGRAM_FREE;)
		g++;
	return g;
}

static struct datagram *create(struct fragment_table *t, uint64_t now_ns, uint32_t device,
			       const struct inner_packet *p)
{
	struct datagram *g = make_room(t, device);

	*g = (struct datagram){
		.state = DATAGRAM_WAITING,
		.src = p->src,
		.dst = p->dst,
		.id = p->frag_id,
		.device = device,
		.proto = p->frag_proto,
		.created_ns = now_ns,
		.expiry_ns = now_ns + FRAGMENT_HOLD_NS,
	};
	return g;
}

/* Where in its datagram the payload of a fragment lies. */
static struct range range_of(const struct inner_packet *p)
{
	uint32_t size = p->len - p->frag_start;

	return (struct range){.first = p->frag_offset, .behind = p->frag_offset + size};
}

/* Whether two fragments contradict each other: in their bytes, or about where the end is. */
static bool contradicts(const struct datagram *g, const struct range *r, bool last)
{
	if (g->size && (last || r->behind > g->size))
		return true;
	for (size_t i = 0; i < g->range_count; i++) {
		if (r->first < g->ranges[i].behind && g->ranges[i].first < r->behind)
			return true;
		if (last && g->ranges[i].behind > r->behind)
			return true;
	}
	return false;
}

/* Adds a range that overlaps none, joining those that touch. False: no room. */
static bool add_range(struct datagram *g, struct range r)
{
	size_t i = 0;

	while (i < g->range_count && g->ranges[i].first < r.first)
		i++;
	if (i > 0 && g->ranges[i - 1].behind == r.first) {
		i--;
		r.first = g->ranges[i].first;
		g->range_count--;
		memmove(&g->ranges[i], &g->ranges[i + 1], (g->range_count - i) * sizeof r);
	}
	if (i < g->range_count && r.behind == g->ranges[i].first) {
		g->ranges[i].first = r.first;
		return true;
	}
	if (g->range_count == FRAGMENT_PIECES)
		return false;
	memmove(&g->ranges[i + 1], &g->ranges[i], (g->range_count - i) * sizeof r);
	g->ranges[i] = r;
	g->range_count++;
	return true;
}

static bool is_complete(const struct datagram *g)
{
	return g->size && g->range_count == 1 && g->ranges[0].first == 0 &&
	       g->ranges[0].behind == g->size;
}

/* Everything of this datagram is dropped from here on, what waits included. */
static struct fragment_outcome condemn(struct datagram *g, enum reason reason)
{
	g->state = DATAGRAM_CONDEMNED;
	g->reason = reason;
	g->held_count = 0;
	return (struct fragment_outcome){.result = FRAGMENT_DROP, .reason = reason};
}

static struct fragment_outcome hold(struct fragment_table *t, struct datagram *g,
				    const uint8_t *data, size_t len)
{
	if (g->held_count == FRAGMENT_PIECES)
		return condemn(g, REASON_FRAGMENT_TOO_MANY);
	if (len > FRAGMENT_HELD_BYTES)
		return condemn(g, REASON_FRAGMENT_TOO_BIG);
	memcpy(t->held[g - t->datagrams][g->held_count], data, len);
	g->held_len[g->held_count++] = len;
	return (struct fragment_outcome){.result = FRAGMENT_HELD};
}

static struct fragment_outcome take(struct fragment_table *t, struct datagram *g,
				    const struct fragment_origin *from, const uint8_t *data,
				    const struct inner_packet *p)
{
	struct range r = range_of(p);

	if (g->state == DATAGRAM_ACCEPTED && (g->generation != from->generation ||
					      g->device_generation != from->device_generation))
		return condemn(g, REASON_FRAGMENT_DENIED);
	if (g->state == DATAGRAM_CONDEMNED)
		return (struct fragment_outcome){.result = FRAGMENT_DROP, .reason = g->reason};
	if (contradicts(g, &r, !p->frag_more))
		return condemn(g, REASON_FRAGMENT_OVERLAP);
	if (!add_range(g, r))
		return condemn(g, REASON_FRAGMENT_TOO_MANY);
	if (!p->frag_more)
		g->size = r.behind;
	if (p->fragment == INNER_FIRST) {
		t->enforcer = (size_t)(g - t->datagrams);
		g->generation = from->generation;
		g->device_generation = from->device_generation;
		return (struct fragment_outcome){.result = FRAGMENT_JUDGE};
	}
	if (g->state == DATAGRAM_WAITING)
		return hold(t, g, data, p->len);
	if (is_complete(g))
		g->state = DATAGRAM_FREE;
	return (struct fragment_outcome){.result = FRAGMENT_FORWARD, .next_hop = g->next_hop};
}

void fragment_take(struct fragment_table *t, uint64_t now_ns, const struct fragment_origin *from,
		   const uint8_t *data, const struct inner_packet *p, struct fragment_outcome *out)
{
	struct datagram *g;

	expire(t, now_ns);
	g = find(t, from->device, p);
	if (!g)
		g = create(t, now_ns, from->device, p);
	*out = take(t, g, from, data, p);
}

size_t fragment_decide(struct fragment_table *t, uint64_t now_ns, uint32_t next_hop,
		       struct fragment_piece pieces[FRAGMENT_PIECES])
{
	struct datagram *g = &t->datagrams[t->enforcer];
	size_t count = g->held_count;

	g->expiry_ns = now_ns + FRAGMENT_DECIDED_NS;
	if (next_hop == DEVICE_NONE) {
		condemn(g, REASON_FRAGMENT_DENIED);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct fragment_piece){.data = t->held[t->enforcer][i],
						    .len = g->held_len[i]};
	g->held_count = 0;
	g->next_hop = next_hop;
	g->state = is_complete(g) ? DATAGRAM_FREE : DATAGRAM_ACCEPTED;
	return count;
}

void fragment_lost(struct fragment_table *t, uint64_t now_ns, uint64_t *expired, uint64_t *evicted)
{
	expire(t, now_ns);
	*expired = t->expired;
	*evicted = t->evicted;
	t->expired = t->evicted = 0;
}
