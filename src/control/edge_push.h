/* SPDX-License-Identifier: ISC */
/* What the edge says to a peer, and to the engine about it: made from the configuration. */
#ifndef TUND_CONTROL_EDGE_PUSH_H
#define TUND_CONTROL_EDGE_PUSH_H

#include "hub.h"

/* Sends the peer, whose device is known, its full state. */
void edge_push(struct hub *hub, struct known_peer *peer);

/* Tells the engine which of the peer's announced routes it is granted. */
void edge_take_routes(struct hub *hub, const struct known_peer *peer);

#endif
