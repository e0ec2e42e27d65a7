/* SPDX-License-Identifier: ISC */
/* What the edge says to a peer, and to the engine about it. */
#include "edge_push.h"

#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#include "edge_grant.h"
#include "edge_identities.h"

static bool has_family(const struct network *config, uint8_t family)
{
	for (uint32_t i = 0; i < config->address_count; i++) {
		if (config->address[i].family == family)
			return true;
	}
	return false;
}

/* A host can only use routes of a family in which it has an address. */
static bool fill_client_routes(const struct policy_spec *spec, struct network *out)
{
	for (size_t i = 0; i < spec->route_count; i++) {
		const struct ip_prefix *p = &spec->routes[i].prefix;

		if (has_family(out, p->addr.family) &&
		    (p->len == 0 || !ip_addr_is_special(&p->addr)) && !network_add_route(out, p))
			return false;
	}
	return true;
}

/* A connector needs the way back to the clients. */
static bool fill_pool(const struct prefix_list *pool, struct network *out)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		if (!network_add_route(out, &pool->prefix[i]))
			return false;
	}
	return true;
}

static void push_config(struct hub *hub, const struct known_peer *peer)
{
	struct control_message *message = calloc(1, sizeof *message);
	char name[PEER_NAME_MAX];
	bool fits;

	if (!message) {
		log_error("no memory for a peer's configuration");
		return;
	}
	message->type = CONTROL_MESSAGE_CONFIG;
	message->config.mtu = hub->config->mtu;
	device_addresses(peer->device, message->config.address, &message->config.address_count);
	if (peer->principal->kind == PRINCIPAL_CONNECTOR)
		fits = fill_pool(&hub->config->pool, &message->config);
	else
		fits = fill_client_routes(hub->config->policy, &message->config);
	if (!fits)
		log_warning("%s gets %u routes only: there are more than that",
			    hub_peer_name(hub, peer->key, name), NETWORK_ROUTES_MAX);
	hub_send(hub, peer, message);
	free(message);
}

void edge_push(struct hub *hub, struct known_peer *peer)
{
	push_config(hub, peer);
	if (peer->principal->kind == PRINCIPAL_CONNECTOR)
		edge_push_identities(hub, peer, true);
}

static void log_grant(struct hub *hub, const struct known_peer *peer, uint32_t granted)
{
	char name[PEER_NAME_MAX];

	log_info("%s announces %u routes; %u granted", hub_peer_name(hub, peer->key, name),
		 peer->announced->route_count, granted);
}

void edge_take_routes(struct hub *hub, const struct known_peer *peer)
{
	struct control_message_routes *granted = calloc(1, sizeof *granted);
	struct control_routes *routes = calloc(1, sizeof *routes);

	if (granted && routes) {
		edge_grant(hub->config->policy, peer->principal->id, peer->announced, granted);
		routes->peer = peer->id;
		routes->route_count = granted->route_count;
		memcpy(routes->route, granted->route, sizeof routes->route);
		link_send(&hub->engine.link, CONTROL_ROUTES, routes, sizeof *routes);
		log_grant(hub, peer, granted->route_count);
	} else {
		log_error("no memory for the routes of a connector");
	}
	free(granted);
	free(routes);
}
