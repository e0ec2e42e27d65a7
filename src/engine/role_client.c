/* SPDX-License-Identifier: ISC */
/*
 * The client: one peer, the edge. What may come in and go out is what was applied on this host:
 * the addresses that the edge pushed and the routes that the parent let through.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/engine/engine.h>
#include <tund/policy/lpm.h>
#include <tund/wire/inner.h>

struct client {
	uint32_t address_count;
	struct ip_addr address[ENGINE_ADDRESSES_MAX];
	struct lpm *routes; /* NULL until the first network */
	uint32_t route_count;
	struct ip_prefix route[ENGINE_ROUTES_MAX]; /* the same, to be shown */
};

static int start(struct engine *engine, uint64_t now_ns)
{
	engine->state = calloc(1, sizeof(struct client));
	if (!engine->state)
		return -ENOMEM;
	return uplink_start(engine, now_ns);
}

static void stop(struct engine *engine)
{
	struct client *client = engine->state;

	lpm_free(client->routes);
	free(client);
	engine->state = NULL;
}

static bool holds(const struct client *client, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < client->address_count; i++) {
		if (ip_addr_equal(&client->address[i], a))
			return true;
	}
	return false;
}

static enum reason check_incoming(const struct client *client, const struct inner_bytes *packet,
				  struct inner_packet *parsed)
{
	enum inner_error error = inner_parse(packet->data, packet->len, parsed);

	if (error != INNER_OK)
		return reason_of_inner(error);
	if (!holds(client, &parsed->dst))
		return REASON_NO_ROUTE;
	if (ip_addr_is_special(&parsed->src))
		return REASON_SOURCE_SPECIAL;
	if (!client->routes || lpm_find(client->routes, &parsed->src) == LPM_NONE)
		return REASON_SOURCE_NOT_OWNED;
	return REASON_ACCEPTED;
}

static void from_session(struct engine *engine, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	struct inner_bytes trimmed = *packet;
	struct inner_packet parsed;
	enum reason reason = check_incoming(engine->state, packet, &parsed);

	(void)now_ns;
	(void)peer;
	engine->counters[reason]++;
	if (reason != REASON_ACCEPTED)
		return;
	trimmed.len = parsed.len;
	if (packet->partial_checksum && inner_complete_checksum(packet->data, &parsed) < 0)
		return;
	tun_port_write(engine, &trimmed);
}

static void from_tun(struct engine *engine, uint64_t now_ns, const struct inner_bytes *packet)
{
	struct inner_packet parsed;
	enum inner_error error = inner_parse(packet->data, packet->len, &parsed);
	enum reason reason = REASON_ACCEPTED;

	if (error != INNER_OK)
		reason = reason_of_inner(error);
	else if (!holds(engine->state, &parsed.src))
		reason = REASON_SOURCE_NOT_OWNED;
	engine->counters[reason]++;
	if (reason == REASON_ACCEPTED)
		engine_send(engine, now_ns, engine->uplink.peer, packet);
}

static void network(struct engine *engine, const struct control_network *m)
{
	struct client *client = engine->state;
	struct lpm_entry entries[ENGINE_ROUTES_MAX];
	struct lpm *routes;

	for (uint32_t i = 0; i < m->route_count; i++)
		entries[i] = (struct lpm_entry){.prefix = m->route[i], .value = i};
	if (lpm_new(entries, m->route_count, &routes) < 0)
		return;
	lpm_free(client->routes);
	client->routes = routes;
	client->route_count = m->route_count;
	memcpy(client->route, m->route, sizeof client->route);
	client->address_count = m->address_count;
	memcpy(client->address, m->address, sizeof client->address);
}

static void uapi_allowed(const struct engine *engine, uint32_t slot, struct uapi_text *text)
{
	const struct client *client = engine->state;

	(void)slot;
	for (uint32_t i = 0; i < client->route_count; i++)
		uapi_put_prefix(text, &client->route[i]);
}

const struct role_ops client_role = {
	.handshake_queue = 64,
	.start = start,
	.stop = stop,
	.reload = uplink_reload,
	.from_session = from_session,
	.from_tun = from_tun,
	.opened = uplink_opened,
	.peer_event = uplink_peer_event,
	.slot_count = uplink_slot_count,
	.peer_at = uplink_peer_at,
	.slot_of = uplink_slot_of,
	.network = network,
	.uapi_get = uapi_get_tunnel,
	.uapi_allowed = uapi_allowed,
};
