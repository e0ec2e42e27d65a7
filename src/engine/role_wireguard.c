/* SPDX-License-Identifier: ISC */
/*
 * A WireGuard interface: peers and allowed IPs come through the configuration protocol, a packet's
 * destination finds the peer it goes to, and a packet that comes from a peer must have a source
 * that would go to that peer.
 */
#include "role_wireguard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/session/setting.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/transport/udp.h>
#include <tund/wire/peek.h>

#define HANDSHAKES 4096

static int start(struct engine *engine, uint64_t now_ns)
{
	struct wireguard *wg = calloc(1, sizeof *wg);

	(void)now_ns;
	if (!wg)
		return -ENOMEM;
	TAILQ_INIT(&wg->peers);
	engine->state = wg;
	wg->changed = true;
	wg->socket = udp_port_reserve(&engine->plane.transports);
	if (wg->socket == 0 || wg_publish(engine) < 0)
		return -ENOMEM;
	parent_link_ready(&engine->parent);
	return 0;
}

static void stop(struct engine *engine)
{
	wg_peers_clear(engine);
	free(engine->state);
	engine->state = NULL;
}

static void from_session(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	struct inner_bytes trimmed = *packet;
	enum reason reason = REASON_ACCEPTED;
	struct peek o;

	(void)now_ns;
	if (peek_read(packet->data, packet->len, &o) < 0)
		reason = reason_of_inner(INNER_NOT_IP);
	else if (wg_route(dw->view, &o.src) != peer)
		reason = REASON_SOURCE_NOT_OWNED;
	counters_add(&dw->counters, reason);
	if (reason != REASON_ACCEPTED)
		return;
	trimmed.len = o.len;
	tun_port_write(&dw->tun, &trimmed);
}

static void from_tun(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet)
{
	struct peer *peer = NULL;
	enum reason reason = REASON_ACCEPTED;
	struct peek o;

	if (peek_read(packet->data, packet->len, &o) < 0)
		reason = reason_of_inner(INNER_NOT_IP);
	else if (!(peer = wg_route(dw->view, &o.dst)))
		reason = REASON_NO_ROUTE;
	counters_add(&dw->counters, reason);
	if (peer)
		egress_send(&dw->egress, now_ns, peer, packet);
}

static void end(struct engine *engine, uint64_t now_ns)
{
	struct wireguard *wg = engine->state;
	struct wg_peer *peer;

	TAILQ_FOREACH(peer, &wg->peers, next)
		peer_close(peer->peer, now_ns);
}

static void on_interface(struct engine *engine, uint64_t now_ns,
			 const struct parent_interface *interface)
{
	struct wireguard *wg = engine->state;
	bool up = interface->present && interface->up;

	node_set_mtu(engine->node,
		     interface->mtu < UINT16_MAX ? (uint16_t)interface->mtu : UINT16_MAX);
	if (up == wg->up)
		return;
	log_info("interface %s", up ? "up" : "down");
	wg->up = up;
	wg->listen.wanted.open = up;
	if (!up) {
		dataplane_read_tun(&engine->plane, false);
		end(engine, now_ns);
	}
	wg_listen_apply(engine);
}

static void on_opened(struct engine *engine, const struct parent_reply *reply, int fd)
{
	struct wireguard *wg = engine->state;
	bool was_open = wg->listen.actual.open;

	if (wg_zone_answered(engine, reply))
		return;
	wg_listen_opened(engine, reply, fd);
	/* A packet read before would begin a handshake that cannot be sent. */
	if (wg->up && wg->listen.actual.open && !was_open) {
		dataplane_read_tun(&engine->plane, true);
		wg_begin(engine, clock_now_ns());
	}
}

static void on_routes(struct engine *engine)
{
	struct wireguard *wg = engine->state;

	node_source_lost(engine->node, wg->socket, NULL);
}

static void peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event)
{
	(void)engine;
	(void)now_ns;
	(void)peer;
	(void)event;
}

const struct role_ops wireguard_role = {
	.handshake_queue = HANDSHAKES,
	.tun_waits = true,
	.start = start,
	.stop = stop,
	.packets = {from_session, from_tun},
	.peer_event = peer_event,
	.opened = on_opened,
	.interface = on_interface,
	.routes_changed = on_routes,
	.uapi = &wg_uapi,
};
