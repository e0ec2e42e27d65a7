/* SPDX-License-Identifier: ISC */
/* Control frames and the control channel of a peer. */
#ifndef TUND_SESSION_NODE_CONTROL_H
#define TUND_SESSION_NODE_CONTROL_H

#include "node_peer.h"

/* A control frame (1 byte or more) came on `from`. */
enum session_reason control_frame_received(struct peer *peer, uint64_t now_ns,
					   const struct path *from, const uint8_t *frame,
					   size_t len);

#endif
