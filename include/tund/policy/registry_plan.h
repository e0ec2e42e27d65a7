/* SPDX-License-Identifier: ISC */
/*
 * The difference between a registry and what a spec says: the changes that are prepared, and the
 * devices that go. Whatever can fail has been done when there is a plan.
 */
#ifndef TUND_POLICY_REGISTRY_PLAN_H
#define TUND_POLICY_REGISTRY_PLAN_H

#include <tund/policy/registry.h>

struct registry_plan {
	struct registry_entry **changes; /* in the order of the spec */
	size_t change_count;
	uint32_t *removed; /* numbers */
	size_t removed_count;
};

/* All principals of the spec, whose keys and addresses differ. -EINVAL: two devices have the same
 * key; -ENOMEM; -ENOSPC. Otherwise the plan is to be committed or discarded. The owner's thread. */
int registry_plan(struct registry *r, const struct policy_spec *spec, struct registry_plan *out);

/* Removes, then changes. A caller that has to do more for each device does both by itself, and then
 * calls registry_plan_clear(). */
void registry_plan_commit(struct registry *r, struct registry_plan *plan);
void registry_plan_clear(struct registry_plan *plan);

void registry_plan_discard(struct registry *r, struct registry_plan *plan);

#endif
