/* SPDX-License-Identifier: ISC */
/* What happens to an inner packet whose source is known: flow, policy, next hop. */
#include <tund/policy/forward.h>

#include <tund/policy/lpm.h>

#include "forward_context.h"

static struct flow_tuple tuple_of(const struct context *x, const struct inner_packet *p)
{
	bool icmp = inner_is_icmp(p);

	return (struct flow_tuple){
		.src = p->src,
		.dst = p->dst,
		.src_port = icmp ? p->icmp_id : p->src_port,
		.dst_port = icmp ? p->icmp_id : p->dst_port,
		.zone = x->sender->zone,
		.proto = p->proto,
	};
}

static struct flow_tuple reversed(const struct flow_tuple *t)
{
	return (struct flow_tuple){
		.src = t->dst,
		.dst = t->src,
		.src_port = t->dst_port,
		.dst_port = t->src_port,
		.zone = t->zone,
		.proto = t->proto,
	};
}

/* Asks the policy whether `client`, which may be NULL, may start a flow with this tuple. */
static struct judgement judge(const struct context *x, const struct flow_tuple *tuple,
			      const struct registry_device *client)
{
	bool ports = tuple->proto == PROTO_TCP || tuple->proto == PROTO_UDP;
	struct policy_query query = {
		.device = client,
		.dst = tuple->dst,
		.proto = tuple->proto,
		.dst_port = ports ? tuple->dst_port : 0,
	};
	struct judgement j;

	policy_judge(x->f->policy, x->f->registry, &query, &j);
	return j;
}

static void explain(struct context *x, const struct judgement *j)
{
	x->v->rule = j->rule;
	x->v->place = j->place;
}

/* Whether this packet starts something, and so may be answered with a refusal. What a connector
 * sends late, to a flow that is gone, does not. */
static bool is_start(const struct context *x)
{
	const struct inner_packet *p = &x->p;

	if (!context_from_connector(x))
		return true;
	if (p->proto == PROTO_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	return inner_is_icmp(p) && inner_icmp_class(p) == INNER_ICMP_QUERY;
}

/* The policy said no. */
static bool deny(struct context *x, const struct judgement *j)
{
	explain(x, j);
	if (j->action == POLICY_DROP || !is_start(x))
		return context_drop(x, j->reason);
	return context_refuse(x, j->reason, REFUSAL_PROHIBITED, 0);
}

/* The same to an answer. Who only receives would not notice for long. */
static bool deny_answer(struct context *x, const struct flow *flow, const struct judgement *j)
{
	explain(x, j);
	if (j->action == POLICY_DROP)
		return context_drop(x, j->reason);
	return context_end(x, j->reason, flow->client);
}

/* Nobody is there to take what the policy accepted. */
static bool unreachable(struct context *x)
{
	if (!is_start(x))
		return context_drop(x, REASON_NO_CONNECTOR);
	return context_refuse(x, REASON_NO_CONNECTOR, REFUSAL_UNREACHABLE, 0);
}

/* Where an accepted flow goes: to the holder of its destination, or to a connector that is up. */
static uint32_t choose_next_hop(const struct context *x, const struct judgement *j)
{
	return j->holder != DEVICE_NONE ? j->holder : next_hops_choose(x->f->next_hops, j->route);
}

static void note_flow(struct context *x, const struct flow_tuple *tuple,
		      const struct registry_device *client, uint32_t next_hop,
		      const struct judgement *j, enum flow_state state)
{
	struct flow flow = {
		.tuple = *tuple,
		.client = client->number,
		.next_hop = next_hop,
		.route = j->holder != DEVICE_NONE ? LPM_NONE : j->route,
		.generation = policy_generation(x->f->policy),
		.client_generation = client->generation,
		.state = state,
	};

	flow_insert(x->f->flows, x->now_ns, &flow);
}

/* A packet that no flow knows, judged as the first of one. */
static bool start_flow(struct context *x, const struct flow_tuple *tuple)
{
	struct judgement j = judge(x, tuple, x->sender);
	uint32_t next_hop;

	if (j.action != POLICY_ACCEPT)
		return deny(x, &j);
	explain(x, &j);
	next_hop = choose_next_hop(x, &j);
	if (next_hop == DEVICE_NONE || next_hop == x->device)
		return unreachable(x);
	note_flow(x, tuple, x->sender, next_hop, &j, FLOW_UNANSWERED);
	return context_send(x, next_hop, true);
}

/* Whether `device` is where the policy sends such a flow. */
static bool leads_to(const struct context *x, const struct judgement *j, uint32_t device)
{
	const struct registry_device *d;

	if (j->holder != DEVICE_NONE)
		return j->holder == device;
	d = registry_device(x->f->registry, device);
	return d && policy_route_rank(x->f->policy, j->route, d->principal) != UINT32_MAX;
}

/*
 * The edge was restarted and has lost its flows: a TCP segment from a connector in the middle of a
 * connection is judged as the reply that it would be.
 */
static bool resume_flow(struct context *x, const struct flow_tuple *tuple, bool *resumed)
{
	struct flow_tuple original = reversed(tuple);
	const struct registry_device *client =
		registry_by_address(x->f->registry, original.zone, &original.src);
	struct judgement j;

	*resumed = false;
	if (!client)
		return true;
	j = judge(x, &original, client);
	if (j.action != POLICY_ACCEPT || !leads_to(x, &j, x->device))
		return true;
	*resumed = true;
	explain(x, &j);
	note_flow(x, &original, client, x->device, &j, FLOW_ANSWERED);
	return context_send(x, client->number, false);
}

static bool without_flow_from_connector(struct context *x, const struct flow_tuple *tuple)
{
	bool query = inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_QUERY;
	struct judgement j;
	bool resumed = false;

	if (!query && flow_exists(x->f->flows, x->now_ns, tuple, FLOW_REPLY))
		return context_drop(x, REASON_WRONG_NEXT_HOP);
	if (is_start(x))
		return start_flow(x, tuple);
	if (x->p.proto == PROTO_TCP) {
		bool going_on = resume_flow(x, tuple, &resumed);

		if (resumed)
			return going_on;
	}
	j = judge(x, tuple, x->sender);
	return j.action == POLICY_ACCEPT ? start_flow(x, tuple) : context_drop(x, REASON_NO_FLOW);
}

static bool without_flow(struct context *x, const struct flow_tuple *tuple)
{
	if (inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_REPLY)
		return context_drop(x, flow_exists(x->f->flows, x->now_ns, tuple, FLOW_REPLY)
					       ? REASON_WRONG_NEXT_HOP
					       : REASON_NO_FLOW);
	if (context_from_connector(x))
		return without_flow_from_connector(x, tuple);
	return start_flow(x, tuple);
}

static const struct registry_device *client_of(const struct context *x, const struct flow *flow)
{
	return flow->client == x->device ? x->sender
					 : registry_device(x->f->registry, flow->client);
}

/* Judged anew, in its original direction, whichever side has sent. */
static bool renew_flow(struct context *x, struct flow *flow, enum flow_direction direction)
{
	const struct registry_device *client = client_of(x, flow);
	struct judgement j = judge(x, &flow->tuple, client);
	bool owned = policy_owns(x->f->policy, x->f->registry, client, &flow->tuple.src);

	if (j.action != POLICY_ACCEPT || !owned ||
	    (direction == FLOW_REPLY && !leads_to(x, &j, x->device))) {
		flow_remove(x->f->flows, flow);
		explain(x, &j);
		if (j.action == POLICY_ACCEPT || !owned)
			return context_drop(x, owned ? REASON_WRONG_NEXT_HOP
						     : REASON_SOURCE_NOT_OWNED);
		return direction == FLOW_ORIGINAL ? deny(x, &j) : deny_answer(x, flow, &j);
	}
	if (!leads_to(x, &j, flow->next_hop)) {
		uint32_t next_hop = choose_next_hop(x, &j);

		if (next_hop == DEVICE_NONE)
			return unreachable(x);
		flow->next_hop = next_hop;
	}
	flow->route = j.holder != DEVICE_NONE ? LPM_NONE : j.route;
	flow->generation = policy_generation(x->f->policy);
	flow->client_generation = client->generation;
	flow_renew(x->f->flows, flow);
	return true;
}

/* Whether the address still is whose it was: the next hop's, or, behind a connector, nobody's. */
static bool is_held_as_before(const struct context *x, const struct ip_addr *a, uint16_t zone,
			      uint32_t holder, bool behind_connector)
{
	const struct registry_device *d = registry_by_address(x->f->registry, zone, a);

	return d ? d->number == holder : behind_connector;
}

/*
 * Whether its verdict would be the same today: it rests on the rules, on its client, and on who
 * holds its addresses. What a client's own addresses are is part of its generation; a connector
 * may have sent from one that another device holds by now.
 */
static bool is_judged(const struct context *x, const struct flow *flow)
{
	const struct registry_device *client = client_of(x, flow);
	const struct flow_tuple *t = &flow->tuple;
	bool to_route = flow->route != LPM_NONE;

	return flow->generation == policy_generation(x->f->policy) && client &&
	       flow->client_generation == client->generation &&
	       is_held_as_before(x, &t->dst, t->zone, to_route ? DEVICE_NONE : flow->next_hop,
				 to_route) &&
	       (client->kind != PRINCIPAL_CONNECTOR ||
		is_held_as_before(x, &t->src, t->zone, flow->client, true));
}

/* The connector of a flow is gone: another one of the route takes over, if there is one. */
static bool move_flow(struct context *x, struct flow *flow)
{
	uint32_t next_hop;

	if (flow->route == LPM_NONE || next_hops_get(x->f->next_hops, flow->route, flow->next_hop))
		return true;
	next_hop = next_hops_choose(x->f->next_hops, flow->route);
	if (next_hop == DEVICE_NONE || next_hop == flow->client)
		return unreachable(x);
	flow->next_hop = next_hop;
	flow_renew(x->f->flows, flow);
	return true;
}

static bool send_along(struct context *x, const struct flow *flow, enum flow_direction direction)
{
	bool original = direction == FLOW_ORIGINAL;

	flow_touch(x->f->flows, x->now_ns, flow, direction, x->p.tcp_flags);
	return context_send(x, original ? flow->next_hop : flow->client, original);
}

static bool with_flow(struct context *x, struct flow *flow, enum flow_direction direction)
{
	if (!is_judged(x, flow) && !renew_flow(x, flow, direction))
		return false;
	if (direction == FLOW_ORIGINAL && !move_flow(x, flow))
		return false;
	if (x->cacheable)
		flow_cache_store(x->f->cache, &x->key, flow, direction);
	return send_along(x, flow, direction);
}

bool context_recall(struct context *x)
{
	const struct forward *f = x->f;
	enum flow_direction direction;
	const struct flow *flow;

	x->cacheable = f->cache &&
		       flow_cache_key(x->data, &x->p, x->device, f->policy, f->next_hops,
				      f->registry, &x->key);
	if (!x->cacheable)
		return false;
	flow = flow_cache_find(f->cache, &x->key, &direction);
	if (!flow || !flow_is_current(f->flows, x->now_ns, flow))
		return false;
	send_along(x, flow, direction);
	return true;
}

/* The directions in which a packet can belong to a flow: an ICMP query is no answer, and an answer
 * no query, whoever sends it. */
static unsigned directions_of(const struct inner_packet *p)
{
	if (!inner_is_icmp(p))
		return FLOW_EITHER;
	switch (inner_icmp_class(p)) {
	case INNER_ICMP_QUERY:
		return FLOW_ORIGINAL;
	case INNER_ICMP_REPLY:
		return FLOW_REPLY;
	case INNER_ICMP_ERROR:
	case INNER_ICMP_OTHER:
		break;
	}
	return 0;
}

static bool judge_packet(struct context *x)
{
	struct flow_tuple tuple = tuple_of(x, &x->p);
	enum flow_direction direction;
	struct flow flow;

	if (flow_find(x->f->flows, x->now_ns, &tuple, x->device, directions_of(&x->p), &flow,
		      &direction))
		return with_flow(x, &flow, direction);
	return without_flow(x, &tuple);
}

/*
 * The flow that an ICMP error is about. What it quotes was on its way to the sender of the error,
 * so the answer to the quoted packet would come from that sender.
 */
static bool find_quoted(const struct context *x, const struct inner_packet *quote,
			struct flow *flow, enum flow_direction *direction)
{
	struct flow_tuple tuple = tuple_of(x, quote), answer = reversed(&tuple);
	unsigned quoted = directions_of(quote), answers = 0;

	if (quoted & FLOW_ORIGINAL)
		answers |= FLOW_REPLY;
	if (quoted & FLOW_REPLY)
		answers |= FLOW_ORIGINAL;
	return flow_find(x->f->flows, x->now_ns, &answer, x->device, answers, flow, direction);
}

/* Whether the sender, who has the number of the flow's next hop, still may be it: an error may come
 * from an address that its connector does not announce. */
static bool is_next_hop(const struct context *x, const struct flow *flow)
{
	return flow->route == LPM_NONE ||
	       policy_route_rank(x->f->policy, flow->route, x->sender->principal) != UINT32_MAX;
}

static bool judge_icmp_error(struct context *x)
{
	size_t at = x->p.l4 + 8u;
	enum flow_direction direction;
	struct inner_packet quote;
	struct flow flow;

	if (x->p.fragment != INNER_WHOLE || x->p.len < at ||
	    inner_parse_quote(x->data + at, x->p.len - at, &quote) != INNER_OK)
		return context_drop(x, REASON_ICMP_QUOTE);
	if (!ip_addr_equal(&quote.src, &x->p.dst) || !find_quoted(x, &quote, &flow, &direction))
		return context_drop(x, REASON_ICMP_NO_FLOW);
	if (!is_judged(x, &flow) && !renew_flow(x, &flow, direction))
		return false;
	if (direction == FLOW_REPLY && !is_next_hop(x, &flow))
		return context_drop(x, REASON_ICMP_NO_FLOW);
	if (x->foreign_source) /* becomes the end of the flow that lies behind the sender */
		inner_set_source(x->data, &x->p,
				 direction == FLOW_REPLY ? &flow.tuple.dst : &flow.tuple.src);
	return context_send(x, direction == FLOW_ORIGINAL ? flow.next_hop : flow.client, false);
}

bool context_judge(struct context *x)
{
	if (context_is_icmp_error(&x->p))
		return judge_icmp_error(x);
	if (inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_OTHER)
		return context_drop(x, REASON_ICMP_TYPE);
	return judge_packet(x);
}
