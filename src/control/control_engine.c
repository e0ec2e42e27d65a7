/* SPDX-License-Identifier: ISC */
/* What the engine says. */
#include "control.h"

#include <errno.h>
#include <string.h>

#include <tund/sys/log.h>

/* Bytes that may wait for the engine: of the holders in a largest control message, each by itself,
 * there may be 8 MiB. */
#define ENGINE_QUEUE_MAX (32 * 1024 * 1024)

void control_greet_engine(struct control *c)
{
	if (link_send(&c->hub.engine.link, CONTROL_HELLO, NULL, 0))
		return;
	ask_restart(&c->asks);
	if (c->role->works_by_engine)
		ask_probe(&c->asks);
}

static int take_peer(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct engine_peer *p = (const void *)m->body;
	struct known_peer *peer;
	bool was_up;

	if (p->id) {
		ask_peer(&c->asks, p);
		return 0;
	}
	if (p->peer == 0)
		return -EBADMSG;
	peer = peers_place(&c->hub.peers, p->public_key, p->peer);
	if (!peer) {
		log_error("no memory for a peer");
		return 0;
	}
	was_up = peer->up;
	peer->up = p->up;
	memcpy(peer->transport, p->transport, sizeof peer->transport - 1);
	peer->by_connection = p->by_connection;
	peer->local = p->local;
	peer->remote = p->endpoint;
	c->role->peer_changed(c->part, peer, was_up);
	return 0;
}

static void handle_message(struct control *c, struct known_peer *peer, const uint8_t *text,
			   size_t len)
{
	struct control_message *message;
	int r = control_message_decode(text, len, &message);

	if (r) {
		hub_malformed(&c->hub, peer, "malformed");
		return;
	}
	c->role->message(c->part, peer, message);
	control_message_free(message);
}

/* One of a peer that is not known to us, or not any more, is not consumed: see ipc/engine.h. */
static int take_frame(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_frame *frame = (const void *)m->body;
	const struct control_peer consumed = {.peer = frame->peer};
	struct known_peer *peer = peers_find(&c->hub.peers, frame->peer);

	if (frame->len != m->len - sizeof *frame)
		return -EBADMSG;
	if (!peer || !hub_knows(&c->hub, peer))
		return 0;
	handle_message(c, peer, m->body + sizeof *frame, frame->len);
	link_send(&c->hub.engine.link, CONTROL_CONSUMED, &consumed, sizeof consumed);
	return 0;
}

static int take_reset(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_peer *reset = (const void *)m->body;
	struct known_peer *peer = peers_find(&c->hub.peers, reset->peer);

	if (peer && hub_knows(&c->hub, peer))
		c->role->peer_reset(c->part, peer);
	return 0;
}

static int take_gone(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_peer *gone = (const void *)m->body;
	struct known_peer *peer = peers_find(&c->hub.peers, gone->peer);
	bool was_up = peer && peer->up;

	if (!peer)
		return 0;
	peer->up = false;
	c->role->peer_changed(c->part, peer, was_up);
	peers_remove(&c->hub.peers, peer);
	return 0;
}

static int take_counters(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	ask_counter(&c->asks, (const void *)m->body);
	return 0;
}

static int take_end(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_ask *end = (const void *)m->body;

	ask_end(&c->asks, end->id);
	return 0;
}

static int take_explained(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	ask_explained(&c->asks, (const void *)m->body);
	return 0;
}

static int take_denied(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct engine_denied *denied = (const void *)m->body;

	if (c->role->denied)
		c->role->denied(c->part, denied);
	return 0;
}

static int take_resolve(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	if (c->role->resolve)
		c->role->resolve(c->part);
	return 0;
}

static int take_confirmed(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	if (c->hub.works)
		commands_answer(&c->hub.commands, CLIENT_WAITS, EXIT_DONE, "");
	return 0;
}

static const struct dispatch_row rows[] = {
	[ENGINE_PEER] = {.handle = take_peer, .size = sizeof(struct engine_peer)},
	[ENGINE_FRAME] = {.handle = take_frame, .size = sizeof(struct control_frame), .more = true},
	[ENGINE_RESET] = {.handle = take_reset, .size = sizeof(struct control_peer)},
	[ENGINE_COUNTERS] = {.handle = take_counters, .size = sizeof(struct engine_counters)},
	[ENGINE_END] = {.handle = take_end, .size = sizeof(struct control_ask)},
	[ENGINE_EXPLAINED] = {.handle = take_explained, .size = sizeof(struct engine_explained)},
	[ENGINE_DENIED] = {.handle = take_denied, .size = sizeof(struct engine_denied)},
	[ENGINE_RESOLVE] = {.handle = take_resolve, .size = 0},
	[ENGINE_CONFIRMED] = {.handle = take_confirmed, .size = 0},
	[ENGINE_GONE] = {.handle = take_gone, .size = sizeof(struct control_peer)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

/* The parent restarts it and sends a new channel; until then nothing is known. */
static void closed(void *ctx)
{
	struct control *c = ctx;

	peers_forget_engine(&c->hub.peers);
	if (c->role && c->role->engine_gone)
		c->role->engine_gone(c->part);
	hub_set_works(&c->hub, false);
}

static void refused(void *ctx, const struct channel_message *m, int err)
{
	(void)ctx;
	log_error("unexpected message %u of %zu bytes from the engine: %s", m->kind, m->len,
		  strerror(-err));
}

/* What both know of each other does not match any more: a new control begins anew. */
static void lost(void *ctx, int err)
{
	struct control *c = ctx;

	log_error("the engine takes no messages (%s): ending", strerror(-err));
	ev_break(c->hub.loop, EVBREAK_ALL);
}

static void drained(void *ctx)
{
	struct control *c = ctx;

	if (c->role && c->role->drained)
		c->role->drained(c->part);
}

static const struct link_ops ops = {
	.limit = ENGINE_QUEUE_MAX,
	.closed = closed,
	.refused = refused,
	.lost = lost,
	.drained = drained,
};

void control_engine_init(struct control *c)
{
	link_ev_init(&c->hub.engine, c->hub.loop, &ops, &table, c, c->buffer);
}
