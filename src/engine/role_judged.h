/* SPDX-License-Identifier: ISC */
/* What edge and connector share: one judge, and what is done with its verdicts. */
#ifndef TUND_ENGINE_ROLE_JUDGED_H
#define TUND_ENGINE_ROLE_JUDGED_H

#include <tund/engine/engine.h>
#include <tund/policy/forward.h>

/* A judge with all that it owns; the policy is borrowed by `forward` and owned here. */
struct judged {
	struct forward forward;
	struct policy *policy;
	struct reach *reach;
	struct refusal_limiter *limiter;
};

/* Makes the tables that survive policies. `flows`: how many to have room for. */
int judged_init(struct judged *judged, bool router, size_t flows);
void judged_clear(struct judged *judged);

/*
 * Takes over a new policy with a reach and limiter of its own. With -ENOMEM nothing has changed and
 * the caller still owns the policy. The previous policy is returned in *before for the caller to
 * free when it has moved what refers to it; NULL if there was none.
 */
int judged_adopt(struct judged *judged, struct policy *policy, struct policy **before);

/* How a verdict leaves: to a device, or back to where the packet came from. */
struct judged_exits {
	void (*forward)(struct engine *engine, uint64_t now_ns, uint32_t device,
			const struct inner_bytes *packet);
	void (*refuse)(struct engine *engine, uint64_t now_ns, struct peer *from,
		       const struct inner_bytes *refusal);
};

/* Judges one packet of `device`, counts the reason and carries the verdict out. `from` is handed
 * to refuse(); NULL when the packet came from the TUN. Returns the reason. */
enum reason judged_packet(struct engine *engine, struct judged *judged, uint64_t now_ns,
			  uint32_t device, struct peer *from, const struct inner_bytes *packet,
			  const struct judged_exits *exits);

#endif
