/* SPDX-License-Identifier: ISC */
/*
 * The edge's part: it pushes every peer its full state (addresses, routes, MTU; to connectors also
 * who holds which address), takes what connectors announce, within what the policy grants them,
 * and tells clients what was denied.
 */
#ifndef TUND_CONTROL_EDGE_H
#define TUND_CONTROL_EDGE_H

#include <ev.h>

#include "hub.h"
#include "role.h"

#define EDGE_HELLO_WAIT_S 1.0 /* a peer that is up says hello; if not, it is pushed to anyway */
#define EDGE_PUSH_INTERVAL_S 1.0 /* between two pushes to one peer */
#define EDGE_QUEUE_MAX (256 * 1024) /* bytes waiting for the engine above which pushing pauses */

struct edge {
	struct hub *hub;
	ev_timer timer; /* of the next peer that is due */
};

void edge_init(struct edge *edge, struct hub *hub);
void edge_clear(struct edge *edge);

/* Whose `part` is a struct edge. */
extern const struct role_ops edge_ops;

#endif
