/* SPDX-License-Identifier: ISC */
/* Of what a connector announces, what the policy grants it. */
#include "edge_grant.h"

#include <string.h>

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
