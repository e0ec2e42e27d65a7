/* SPDX-License-Identifier: ISC */
/* The edge's part: what it pushes is in edge_push.c; here is when, and what it takes. */
#include "edge.h"

#include <stdlib.h>
#include <string.h>

#include <tund/session/path.h>
#include <tund/sys/log.h>

#include "control.h"
#include "edge_push.h"

static void arm(struct control *c)
{
	struct known_peer *first = TAILQ_FIRST(&c->peers.due);
	double delay;

	ev_timer_stop(c->loop, &c->edge.timer);
	if (!first)
		return;
	delay = first->due_at - ev_now(c->loop);
	ev_timer_set(&c->edge.timer, delay > 0 ? delay : 0., 0.);
	ev_timer_start(c->loop, &c->edge.timer);
}

void edge_pump(struct control *c)
{
	struct known_peer *peer, *next;
	double now = ev_now(c->loop);

	for (peer = TAILQ_FIRST(&c->peers.due); peer; peer = next) {
		next = TAILQ_NEXT(peer, due_entry);
		if (c->engine.link.queued_bytes > EDGE_QUEUE_MAX)
			return; /* called again when the engine took it */
		if (peer->due_at > now)
			continue;
		peers_clear_due(&c->peers, peer);
		if (peer->up) {
			edge_push(c, peer);
			peer->pushed_at = now;
		}
	}
	arm(c);
}

static void timer_fired(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)events;
	edge_pump(w->data);
}

void edge_init(struct control *c)
{
	ev_timer_init(&c->edge.timer, timer_fired, 0., 0.);
	c->edge.timer.data = c;
}

void edge_clear(struct control *c)
{
	ev_timer_stop(c->loop, &c->edge.timer);
}

/* A peer behind NAT is reached where it was, if the new engine tries in time. */
static void tell_last_seen(struct control *c, const struct known_peer *peer)
{
	struct control_last_seen seen = {.local = peer->local, .remote = peer->remote};

	memcpy(seen.public_key, peer->key, KEY_SIZE);
	link_send(&c->engine.link, CONTROL_LAST_SEEN, &seen, sizeof seen);
}

void edge_restart(struct control *c)
{
	struct known_peer *peer, *next;

	HASH_ITER(by_key, c->peers.by_key, peer, next) {
		if (peer->remote.addr.family && peer->transport == TRANSPORT_UDP)
			tell_last_seen(c, peer);
	}
}

static void push_soon(struct control *c, struct known_peer *peer, double delay)
{
	peers_set_due(&c->peers, peer, ev_now(c->loop) + delay);
	arm(c);
}

/* At once, but not twice within EDGE_PUSH_INTERVAL_S: a peer may say hello as often as it likes. */
static void push_now(struct control *c, struct known_peer *peer)
{
	double at = peer->pushed_at > 0 ? peer->pushed_at + EDGE_PUSH_INTERVAL_S : 0;

	peers_set_due(&c->peers, peer, at);
	edge_pump(c);
}

void edge_peer_changed(struct control *c, struct known_peer *peer, bool was_up)
{
	const struct device_index_entry *e = device_index_find(&c->devices, peer->key);
	bool is_new = !peer->device;

	peer->principal = e ? e->principal : NULL;
	peer->device = e ? e->device : NULL;
	if (!peer->up) {
		peers_clear_due(&c->peers, peer);
		peer->pushed_at = 0;
		return;
	}
	if (!e || e->device->wireguard)
		return;
	if (is_new && peer->announced)
		edge_take_routes(c, peer);
	if (was_up && is_new)
		push_soon(c, peer, 0.); /* after a reload */
	else if (!was_up && !peer->due)
		push_soon(c, peer, EDGE_HELLO_WAIT_S);
}

void edge_peer_reset(struct control *c, struct known_peer *peer)
{
	if (peer->up)
		push_soon(c, peer, EDGE_HELLO_WAIT_S);
}

/* Keeps what was announced, to be judged anew after a reload, and tells the engine. */
static void announced(struct control *c, struct known_peer *peer,
		      const struct control_message_routes *routes)
{
	if (peer->principal->kind != PRINCIPAL_CONNECTOR) {
		control_malformed(c, peer, "an announcement of routes, but it is no connector");
		return;
	}
	if (!peer->announced)
		peer->announced = malloc(sizeof *peer->announced);
	if (!peer->announced) {
		log_error("no memory for the routes of a connector");
		return;
	}
	*peer->announced = *routes;
	edge_take_routes(c, peer);
}

static void goodbye(struct control *c, struct known_peer *peer)
{
	const struct control_peer close = {.peer = peer->id};

	link_send(&c->engine.link, CONTROL_CLOSE, &close, sizeof close);
}

void edge_message(struct control *c, struct known_peer *peer, const struct control_message *message)
{
	switch (message->type) {
	case CONTROL_MESSAGE_HELLO:
		peer->up = true; /* it could not have spoken otherwise */
		push_now(c, peer);
		return;
	case CONTROL_MESSAGE_ROUTES:
		announced(c, peer, &message->routes);
		return;
	case CONTROL_MESSAGE_MORE:
		edge_push_identities(c, peer, false);
		return;
	case CONTROL_MESSAGE_GOODBYE:
		goodbye(c, peer);
		return;
	case CONTROL_MESSAGE_CONFIG:
	case CONTROL_MESSAGE_IDENTITIES:
	case CONTROL_MESSAGE_DENIED:
		control_malformed(c, peer, "only an edge's to send");
		return;
	case CONTROL_MESSAGE_OTHER:
		return;
	}
}

void edge_denied(struct control *c, const struct engine_denied *denied)
{
	struct known_peer *peer = peers_find(&c->peers, denied->peer);
	struct control_message message = {
		.type = CONTROL_MESSAGE_DENIED,
		.denied = {.destination = denied->dst,
			   .proto = denied->proto,
			   .port = denied->port},
	};

	if (peer && peer->up && peer->device)
		control_send(c, peer, &message);
}
