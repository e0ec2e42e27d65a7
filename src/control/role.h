/* SPDX-License-Identifier: ISC */
/*
 * What a role does in control, as a table: the edge's is in edge.c; client and connector are members
 * of a tunnel and share one, in member.c. NULL where there is nothing to do. `part` is the role's own.
 */
#ifndef TUND_CONTROL_ROLE_H
#define TUND_CONTROL_ROLE_H

#include <stdbool.h>

#include <tund/ipc/engine.h>
#include <tund/ipc/parent.h>

#include "control_message.h"
#include "peers.h"

struct role_ops {
	/* Its tunnel works when the engine answers; otherwise the role says when, hub_set_works(). */
	bool works_by_engine;

	/* The first, or another, configuration. */
	void (*configured)(void *part);

	/* A new engine, before and after it is told of the configuration. */
	void (*engine_came)(void *part);
	void (*engine_greeted)(void *part);
	void (*engine_gone)(void *part);

	/* The peer came up, or went; it lost its state; it said something. */
	void (*peer_changed)(void *part, struct known_peer *peer, bool was_up);
	void (*peer_reset)(void *part, struct known_peer *peer);
	void (*message)(void *part, struct known_peer *peer, const struct control_message *message);

	/* The engine refused a packet; it cannot reach the edge; it took what waited for it. */
	void (*denied)(void *part, const struct engine_denied *denied);
	void (*resolve)(void *part);
	void (*drained)(void *part);

	/* The parent's answer to REQUEST_NETWORK. */
	void (*replied)(void *part, const struct parent_reply *reply);

	/* It is to end. True: something was said that needs a moment to leave. */
	bool (*stop)(void *part);
};

#endif
