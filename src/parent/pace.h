/* SPDX-License-Identifier: ISC */
/*
 * How often the network that control asks for is applied: each time costs netlink requests and may
 * cost a run of nft, and an edge, or a control that went astray, may ask without end. The first
 * is due at once, the next not before PACE_NS have passed; of those that come in between only the
 * latest is ever applied, and answered. Pure, but for the time that it is told.
 */
#ifndef TUND_PARENT_PACE_H
#define TUND_PARENT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/time.h>
#include <tund/ipc/parent.h>

#define PACE_NS (500 * NS_PER_MS) /* an edge of ours leaves 1 s between two pushes */

struct pace {
	bool is_waiting;
	uint64_t earliest_ns; /* of the next; 0 at first */
	struct request_network latest;
};

void pace_put(struct pace *pace, const struct request_network *request);

/* Forgets the one that waits: who asked for it is gone. */
void pace_forget(struct pace *pace);

/* When pace_take() gives something; TIME_NEVER: nothing waits. */
uint64_t pace_due(const struct pace *pace);

/* The request that is due, to be applied now; NULL: none. Valid until the next pace_put(). */
const struct request_network *pace_take(struct pace *pace, uint64_t now_ns);

#endif
