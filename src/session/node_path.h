/* SPDX-License-Identifier: ISC */
/* Paths: which one is active, which are known, and whether the active one still works. */
#ifndef TUND_SESSION_NODE_PATH_H
#define TUND_SESSION_NODE_PATH_H

#include "node_peer.h"

/* The peer was heard on this path: by a message that moves the peer or does not ... */
void path_heard(struct peer *peer, uint64_t now_ns, const struct path *from, bool moves);
/* ... or by a data message that moves it if no newer one came on the active path. */
void path_heard_newest(struct peer *peer, uint64_t now_ns, const struct path *from,
		       struct keypair *keypair, uint64_t order);
/* This one is active from now on. */
void path_set(struct peer *peer, const struct path *path);
/* Shows peer->path to the lanes. */
void path_publish(struct peer *peer);
/* A message came on this path whose keys have ended since: if the peer (NULL: it is gone) does not
 * know it, a connection that it names serves nobody. */
void path_unknown(struct node *node, const struct peer *peer, const struct path *from);
/* An initiation was answered on this path after so long. */
void path_measured(struct peer *peer, const struct path *path, uint64_t rtt_ns);
/* The peer goes: no connection of its paths serves anybody any more. */
void path_forget_all(struct peer *peer);
/* The keys were not lost, only packets: the handshake that asked is not needed. */
void path_end_rescue(struct peer *peer);
/* Asks the other side for an answer over the active path. */
void path_probe(struct peer *peer, uint64_t now_ns);
/* TIMER_PROBE and TIMER_SILENT are due. */
void path_timer_probe(struct peer *peer, uint64_t now_ns);
void path_timer_silent(struct peer *peer, uint64_t now_ns);

#endif
