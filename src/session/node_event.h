/* SPDX-License-Identifier: ISC */
/* What the owner of the node is told of a peer. */
#ifndef TUND_SESSION_NODE_EVENT_H
#define TUND_SESSION_NODE_EVENT_H

#include "node_peer.h"

void peer_emit(struct peer *peer, enum peer_event event);
/* Whether packets can go. A further session while up is a rekey. */
void peer_set_up(struct peer *peer, uint64_t now_ns, bool up);
/* What control messages wait are sent at once, over a new session or path. */
void peer_kick_control(struct peer *peer, uint64_t now_ns);

#endif
