/* SPDX-License-Identifier: ISC */
/*
 * Which connector devices reach which routes right now: a route that is announced in a live
 * session. It belongs to one policy (route and device numbers), is written by the main thread and
 * read by the workers while they forward.
 */
#ifndef TUND_POLICY_NEXT_HOPS_H
#define TUND_POLICY_NEXT_HOPS_H

#include <tund/policy/policy.h>

struct next_hops;

/* Nothing is available at first. The policy must outlive it. NULL when memory is out. */
struct next_hops *next_hops_new(const struct policy *policy);
void next_hops_free(struct next_hops *next_hops);

/* -ENOENT: the device is no connector of this route. Any thread. */
int next_hops_set(struct next_hops *next_hops, uint32_t route, uint32_t device, bool available);

bool next_hops_get(const struct next_hops *next_hops, uint32_t route, uint32_t device);

/* The first available device of the route, in the order of `via`; DEVICE_NONE if there is none. */
uint32_t next_hops_choose(const struct next_hops *next_hops, uint32_t route);

/* Changes with every next_hops_set() that changes something. What is read from `reach` after this holds
 * until the number is another. */
uint32_t next_hops_version(const struct next_hops *next_hops);

#endif
