/* SPDX-License-Identifier: ISC */
/*
 * Questions to the engine whose answers come later: a status, an explanation, or only whether it
 * is there. An engine that does not answer within ASK_LIMIT_S is told to the client that waits.
 */
#ifndef TUND_CONTROL_ASK_H
#define TUND_CONTROL_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/ipc/engine.h>

#include "request.h"

#define ASK_LIMIT_S 2.0
#define ASK_PEERS_MAX (1U << 20) /* in one answer; what comes beyond is not shown */
#define ASK_COUNTERS_MAX 1024

struct client;
struct control;

enum ask_kind {
	ASK_STATUS,
	ASK_EXPLAIN,
	ASK_PROBE, /* the edge at its start: does the engine work with this configuration? */
};

struct ask {
	LIST_ENTRY(ask) entry;
	struct control *control;
	struct client *client; /* who waits for it; NULL for ASK_PROBE */
	enum ask_kind kind;
	bool json;
	bool is_sent; /* CONTROL_STATUS: the engine answers one at a time */
	uint32_t id;
	ev_timer limit;
	/* what came so far; owned */
	struct engine_peer *peer;
	size_t peer_count, peer_room;
	struct engine_counters *counter;
	size_t counter_count, counter_room;
};

LIST_HEAD(asks, ask);

/* Asks for what the request wants to know, and answers the client when it is known. */
void ask_status(struct control *c, struct client *client, bool json);
void ask_explain(struct control *c, struct client *client, const struct request *request);

/* The tunnel of an edge works when the engine answers; asked until it does. */
void ask_probe(struct control *c);

/* The engine is another one, or has another configuration: what it was asked is asked again. */
void ask_restart(struct control *c);

/* The client is gone. */
void ask_forget(struct control *c, const struct client *client);

/* Forgets all of them. */
void ask_clear(struct control *c);

/* What the engine answers; unknown ids are late answers, and ignored. */
void ask_peer(struct control *c, const struct engine_peer *peer);
void ask_counter(struct control *c, const struct engine_counters *counter);
void ask_end(struct control *c, uint32_t id);
void ask_explained(struct control *c, const struct engine_explained *explained);

#endif
