/* SPDX-License-Identifier: ISC */
/* What the edge says to a peer, and to the engine about it. */
#include "edge_push.h"

#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#include "control.h"

void edge_fill_addresses(const struct spec_device *device, struct ip_addr *out, uint32_t *count)
{
	uint32_t n = 0;

	for (size_t i = 0; i < device->address_count && n < NETWORK_ADDRESSES_MAX; i++)
		out[n++] = device->addresses[i];
	*count = n;
}

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

static void push_config(struct control *c, const struct known_peer *peer)
{
	struct control_message *message = calloc(1, sizeof *message);
	char name[PEER_NAME_MAX];
	bool fits;

	if (!message) {
		log_error("no memory for a peer's configuration");
		return;
	}
	message->type = CONTROL_MESSAGE_CONFIG;
	message->config.mtu = c->config->mtu;
	edge_fill_addresses(peer->device, message->config.address, &message->config.address_count);
	if (peer->principal->kind == PRINCIPAL_CONNECTOR)
		fits = fill_pool(&c->config->pool, &message->config);
	else
		fits = fill_client_routes(c->config->policy, &message->config);
	if (!fits)
		log_warning("%s gets %u routes only: there are more than that",
			    control_peer_name(c, peer->key, name), NETWORK_ROUTES_MAX);
	control_send(c, peer, message);
	free(message);
}

void edge_push(struct control *c, struct known_peer *peer)
{
	push_config(c, peer);
	if (peer->principal->kind == PRINCIPAL_CONNECTOR)
		edge_push_identities(c, peer, true);
}

static bool is_via(const struct spec_route *route, const char *connector)
{
	for (size_t i = 0; i < route->via.count; i++) {
		if (strcmp(route->via.items[i], connector) == 0)
			return true;
	}
	return false;
}

static void grant_one(struct control_message_routes *out, const struct ip_prefix *p)
{
	for (uint32_t i = 0; i < out->route_count; i++) {
		if (ip_prefix_equal(&out->route[i], p))
			return;
	}
	if (out->route_count < NETWORK_ROUTES_MAX)
		out->route[out->route_count++] = *p;
}

void edge_grant(const struct policy_spec *spec, const char *connector,
		const struct control_message_routes *announced, struct control_message_routes *out)
{
	out->route_count = 0;
	for (size_t i = 0; i < spec->route_count; i++) {
		const struct spec_route *route = &spec->routes[i];

		if (!is_via(route, connector))
			continue;
		for (uint32_t k = 0; k < announced->route_count; k++) {
			const struct ip_prefix *p = &announced->route[k];

			if (ip_prefix_covers(p, &route->prefix))
				grant_one(out, &route->prefix);
			else if (ip_prefix_covers(&route->prefix, p))
				grant_one(out, p);
		}
	}
}

static void log_grant(struct control *c, const struct known_peer *peer, uint32_t granted)
{
	char name[PEER_NAME_MAX];

	log_info("%s announces %u routes; %u granted", control_peer_name(c, peer->key, name),
		 peer->announced->route_count, granted);
}

void edge_take_routes(struct control *c, const struct known_peer *peer)
{
	struct control_message_routes *granted = calloc(1, sizeof *granted);
	struct control_routes *routes = calloc(1, sizeof *routes);

	if (granted && routes) {
		edge_grant(c->config->policy, peer->principal->id, peer->announced, granted);
		routes->peer = peer->id;
		routes->route_count = granted->route_count;
		memcpy(routes->route, granted->route, sizeof routes->route);
		link_send(&c->engine.link, CONTROL_ROUTES, routes, sizeof *routes);
		log_grant(c, peer, granted->route_count);
	} else {
		log_error("no memory for the routes of a connector");
	}
	free(granted);
	free(routes);
}
