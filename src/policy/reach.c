/* SPDX-License-Identifier: ISC */
/* Which connector devices reach which routes: one atomic flag for each pair that the policy has. */
#include <tund/policy/reach.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct reach {
	const struct policy *policy;
	size_t *first; /* by route: its first flag; the flags are in the order of its devices */
	atomic_bool *flags;
	_Atomic uint32_t version; /* counts changes of flags, each after it was made */
};

struct reach *reach_new(const struct policy *policy)
{
	size_t routes = policy_spec(policy)->route_count, total = 0, n;
	struct reach *reach = calloc(1, sizeof *reach);

	if (!reach)
		return NULL;
	reach->policy = policy;
	reach->first = calloc(routes + 1, sizeof *reach->first);
	for (size_t i = 0; reach->first && i < routes; i++) {
		reach->first[i] = total;
		policy_route_devices(policy, (uint32_t)i, &n);
		total += n;
	}
	reach->flags = calloc(total + 1, sizeof *reach->flags);
	if (!reach->first || !reach->flags) {
		reach_free(reach);
		return NULL;
	}
	return reach;
}

void reach_free(struct reach *reach)
{
	if (!reach)
		return;
	free(reach->first);
	free(reach->flags);
	free(reach);
}

/* The flag of the pair, or NULL where the policy knows none. */
static atomic_bool *find_flag(const struct reach *reach, uint32_t route, uint32_t device)
{
	const uint32_t *devices;
	size_t n;

	if (route >= policy_spec(reach->policy)->route_count)
		return NULL;
	devices = policy_route_devices(reach->policy, route, &n);
	for (size_t i = 0; i < n; i++) {
		if (devices[i] == device)
			return &reach->flags[reach->first[route] + i];
	}
	return NULL;
}

int reach_set(struct reach *reach, uint32_t route, uint32_t device, bool available)
{
	atomic_bool *flag = find_flag(reach, route, device);

	if (!flag)
		return -ENOENT;
	if (atomic_exchange_explicit(flag, available, memory_order_relaxed) != available)
		atomic_fetch_add_explicit(&reach->version, 1, memory_order_release);
	return 0;
}

uint32_t reach_version(const struct reach *reach)
{
	return atomic_load_explicit(&reach->version, memory_order_acquire);
}

bool reach_get(const struct reach *reach, uint32_t route, uint32_t device)
{
	atomic_bool *flag = find_flag(reach, route, device);

	return flag && atomic_load_explicit(flag, memory_order_relaxed);
}

uint32_t reach_choose(const struct reach *reach, uint32_t route)
{
	const uint32_t *devices;
	size_t n;

	devices = policy_route_devices(reach->policy, route, &n);
	for (size_t i = 0; i < n; i++) {
		if (atomic_load_explicit(&reach->flags[reach->first[route] + i],
					 memory_order_relaxed))
			return devices[i];
	}
	return DEVICE_NONE;
}
