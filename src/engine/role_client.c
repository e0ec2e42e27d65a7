/* SPDX-License-Identifier: ISC */
/*
 * The client: one peer, the edge. What may come in and go out is what was applied on this host:
 * the addresses that the edge pushed and the routes that the parent let through.
 */
#include "role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/policy/lpm.h>
#include <tund/sys/log.h>
#include <tund/wire/inner.h>

#include "role_member.h"
#include "uapi_tunnel.h"

/* What the workers see; immutable. */
struct client_view {
	struct view_head head;
	struct network network;
	struct lpm *routes; /* those of the network; NULL until the first one */
};

static void view_free(void *arg)
{
	struct client_view *view = arg;

	lpm_free(view->routes);
	free(view);
}

static struct client_view *view_new(void)
{
	struct client_view *view = calloc(1, sizeof *view);

	if (view)
		view->head.free = view_free;
	return view;
}

static int start(struct engine *engine, uint64_t now_ns)
{
	struct client_view *view = view_new();

	if (!view)
		return -ENOMEM;
	dataplane_publish(&engine->plane, node_epoch(engine->node), &view->head);
	(void)now_ns;
	return member_start(engine);
}

static void stop(struct engine *engine)
{
	(void)engine;
}

static enum reason check_incoming(const struct client_view *view, const struct inner_bytes *packet,
				  struct inner_packet *parsed)
{
	enum inner_error error = inner_parse(packet->data, packet->len, parsed);

	if (error != INNER_OK)
		return reason_of_inner(error);
	if (!network_has_address(&view->network, &parsed->dst))
		return REASON_NO_ROUTE;
	if (ip_addr_is_special(&parsed->src))
		return REASON_SOURCE_SPECIAL;
	if (!view->routes || lpm_find(view->routes, &parsed->src) == LPM_NONE)
		return REASON_SOURCE_NOT_OWNED;
	return REASON_ACCEPTED;
}

static void from_session(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	struct inner_bytes trimmed = *packet;
	struct inner_packet parsed;
	enum reason reason = check_incoming(dw->view, packet, &parsed);

	(void)now_ns;
	(void)peer;
	counters_add(&dw->counters, reason);
	if (reason != REASON_ACCEPTED)
		return;
	trimmed.len = parsed.len;
	tun_port_write(&dw->tun, &trimmed);
}

static void from_tun(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet)
{
	const struct client_view *view = dw->view;
	struct inner_packet parsed;
	enum inner_error error = inner_parse(packet->data, packet->len, &parsed);
	enum reason reason = REASON_ACCEPTED;

	if (error != INNER_OK)
		reason = reason_of_inner(error);
	else if (!network_has_address(&view->network, &parsed.src))
		reason = REASON_SOURCE_NOT_OWNED;
	counters_add(&dw->counters, reason);
	if (reason == REASON_ACCEPTED)
		member_send(dw, now_ns, packet);
}

static void network(struct engine *engine, const struct network *m)
{
	const struct client_view *old = dataplane_view(&engine->plane);
	struct lpm_entry entries[NETWORK_ROUTES_MAX];
	struct client_view *view;

	if (old->routes && network_equal(&old->network, m))
		return; /* an edge pushes the same again and again */
	view = view_new();
	for (uint32_t i = 0; i < m->route_count; i++)
		entries[i] = (struct lpm_entry){.prefix = m->route[i], .value = i};
	if (!view || lpm_new(entries, m->route_count, &view->routes) < 0) {
		log_error("out of memory: the network that the edge pushed is not in force");
		free(view);
		return;
	}
	view->network = *m;
	dataplane_publish(&engine->plane, node_epoch(engine->node), &view->head);
}

static void uapi_allowed(const struct engine *engine, const struct peer *peer,
			 struct uapi_text *text)
{
	const struct client_view *view = dataplane_view(&engine->plane);

	(void)peer;
	for (uint32_t i = 0; i < view->network.route_count; i++)
		uapi_put_prefix(text, &view->network.route[i]);
}

const struct role_ops client_role = {
	.handshake_queue = 64,
	.start = start,
	.stop = stop,
	.prepare = member_prepare,
	.commit = member_commit,
	.discard = member_discard,
	.packets = {from_session, from_tun},
	.opened = member_opened,
	.peer_event = member_peer_event,
	.network = network,
	.uapi = &uapi_of_tunnel,
	.uapi_allowed = uapi_allowed,
};
