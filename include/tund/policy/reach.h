/* SPDX-License-Identifier: ISC */
/*
 * Which connector devices reach which routes right now: a route that is announced in a live
 * session. It belongs to one policy (route and device numbers), is written by the main thread and
 * read by the workers while they forward.
 */
#ifndef TUND_POLICY_REACH_H
#define TUND_POLICY_REACH_H

#include <tund/policy/policy.h>

struct reach;

/* Nothing is available at first. The policy must outlive it. NULL when memory is out. */
struct reach *reach_new(const struct policy *policy);
void reach_free(struct reach *reach);

/* -ENOENT: the device is no connector of this route. Any thread. */
int reach_set(struct reach *reach, uint32_t route, uint32_t device, bool available);

bool reach_get(const struct reach *reach, uint32_t route, uint32_t device);

/* The first available device of the route, in the order of `via`; DEVICE_NONE if there is none. */
uint32_t reach_choose(const struct reach *reach, uint32_t route);

/* Changes with every reach_set() that changes something. What is read from `reach` after this holds
 * until the number is another. */
uint32_t reach_version(const struct reach *reach);

#endif
