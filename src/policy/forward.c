/* SPDX-License-Identifier: ISC */
/*
 * What happens to an inner packet. Each step either lets it go on or writes the verdict: a step
 * returns true while the packet may go on, and false once `v` is final.
 */
#include <string.h>

#include <tund/policy/forward.h>
#include <tund/policy/lpm.h>

/* One packet on its way through the steps. */
struct passage {
	struct forward *f;
	uint64_t now_ns;
	uint32_t device; /* from which it came */
	const struct spec_principal *sender;
	uint8_t *data;
	struct inner_packet p;
	bool partial_checksum;
	bool foreign_source; /* an ICMP error from a host that its connector does not announce */
	struct verdict *v;
};

static bool drop(struct passage *x, enum reason reason)
{
	x->v->kind = VERDICT_DROP;
	x->v->reason = reason;
	return false;
}

/* Drops and, where one is due and the sender's allowance is not used up, answers. */
static bool refuse(struct passage *x, enum reason reason, enum refusal kind, uint32_t mtu)
{
	struct verdict *v = x->v;

	drop(x, reason);
	v->refusal_len =
		refusal_build(kind, x->data, &x->p, x->partial_checksum, mtu, v->refusal);
	if (v->refusal_len && refusal_allow(x->f->limiter, x->now_ns, x->device))
		v->kind = VERDICT_REFUSE;
	return false;
}

/* Off to `next_hop`, a hop less to live. */
static bool pass_on(struct passage *x, uint32_t next_hop, bool answer_ttl)
{
	if (x->f->router && !inner_ttl_decrement(x->data))
		return answer_ttl ? refuse(x, REASON_TTL_EXCEEDED, REFUSAL_TIME_EXCEEDED, 0)
				  : drop(x, REASON_TTL_EXCEEDED);
	x->v->kind = VERDICT_FORWARD;
	x->v->reason = REASON_ACCEPTED;
	x->v->device = next_hop;
	return true;
}

static bool from_connector(const struct passage *x)
{
	return x->sender->kind == PRINCIPAL_CONNECTOR;
}

static bool is_icmp_error(const struct inner_packet *p)
{
	return inner_is_icmp(p) && p->fragment != INNER_LATER &&
	       inner_icmp_class(p) == INNER_ICMP_ERROR;
}

static bool parse(struct passage *x, size_t len)
{
	enum inner_error error = inner_parse(x->data, len, &x->p);

	if (error)
		return drop(x, reason_of_inner(error));
	x->v->len = x->p.len;
	if (x->partial_checksum && (x->p.fragment != INNER_WHOLE ||
				    (x->p.proto != PROTO_TCP && x->p.proto != PROTO_UDP)))
		return drop(x, reason_of_inner(INNER_BAD_L4));
	return true;
}

/* Identity before everything else. A router behind a connector may report an error from an address
 * of its own: that is decided by what the error quotes. */
static bool check_source(struct passage *x)
{
	x->sender = policy_principal(x->f->policy, x->device);
	if (!x->sender)
		return drop(x, REASON_UNKNOWN_DEVICE);
	if (ip_addr_is_special(&x->p.src))
		return drop(x, REASON_SOURCE_SPECIAL);
	if (!policy_owns(x->f->policy, x->device, &x->p.src)) {
		x->foreign_source = from_connector(x) && is_icmp_error(&x->p) &&
				    policy_holder(x->f->policy, &x->p.src) == DEVICE_NONE;
		if (!x->foreign_source)
			return drop(x, REASON_SOURCE_NOT_OWNED);
	}
	if (ip_addr_is_special(&x->p.dst))
		return drop(x, REASON_DESTINATION_SPECIAL);
	return true;
}

static struct flow_tuple tuple_of(const struct inner_packet *p)
{
	bool icmp = inner_is_icmp(p);

	return (struct flow_tuple){
		.src = p->src,
		.dst = p->dst,
		.src_port = icmp ? p->icmp_id : p->src_port,
		.dst_port = icmp ? p->icmp_id : p->dst_port,
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
		.proto = t->proto,
	};
}

/* Asks the policy whether `client` may start a flow with this tuple. */
static struct judgement judge(const struct passage *x, const struct flow_tuple *tuple,
			      uint32_t client)
{
	bool ports = tuple->proto == PROTO_TCP || tuple->proto == PROTO_UDP;
	struct policy_query query = {
		.device = client,
		.dst = tuple->dst,
		.proto = tuple->proto,
		.dst_port = ports ? tuple->dst_port : 0,
	};
	struct judgement j;

	policy_judge(x->f->policy, &query, &j);
	return j;
}

static void explain(struct passage *x, const struct judgement *j)
{
	x->v->rule = j->rule;
	x->v->place = j->place;
}

/* Whether this packet starts something, and so may be answered with a refusal. What a connector
 * sends late, to a flow that is gone, does not. */
static bool is_start(const struct passage *x)
{
	const struct inner_packet *p = &x->p;

	if (!from_connector(x))
		return true;
	if (p->proto == PROTO_TCP)
		return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	return inner_is_icmp(p) && inner_icmp_class(p) == INNER_ICMP_QUERY;
}

/* The policy said no. */
static bool deny(struct passage *x, const struct judgement *j)
{
	explain(x, j);
	if (j->action == POLICY_DROP || !is_start(x))
		return drop(x, j->reason);
	return refuse(x, j->reason, REFUSAL_PROHIBITED, 0);
}

/* Nobody is there to take what the policy accepted. */
static bool unreachable(struct passage *x)
{
	if (!is_start(x))
		return drop(x, REASON_NO_CONNECTOR);
	return refuse(x, REASON_NO_CONNECTOR, REFUSAL_UNREACHABLE, 0);
}

/* Where an accepted flow goes: to the holder of its destination, or to a connector that is up. */
static uint32_t choose_next_hop(const struct passage *x, const struct judgement *j)
{
	return j->holder != DEVICE_NONE ? j->holder : reach_choose(x->f->reach, j->route);
}

static void note_flow(struct passage *x, const struct flow_tuple *tuple, uint32_t client,
		      uint32_t next_hop, const struct judgement *j, enum flow_state state)
{
	struct flow flow = {
		.tuple = *tuple,
		.client = client,
		.next_hop = next_hop,
		.route = j->holder != DEVICE_NONE ? LPM_NONE : j->route,
		.generation = policy_generation(x->f->policy),
		.state = state,
	};

	flow_insert(x->f->flows, x->now_ns, &flow);
}

/* A packet that no flow knows, judged as the first of one. */
static bool start_flow(struct passage *x, const struct flow_tuple *tuple)
{
	struct judgement j = judge(x, tuple, x->device);
	uint32_t next_hop;

	if (j.action != POLICY_ACCEPT)
		return deny(x, &j);
	explain(x, &j);
	next_hop = choose_next_hop(x, &j);
	if (next_hop == DEVICE_NONE || next_hop == x->device)
		return unreachable(x);
	note_flow(x, tuple, x->device, next_hop, &j, FLOW_UNANSWERED);
	return pass_on(x, next_hop, true);
}

/* Whether `device` is where the policy sends such a flow. */
static bool leads_to(const struct passage *x, const struct judgement *j, uint32_t device)
{
	const uint32_t *devices;
	size_t n;

	if (j->holder != DEVICE_NONE)
		return j->holder == device;
	devices = policy_route_devices(x->f->policy, j->route, &n);
	for (size_t i = 0; i < n; i++) {
		if (devices[i] == device)
			return true;
	}
	return false;
}

/*
 * The edge was restarted and has lost its flows: a TCP segment from a connector in the middle of a
 * connection is judged as the reply that it would be.
 */
static bool resume_flow(struct passage *x, const struct flow_tuple *tuple, bool *resumed)
{
	struct flow_tuple original = reversed(tuple);
	uint32_t client = policy_holder(x->f->policy, &original.src);
	struct judgement j;

	*resumed = false;
	if (client == DEVICE_NONE)
		return true;
	j = judge(x, &original, client);
	if (j.action != POLICY_ACCEPT || !leads_to(x, &j, x->device))
		return true;
	*resumed = true;
	explain(x, &j);
	note_flow(x, &original, client, x->device, &j, FLOW_ANSWERED);
	return pass_on(x, client, false);
}

static bool without_flow_from_connector(struct passage *x, const struct flow_tuple *tuple)
{
	bool query = inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_QUERY;
	struct judgement j;
	bool resumed = false;

	if (!query && flow_exists(x->f->flows, x->now_ns, tuple, FLOW_REPLY))
		return drop(x, REASON_WRONG_NEXT_HOP);
	if (is_start(x))
		return start_flow(x, tuple);
	if (x->p.proto == PROTO_TCP) {
		bool going_on = resume_flow(x, tuple, &resumed);

		if (resumed)
			return going_on;
	}
	j = judge(x, tuple, x->device);
	return j.action == POLICY_ACCEPT ? start_flow(x, tuple) : drop(x, REASON_NO_FLOW);
}

static bool without_flow(struct passage *x, const struct flow_tuple *tuple)
{
	if (inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_REPLY)
		return drop(x, flow_exists(x->f->flows, x->now_ns, tuple, FLOW_REPLY)
				       ? REASON_WRONG_NEXT_HOP
				       : REASON_NO_FLOW);
	if (from_connector(x))
		return without_flow_from_connector(x, tuple);
	return start_flow(x, tuple);
}

/* Judged anew, in its original direction, whichever side has sent. */
static bool renew_flow(struct passage *x, struct flow *flow, enum flow_direction direction)
{
	struct judgement j = judge(x, &flow->tuple, flow->client);
	bool owned = policy_owns(x->f->policy, flow->client, &flow->tuple.src);

	if (j.action != POLICY_ACCEPT || !owned ||
	    (direction == FLOW_REPLY && !leads_to(x, &j, x->device))) {
		flow_remove(x->f->flows, flow);
		explain(x, &j);
		if (j.action == POLICY_ACCEPT)
			return drop(x, owned ? REASON_WRONG_NEXT_HOP : REASON_SOURCE_NOT_OWNED);
		return direction == FLOW_ORIGINAL ? deny(x, &j) : drop(x, j.reason);
	}
	if (!leads_to(x, &j, flow->next_hop)) {
		uint32_t next_hop = choose_next_hop(x, &j);

		if (next_hop == DEVICE_NONE)
			return unreachable(x);
		flow->next_hop = next_hop;
	}
	flow->route = j.holder != DEVICE_NONE ? LPM_NONE : j.route;
	flow->generation = policy_generation(x->f->policy);
	flow_renew(x->f->flows, flow);
	return true;
}

/* The connector of a flow is gone: another one of the route takes over, if there is one. */
static bool move_flow(struct passage *x, struct flow *flow)
{
	uint32_t next_hop;

	if (flow->route == LPM_NONE || reach_get(x->f->reach, flow->route, flow->next_hop))
		return true;
	next_hop = reach_choose(x->f->reach, flow->route);
	if (next_hop == DEVICE_NONE || next_hop == flow->client)
		return unreachable(x);
	flow->next_hop = next_hop;
	flow_renew(x->f->flows, flow);
	return true;
}

static bool with_flow(struct passage *x, struct flow *flow, enum flow_direction direction)
{
	bool original = direction == FLOW_ORIGINAL;

	if (flow->generation != policy_generation(x->f->policy) &&
	    !renew_flow(x, flow, direction))
		return false;
	if (original && !move_flow(x, flow))
		return false;
	flow_touch(x->f->flows, x->now_ns, flow, direction, x->p.tcp_flags);
	return pass_on(x, original ? flow->next_hop : flow->client, original);
}

static bool judge_packet(struct passage *x)
{
	struct flow_tuple tuple = tuple_of(&x->p);
	bool icmp = inner_is_icmp(&x->p);
	enum inner_icmp class = icmp ? inner_icmp_class(&x->p) : INNER_ICMP_OTHER;
	const struct flow_table *flows = x->f->flows;
	struct flow flow;

	if (class != INNER_ICMP_REPLY &&
	    flow_find(flows, x->now_ns, &tuple, x->device, FLOW_ORIGINAL, &flow))
		return with_flow(x, &flow, FLOW_ORIGINAL);
	if (class != INNER_ICMP_QUERY &&
	    flow_find(flows, x->now_ns, &tuple, x->device, FLOW_REPLY, &flow))
		return with_flow(x, &flow, FLOW_REPLY);
	return without_flow(x, &tuple);
}

/*
 * The flow that an ICMP error is about. What it quotes was on its way to the sender of the error,
 * so the answer to the quoted packet would come from that sender.
 */
static bool find_quoted(const struct passage *x, const struct inner_packet *quote,
			struct flow *flow, enum flow_direction *direction)
{
	struct flow_tuple tuple = tuple_of(quote), answer = reversed(&tuple);
	bool icmp = inner_is_icmp(quote);
	enum inner_icmp class = icmp ? inner_icmp_class(quote) : INNER_ICMP_OTHER;

	if (icmp && class != INNER_ICMP_QUERY && class != INNER_ICMP_REPLY)
		return false;
	*direction = FLOW_REPLY;
	if (class != INNER_ICMP_REPLY &&
	    flow_find(x->f->flows, x->now_ns, &answer, x->device, FLOW_REPLY, flow))
		return true;
	*direction = FLOW_ORIGINAL;
	return class != INNER_ICMP_QUERY &&
	       flow_find(x->f->flows, x->now_ns, &answer, x->device, FLOW_ORIGINAL, flow);
}

static bool judge_icmp_error(struct passage *x)
{
	size_t at = x->p.l4 + 8u;
	enum flow_direction direction;
	struct inner_packet quote;
	struct flow flow;

	if (x->p.fragment != INNER_WHOLE || x->p.len < at ||
	    inner_parse_quote(x->data + at, x->p.len - at, &quote) != INNER_OK)
		return drop(x, REASON_ICMP_QUOTE);
	if (!ip_addr_equal(&quote.src, &x->p.dst) || !find_quoted(x, &quote, &flow, &direction))
		return drop(x, REASON_ICMP_NO_FLOW);
	if (flow.generation != policy_generation(x->f->policy) && !renew_flow(x, &flow, direction))
		return false;
	if (x->foreign_source) /* becomes the end of the flow that lies behind the sender */
		inner_set_source(x->data, &x->p,
				 direction == FLOW_REPLY ? &flow.tuple.dst : &flow.tuple.src);
	return pass_on(x, direction == FLOW_ORIGINAL ? flow.next_hop : flow.client, false);
}

static bool judge_whole(struct passage *x)
{
	if (is_icmp_error(&x->p))
		return judge_icmp_error(x);
	if (inner_is_icmp(&x->p) && inner_icmp_class(&x->p) == INNER_ICMP_OTHER)
		return drop(x, REASON_ICMP_TYPE);
	return judge_packet(x);
}

/* The first fragment's verdict is the datagram's; what waited for it goes along. */
static bool judge_first(struct passage *x)
{
	bool going_on = judge_whole(x);
	struct verdict *v = x->v;
	struct fragment_piece pieces[FRAGMENT_PIECES];
	size_t n = fragment_decide(x->f->fragments, x->now_ns, going_on ? v->device : DEVICE_NONE,
				   pieces);

	for (size_t i = 0; i < n; i++) {
		if (!x->f->router || inner_ttl_decrement(pieces[i].data))
			v->pieces[v->piece_count++] = pieces[i];
	}
	return going_on;
}

static bool judge_fragment(struct passage *x)
{
	struct fragment_origin from = {
		.device = x->device,
		.generation = policy_generation(x->f->policy),
	};
	struct fragment_outcome outcome;

	fragment_take(x->f->fragments, x->now_ns, &from, x->data, &x->p, &outcome);
	switch (outcome.result) {
	case FRAGMENT_FORWARD:
		return pass_on(x, outcome.next_hop, false);
	case FRAGMENT_JUDGE:
		return judge_first(x);
	case FRAGMENT_HELD:
		x->v->kind = VERDICT_HELD;
		x->v->reason = REASON_ACCEPTED;
		return false;
	case FRAGMENT_DROP:
		return drop(x, outcome.reason);
	}
	return false;
}

static void verdict_init(struct verdict *v)
{
	v->kind = VERDICT_DROP;
	v->device = DEVICE_NONE;
	v->len = 0;
	v->rule = NULL;
	v->place = (struct spec_place){0};
	v->refusal_len = 0;
	v->piece_count = 0;
}

void forward_judge(struct forward *f, uint64_t now_ns, uint32_t device, uint8_t *data, size_t len,
		   bool partial_checksum, struct verdict *out)
{
	struct passage x = {
		.f = f,
		.now_ns = now_ns,
		.device = device,
		.data = data,
		.partial_checksum = partial_checksum,
		.v = out,
	};

	verdict_init(out);
	if (!parse(&x, len) || !check_source(&x))
		return;
	if (x.p.fragment == INNER_WHOLE)
		judge_whole(&x);
	else
		judge_fragment(&x);
}

void forward_too_big(struct forward *f, uint64_t now_ns, uint32_t device, const uint8_t *data,
		     size_t len, bool partial_checksum, uint32_t mtu, struct verdict *out)
{
	struct passage x = {
		.f = f,
		.now_ns = now_ns,
		.device = device,
		.data = (uint8_t *)(uintptr_t)data, /* refuse() only reads */
		.partial_checksum = partial_checksum,
		.v = out,
	};

	verdict_init(out);
	if (parse(&x, len))
		refuse(&x, REASON_TOO_BIG, REFUSAL_TOO_BIG, mtu);
}
