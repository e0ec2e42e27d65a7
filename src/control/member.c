/* SPDX-License-Identifier: ISC */
/* The part of a client or connector. How what is pushed gets applied: member_network.c. */
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "member_network.h"

static void send_endpoints(struct member *m)
{
	if (m->endpoints.count)
		link_send(&m->hub->engine.link, CONTROL_ENDPOINTS, &m->endpoints,
			  sizeof m->endpoints);
}

static void found(void *ctx, const struct control_endpoints *endpoints)
{
	struct member *m = ctx;

	m->endpoints = *endpoints;
	send_endpoints(m);
}

void member_init(struct member *m, struct hub *hub)
{
	*m = (struct member){.hub = hub};
	resolver_init(&m->resolver, m->hub->loop, found, m);
}

void member_clear(struct member *m)
{
	resolver_stop(&m->resolver);
	member_network_clear(m);
}

static void say_hello(struct member *m, const struct known_peer *edge)
{
	struct control_message message = {.type = CONTROL_MESSAGE_HELLO};

	snprintf(message.hello.role, sizeof message.hello.role, "%s",
		 config_role_names[m->hub->config->role]);
	snprintf(message.hello.software, sizeof message.hello.software, "%s", PACKAGE_STRING);
	hub_send(m->hub, edge, &message);
}

static void announce_routes(struct member *m, const struct known_peer *edge)
{
	const struct prefix_list *list = &m->hub->config->announce;
	struct control_message *message = calloc(1, sizeof *message);

	if (!message) {
		log_error("no memory to announce routes");
		return;
	}
	message->type = CONTROL_MESSAGE_ROUTES;
	for (uint32_t i = 0; i < list->count && i < NETWORK_ROUTES_MAX; i++)
		message->routes.route[message->routes.route_count++] = list->prefix[i];
	hub_send(m->hub, edge, message);
	free(message);
}

/* Full state, whenever the edge may not have it. */
static void introduce(struct member *m, const struct known_peer *edge)
{
	say_hello(m, edge);
	if (m->hub->config->role == ROLE_CONNECTOR)
		announce_routes(m, edge);
	member_network_tell_edge(m);
}

static void configured(void *part)
{
	struct member *m = part;
	const struct config_edge *edge = &m->hub->config->edge;
	const struct known_peer *peer = peers_find_key(&m->hub->peers, edge->public_key);

	m->edge_up = peer && peer->up; /* it may be another edge now */
	member_network_check(m);
	resolver_ask(&m->resolver, edge->host, edge->port);
	/* the parent's bounds, or what a stock server does not push, may be others now */
	if (m->pushed && edge->suite == SUITE_WIREGUARD)
		member_network_configured(m);
	else if (m->pushed)
		member_network_request(m);
}

static void engine_greeted(void *part)
{
	struct member *m = part;

	send_endpoints(m);
	member_network_tell_engine(m);
}

static void peer_changed(void *part, struct known_peer *peer, bool was_up)
{
	struct member *m = part;

	if (!hub_knows(m->hub, peer))
		return;
	m->edge_up = peer->up;
	if (peer->up) {
		resolver_succeeded(&m->resolver);
		if (m->hub->config->edge.suite == SUITE_WIREGUARD) {
			if (!m->pushed)
				member_network_configured(m);
		} else if (!was_up || !peer->greeted) {
			introduce(m, peer);
		}
	}
	peer->greeted = peer->up;
	member_network_check(m);
}

static void peer_reset(void *part, struct known_peer *peer)
{
	struct member *m = part;

	introduce(m, peer);
}

static void keep_denied(struct member *m, const struct control_message_denied *what)
{
	struct status_denied *entry = &m->denied[m->denied_count++ % STATUS_DENIED_MAX];

	*entry = (struct status_denied){.what = *what, .wall_ns = clock_wall_ns()};
}

static void message(void *part, struct known_peer *peer, const struct control_message *said)
{
	struct member *m = part;

	switch (said->type) {
	case CONTROL_MESSAGE_CONFIG:
		member_network_pushed(m, peer, &said->config);
		return;
	case CONTROL_MESSAGE_IDENTITIES:
		member_network_identities(m, peer, said);
		return;
	case CONTROL_MESSAGE_DENIED:
		keep_denied(m, &said->denied);
		return;
	case CONTROL_MESSAGE_ROUTES:
		hub_malformed(m->hub, peer, "only a connector's to send");
		return;
	case CONTROL_MESSAGE_MTU:
		hub_malformed(m->hub, peer, "not an edge's to send");
		return;
	case CONTROL_MESSAGE_HELLO:
	case CONTROL_MESSAGE_MORE:
	case CONTROL_MESSAGE_GOODBYE:
	case CONTROL_MESSAGE_OTHER:
		return;
	}
}

static void resolve(void *part)
{
	struct member *m = part;

	resolver_again(&m->resolver);
}

static void engine_gone(void *part)
{
	struct member *m = part;

	m->edge_up = false;
}

static void replied(void *part, const struct parent_reply *reply)
{
	member_network_replied(part, reply);
}

static bool stop(void *part)
{
	const struct control_message goodbye = {.type = CONTROL_MESSAGE_GOODBYE};
	struct member *m = part;
	const struct known_peer *edge =
		peers_find_key(&m->hub->peers, m->hub->config->edge.public_key);

	if (!m->edge_up)
		return false;
	if (edge)
		hub_send(m->hub, edge, &goodbye);
	return true;
}

const struct role_ops member_ops = {
	.configured = configured,
	.engine_greeted = engine_greeted,
	.engine_gone = engine_gone,
	.peer_changed = peer_changed,
	.peer_reset = peer_reset,
	.message = message,
	.resolve = resolve,
	.replied = replied,
	.stop = stop,
};
