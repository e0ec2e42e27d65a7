/* SPDX-License-Identifier: ISC */
/* What edge and connector share: judges, and what is done with their verdicts. */
#include "role_enforcer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/random.h>

#define LIMITED_DEVICES 65536 /* beyond, devices share an allowance of refusals */

int enforcer_init(struct enforcer *enforcer, struct epoch *epoch, bool router, size_t flows)
{
	struct rng rng = rng_system();
	struct siphash_key key;

	rng_fill(&rng, &key, sizeof key);
	enforcer->router = router;
	enforcer->flows = flow_table_new(flows, &key);
	enforcer->registry = registry_new(epoch);
	enforcer->limiter = refusal_limiter_new(LIMITED_DEVICES);
	return enforcer->flows && enforcer->registry && enforcer->limiter ? 0 : -ENOMEM;
}

void enforcer_clear(struct enforcer *enforcer)
{
	flow_table_free(enforcer->flows);
	registry_free(enforcer->registry);
	refusal_limiter_free(enforcer->limiter);
}

int enforcer_start_workers(struct engine *engine, const struct enforcer *enforcer)
{
	for (unsigned i = 0; i < engine->plane.count; i++) {
		struct judge *judge = calloc(1, sizeof *judge);
		struct forward *forward;

		if (!judge)
			return -ENOMEM;
		engine->plane.workers[i]->judge = judge;
		forward = &judge->forward;
		forward->router = enforcer->router;
		forward->flows = enforcer->flows;
		forward->registry = enforcer->registry;
		forward->limiter = enforcer->limiter;
		forward->fragments = fragment_table_new();
		forward->cache = flow_cache_new();
		if (!forward->fragments || !forward->cache)
			return -ENOMEM;
	}
	return 0;
}

void enforcer_stop_workers(struct engine *engine)
{
	for (unsigned i = 0; i < engine->plane.count; i++) {
		struct judge *judge = engine->plane.workers[i]->judge;

		if (!judge)
			continue;
		fragment_table_free(judge->forward.fragments);
		flow_cache_free(judge->forward.cache);
		free(judge);
		engine->plane.workers[i]->judge = NULL;
	}
}

static void view_free(void *arg)
{
	struct enforcer_view *view = arg;

	next_hops_free(view->next_hops);
	policy_free(view->policy);
	free(view);
}

void enforcer_view_free(struct enforcer_view *view)
{
	if (view)
		view_free(view);
}

struct enforcer_view *enforcer_view_new(struct policy *policy, struct epoch *epoch, uint32_t mtu)
{
	struct enforcer_view *view = calloc(1, sizeof *view);

	if (!view)
		return NULL;
	view->next_hops = next_hops_new(policy, epoch);
	if (!view->next_hops) {
		free(view);
		return NULL;
	}
	view->head.free = view_free;
	view->policy = policy;
	view->mtu = mtu;
	view->self = DEVICE_NONE;
	return view;
}

struct enforcer_view *enforcer_view(const struct engine *engine)
{
	return dataplane_view(&engine->plane);
}

void enforcer_publish(struct engine *engine, struct enforcer_view *view)
{
	dataplane_publish(&engine->plane, node_epoch(engine->node), &view->head);
}

static void forward(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet,
		    const struct verdict *verdict, const struct enforcer_exits *exits)
{
	struct inner_bytes out = *packet;

	out.len = verdict->len;
	exits->forward(dw, now_ns, verdict->device, &out);
	for (size_t i = 0; i < verdict->piece_count; i++) {
		struct inner_bytes piece = {.data = verdict->pieces[i].data,
					    .len = verdict->pieces[i].len};

		exits->forward(dw, now_ns, verdict->device, &piece);
	}
}

/* A batch may see a newer policy than the one before. */
static struct forward *forward_of(struct data_worker *dw)
{
	const struct enforcer_view *view = dw->view;
	struct forward *f = &dw->judge->forward;

	f->policy = view->policy;
	f->next_hops = view->next_hops;
	return f;
}

/* The largest packet that it becomes. */
static size_t largest(const struct inner_bytes *packet, size_t len)
{
	return packet->gso.kind == GSO_NONE ? len
					    : (size_t)packet->gso.header_len + packet->gso.size;
}

/* An edge pushes one MTU to all, and a peer may have a smaller one of its own. */
static uint32_t mtu_to(const struct enforcer_view *view, const struct registry *registry,
		       uint32_t device)
{
	const struct registry_device *d = registry_device(registry, device);
	const struct enforcer_device *user = d ? d->user : NULL;
	uint32_t said = 0;

	if (user)
		said = atomic_load_explicit(&user->mtu, memory_order_relaxed);
	return said && said < view->mtu ? said : view->mtu;
}

static void judge(struct data_worker *dw, uint64_t now_ns, uint32_t device,
		  const struct inner_bytes *packet, struct verdict *out)
{
	const struct enforcer_view *view = dw->view;
	struct forward *f = forward_of(dw);
	uint32_t mtu;
	size_t size;

	forward_judge(f, now_ns, device, packet->data, packet->len, packet->partial_checksum, out);
	if (!f->router || out->kind != VERDICT_FORWARD)
		return;
	size = largest(packet, out->len);
	mtu = mtu_to(view, f->registry, out->device);
	if (size > mtu)
		forward_too_big(f, now_ns, device, packet->data, size, packet->partial_checksum,
				mtu, out);
}

enum reason enforcer_packet(struct data_worker *dw, uint64_t now_ns, uint32_t device,
			    struct peer *from, const struct inner_bytes *packet,
			    const struct enforcer_exits *exits)
{
	struct verdict *verdict = &dw->judge->verdict;
	struct inner_bytes refusal;

	judge(dw, now_ns, device, packet, verdict);
	counters_add(&dw->counters, verdict->reason);
	switch (verdict->kind) {
	case VERDICT_FORWARD:
		forward(dw, now_ns, packet, verdict, exits);
		break;
	case VERDICT_REFUSE:
		refusal =
			(struct inner_bytes){.data = verdict->refusal, .len = verdict->refusal_len};
		exits->refuse(dw, now_ns, from, &refusal);
		break;
	case VERDICT_END:
		refusal =
			(struct inner_bytes){.data = verdict->refusal, .len = verdict->refusal_len};
		exits->forward(dw, now_ns, verdict->device, &refusal);
		break;
	case VERDICT_DROP:
	case VERDICT_HELD:
		break;
	}
	return verdict->reason;
}
