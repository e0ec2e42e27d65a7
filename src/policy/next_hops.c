/* SPDX-License-Identifier: ISC */
/*
 * Which connector devices reach which routes: for each route a list of devices, best first, with a
 * flag each. A device that comes back is only flagged again; one that is new makes a new list.
 */
#include <tund/policy/next_hops.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

struct hop {
	uint64_t rank; /* of its principal in `via`, then its own: the least is the best */
	uint32_t device;
	atomic_bool available;
};

struct hop_list {
	struct retired retired;
	size_t count;
	struct hop hops[];
};

struct next_hops {
	const struct policy *policy;
	struct epoch *epoch;
	uint32_t route_count;
	_Atomic uint32_t version; /* counts changes, each after it was made */
	struct hop_list *_Atomic lists[]; /* by route; NULL: nobody yet */
};

struct next_hops *next_hops_new(const struct policy *policy, struct epoch *epoch)
{
	size_t routes = policy_spec(policy)->route_count;
	struct next_hops *n = calloc(1, sizeof *n + routes * sizeof n->lists[0]);

	if (!n)
		return NULL;
	n->policy = policy;
	n->epoch = epoch;
	n->route_count = (uint32_t)routes;
	return n;
}

void next_hops_free(struct next_hops *n)
{
	if (!n)
		return;
	for (uint32_t i = 0; i < n->route_count; i++)
		free(atomic_load_explicit(&n->lists[i], memory_order_relaxed));
	free(n);
}

static struct hop_list *list_of(const struct next_hops *n, uint32_t route)
{
	if (route >= n->route_count)
		return NULL;
	return atomic_load_explicit(&n->lists[route], memory_order_acquire);
}

static struct hop *find(struct hop_list *list, uint32_t device)
{
	for (size_t i = 0; list && i < list->count; i++) {
		if (list->hops[i].device == device)
			return &list->hops[i];
	}
	return NULL;
}

static void changed(struct next_hops *n)
{
	atomic_fetch_add_explicit(&n->version, 1, memory_order_release);
}

static bool is_available(const struct hop *hop)
{
	return atomic_load_explicit(&hop->available, memory_order_relaxed);
}

static void put_hop(struct hop_list *list, uint64_t rank, uint32_t device)
{
	struct hop *hop = &list->hops[list->count++];

	hop->rank = rank;
	hop->device = device;
	atomic_init(&hop->available, true);
}

/* Those of `old` that are available, and the new one in its place. */
static struct hop_list *list_with(const struct hop_list *old, uint64_t rank, uint32_t device)
{
	size_t count = old ? old->count : 0, i = 0;
	struct hop_list *list = calloc(1, sizeof *list + (count + 1) * sizeof list->hops[0]);

	if (!list)
		return NULL;
	for (; i < count && old->hops[i].rank <= rank; i++) {
		if (is_available(&old->hops[i]) && old->hops[i].device != device)
			put_hop(list, old->hops[i].rank, old->hops[i].device);
	}
	put_hop(list, rank, device);
	for (; i < count; i++) {
		if (is_available(&old->hops[i]) && old->hops[i].device != device)
			put_hop(list, old->hops[i].rank, old->hops[i].device);
	}
	return list;
}

static void replace(struct next_hops *n, uint32_t route, struct hop_list *list)
{
	struct hop_list *old = list_of(n, route);

	atomic_store_explicit(&n->lists[route], list, memory_order_release);
	changed(n);
	if (old && n->epoch)
		epoch_retire(n->epoch, &old->retired, free, old);
	else
		free(old);
}

int next_hops_add(struct next_hops *n, uint32_t route, const struct registry_device *device)
{
	struct hop_list *list = list_of(n, route);
	struct hop *hop = find(list, device->number);
	uint32_t in_via = UINT32_MAX;
	uint64_t rank;

	if (route < n->route_count)
		in_via = policy_route_rank(n->policy, route, device->principal);
	if (in_via == UINT32_MAX)
		return -ENOENT;
	rank = (uint64_t)in_via << 32 | device->order;
	if (!hop || hop->rank != rank) {
		list = list_with(list, rank, device->number);
		if (!list)
			return -ENOMEM;
		replace(n, route, list);
	} else if (!atomic_exchange_explicit(&hop->available, true, memory_order_relaxed)) {
		changed(n);
	}
	return 0;
}

void next_hops_remove(struct next_hops *n, uint32_t route, uint32_t device)
{
	struct hop *hop = find(list_of(n, route), device);

	if (hop && atomic_exchange_explicit(&hop->available, false, memory_order_relaxed))
		changed(n);
}

uint32_t next_hops_version(const struct next_hops *n)
{
	return atomic_load_explicit(&n->version, memory_order_acquire);
}

bool next_hops_get(const struct next_hops *n, uint32_t route, uint32_t device)
{
	const struct hop *hop = find(list_of(n, route), device);

	return hop && is_available(hop);
}

uint32_t next_hops_choose(const struct next_hops *n, uint32_t route)
{
	const struct hop_list *list = list_of(n, route);

	for (size_t i = 0; list && i < list->count; i++) {
		if (is_available(&list->hops[i]))
			return list->hops[i].device;
	}
	return DEVICE_NONE;
}
