/* SPDX-License-Identifier: ISC */
/*
 * One packet on its way through the steps of forward.h. Each step either lets it go on or writes
 * the verdict: it returns true while the packet may go on, and false once `v` is final. Private to
 * the policy layer.
 */
#ifndef TUND_POLICY_FORWARD_CONTEXT_H
#define TUND_POLICY_FORWARD_CONTEXT_H

#include <tund/policy/forward.h>

struct context {
	struct forward *f;
	uint64_t now_ns;
	uint32_t device; /* from which it came */
	const struct registry_device *sender;
	uint8_t *data;
	struct inner_packet p;
	bool cacheable; /* then `key` is written */
	struct flow_cache_key key;
	bool partial_checksum;
	bool foreign_source; /* an ICMP error from a host that its connector does not announce */
	struct verdict *v;
};

/* Drops silently. Always false. */
bool context_drop(struct context *x, enum reason reason);

/* Drops and, where one is due and the sender's allowance is not used up, answers. Always false. */
bool context_refuse(struct context *x, enum reason reason, enum refusal kind, uint32_t mtu);

/* The same for an answer in a flow that `initiator` began: it is he who hears of it. */
bool context_end(struct context *x, enum reason reason, uint32_t initiator);

/* Off to `next_hop`, a hop less to live; with `answer_ttl`, its sender hears of it if that was its
 * last. */
bool context_send(struct context *x, uint32_t next_hop, bool answer_ttl);

bool context_from_connector(const struct context *x);

bool context_is_icmp_error(const struct inner_packet *p);

/*
 * Whether the packet is the next one of a flow of which this worker has forwarded packets, and
 * nothing that their verdict rests on has changed: then it was given the same verdict. Asks for
 * all that context_judge() and the check of the source would ask for again.
 */
bool context_recall(struct context *x);

/* Flow, policy and next hop of a packet that is whole, or of a first fragment. */
bool context_judge(struct context *x);

#endif
