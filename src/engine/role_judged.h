/* SPDX-License-Identifier: ISC */
/* What edge and connector share: judges, one for each worker, and what is done with verdicts. */
#ifndef TUND_ENGINE_ROLE_JUDGED_H
#define TUND_ENGINE_ROLE_JUDGED_H

#include <tund/policy/forward.h>

#include "engine.h"

/* A policy in force with all that goes with it, as workers see it: immutable, but for a peer that is
 * removed, which becomes NULL. */
struct judged_view {
	struct view_head head;
	struct policy *policy;
	struct reach *reach;
	struct refusal_limiter *limiter;
	uint32_t mtu;
	uint32_t self;   /* connector: its own device; DEVICE_NONE else */
	uint32_t limit;  /* peers, by device number */
	struct peer *_Atomic peer[];
};

/* A worker's. The verdict is kept here because it is too large to be made anew on the stack for each
 * packet. */
struct judge {
	struct forward forward;
	struct verdict verdict;
};

/* The main thread's. */
struct judged {
	struct flow_table *flows;
	bool router; /* takes a hop off what it forwards (edge) */
};

/* Makes the table that survives policies. `flows`: how many to have room for. -ENOMEM. */
int judged_init(struct judged *judged, bool router, size_t flows);
void judged_clear(struct judged *judged);

/* A judge for each worker, before they see a packet; and freed, after they have ended. */
int judged_start_workers(struct engine *engine, const struct judged *judged);
void judged_stop_workers(struct engine *engine);

/* A view of `policy`, which it owns from then on, without peers. NULL: out of memory, and the
 * caller still owns the policy. */
struct judged_view *judged_view_new(struct policy *policy, uint32_t mtu);
/* What is in force, as the main thread sees it. */
struct judged_view *judged_view(const struct engine *engine);
/* Puts a view in force. */
void judged_publish(struct engine *engine, struct judged_view *view);

/* How a verdict leaves: to a device, or back to where the packet came from. */
struct judged_exits {
	void (*forward)(struct worker *worker, uint64_t now_ns, uint32_t device,
			const struct inner_bytes *packet);
	void (*refuse)(struct worker *worker, uint64_t now_ns, struct peer *from,
		       const struct inner_bytes *refusal);
};

/* Judges one packet of `device`, counts the reason and carries the verdict out. `from` is handed
 * to refuse(); NULL when the packet came from the TUN. Returns the reason. */
enum reason judged_packet(struct worker *worker, uint64_t now_ns, uint32_t device,
			  struct peer *from, const struct inner_bytes *packet,
			  const struct judged_exits *exits);

#endif
