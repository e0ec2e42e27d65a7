/* SPDX-License-Identifier: ISC */
/* The deadlines of peers. What is done then is node_due.c's. */
#ifndef TUND_SESSION_NODE_TIMERS_H
#define TUND_SESSION_NODE_TIMERS_H

#include "node_peer.h"

/* A peer among those that wait for their timers. -ENOMEM. */
int timers_add_peer(struct node *node, struct peer *peer);
void timers_remove_peer(struct node *node, struct peer *peer);
void timer_set(struct peer *peer, enum peer_timer timer, uint64_t at_ns);
void timer_stop(struct peer *peer, enum peer_timer timer);
/* Takes the control channel's deadline into account. */
void timers_note_control(struct peer *peer);
uint64_t timers_jitter(struct node *node);
/* Makes deadlines of what traffic has said since. */
void timers_fold(struct peer *peer);
/* The same for a lane that noted this deadline. */
void timers_watch(struct peer *peer, uint64_t deadline_ns);
/* A traffic function on the main thread returned this deadline. */
void timers_note(struct peer *peer, uint64_t deadline_ns);
/* Forgets what traffic said: every timer is off. */
void timers_reset(struct peer *peer);
void timers_handshake_complete(struct peer *peer, uint64_t now_ns);
void timers_session_derived(struct peer *peer, uint64_t now_ns);

/* The peer that has the earliest deadline, if that has come; NULL: none. */
struct peer *timers_next(const struct node *node, uint64_t now_ns);
/* Whether this timer is due, and takes it off then. */
bool timers_take(struct peer *peer, enum peer_timer timer, uint64_t now_ns);
/* All that was due has been done: the peer waits for its next timer. */
void timers_settle(struct peer *peer);

#endif
