/* SPDX-License-Identifier: ISC */
/* What the engine says. */
#include "control.h"

#include <errno.h>
#include <string.h>

#include <tund/sys/log.h>

/* Bytes that may wait for the engine: of the holders in a largest control message, each by itself,
 * there may be 8 MiB. */
#define ENGINE_QUEUE_MAX (32 * 1024 * 1024)

static int take_peer(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct engine_peer *p = (const void *)m->body;
	struct known_peer *peer;
	bool was_up;

	if (p->id) {
		ask_peer(c, p);
		return 0;
	}
	if (p->peer == 0)
		return -EBADMSG;
	peer = peers_place(&c->peers, p->public_key, p->peer);
	if (!peer) {
		log_error("no memory for a peer");
		return 0;
	}
	was_up = peer->up;
	peer->up = p->up;
	peer->transport = p->transport;
	peer->local = p->local;
	peer->remote = p->endpoint;
	if (c->config->role == ROLE_EDGE)
		edge_peer_changed(c, peer, was_up);
	else
		member_peer_changed(c, peer, was_up);
	return 0;
}

static void handle_message(struct control *c, struct known_peer *peer, const uint8_t *text,
			   size_t len)
{
	struct control_message *message;
	int r = control_message_decode(text, len, &message);

	if (r) {
		control_malformed(c, peer, "malformed");
		return;
	}
	if (c->config->role == ROLE_EDGE)
		edge_message(c, peer, message);
	else
		member_message(c, peer, message);
	control_message_free(message);
}

/* One of a peer that is not known to us, or not any more, is not consumed: see ipc/engine.h. */
static int take_frame(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_frame *frame = (const void *)m->body;
	const struct control_peer consumed = {.peer = frame->peer};
	struct known_peer *peer = peers_find(&c->peers, frame->peer);

	if (frame->len != m->len - sizeof *frame)
		return -EBADMSG;
	if (!peer || !control_knows(c, peer))
		return 0;
	handle_message(c, peer, m->body + sizeof *frame, frame->len);
	link_send(&c->engine.link, CONTROL_CONSUMED, &consumed, sizeof consumed);
	return 0;
}

static int take_reset(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_peer *reset = (const void *)m->body;
	struct known_peer *peer = peers_find(&c->peers, reset->peer);

	if (!peer || !control_knows(c, peer))
		return 0;
	if (c->config->role == ROLE_EDGE)
		edge_peer_reset(c, peer);
	else
		member_peer_reset(c, peer);
	return 0;
}

static int take_gone(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_peer *gone = (const void *)m->body;
	struct known_peer *peer = peers_find(&c->peers, gone->peer);
	bool was_up = peer && peer->up;

	if (!peer)
		return 0;
	peer->up = false;
	if (c->config->role != ROLE_EDGE)
		member_peer_changed(c, peer, was_up);
	peers_remove(&c->peers, peer);
	return 0;
}

static int take_counters(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	ask_counter(c, (const void *)m->body);
	return 0;
}

static int take_end(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct control_ask *end = (const void *)m->body;

	ask_end(c, end->id);
	return 0;
}

static int take_explained(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	ask_explained(c, (const void *)m->body);
	return 0;
}

static int take_denied(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	const struct engine_denied *denied = (const void *)m->body;

	if (c->config->role == ROLE_EDGE)
		edge_denied(c, denied);
	return 0;
}

static int take_resolve(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	if (c->config->role != ROLE_EDGE)
		member_resolve(c);
	return 0;
}

static int take_confirmed(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	if (c->works)
		commands_answer_waiting(&c->commands, EXIT_DONE, "");
	return 0;
}

static const struct dispatch_row rows[] = {
	[ENGINE_PEER] = {take_peer, sizeof(struct engine_peer)},
	[ENGINE_FRAME] = {take_frame, sizeof(struct control_frame), .more = true},
	[ENGINE_RESET] = {take_reset, sizeof(struct control_peer)},
	[ENGINE_COUNTERS] = {take_counters, sizeof(struct engine_counters)},
	[ENGINE_END] = {take_end, sizeof(struct control_ask)},
	[ENGINE_EXPLAINED] = {take_explained, sizeof(struct engine_explained)},
	[ENGINE_DENIED] = {take_denied, sizeof(struct engine_denied)},
	[ENGINE_RESOLVE] = {take_resolve, 0},
	[ENGINE_CONFIRMED] = {take_confirmed, 0},
	[ENGINE_GONE] = {take_gone, sizeof(struct control_peer)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

/* The parent restarts it and sends a new channel; until then nothing is known. */
static void closed(void *ctx)
{
	struct control *c = ctx;

	peers_forget_engine(&c->peers);
	c->member.edge_up = false;
	control_set_works(c, false);
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
	ev_break(c->loop, EVBREAK_ALL);
}

static void drained(void *ctx)
{
	struct control *c = ctx;

	if (c->config && c->config->role == ROLE_EDGE)
		edge_pump(c);
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
	link_ev_init(&c->engine, c->loop, &ops, &table, c, c->buffer);
}
