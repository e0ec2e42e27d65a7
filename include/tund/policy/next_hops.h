/* SPDX-License-Identifier: ISC */
/*
 * Which connector devices reach which routes right now: a route that is announced in a live
 * session. It belongs to one policy (numbers of routes), is written by the registry's owner and
 * read by the workers while they forward.
 */
#ifndef TUND_POLICY_NEXT_HOPS_H
#define TUND_POLICY_NEXT_HOPS_H

#include <tund/policy/policy.h>

struct next_hops;

/* Nothing is available at first. The policy must outlive it; `epoch` as in registry_new(). NULL
 * when memory is out. */
struct next_hops *next_hops_new(const struct policy *policy, struct epoch *epoch);
void next_hops_free(struct next_hops *next_hops);

/* Makes a device available for a route, as the registry has it now. -ENOENT: its principal is no
 * connector of this route. -ENOMEM. The owner's thread. */
int next_hops_add(struct next_hops *next_hops, uint32_t route,
		  const struct registry_device *device);

/* The opposite, by its number, if it was. The owner's thread. */
void next_hops_remove(struct next_hops *next_hops, uint32_t route, uint32_t device);

bool next_hops_get(const struct next_hops *next_hops, uint32_t route, uint32_t device);

/* The first available device of the route, in the order of `via`, then of the principal's own list;
 * DEVICE_NONE if there is none. */
uint32_t next_hops_choose(const struct next_hops *next_hops, uint32_t route);

/* Changes with everything that next_hops_add() and next_hops_remove() change. What is read from it
 * after this holds until the number is another. */
uint32_t next_hops_version(const struct next_hops *next_hops);

#endif
