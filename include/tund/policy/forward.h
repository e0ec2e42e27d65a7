/* SPDX-License-Identifier: ISC */
/*
 * The data path's one decision: what happens to an inner packet that came out of a device's
 * session. Order, and nothing before may be skipped: parse -> source belongs to the device ->
 * fragments -> flow -> policy -> next hop. An edge runs it on every packet; a connector runs it on
 * its own policy (connector_policy.h).
 */
#ifndef TUND_POLICY_FORWARD_H
#define TUND_POLICY_FORWARD_H

#include <tund/policy/flow.h>
#include <tund/policy/flow_cache.h>
#include <tund/policy/fragment.h>
#include <tund/policy/next_hops.h>
#include <tund/policy/policy.h>
#include <tund/policy/refusal.h>

/*
 * One per worker: shared things are borrowed. The owner fills it in, and may change policy and
 * reach together between two calls, when a new snapshot is picked up.
 */
struct forward {
	const struct policy *policy;
	const struct next_hops *next_hops; /* of that policy */
	const struct registry *registry;  /* shared by all workers, survives policies */
	struct refusal_limiter *limiter;  /* the same */
	struct flow_table *flows;         /* shared by all workers, survives policies */
	struct fragment_table *fragments; /* this worker's own */
	struct flow_cache *cache;         /* this worker's own; NULL: none, only slower */
	bool router; /* take a hop off what is forwarded (edge), or leave it (connector) */
};

enum verdict_kind {
	VERDICT_FORWARD, /* send the packet, perhaps rewritten, to `device`; then `pieces` */
	VERDICT_DROP,    /* silently */
	VERDICT_REFUSE,  /* drop, and send `refusal` back to the device it came from */
	VERDICT_END,     /* drop, and send `refusal` on to `device`, who began the flow */
	VERDICT_HELD,    /* a fragment, kept until its first comes */
};

/* Large: one per worker, not on the stack, where hardened builds zero it for each packet. */
struct verdict {
	enum verdict_kind kind;
	enum reason reason; /* REASON_ACCEPTED only for FORWARD and HELD */
	uint32_t device;    /* FORWARD and END only: the next hop */
	size_t len;         /* bytes of the packet without padding; 0 if it did not parse */
	/* What decided, if policy was asked for this packet; zeros else. Borrowed from policy. */
	const struct spec_rule *rule;
	struct spec_place place;
	/* REFUSE and END only. */
	size_t refusal_len;
	uint8_t refusal[REFUSAL_MAX_BYTES];
	/* FORWARD of a first fragment only: those that waited for it. Valid until the next call. */
	size_t piece_count;
	struct fragment_piece pieces[FRAGMENT_PIECES];
};

/*
 * Decides on one packet of `len` bytes (padding included) from `device`; one that is to be cut
 * into segments, of up to 65,535 bytes behind the IPv6 header or with the IPv4 one, is one. With FORWARD the bytes
 * may have been changed in place: TTL, and the source of an ICMP error from a host that the
 * connector does not announce. `partial_checksum`: flag CSUM was set. Writes every field of `out`
 * that its kind uses. Allocates nothing. One thread per `struct forward`.
 */
void forward_judge(struct forward *f, uint64_t now_ns, uint32_t device, uint8_t *data, size_t len,
		   bool partial_checksum, struct verdict *out);

/*
 * Answer for a forwarded packet that turns out larger than the way to its next hop: builds Packet
 * Too Big / Fragmentation Needed into `out` (REFUSE, or DROP where there must be no answer), for
 * reason REASON_TOO_BIG. `data` as forward_judge() left it, for the last time: a packet that would
 * be cut on its way is made its own first segment, of `len` bytes (gso_size and headers), for that
 * is what did not fit and what the answer must quote. Otherwise `len` is as in forward_judge().
 */
void forward_too_big(struct forward *f, uint64_t now_ns, uint32_t device, uint8_t *data, size_t len,
		     bool partial_checksum, uint32_t mtu, struct verdict *out);

#endif
