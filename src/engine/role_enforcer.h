/* SPDX-License-Identifier: ISC */
/* What edge and connector share: judges, one for each worker, and what is done with verdicts. */
#ifndef TUND_ENGINE_ROLE_ENFORCER_H
#define TUND_ENGINE_ROLE_ENFORCER_H

#include <tund/policy/forward.h>

#include "engine.h"
#include "role.h"

/* Rules in force with all that goes with them, as workers see them: immutable. */
struct enforcer_view {
	struct view_head head;
	struct policy *policy;
	struct next_hops *next_hops;
	uint32_t mtu;  /* of all ways, unless a peer said less */
	uint32_t self; /* connector: its own device; DEVICE_NONE else */
};

/* What the `user` of a device in the registry begins with, where there is one. */
struct enforcer_device {
	_Atomic uint16_t mtu; /* its own, as it said; 0: not said */
};

/* A worker's. The verdict is kept here because it is too large to be made anew on the stack for each
 * packet. */
struct judge {
	struct forward forward;
	struct verdict verdict;
};

/* The main thread's. */
struct enforcer {
	struct flow_table *flows;
	struct registry *registry;
	struct refusal_limiter *limiter;
	bool router; /* takes a hop off what it forwards (edge) */
};

/* Makes what survives policies. `flows`: how many to have room for. -ENOMEM; then it is to be
 * cleared as well, after the workers have ended. */
int enforcer_init(struct enforcer *enforcer, struct epoch *epoch, bool router, size_t flows);
void enforcer_clear(struct enforcer *enforcer);

/* A judge for each worker, before they see a packet; and freed, after they have ended. */
int enforcer_start_workers(struct engine *engine, const struct enforcer *enforcer);
void enforcer_stop_workers(struct engine *engine);

/* A view of `policy`, which it owns from then on. NULL: out of memory, and the caller still owns
 * the policy. */
struct enforcer_view *enforcer_view_new(struct policy *policy, struct epoch *epoch, uint32_t mtu);
/* Of one that was not published. */
void enforcer_view_free(struct enforcer_view *view);
/* What is in force, as the main thread sees it. */
struct enforcer_view *enforcer_view(const struct engine *engine);
/* Puts a view in force. */
void enforcer_publish(struct engine *engine, struct enforcer_view *view);

/* How a verdict leaves: to a device, or back to where the packet came from. */
struct enforcer_exits {
	void (*forward)(struct data_worker *dw, uint64_t now_ns, uint32_t device,
			const struct inner_bytes *packet);
	void (*refuse)(struct data_worker *dw, uint64_t now_ns, struct peer *from,
		       const struct inner_bytes *refusal);
};

/* Judges one packet of `device`, counts the reason and carries the verdict out. `from` is handed
 * to refuse(); NULL when the packet came from the TUN. Returns the reason. */
enum reason enforcer_packet(struct data_worker *dw, uint64_t now_ns, uint32_t device,
			    struct peer *from, const struct inner_bytes *packet,
			    const struct enforcer_exits *exits);

#endif
