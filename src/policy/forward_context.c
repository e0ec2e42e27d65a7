/* SPDX-License-Identifier: ISC */
/* How a packet's way ends: sent on, dropped, or refused with an answer. */
#include "forward_context.h"

bool context_drop(struct context *x, enum reason reason)
{
	x->v->kind = VERDICT_DROP;
	x->v->reason = reason;
	return false;
}

bool context_refuse(struct context *x, enum reason reason, enum refusal kind, uint32_t mtu)
{
	struct verdict *v = x->v;

	context_drop(x, reason);
	v->refusal_len = refusal_build(kind, x->data, &x->p, x->partial_checksum, mtu, v->refusal);
	if (v->refusal_len && refusal_allow(x->f->limiter, x->now_ns, x->device))
		v->kind = VERDICT_REFUSE;
	return false;
}

bool context_end(struct context *x, enum reason reason, uint32_t initiator)
{
	struct verdict *v = x->v;

	context_drop(x, reason);
	v->refusal_len = refusal_build_end(x->data, &x->p, v->refusal);
	if (v->refusal_len && refusal_allow(x->f->limiter, x->now_ns, initiator)) {
		v->kind = VERDICT_END;
		v->device = initiator;
	}
	return false;
}

bool context_send(struct context *x, uint32_t next_hop, bool answer_ttl)
{
	if (x->f->router && !inner_ttl_decrement(x->data))
		return answer_ttl ? context_refuse(x, REASON_TTL_EXCEEDED, REFUSAL_TIME_EXCEEDED, 0)
				  : context_drop(x, REASON_TTL_EXCEEDED);
	x->v->kind = VERDICT_FORWARD;
	x->v->reason = REASON_ACCEPTED;
	x->v->device = next_hop;
	return true;
}

bool context_from_connector(const struct context *x)
{
	return x->sender->kind == PRINCIPAL_CONNECTOR;
}

bool context_is_icmp_error(const struct inner_packet *p)
{
	return inner_is_icmp(p) && p->fragment != INNER_LATER &&
	       inner_icmp_class(p) == INNER_ICMP_ERROR;
}
