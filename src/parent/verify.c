/* SPDX-License-Identifier: ISC */
/* The bounds of what a child may ask of the parent. */
#include "verify.h"

#include <string.h>

/* Where an inner address may lie whatever accept_routes says: RFC 1918, RFC 6598, RFC 4193. */
static const struct ip_prefix private_prefixes[] = {
	{{4, {10}}, 8},
	{{4, {172, 16}}, 12},
	{{4, {192, 168}}, 16},
	{{4, {100, 64}}, 10},
	{{6, {0xfc}}, 7},
};

const char *verdict_text(enum verdict v)
{
	switch (v) {
	case VERDICT_OK:
		return "it is allowed";
	case VERDICT_MALFORMED:
		return "the request is malformed";
	case VERDICT_ROLE:
		return "this role has no use for it";
	case VERDICT_PORT:
		return "its port is not the configured one of the edge";
	case VERDICT_TRANSPORT:
		return "`transport` excludes it";
	case VERDICT_SPECIAL:
		return "it is a loopback, link-local, multicast or reserved address";
	case VERDICT_NOT_ACCEPTED:
		return "it is outside accept_routes";
	case VERDICT_FULL_TUNNEL:
		return "a default route needs `full_tunnel = true`";
	case VERDICT_CONNECTED:
		return "this host is connected to that network itself";
	case VERDICT_COVERS_EDGE:
		return "it covers the edge's own address";
	case VERDICT_MTU:
		return "the MTU is outside 1280..9000";
	}
	return "?";
}

enum verdict verify_socket(const struct config *config, const struct request_socket *request)
{
	if (config->role == ROLE_EDGE)
		return VERDICT_ROLE;
	if (request->kind != SOCKET_UDP && request->kind != SOCKET_TCP)
		return VERDICT_MALFORMED;
	if (!ip_addr_is_valid(&request->remote.addr))
		return VERDICT_MALFORMED;
	if (request->remote.port != config->edge.port)
		return VERDICT_PORT;
	if (request->kind == SOCKET_TCP ? config->transport == TRANSPORT_UDP_ONLY
					: config->transport == TRANSPORT_TCP_ONLY)
		return VERDICT_TRANSPORT;
	return VERDICT_OK;
}

enum verdict verify_network(const struct verify_bounds *bounds, const struct network *network)
{
	if (bounds->config->role == ROLE_EDGE)
		return VERDICT_ROLE;
	if (network->mtu < NETWORK_MTU_MIN || network->mtu > NETWORK_MTU_MAX)
		return VERDICT_MTU;
	return network_is_valid(network) ? VERDICT_OK : VERDICT_MALFORMED;
}

static bool list_covers(const struct ip_prefix *list, size_t count, const struct ip_prefix *p)
{
	for (size_t i = 0; i < count; i++)
		if (ip_prefix_covers(&list[i], p))
			return true;
	return false;
}

enum verdict verify_address(const struct verify_bounds *bounds, const struct ip_addr *address)
{
	const struct prefix_list *accept = &bounds->config->accept_routes;
	struct ip_prefix system = ip_prefix_of(address, 128);

	if (ip_addr_is_special(address))
		return VERDICT_SPECIAL;
	if (!list_covers(accept->prefix, accept->count, &system) &&
	    !list_covers(private_prefixes, sizeof private_prefixes / sizeof *private_prefixes,
			 &system))
		return VERDICT_NOT_ACCEPTED;
	if (list_covers(bounds->connected, bounds->connected_count, &system))
		return VERDICT_CONNECTED;
	for (size_t i = 0; i < bounds->edge_count; i++)
		if (ip_addr_equal(&bounds->edges[i].addr, address))
			return VERDICT_COVERS_EDGE;
	return VERDICT_OK;
}

enum verdict verify_route(const struct verify_bounds *bounds, const struct ip_prefix *route)
{
	const struct prefix_list *accept = &bounds->config->accept_routes;

	if (route->len == 0) /* routed by rules of its own, which let the outer sockets pass */
		return bounds->config->full_tunnel ? VERDICT_OK : VERDICT_FULL_TUNNEL;
	if (ip_addr_is_special(&route->addr))
		return VERDICT_SPECIAL;
	if (!list_covers(accept->prefix, accept->count, route))
		return VERDICT_NOT_ACCEPTED;
	/* A wider route is harmless: the connected one is longer and wins. */
	if (list_covers(bounds->connected, bounds->connected_count, route))
		return VERDICT_CONNECTED;
	for (size_t i = 0; i < bounds->edge_count; i++)
		if (ip_prefix_contains(route, &bounds->edges[i].addr))
			return VERDICT_COVERS_EDGE;
	return VERDICT_OK;
}
