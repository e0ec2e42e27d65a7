/* SPDX-License-Identifier: ISC */
/*
 * Fragments of inner datagrams. The first fragment has the ports and is judged; the others follow
 * its verdict. Those that come before it are held. A fragment that overlaps another, exact
 * duplicates included, condemns its datagram (RFC 5722, and the same for IPv4). Everything is
 * preallocated. One table per worker: not thread-safe.
 */
#ifndef TUND_POLICY_FRAGMENT_H
#define TUND_POLICY_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/time.h>
#include <tund/policy/reason.h>
#include <tund/wire/inner.h>

#define FRAGMENT_DATAGRAMS 64
#define FRAGMENT_PER_DEVICE 16 /* datagrams: beyond, a device pushes out its own oldest */
#define FRAGMENT_PIECES 8      /* held fragments, and disjoint ranges, of one datagram */
#define FRAGMENT_HELD_BYTES 2048
#define FRAGMENT_HOLD_NS (1 * NS_PER_SEC)    /* for its first */
#define FRAGMENT_DECIDED_NS (5 * NS_PER_SEC) /* for the rest, once the first was judged */

enum fragment_result {
	FRAGMENT_FORWARD, /* later fragment of an accepted datagram: to `next_hop` */
	FRAGMENT_JUDGE,   /* first fragment: judge it, then fragment_decide() */
	FRAGMENT_HELD,    /* copied; comes back from fragment_decide() */
	FRAGMENT_DROP,    /* for `reason` */
};

struct fragment_outcome {
	enum fragment_result result;
	uint32_t next_hop;  /* FORWARD only */
	enum reason reason; /* DROP only */
};

/* A fragment that was held and may go now. */
struct fragment_piece {
	uint8_t *data; /* borrowed, writable, until the next call on the table */
	size_t len;
};

struct fragment_table;

struct fragment_table *fragment_table_new(void);
void fragment_table_free(struct fragment_table *t);

/* Who sent a fragment, and the generations of rules and device: a verdict holds for both only. */
struct fragment_origin {
	uint32_t device, generation, device_generation;
};

/* Takes in a fragment; `data` is the packet that `p` was parsed from. */
void fragment_take(struct fragment_table *t, uint64_t now_ns, const struct fragment_origin *from,
		   const uint8_t *data, const struct inner_packet *p, struct fragment_outcome *out);

/*
 * Records the verdict on the first fragment that fragment_take() just returned JUDGE for: the
 * device that its datagram goes to, or DEVICE_NONE if it was refused. When accepted, the held ones
 * are put into `pieces` and their number returned; else they are dropped.
 */
size_t fragment_decide(struct fragment_table *t, uint64_t now_ns, uint32_t next_hop,
		       struct fragment_piece pieces[FRAGMENT_PIECES]);

/* Held fragments that were lost since the last call, by expiry and by eviction: for counters. */
void fragment_lost(struct fragment_table *t, uint64_t now_ns, uint64_t *expired, uint64_t *evicted);

#endif
