/* SPDX-License-Identifier: ISC */
/* Which connector devices reach which routes: one atomic flag for each pair that the policy has. */
#include <tund/policy/next_hops.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct next_hops {
	const struct policy *policy;
	size_t *first; /* by route: its first flag; the flags are in the order of its devices */
	atomic_bool *flags;
	_Atomic uint32_t version; /* counts changes of flags, each after it was made */
};

struct next_hops *next_hops_new(const struct policy *policy)
{
	size_t routes = policy_spec(policy)->route_count, total = 0, n;
	struct next_hops *next_hops = calloc(1, sizeof *next_hops);

	if (!next_hops)
		return NULL;
	next_hops->policy = policy;
	next_hops->first = calloc(routes + 1, sizeof *next_hops->first);
	for (size_t i = 0; next_hops->first && i < routes; i++) {
		next_hops->first[i] = total;
		policy_route_devices(policy, (uint32_t)i, &n);
		total += n;
	}
	next_hops->flags = calloc(total + 1, sizeof *next_hops->flags);
	if (!next_hops->first || !next_hops->flags) {
		next_hops_free(next_hops);
		return NULL;
	}
	return next_hops;
}

void next_hops_free(struct next_hops *next_hops)
{
	if (!next_hops)
		return;
	free(next_hops->first);
	free(next_hops->flags);
	free(next_hops);
}

/* The flag of the pair, or NULL where the policy knows none. */
static atomic_bool *find_flag(const struct next_hops *next_hops, uint32_t route, uint32_t device)
{
	const uint32_t *devices;
	size_t n;

	if (route >= policy_spec(next_hops->policy)->route_count)
		return NULL;
	devices = policy_route_devices(next_hops->policy, route, &n);
	for (size_t i = 0; i < n; i++) {
		if (devices[i] == device)
			return &next_hops->flags[next_hops->first[route] + i];
	}
	return NULL;
}

int next_hops_set(struct next_hops *next_hops, uint32_t route, uint32_t device, bool available)
{
	atomic_bool *flag = find_flag(next_hops, route, device);

	if (!flag)
		return -ENOENT;
	if (atomic_exchange_explicit(flag, available, memory_order_relaxed) != available)
		atomic_fetch_add_explicit(&next_hops->version, 1, memory_order_release);
	return 0;
}

uint32_t next_hops_version(const struct next_hops *next_hops)
{
	return atomic_load_explicit(&next_hops->version, memory_order_acquire);
}

bool next_hops_get(const struct next_hops *next_hops, uint32_t route, uint32_t device)
{
	atomic_bool *flag = find_flag(next_hops, route, device);

	return flag && atomic_load_explicit(flag, memory_order_relaxed);
}

uint32_t next_hops_choose(const struct next_hops *next_hops, uint32_t route)
{
	const uint32_t *devices;
	size_t n;

	devices = policy_route_devices(next_hops->policy, route, &n);
	for (size_t i = 0; i < n; i++) {
		if (atomic_load_explicit(&next_hops->flags[next_hops->first[route] + i],
					 memory_order_relaxed))
			return devices[i];
	}
	return DEVICE_NONE;
}
