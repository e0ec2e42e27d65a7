/* SPDX-License-Identifier: ISC */
/* Gathers what is known of the tunnel. */
#include "status_collect.h"

#include <errno.h>
#include <stdlib.h>

#include <tund/sys/clock.h>

#include "ask.h"
#include "edge_grant.h"
#include "hub.h"
#include "member.h"

static struct status_prefixes prefixes_of(const struct prefix_list *list)
{
	return (struct status_prefixes){list->prefix, list->count};
}

static void collect_edge(const struct hub *hub, struct status *s)
{
	s->has_network = true;
	s->addresses =
		(struct status_addresses){hub->config->address.addr, hub->config->address.count};
	s->mtu = hub->config->mtu;
	s->listen_port = hub->config->listen_port;
	s->pool = prefixes_of(&hub->config->pool);
}

static void collect_denied(const struct member *m, struct status *s)
{
	s->denied_count = m->denied_count < STATUS_DENIED_MAX ? m->denied_count : STATUS_DENIED_MAX;
	for (uint32_t i = 0; i < s->denied_count; i++)
		s->denied[i] = m->denied[(m->denied_count - 1 - i) % STATUS_DENIED_MAX];
}

static void collect_member(const struct hub *hub, const struct member *m, struct status *s)
{
	const struct network *n = m->network;

	s->has_network = n;
	if (n) {
		s->addresses = (struct status_addresses){n->address, n->address_count};
		s->routes = (struct status_prefixes){n->route, n->route_count};
		s->mtu = n->mtu;
	}
	s->edge_host = hub->config->edge.host;
	s->edge_port = hub->config->edge.port;
	if (m->refused)
		s->not_applied =
			(struct status_prefixes){m->refused->route, m->refused->route_count};
	if (hub->config->role == ROLE_CONNECTOR)
		s->announces = prefixes_of(&hub->config->announce);
	s->problem = m->error;
	collect_denied(m, s);
}

/* edge: what a connector announced, and what of it the policy grants. */
static int collect_announced(const struct hub *hub, const struct known_peer *known,
			     struct status_peer *out)
{
	struct control_message_routes granted;
	struct ip_prefix *list;

	edge_grant(hub->config->policy, out->identity->principal->id, known->announced, &granted);
	list = calloc(granted.route_count + 1, sizeof *list);
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < granted.route_count; i++)
		list[i] = granted.route[i];
	out->has_announced = true;
	out->announced =
		(struct status_prefixes){known->announced->route, known->announced->route_count};
	out->granted = (struct status_prefixes){list, granted.route_count};
	return 0;
}

static int collect_peer(const struct hub *hub, const struct engine_peer *session,
			struct status_peer *out)
{
	const struct known_peer *known = peers_find_key(&hub->peers, session->public_key);

	out->session = session;
	if (hub->config->role != ROLE_EDGE)
		return 0;
	out->identity = device_index_find(&hub->devices, session->public_key);
	if (!out->identity)
		return 0;
	out->addresses = (struct status_addresses){out->identity->device->addresses,
						   out->identity->device->address_count};
	out->mtu = known ? known->mtu : 0;
	return known && known->announced ? collect_announced(hub, known, out) : 0;
}

static int collect_peers(const struct hub *hub, const struct ask *ask, struct status *s)
{
	struct status_peer *list = calloc(ask->peer_count + 1, sizeof *list);
	int r = list ? 0 : -ENOMEM;

	s->peer = list;
	for (size_t i = 0; i < ask->peer_count && !r; i++) {
		r = collect_peer(hub, &ask->peer[i], &list[i]);
		s->peer_count++;
	}
	return r;
}

/* Those of the engine, and our own. */
static int collect_drops(const struct hub *hub, const struct ask *ask, struct status *s)
{
	struct status_drop *list = calloc(ask->counter_count + 1, sizeof *list);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < ask->counter_count; i++) {
		const struct engine_counters *n = &ask->counter[i];

		if (n->count)
			list[s->drop_count++] = (struct status_drop){n->name, n->count};
	}
	if (hub->malformed)
		list[s->drop_count++] = (struct status_drop){"malformed_notice", hub->malformed};
	s->drop = list;
	return 0;
}

int status_collect(const struct hub *hub, const struct member *member, const struct ask *ask,
		   struct status *out)
{
	struct status s = {
		.now_wall_ns = clock_wall_ns(),
		.tunnel = hub->name,
		.interface = hub->config->interface,
		.role = hub->config->role,
		.works = hub->works,
		.works_since_wall_ns = hub->works_since_wall_ns,
		.problem = "",
	};
	int r;

	if (member)
		collect_member(hub, member, &s);
	else
		collect_edge(hub, &s);
	r = collect_peers(hub, ask, &s);
	if (!r)
		r = collect_drops(hub, ask, &s);
	if (r)
		status_release(&s);
	else
		*out = s;
	return r;
}

void status_release(struct status *s)
{
	for (size_t i = 0; i < s->peer_count; i++)
		free((void *)s->peer[i].granted.item);
	free((void *)s->peer);
	free((void *)s->drop);
}
