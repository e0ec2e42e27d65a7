/* SPDX-License-Identifier: ISC */
/* What edge and connector share: one judge, and what is done with its verdicts. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/random.h>

#include "role_judged.h"

int judged_init(struct judged *judged, bool router, size_t flows)
{
	struct rng rng = rng_system();
	struct siphash_key key;

	*judged = (struct judged){.forward.router = router};
	rng_fill(&rng, &key, sizeof key);
	judged->forward.flows = flow_table_new(flows, &key);
	judged->forward.fragments = fragment_table_new();
	judged->forward.cache = flow_cache_new();
	if (judged->forward.flows && judged->forward.fragments && judged->forward.cache)
		return 0;
	judged_clear(judged);
	return -ENOMEM;
}

void judged_clear(struct judged *judged)
{
	flow_table_free(judged->forward.flows);
	fragment_table_free(judged->forward.fragments);
	flow_cache_free(judged->forward.cache);
	refusal_limiter_free(judged->limiter);
	reach_free(judged->reach);
	policy_free(judged->policy);
	memset(judged, 0, sizeof *judged);
}

int judged_adopt(struct judged *judged, struct policy *policy, struct policy **before)
{
	struct reach *reach = reach_new(policy);
	struct refusal_limiter *limiter = refusal_limiter_new(policy_device_limit(policy));

	if (!reach || !limiter) {
		reach_free(reach);
		refusal_limiter_free(limiter);
		return -ENOMEM;
	}
	reach_free(judged->reach);
	refusal_limiter_free(judged->limiter);
	*before = judged->policy;
	judged->policy = policy;
	judged->reach = reach;
	judged->limiter = limiter;
	judged->forward.policy = policy;
	judged->forward.reach = reach;
	judged->forward.limiter = limiter;
	return 0;
}

static void forward(struct engine *engine, uint64_t now_ns, const struct inner_bytes *packet,
		    const struct verdict *verdict, const struct judged_exits *exits)
{
	struct inner_bytes out = *packet;

	out.len = verdict->len;
	exits->forward(engine, now_ns, verdict->device, &out);
	for (size_t i = 0; i < verdict->piece_count; i++) {
		struct inner_bytes piece = {.data = verdict->pieces[i].data,
					    .len = verdict->pieces[i].len};

		exits->forward(engine, now_ns, verdict->device, &piece);
	}
}

/* An edge pushes one MTU to all; what is larger came from a peer with one of its own. */
static void judge(struct engine *engine, struct judged *judged, uint64_t now_ns, uint32_t device,
		  const struct inner_bytes *packet, struct verdict *out)
{
	uint32_t mtu = engine->config->mtu;

	forward_judge(&judged->forward, now_ns, device, packet->data, packet->len,
		      packet->partial_checksum, out);
	if (judged->forward.router && out->kind == VERDICT_FORWARD && out->len > mtu)
		forward_too_big(&judged->forward, now_ns, device, packet->data, packet->len,
				packet->partial_checksum, mtu, out);
}

enum reason judged_packet(struct engine *engine, struct judged *judged, uint64_t now_ns,
			  uint32_t device, struct peer *from, const struct inner_bytes *packet,
			  const struct judged_exits *exits)
{
	struct inner_bytes refusal;
	struct verdict verdict;

	judge(engine, judged, now_ns, device, packet, &verdict);
	engine->counters[verdict.reason]++;
	switch (verdict.kind) {
	case VERDICT_FORWARD:
		forward(engine, now_ns, packet, &verdict, exits);
		break;
	case VERDICT_REFUSE:
		refusal = (struct inner_bytes){.data = verdict.refusal, .len = verdict.refusal_len};
		exits->refuse(engine, now_ns, from, &refusal);
		break;
	case VERDICT_DROP:
	case VERDICT_HELD:
		break;
	}
	return verdict.reason;
}
