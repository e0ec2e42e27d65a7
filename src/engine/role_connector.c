/* SPDX-License-Identifier: ISC */
/*
 * The connector: one peer, the edge, and behind its TUN device the private network. It judges once
 * more what the edge has let through, by its own rules, which can only narrow.
 */
#include "role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/connector_policy.h>
#include <tund/sys/log.h>
#include <tund/wire/peek.h>

#include "role_enforcer.h"
#include "role_member.h"
#include "uapi_tunnel.h"

#define CONNECTOR_FLOWS 16384
#define IDENTITIES_MAX 65536 /* of one list: an edge that never ends it must not fill our memory */

struct told_identity {
	struct control_identity said;
	const char *groups[16];
};

/* Who holds which address in the tunnel, as the edge tells it. */
struct told_list {
	struct told_identity *entry;
	size_t count, cap;
};

/* What is prepared: rules, and what changes in the registry with them. */
struct adoption {
	struct enforcer_view *view; /* NULL: nothing */
	struct registry_plan plan;
};

struct connector {
	struct enforcer enforcer;
	struct told_list incoming; /* being received */
	struct told_list current;  /* the last one that was complete and could be taken */
	bool incoming_refused;     /* said once, the rest of that list is ignored */
	bool incoming_waits; /* complete; what is prepared must be in force or forgotten first */
	struct adoption next;
};

/* A prefix that is announced without a route of its own in NAME.policy has one without a rule. */
static int add_announced_routes(struct config *config)
{
	struct policy_spec *spec = config->policy;

	for (uint32_t i = 0; i < config->announce.count; i++) {
		const struct ip_prefix *prefix = &config->announce.prefix[i];
		bool known = false;

		for (size_t r = 0; r < spec->route_count; r++)
			known |= ip_prefix_equal(&spec->routes[r].prefix, prefix);
		if (!known && !policy_spec_add_route(spec, prefix, NULL, 0))
			return -ENOMEM;
	}
	return 0;
}

/* A view of the rules of `config`, which the registry's next plan is to be made after. */
static int make_view(struct engine *engine, const struct config *config,
		     struct enforcer_view **out)
{
	const struct connector *c = engine->state;
	const struct enforcer_view *before = enforcer_view(engine);
	struct policy *policy;
	int err = connector_policy_new(config->policy, c->enforcer.registry,
				       before ? before->policy : NULL, &policy);

	if (err < 0)
		return err;
	*out = enforcer_view_new(policy, node_epoch(engine->node), config->mtu);
	if (*out)
		return 0;
	policy_free(policy);
	return -ENOMEM;
}

/* Whatever the routes of its own policy are, the connector itself is what they lead to. */
static int lead_to_self(const struct connector *c, struct enforcer_view *view)
{
	const struct registry_device *self = connector_policy_self(c->enforcer.registry);
	uint32_t routes = (uint32_t)policy_spec(view->policy)->route_count;
	int err = 0;

	view->self = self->number;
	for (uint32_t r = 0; r < routes && err != -ENOMEM; r++)
		err = next_hops_add(view->next_hops, r, self);
	return err == -ENOMEM ? err : 0;
}

/* What changes in the registry with this list. */
static int plan_identities(const struct connector *c, struct told_list *list,
			   struct registry_plan *plan)
{
	struct identity *identities = calloc(list->count + 1, sizeof *identities);
	int err;

	if (!identities)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++) {
		struct told_identity *h = &list->entry[i];

		for (uint32_t g = 0; g < h->said.group_count; g++)
			h->groups[g] = h->said.group[g];
		identities[i] = (struct identity){
			.address = h->said.address,
			.principal = h->said.principal,
			.kind = PRINCIPAL_USER,
			.groups = h->groups,
			.group_count = h->said.group_count,
		};
	}
	err = connector_policy_plan(c->enforcer.registry, identities, list->count, plan);
	free(identities);
	return err;
}

/* The edge's list: only the flows of those that it changes are judged anew. One that cannot be taken
 * changes nothing, nor does it keep a later configuration from being taken. */
static int take_incoming(struct connector *c)
{
	struct told_list before = c->current;
	struct registry_plan plan;
	int err = plan_identities(c, &c->incoming, &plan);

	if (err < 0)
		return err;
	registry_plan_commit(c->enforcer.registry, &plan);
	c->current = c->incoming;
	c->incoming = before;
	c->incoming.count = 0;
	return 0;
}

static void refuse_incoming(struct connector *c, int err)
{
	c->incoming_refused = true;
	log_error("the edge's list of address holders was not taken: %s", strerror(-err));
}

/* Nothing is prepared any more, on which a change of the registry would have to wait. */
static void take_waiting(struct connector *c)
{
	int err = c->incoming_waits ? take_incoming(c) : 0;

	c->incoming_waits = false;
	if (err < 0)
		refuse_incoming(c, err);
}

static bool is_well_formed(const struct control_identity *m)
{
	bool ok = m->group_count <= 16 && memchr(m->principal, '\0', sizeof m->principal);

	for (uint32_t g = 0; ok && g < m->group_count; g++)
		ok = memchr(m->group[g], '\0', sizeof m->group[g]) != NULL;
	return ok;
}

static int keep_identity(struct told_list *list, const struct control_identity *m)
{
	if (list->count == IDENTITIES_MAX)
		return -E2BIG;
	if (list->count == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 16;
		struct told_identity *grown = realloc(list->entry, cap * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		list->entry = grown;
		list->cap = cap;
	}
	list->entry[list->count++].said = *m;
	return 0;
}

/* The list is sent whole; an entry without an address carries only the first or last mark. */
static void identity(struct engine *engine, const struct control_identity *m)
{
	struct connector *c = engine->state;
	int err = 0;

	if (m->first) {
		c->incoming.count = 0;
		c->incoming_refused = c->incoming_waits = false;
	}
	if (c->incoming_refused)
		return;
	if (m->address.family != 0)
		err = is_well_formed(m) ? keep_identity(&c->incoming, m) : -EBADMSG;
	if (err == 0 && m->last) {
		c->incoming_waits = true;
		if (!c->next.view)
			take_waiting(c);
	}
	if (err < 0)
		refuse_incoming(c, err);
}

/* The first rules; nobody holds an address yet. */
static int begin(struct engine *engine)
{
	struct connector *c = engine->state;
	struct enforcer_view *view;
	int err = make_view(engine, engine->config, &view);

	if (err < 0)
		return err;
	err = take_incoming(c);
	if (err == 0)
		err = lead_to_self(c, view);
	if (err == 0)
		enforcer_publish(engine, view);
	else
		enforcer_view_free(view);
	return err;
}

static int start(struct engine *engine, uint64_t now_ns)
{
	struct connector *c = calloc(1, sizeof *c);
	int err = c ? enforcer_init(&c->enforcer, node_epoch(engine->node), false, CONNECTOR_FLOWS)
		    : -ENOMEM;

	(void)now_ns;
	engine->state = c;
	if (err == 0)
		err = enforcer_start_workers(engine, &c->enforcer);
	if (err == 0)
		err = add_announced_routes(engine->config);
	if (err == 0)
		err = begin(engine);
	return err < 0 ? err : member_start(engine);
}

static void stop(struct engine *engine)
{
	struct connector *c = engine->state;

	enforcer_stop_workers(engine);
	enforcer_clear(&c->enforcer);
	free(c->incoming.entry);
	free(c->current.entry);
	free(c);
	engine->state = NULL;
}

/* On the holders of now, who may be in groups that no rule has named before. */
static int prepare_rules(struct engine *engine, const struct config *fresh)
{
	struct connector *c = engine->state;
	struct adoption a = {0};
	int err = make_view(engine, fresh, &a.view);

	if (err < 0)
		return err;
	err = lead_to_self(c, a.view);
	if (err == 0)
		err = plan_identities(c, &c->current, &a.plan);
	if (err == 0)
		c->next = a;
	else
		enforcer_view_free(a.view);
	return err;
}

static void discard_rules(struct connector *c)
{
	registry_plan_discard(c->enforcer.registry, &c->next.plan);
	enforcer_view_free(c->next.view);
	c->next = (struct adoption){0};
}

static int prepare(struct engine *engine, struct config *fresh, char why[WHY_MAX])
{
	int err = add_announced_routes(fresh);

	if (err == 0)
		err = prepare_rules(engine, fresh);
	if (err < 0)
		return err;
	err = member_prepare(engine, fresh, why);
	if (err < 0)
		discard_rules(engine->state);
	return err;
}

static void commit(struct engine *engine, uint64_t now_ns, struct config *fresh)
{
	struct connector *c = engine->state;

	member_commit(engine, now_ns, fresh);
	registry_plan_commit(c->enforcer.registry, &c->next.plan);
	enforcer_publish(engine, c->next.view);
	c->next = (struct adoption){0};
	take_waiting(c);
}

static void discard(struct engine *engine)
{
	struct connector *c = engine->state;

	member_discard(engine);
	discard_rules(c);
	take_waiting(c);
}

static void to_edge(struct data_worker *dw, uint64_t now_ns, uint32_t device,
		    const struct inner_bytes *packet)
{
	(void)device;
	member_send(dw, now_ns, packet);
}

static void to_tun(struct data_worker *dw, uint64_t now_ns, uint32_t device,
		   const struct inner_bytes *packet)
{
	(void)now_ns;
	(void)device;
	tun_port_write(&dw->tun, packet);
}

static void refuse_to_edge(struct data_worker *dw, uint64_t now_ns, struct peer *from,
			   const struct inner_bytes *refusal)
{
	egress_send(&dw->egress, now_ns, from, refusal);
}

static void refuse_to_tun(struct data_worker *dw, uint64_t now_ns, struct peer *from,
			  const struct inner_bytes *refusal)
{
	(void)now_ns;
	(void)from;
	tun_port_write(&dw->tun, refusal);
}

static void from_session(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	static const struct enforcer_exits exits = {to_tun, refuse_to_edge};
	const struct enforcer_view *view = dw->view;
	const struct registry_device *device;
	struct peek o;

	if (peek_read(packet->data, packet->len, &o) < 0) {
		counters_add(&dw->counters, reason_of_inner(INNER_NOT_IP));
		return;
	}
	device = registry_by_address(dw->judge->forward.registry, 0, &o.src);
	if (!device || device->number == view->self) {
		counters_add(&dw->counters, REASON_SOURCE_NOT_OWNED);
		return;
	}
	enforcer_packet(dw, now_ns, device->number, peer, packet, &exits);
}

static void from_tun(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet)
{
	static const struct enforcer_exits exits = {to_edge, refuse_to_tun};
	const struct enforcer_view *view = dw->view;

	enforcer_packet(dw, now_ns, view->self, NULL, packet, &exits);
}

/* Whoever holds an address in the tunnel comes through the edge. */
static void uapi_allowed(const struct engine *engine, const struct peer *peer,
			 struct uapi_text *text)
{
	const struct connector *c = engine->state;

	(void)peer;
	for (size_t i = 0; i < c->current.count; i++)
		uapi_put_address(text, &c->current.entry[i].said.address);
}

const struct role_ops connector_role = {
	.handshake_queue = 64,
	.start = start,
	.stop = stop,
	.prepare = prepare,
	.commit = commit,
	.discard = discard,
	.packets = {from_session, from_tun},
	.opened = member_opened,
	.peer_event = member_peer_event,
	.identity = identity,
	.uapi = &uapi_of_tunnel,
	.uapi_allowed = uapi_allowed,
};
