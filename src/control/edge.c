/* SPDX-License-Identifier: ISC */
/* The edge's part: what it pushes is in edge_push.c; here is when, and what it takes. */
#include "edge.h"

#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#include "edge_identities.h"
#include "edge_push.h"

static void arm(struct edge *edge)
{
	struct known_peer *first = TAILQ_FIRST(&edge->hub->peers.due);
	double delay;

	ev_timer_stop(edge->hub->loop, &edge->timer);
	if (!first)
		return;
	delay = first->due_at - ev_now(edge->hub->loop);
	ev_timer_set(&edge->timer, delay > 0 ? delay : 0., 0.);
	ev_timer_start(edge->hub->loop, &edge->timer);
}

static void pump(struct edge *edge)
{
	struct known_peer *peer, *next;
	double now = ev_now(edge->hub->loop);

	for (peer = TAILQ_FIRST(&edge->hub->peers.due); peer; peer = next) {
		next = TAILQ_NEXT(peer, due_entry);
		if (edge->hub->engine.link.queued_bytes > EDGE_QUEUE_MAX)
			return; /* called again when the engine took it */
		if (peer->due_at > now)
			continue;
		peers_clear_due(&edge->hub->peers, peer);
		if (peer->up) {
			edge_push(edge->hub, peer);
			peer->pushed_at = now;
		}
	}
	arm(edge);
}

static void timer_fired(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)events;
	pump(w->data);
}

void edge_init(struct edge *edge, struct hub *hub)
{
	*edge = (struct edge){.hub = hub};
	ev_timer_init(&edge->timer, timer_fired, 0., 0.);
	edge->timer.data = edge;
}

void edge_clear(struct edge *edge)
{
	ev_timer_stop(edge->hub->loop, &edge->timer);
}

/* A peer behind NAT is reached where it was, if the new engine tries in time. */
static void tell_last_seen(struct edge *edge, const struct known_peer *peer)
{
	struct control_last_seen seen = {.local = peer->local, .remote = peer->remote};

	memcpy(seen.public_key, peer->key, KEY_SIZE);
	link_send(&edge->hub->engine.link, CONTROL_LAST_SEEN, &seen, sizeof seen);
}

static void engine_came(void *part)
{
	struct edge *edge = part;
	struct known_peer *peer, *next;

	HASH_ITER(by_key, edge->hub->peers.by_key, peer, next) {
		if (peer->remote.addr.family && !peer->by_connection)
			tell_last_seen(edge, peer);
	}
}

static void push_soon(struct edge *edge, struct known_peer *peer, double delay)
{
	peers_set_due(&edge->hub->peers, peer, ev_now(edge->hub->loop) + delay);
	arm(edge);
}

/* At once, but not twice within EDGE_PUSH_INTERVAL_S: a peer may say hello as often as it likes. */
static void push_now(struct edge *edge, struct known_peer *peer)
{
	double at = peer->pushed_at > 0 ? peer->pushed_at + EDGE_PUSH_INTERVAL_S : 0;

	peers_set_due(&edge->hub->peers, peer, at);
	pump(edge);
}

static void peer_changed(void *part, struct known_peer *peer, bool was_up)
{
	struct edge *edge = part;
	const struct device_index_entry *e = device_index_find(&edge->hub->devices, peer->key);
	bool is_new = !peer->device;

	peer->principal = e ? e->principal : NULL;
	peer->device = e ? e->device : NULL;
	if (!peer->up) {
		peers_clear_due(&edge->hub->peers, peer);
		peer->pushed_at = 0;
		return;
	}
	if (!e || e->device->wireguard)
		return;
	if (is_new && peer->announced)
		edge_take_routes(edge->hub, peer);
	if (was_up && is_new)
		push_soon(edge, peer, 0.); /* after a reload */
	else if (!was_up && !peer->due)
		push_soon(edge, peer, EDGE_HELLO_WAIT_S);
}

static void peer_reset(void *part, struct known_peer *peer)
{
	struct edge *edge = part;

	if (peer->up)
		push_soon(edge, peer, EDGE_HELLO_WAIT_S);
}

/* Keeps what was announced, to be judged anew after a reload, and tells the engine. */
static void announced(struct edge *edge, struct known_peer *peer,
		      const struct control_message_routes *routes)
{
	if (peer->principal->kind != PRINCIPAL_CONNECTOR) {
		hub_malformed(edge->hub, peer, "an announcement of routes, but it is no connector");
		return;
	}
	if (!peer->announced)
		peer->announced = malloc(sizeof *peer->announced);
	if (!peer->announced) {
		log_error("no memory for the routes of a connector");
		return;
	}
	*peer->announced = *routes;
	edge_take_routes(edge->hub, peer);
}

/* The engine then answers what is longer, as a router would. */
static void keep_mtu(struct edge *edge, struct known_peer *peer, uint32_t mtu)
{
	const struct control_peer_mtu body = {.peer = peer->id, .mtu = mtu};

	peer->mtu = (uint16_t)mtu;
	link_send(&edge->hub->engine.link, CONTROL_PEER_MTU, &body, sizeof body);
}

static void goodbye(struct edge *edge, struct known_peer *peer)
{
	const struct control_peer close = {.peer = peer->id};

	link_send(&edge->hub->engine.link, CONTROL_CLOSE, &close, sizeof close);
}

static void message(void *part, struct known_peer *peer, const struct control_message *m)
{
	struct edge *edge = part;

	switch (m->type) {
	case CONTROL_MESSAGE_HELLO:
		peer->up = true; /* it could not have spoken otherwise */
		push_now(edge, peer);
		return;
	case CONTROL_MESSAGE_ROUTES:
		announced(edge, peer, &m->routes);
		return;
	case CONTROL_MESSAGE_MTU:
		keep_mtu(edge, peer, m->mtu);
		return;
	case CONTROL_MESSAGE_MORE:
		edge_push_identities(edge->hub, peer, false);
		return;
	case CONTROL_MESSAGE_GOODBYE:
		goodbye(edge, peer);
		return;
	case CONTROL_MESSAGE_CONFIG:
	case CONTROL_MESSAGE_IDENTITIES:
	case CONTROL_MESSAGE_DENIED:
		hub_malformed(edge->hub, peer, "only an edge's to send");
		return;
	case CONTROL_MESSAGE_OTHER:
		return;
	}
}

static void denied(void *part, const struct engine_denied *what)
{
	struct edge *edge = part;
	struct known_peer *peer = peers_find(&edge->hub->peers, what->peer);
	struct control_message message = {
		.type = CONTROL_MESSAGE_DENIED,
		.denied = {.destination = what->dst, .proto = what->proto, .port = what->port},
	};

	if (peer && peer->up && peer->device)
		hub_send(edge->hub, peer, &message);
}

static void drained(void *part)
{
	pump(part);
}

const struct role_ops edge_ops = {
	.works_by_engine = true,
	.engine_came = engine_came,
	.peer_changed = peer_changed,
	.peer_reset = peer_reset,
	.message = message,
	.denied = denied,
	.drained = drained,
};
