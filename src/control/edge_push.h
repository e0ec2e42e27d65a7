/* SPDX-License-Identifier: ISC */
/* What the edge says to a peer, and to the engine about it: made from the configuration. */
#ifndef TUND_SRC_CONTROL_EDGE_PUSH_H
#define TUND_SRC_CONTROL_EDGE_PUSH_H

struct control;
struct known_peer;

/* Sends the peer, whose device is known, its full state. */
void edge_push(struct control *c, const struct known_peer *peer);

/* Tells the engine which of the peer's announced routes it is granted. */
void edge_take_routes(struct control *c, const struct known_peer *peer);

#endif
