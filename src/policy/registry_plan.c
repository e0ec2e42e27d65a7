/* SPDX-License-Identifier: ISC */
/* From what a registry has to what a spec says. */
#include <tund/policy/registry_plan.h>

#include <errno.h>
#include <stdlib.h>

#include "model_index.h"

static size_t count_devices(const struct policy_spec *spec)
{
	size_t n = 0;

	for (size_t i = 0; i < spec->principal_count; i++)
		n += spec->principals[i].device_count;
	return n;
}

/* Of the spec's devices, to find those that are not there any more. */
static int index_keys(const struct policy_spec *spec, struct index *keys)
{
	int err = index_init(keys, count_devices(spec));

	for (size_t i = 0; err == 0 && i < spec->principal_count; i++) {
		const struct spec_principal *p = &spec->principals[i];

		for (size_t j = 0; j < p->device_count; j++)
			index_add(keys, p->devices[j].public_key, KEY_SIZE, 0,
				  &p->devices[j].place);
	}
	if (err < 0)
		return err;
	index_sort(keys);
	return index_duplicate(keys) ? -EINVAL : 0;
}

static int find_changes(struct registry *r, const struct policy_spec *spec,
			struct registry_plan *plan)
{
	for (size_t i = 0; i < spec->principal_count; i++) {
		const struct spec_principal *p = &spec->principals[i];

		for (size_t j = 0; j < p->device_count; j++) {
			struct registry_entry *e;
			int err = registry_prepare(r, p, j, &e);

			if (err < 0)
				return err;
			if (e)
				plan->changes[plan->change_count++] = e;
		}
	}
	return 0;
}

static void find_removed(const struct registry *r, const struct index *keys,
			 struct registry_plan *plan)
{
	for (uint32_t i = 0; i < registry_limit(r); i++) {
		const struct registry_device *d = registry_device(r, i);

		if (d && index_find(keys, d->spec->public_key, KEY_SIZE) == INDEX_NONE)
			plan->removed[plan->removed_count++] = i;
	}
}

int registry_plan(struct registry *r, const struct policy_spec *spec, struct registry_plan *out)
{
	struct registry_plan plan = {0};
	struct index keys = {0};
	int err;

	plan.changes = calloc(count_devices(spec) + 1, sizeof(struct registry_entry *));
	plan.removed = calloc(registry_count(r) + 1u, sizeof *plan.removed);
	err = plan.changes && plan.removed ? index_keys(spec, &keys) : -ENOMEM;
	if (err == 0)
		err = find_changes(r, spec, &plan);
	if (err == 0)
		find_removed(r, &keys, &plan);
	index_clear(&keys);
	if (err < 0) {
		registry_plan_discard(r, &plan);
		return err;
	}
	*out = plan;
	return 0;
}

void registry_plan_commit(struct registry *r, struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->removed_count; i++)
		registry_remove(r, plan->removed[i]);
	for (size_t i = 0; i < plan->change_count; i++)
		registry_commit(r, plan->changes[i]);
	registry_plan_clear(plan);
}

void registry_plan_clear(struct registry_plan *plan)
{
	free(plan->changes);
	free(plan->removed);
	*plan = (struct registry_plan){0};
}

void registry_plan_discard(struct registry *r, struct registry_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		registry_discard(r, plan->changes[i]);
	registry_plan_clear(plan);
}
