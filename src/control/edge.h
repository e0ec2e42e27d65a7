/* SPDX-License-Identifier: ISC */
/*
 * The edge's part: it pushes every peer its full state (addresses, routes, MTU; to connectors also
 * who holds which address), takes what connectors announce, within what the policy grants them,
 * and tells clients what was denied.
 */
#ifndef TUND_CONTROL_EDGE_H
#define TUND_CONTROL_EDGE_H

#include <stdint.h>

#include <ev.h>

#include <tund/ipc/engine.h>
#include <tund/policy/model.h>

#include "control_message.h"

#define EDGE_HELLO_WAIT_S 1.0 /* a peer that is up says hello; if not, it is pushed to anyway */
#define EDGE_PUSH_INTERVAL_S 1.0 /* between two pushes to one peer */
#define EDGE_QUEUE_MAX (256 * 1024) /* bytes waiting for the engine above which pushing pauses */

struct control;
struct known_peer;

struct edge {
	ev_timer timer; /* of the next peer that is due */
};

void edge_init(struct control *c);
void edge_clear(struct control *c);

/* A new configuration, or a new engine: everything is said again when the peers are known. */
void edge_restart(struct control *c);

/* The peer came up, or went; the peer lost its state. */
void edge_peer_changed(struct control *c, struct known_peer *peer, bool was_up);
void edge_peer_reset(struct control *c, struct known_peer *peer);

void edge_message(struct control *c, struct known_peer *peer,
		  const struct control_message *message);
void edge_denied(struct control *c, const struct engine_denied *denied);

/* Pushes to the peers that are due, as far as the engine takes it. */
void edge_pump(struct control *c);

/*
 * Of what a connector announced, what the policy grants it: where a granted route and an announced
 * prefix overlap, the smaller of the two. Without duplicates, at most NETWORK_ROUTES_MAX.
 */
void edge_grant(const struct policy_spec *spec, const char *connector,
		const struct control_message_routes *announced, struct control_message_routes *out);

#endif
