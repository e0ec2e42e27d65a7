/* SPDX-License-Identifier: ISC */
/*
 * The flow table: which 5-tuples were accepted, for whom and through which next hop. One for all
 * workers. A bucket is found by a keyed hash that is the same for both directions; look-ups take
 * no lock (a sequence number per entry), changes lock their bucket only. The table never grows:
 * where a bucket is full, an expired entry goes, else an unanswered one, else the one that would
 * expire first; a client that has half of the bucket loses one of its own. All functions but new
 * and free: any thread.
 */
#ifndef TUND_POLICY_FLOW_H
#define TUND_POLICY_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/siphash.h>
#include <tund/base/time.h>

/*
 * Life without a packet. Answered TCP and UDP by RFC 5382 REQ-5 (2 h 4 min) and RFC 4787 REQ-5
 * (5 min, at least 2 before an answer), ICMP queries by RFC 5508 REQ-1. An unanswered or closing
 * TCP flow may go early: the next segment, from either side, is judged and makes it anew.
 */
#define FLOW_TCP_OPENING_NS (30 * NS_PER_SEC)
#define FLOW_TCP_ESTABLISHED_NS (7440 * NS_PER_SEC)
#define FLOW_TCP_CLOSING_NS (30 * NS_PER_SEC)
#define FLOW_UDP_UNANSWERED_NS (120 * NS_PER_SEC)
#define FLOW_UDP_ANSWERED_NS (300 * NS_PER_SEC)
#define FLOW_ICMP_NS (60 * NS_PER_SEC)
#define FLOW_OTHER_NS (300 * NS_PER_SEC)

enum flow_state {
	FLOW_UNANSWERED,
	FLOW_ANSWERED,
	FLOW_FIN_FROM_CLIENT, /* TCP: one side has finished */
	FLOW_FIN_FROM_PEER,
	FLOW_CLOSING, /* TCP: both have, or a reset was seen */
};

/* Which way a packet goes; both together where a question is for either. */
enum flow_direction { FLOW_ORIGINAL = 1, FLOW_REPLY = 2 };
#define FLOW_EITHER (FLOW_ORIGINAL | FLOW_REPLY)

/* As the initiator sent it. ICMP queries carry their identifier in both ports. */
struct flow_tuple {
	struct ip_addr src, dst;
	uint16_t src_port, dst_port; /* host order; 0 without ports */
	uint16_t zone;               /* in which the addresses mean something */
	uint8_t proto;
};

/* A copy of an entry, with what it takes to find the entry again. */
struct flow {
	struct flow_tuple tuple; /* original direction */
	uint32_t client;         /* device that started it, below REGISTRY_MAX */
	uint32_t next_hop;       /* device that its packets go to, and replies must come from */
	uint32_t route;          /* number of its route; UINT32_MAX: next_hop holds the address */
	uint32_t generation;     /* of the policy that accepted it, and that `route` is of */
	uint32_t client_generation; /* of the client as it was accepted */
	enum flow_state state;
	uint64_t slot, sequence; /* private to the table */
};

struct flow_table;

/* Room for at least `capacity` flows (rounded up; 72 bytes each). NULL: no memory. */
struct flow_table *flow_table_new(size_t capacity, const struct siphash_key *key);
void flow_table_free(struct flow_table *t);

/*
 * Finds the live flow of a packet with this tuple that came from `device`: in the original
 * direction only if `device` started the flow, in the reply direction only if it is the flow's next
 * hop. `directions` says which of the two the packet can be at all; *direction, which it is.
 */
bool flow_find(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
	       uint32_t device, unsigned directions, struct flow *out,
	       enum flow_direction *direction);

/*
 * Whether the entry is alive and nobody has written it since `flow` was read from it: then
 * flow_find() would give the same again. Costs much less.
 */
bool flow_is_current(const struct flow_table *t, uint64_t now_ns, const struct flow *flow);

/* Whether a live flow has this tuple in this direction, whoever its devices are. */
bool flow_exists(const struct flow_table *t, uint64_t now_ns, const struct flow_tuple *tuple,
		 enum flow_direction direction);

/*
 * Records a flow that was accepted, replacing one with the same tuple and client. `state` is
 * FLOW_UNANSWERED, or FLOW_ANSWERED where the first packet seen was the answer. The private fields
 * are not read.
 */
void flow_insert(struct flow_table *t, uint64_t now_ns, const struct flow *flow);

/* Moves state and expiry on by one packet. Does nothing if the entry is another's by now. */
void flow_touch(struct flow_table *t, uint64_t now_ns, const struct flow *flow,
		enum flow_direction direction, uint8_t tcp_flags);

/* After it was judged anew: stores generations, route and next hop of `flow`, whose `sequence`
 * follows. Does nothing if the entry is gone. */
void flow_renew(struct flow_table *t, struct flow *flow);

/* After it was refused. Does nothing if it is gone. */
void flow_remove(struct flow_table *t, const struct flow *flow);

/* Live entries, counted now: for status, not for the data path. */
size_t flow_count(const struct flow_table *t, uint64_t now_ns);

#endif
