/* SPDX-License-Identifier: ISC */
/* Handshake messages that came. */
#ifndef TUND_SESSION_NODE_HANDSHAKE_H
#define TUND_SESSION_NODE_HANDSHAKE_H

#include "node_state.h"

/* Checks mac1 and queues a copy of an initiation or response. */
enum session_reason handshake_queue(struct node *node, uint64_t now_ns, const struct path *from,
				    const uint8_t *msg, size_t len);
/* Takes a cookie. */
enum session_reason handshake_cookie(struct node *node, uint64_t now_ns, const uint8_t *msg);
/* Does what a queued message says. */
enum session_reason handshake_handle(struct node *node, uint64_t now_ns,
				     struct queued_handshake *item);

#endif
