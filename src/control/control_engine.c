/* SPDX-License-Identifier: ISC */
/* What the engine says. */
#include "control.h"

#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>

static void take_peer(struct control *c, const void *body, size_t len)
{
	const struct engine_peer *p = body;
	struct known_peer *peer;
	bool was_up;

	(void)len;
	if (p->id) {
		ask_peer(c, p);
		return;
	}
	if (p->generation != c->generation) {
		control_greet_later(c); /* one of us has not read the new one yet */
		return;
	}
	peer = peers_place(&c->peers, p->public_key, p->slot);
	if (!peer) {
		log_error("no memory for a peer");
		return;
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

/* A frame of another generation, or of a slot not told of, is not consumed: the engine repeats it
 * after CONTROL_HELLO. */
static void take_frame(struct control *c, const void *body, size_t len)
{
	struct control_consumed consumed;
	struct control_frame frame;
	struct known_peer *peer;

	memcpy(&frame, body, sizeof frame);
	if (frame.len != len - sizeof frame || frame.generation != c->generation)
		return;
	peer = peers_find(&c->peers, frame.slot);
	if (!peer)
		return;
	consumed = (struct control_consumed){.generation = c->generation, .slot = frame.slot};
	handle_message(c, peer, (const uint8_t *)body + sizeof frame, frame.len);
	link_send(&c->engine, CONTROL_CONSUMED, &consumed, sizeof consumed);
}

static void take_reset(struct control *c, const void *body, size_t len)
{
	const struct control_consumed *reset = body;
	struct known_peer *peer;

	(void)len;
	peer = reset->generation == c->generation ? peers_find(&c->peers, reset->slot) : NULL;
	if (!peer)
		return;
	if (c->config->role == ROLE_EDGE)
		edge_peer_reset(c, peer);
	else
		member_peer_reset(c, peer);
}

static void take_counters(struct control *c, const void *body, size_t len)
{
	(void)len;
	ask_counter(c, body);
}

static void take_end(struct control *c, const void *body, size_t len)
{
	const struct control_ask *end = body;

	(void)len;
	ask_end(c, end->id);
}

static void take_explained(struct control *c, const void *body, size_t len)
{
	(void)len;
	ask_explained(c, body);
}

static void take_denied(struct control *c, const void *body, size_t len)
{
	const struct engine_denied *denied = body;

	(void)len;
	if (c->config->role == ROLE_EDGE && denied->generation == c->generation)
		edge_denied(c, denied);
}

static void take_resolve(struct control *c, const void *body, size_t len)
{
	(void)body, (void)len;
	if (c->config->role != ROLE_EDGE)
		member_resolve(c);
}

static void take_confirmed(struct control *c, const void *body, size_t len)
{
	(void)body, (void)len;
	if (c->works)
		commands_answer_waiting(&c->commands, EXIT_DONE, "");
}

struct engine_handler {
	size_t size;
	bool more; /* bytes follow the struct */
	void (*take)(struct control *c, const void *body, size_t len);
};

static const struct engine_handler handlers[] = {
	[ENGINE_PEER] = {sizeof(struct engine_peer), false, take_peer},
	[ENGINE_FRAME] = {sizeof(struct control_frame), true, take_frame},
	[ENGINE_RESET] = {sizeof(struct control_consumed), false, take_reset},
	[ENGINE_COUNTERS] = {sizeof(struct engine_counters), false, take_counters},
	[ENGINE_END] = {sizeof(struct control_ask), false, take_end},
	[ENGINE_EXPLAINED] = {sizeof(struct engine_explained), false, take_explained},
	[ENGINE_DENIED] = {sizeof(struct engine_denied), false, take_denied},
	[ENGINE_RESOLVE] = {0, false, take_resolve},
	[ENGINE_CONFIRMED] = {0, false, take_confirmed},
};

static void message(void *ctx, struct channel_message *m)
{
	const struct engine_handler *h =
		m->kind < sizeof handlers / sizeof *handlers ? &handlers[m->kind] : NULL;

	if (m->fd >= 0)
		close(m->fd);
	if (h && h->take && (h->more ? m->len > h->size : m->len == h->size))
		h->take(ctx, m->body, m->len);
	else
		log_error("unexpected message %u of %zu bytes from the engine", m->kind, m->len);
}

/* The parent restarts it and sends a new channel; until then nothing is known. */
static void closed(void *ctx)
{
	struct control *c = ctx;

	peers_forget_sessions(&c->peers);
	c->member.edge_up = false;
	control_set_works(c, false);
}

static void drained(void *ctx)
{
	struct control *c = ctx;

	if (c->config && c->config->role == ROLE_EDGE)
		edge_pump(c);
}

const struct link_ops control_engine_ops = {
	.message = message, .closed = closed, .drained = drained};
