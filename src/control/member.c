/* SPDX-License-Identifier: ISC */
/* The part of a client or connector. How what is pushed gets applied: member_network.c. */
#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "control.h"
#include "member_network.h"

static void send_endpoints(struct control *c)
{
	if (c->member.endpoints.count)
		link_send(&c->engine.link, CONTROL_ENDPOINTS, &c->member.endpoints,
			  sizeof c->member.endpoints);
}

static void found(void *ctx, const struct control_endpoints *endpoints)
{
	struct control *c = ctx;

	c->member.endpoints = *endpoints;
	send_endpoints(c);
}

void member_init(struct control *c)
{
	resolver_init(&c->member.resolver, c->loop, found, c);
}

void member_clear(struct control *c)
{
	resolver_stop(&c->member.resolver);
	member_network_clear(&c->member);
}

static void say_hello(struct control *c, const struct known_peer *edge)
{
	struct control_message message = {.type = CONTROL_MESSAGE_HELLO};

	snprintf(message.hello.role, sizeof message.hello.role, "%s",
		 config_role_names[c->config->role]);
	snprintf(message.hello.software, sizeof message.hello.software, "%s", PACKAGE_STRING);
	control_send(c, edge, &message);
}

static void announce_routes(struct control *c, const struct known_peer *edge)
{
	const struct prefix_list *list = &c->config->announce;
	struct control_message *message = calloc(1, sizeof *message);

	if (!message) {
		log_error("no memory to announce routes");
		return;
	}
	message->type = CONTROL_MESSAGE_ROUTES;
	for (uint32_t i = 0; i < list->count && i < NETWORK_ROUTES_MAX; i++)
		message->routes.route[message->routes.route_count++] = list->prefix[i];
	control_send(c, edge, message);
	free(message);
}

/* Full state, whenever the edge may not have it. */
static void introduce(struct control *c, const struct known_peer *edge)
{
	say_hello(c, edge);
	if (c->config->role == ROLE_CONNECTOR)
		announce_routes(c, edge);
}

void member_configured(struct control *c)
{
	const struct config_edge *edge = &c->config->edge;
	const struct known_peer *peer = peers_find_key(&c->peers, edge->public_key);

	c->member.edge_up = peer && peer->up; /* it may be another edge now */
	member_network_check(c);
	resolver_ask(&c->member.resolver, edge->host, edge->port);
	/* the parent's bounds, or what a stock server does not push, may be others now */
	if (c->member.pushed && edge->suite == SUITE_WIREGUARD)
		member_network_configured(c);
	else if (c->member.pushed)
		member_network_request(c);
}

void member_restart(struct control *c)
{
	send_endpoints(c);
	member_network_tell_engine(c);
}

void member_peer_changed(struct control *c, struct known_peer *peer, bool was_up)
{
	if (!control_knows(c, peer))
		return;
	c->member.edge_up = peer->up;
	if (peer->up) {
		resolver_succeeded(&c->member.resolver);
		if (c->config->edge.suite == SUITE_WIREGUARD) {
			if (!c->member.pushed)
				member_network_configured(c);
		} else if (!was_up || !peer->greeted) {
			introduce(c, peer);
		}
	}
	peer->greeted = peer->up;
	member_network_check(c);
}

void member_peer_reset(struct control *c, struct known_peer *peer)
{
	introduce(c, peer);
}

static void keep_denied(struct member *m, const struct control_message_denied *what)
{
	struct status_denied *entry = &m->denied[m->denied_count++ % STATUS_DENIED_MAX];

	*entry = (struct status_denied){.what = *what, .wall_ns = clock_wall_ns()};
}

void member_message(struct control *c, struct known_peer *peer,
		    const struct control_message *message)
{
	switch (message->type) {
	case CONTROL_MESSAGE_CONFIG:
		member_network_pushed(c, peer, &message->config);
		return;
	case CONTROL_MESSAGE_IDENTITIES:
		member_network_identities(c, peer, message);
		return;
	case CONTROL_MESSAGE_DENIED:
		keep_denied(&c->member, &message->denied);
		return;
	case CONTROL_MESSAGE_ROUTES:
		control_malformed(c, peer, "only a connector's to send");
		return;
	case CONTROL_MESSAGE_HELLO:
	case CONTROL_MESSAGE_MORE:
	case CONTROL_MESSAGE_GOODBYE:
	case CONTROL_MESSAGE_OTHER:
		return;
	}
}

void member_resolve(struct control *c)
{
	resolver_again(&c->member.resolver);
}

void member_goodbye(struct control *c)
{
	const struct known_peer *edge = peers_find_key(&c->peers, c->config->edge.public_key);
	const struct control_message message = {.type = CONTROL_MESSAGE_GOODBYE};

	if (edge)
		control_send(c, edge, &message);
}
