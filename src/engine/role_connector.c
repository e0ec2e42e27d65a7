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

struct connector {
	struct enforcer enforcer;
	struct told_identity *incoming; /* the list being received */
	size_t incoming_count, incoming_cap;
	bool incoming_refused;    /* said once, the rest of that list is ignored */
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

/* Builds the policy of `config` for these holders and puts it in force. */
static int judge_anew(struct engine *engine, const struct config *config,
		      const struct identity *identities, size_t n)
{
	const struct enforcer_view *before = enforcer_view(engine);
	struct enforcer_view *view;
	struct policy *policy;
	uint32_t self;
	int err = connector_policy_new(config->policy, identities, n,
				       before ? before->policy : NULL, &policy, &self);

	if (err < 0)
		return err;
	view = enforcer_view_new(policy, config->mtu);
	if (!view) {
		policy_free(policy);
		return -ENOMEM;
	}
	view->self = self;
	for (uint32_t r = 0; r < policy_spec(policy)->route_count; r++)
		next_hops_set(view->next_hops, r, self, true);
	enforcer_publish(engine, view);
	return 0;
}

static int publish_identities(struct engine *engine, const struct config *config)
{
	struct connector *c = engine->state;
	struct identity *identities = calloc(c->incoming_count + 1, sizeof *identities);
	int err;

	if (!identities)
		return -ENOMEM;
	for (size_t i = 0; i < c->incoming_count; i++) {
		struct told_identity *h = &c->incoming[i];

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
	err = judge_anew(engine, config, identities, c->incoming_count);
	free(identities);
	return err;
}

static bool is_well_formed(const struct control_identity *m)
{
	bool ok = m->group_count <= 16 && memchr(m->principal, '\0', sizeof m->principal);

	for (uint32_t g = 0; ok && g < m->group_count; g++)
		ok = memchr(m->group[g], '\0', sizeof m->group[g]) != NULL;
	return ok;
}

static int keep_identity(struct connector *c, const struct control_identity *m)
{
	if (c->incoming_count == IDENTITIES_MAX)
		return -E2BIG;
	if (c->incoming_count == c->incoming_cap) {
		size_t cap = c->incoming_cap ? c->incoming_cap * 2 : 16;
		struct told_identity *grown = realloc(c->incoming, cap * sizeof *grown);

		if (!grown)
			return -ENOMEM;
		c->incoming = grown;
		c->incoming_cap = cap;
	}
	c->incoming[c->incoming_count++].said = *m;
	return 0;
}

/* The list is sent whole; an entry without an address carries only the first or last mark. */
static void identity(struct engine *engine, const struct control_identity *m)
{
	struct connector *c = engine->state;
	int err = 0;

	if (m->first) {
		c->incoming_count = 0;
		c->incoming_refused = false;
	}
	if (c->incoming_refused)
		return;
	if (m->address.family != 0)
		err = is_well_formed(m) ? keep_identity(c, m) : -EBADMSG;
	if (err == 0 && m->last)
		err = publish_identities(engine, engine->config);
	if (err == 0)
		return;
	c->incoming_refused = true;
	log_error("the edge's list of address holders was not taken: %s", strerror(-err));
}

static int start(struct engine *engine, uint64_t now_ns)
{
	struct connector *c = calloc(1, sizeof *c);
	int err = c ? enforcer_init(&c->enforcer, false, CONNECTOR_FLOWS) : -ENOMEM;

	engine->state = c;
	if (err == 0)
		err = enforcer_start_workers(engine, &c->enforcer);
	if (err == 0)
		err = add_announced_routes(engine->config);
	if (err == 0)
		err = judge_anew(engine, engine->config, NULL, 0);
	return err < 0 ? err : member_start(engine, now_ns);
}

static void stop(struct engine *engine)
{
	struct connector *c = engine->state;

	enforcer_stop_workers(engine);
	enforcer_clear(&c->enforcer);
	free(c->incoming);
	free(c);
	engine->state = NULL;
}

static int reload(struct engine *engine, uint64_t now_ns, struct config *fresh)
{
	int err = add_announced_routes(fresh);

	if (err == 0)
		err = member_reload(engine, now_ns, fresh);
	return err < 0 ? err : publish_identities(engine, fresh);
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
	struct peek o;
	uint32_t device;

	if (peek_read(packet->data, packet->len, &o) < 0) {
		counters_add(&dw->counters, reason_of_inner(INNER_NOT_IP));
		return;
	}
	device = policy_device_by_address(view->policy, &o.src);
	if (device == DEVICE_NONE || device == view->self) {
		counters_add(&dw->counters, REASON_SOURCE_NOT_OWNED);
		return;
	}
	enforcer_packet(dw, now_ns, device, peer, packet, &exits);
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
	for (size_t i = 0; i < c->incoming_count; i++)
		uapi_put_address(text, &c->incoming[i].said.address);
}

const struct role_ops connector_role = {
	.handshake_queue = 64,
	.start = start,
	.stop = stop,
	.reload = reload,
	.packets = {from_session, from_tun},
	.opened = member_opened,
	.peer_event = member_peer_event,
	.identity = identity,
	.uapi = &uapi_of_tunnel,
	.uapi_allowed = uapi_allowed,
};
