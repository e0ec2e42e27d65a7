/* SPDX-License-Identifier: ISC */
/*
 * The flows that one worker has forwarded last. A hit stands for what would only be repeated: that
 * the source belongs to the sender, which flow the packet is of, and where that leads under this
 * policy and reach. So everything that these depend on is compared: the whole tuple, the sending
 * device, the policy and its generation, reach and its version, and that of
 * the registry; and the flow's entry must be as it
 * was read (flow_is_current()). Only whole TCP and UDP packets are looked up or stored. Filling it
 * costs others nothing but the work that there would be without it. Where two connectors have
 * started the same flow, either may get its replies, with a cache or without.
 * One per worker: not thread-safe.
 */
#ifndef TUND_POLICY_FLOW_CACHE_H
#define TUND_POLICY_FLOW_CACHE_H

#include <tund/policy/flow.h>
#include <tund/policy/next_hops.h>
#include <tund/wire/inner.h>

#define FLOW_CACHE_ENTRIES 256 /* a power of two; each flow has one place */

struct flow_cache;

/* NULL: no memory. */
struct flow_cache *flow_cache_new(void);
void flow_cache_free(struct flow_cache *c);

/* All that decides where a packet of a known flow goes. Private to this module, but for its size. */
struct flow_cache_key {
	uint64_t word[5]; /* the packet's own addresses, ports, protocol and family */
	const struct policy *policy;
	const struct next_hops *next_hops;
	uint32_t device; /* from which it came */
	uint32_t generation;
	uint32_t next_hops_version, registry_version;
};

/*
 * The key of the packet in `data`, of which `p` is the parse and `device` the sender, under policy,
 * reach and registry as they are now: to be made before anything is looked up in them. False, and nothing is
 * written, for what is never cached.
 */
bool flow_cache_key(const uint8_t *data, const struct inner_packet *p, uint32_t device,
		    const struct policy *policy, const struct next_hops *next_hops,
		    const struct registry *registry, struct flow_cache_key *out);

/*
 * The flow that a packet with exactly this key was of; NULL if that is not known. Borrowed until
 * the next store. Whether it is still current is the caller's to ask: flow_is_current().
 */
const struct flow *flow_cache_find(const struct flow_cache *c, const struct flow_cache_key *key,
				   enum flow_direction *direction);

/* Remembers that a packet with this key was forwarded as one of `flow` in this direction. */
void flow_cache_store(struct flow_cache *c, const struct flow_cache_key *key,
		      const struct flow *flow, enum flow_direction direction);

#endif
