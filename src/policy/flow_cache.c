/* SPDX-License-Identifier: ISC */
/* The flows that one worker has forwarded last, each in the one place that its key says. */
#include <tund/policy/flow_cache.h>

#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>

struct entry {
	_Alignas(64) struct flow_cache_key key;
	enum flow_direction direction; /* 0: empty */
	struct flow flow;
};

struct flow_cache {
	struct entry entries[FLOW_CACHE_ENTRIES];
};

struct flow_cache *flow_cache_new(void)
{
	struct flow_cache *c = aligned_alloc(_Alignof(struct flow_cache), sizeof *c);

	if (c)
		memset(c, 0, sizeof *c);
	return c;
}

void flow_cache_free(struct flow_cache *c)
{
	free(c);
}

/*
 * The words come from the packet and not from `p`: what was written in small pieces a moment ago is
 * slow to read as a large one, and this is done for every packet.
 */
bool flow_cache_key(const uint8_t *data, const struct inner_packet *p, uint32_t device,
		    const struct policy *policy, const struct next_hops *next_hops,
		    const struct registry *registry, struct flow_cache_key *out)
{
	if (p->fragment != INNER_WHOLE || (p->proto != PROTO_TCP && p->proto != PROTO_UDP))
		return false;
	if (p->src.family == 4) {
		out->word[0] = get_be64(data + 12);
		out->word[1] = out->word[2] = out->word[3] = 0;
	} else {
		for (size_t i = 0; i < 4; i++)
			out->word[i] = get_be64(data + 8 + 8 * i);
	}
	out->word[4] = (uint64_t)p->src_port << 48 | (uint64_t)p->dst_port << 32 |
		       (uint64_t)p->proto << 8 | p->src.family;
	out->policy = policy;
	out->next_hops = next_hops;
	out->device = device;
	out->generation = policy_generation(policy);
	out->next_hops_version = next_hops_version(next_hops);
	out->registry_version = registry_version(registry);
	return true;
}

/* Fibonacci hashing (Knuth 6.4). Not keyed: who aims at another's place makes this worker look the
 * flow up in the table, as it would without a cache. */
static size_t place_of(const struct flow_cache_key *key)
{
	const uint64_t *w = key->word;
	uint64_t mix = (w[0] ^ w[1] << 1 ^ w[2] << 7 ^ w[3] << 11) + (w[4] >> 32 | w[4] << 32);

	return (size_t)(mix * UINT64_C(0x9e3779b97f4a7c15) >> 48) % FLOW_CACHE_ENTRIES;
}

static bool same_key(const struct flow_cache_key *a, const struct flow_cache_key *b)
{
	uint64_t difference = 0;

	for (size_t i = 0; i < sizeof a->word / sizeof *a->word; i++)
		difference |= a->word[i] ^ b->word[i];
	return difference == 0 && a->policy == b->policy && a->next_hops == b->next_hops &&
	       a->device == b->device && a->generation == b->generation &&
	       a->next_hops_version == b->next_hops_version &&
	       a->registry_version == b->registry_version;
}

const struct flow *flow_cache_find(const struct flow_cache *c, const struct flow_cache_key *key,
				   enum flow_direction *direction)
{
	const struct entry *e = &c->entries[place_of(key)];

	if (!same_key(&e->key, key) || !e->direction)
		return NULL;
	*direction = e->direction;
	return &e->flow;
}

void flow_cache_store(struct flow_cache *c, const struct flow_cache_key *key,
		      const struct flow *flow, enum flow_direction direction)
{
	struct entry *e = &c->entries[place_of(key)];

	e->key = *key;
	e->direction = direction;
	e->flow = *flow;
}
