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

#include "hub.h"

#define ASK_LIMIT_S 2.0
#define ASK_PEERS_MAX (1U << 20) /* in one answer; what comes beyond is not shown */
#define ASK_COUNTERS_MAX 1024

enum ask_kind {
	ASK_STATUS,
	ASK_EXPLAIN,
	ASK_PROBE, /* the edge at its start: does the engine work with this configuration? */
};

struct ask {
	LIST_ENTRY(ask) entry;
	struct asks *asks;
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

struct asks {
	struct hub *hub;
	LIST_HEAD(ask_list, ask) list;
	/* Makes the answer to ASK_STATUS of what came; the asker frees *text. -ENOMEM. */
	int (*render)(void *ctx, const struct ask *ask, char **text, size_t *len);
	void *ctx; /* of render */
};

/* Asks for it, and answers the client when it is known. */
void ask_status(struct asks *asks, struct client *client, bool json);
void ask_explain(struct asks *asks, struct client *client, bool json,
		 const struct control_explain *question);

/* The tunnel of an edge works when the engine answers; asked until it does. */
void ask_probe(struct asks *asks);

/* The engine is another one, or has another configuration: what it was asked is asked again. */
void ask_restart(struct asks *asks);

/* The client is gone. */
void ask_forget(struct asks *asks, const struct client *client);

/* Forgets all of them. */
void ask_clear(struct asks *asks);

/* What the engine answers; unknown ids are late answers, and ignored. */
void ask_peer(struct asks *asks, const struct engine_peer *peer);
void ask_counter(struct asks *asks, const struct engine_counters *counter);
void ask_end(struct asks *asks, uint32_t id);
void ask_explained(struct asks *asks, const struct engine_explained *explained);

#endif
