/* SPDX-License-Identifier: ISC */
/* One message through a lane, for tests in which one thread is all workers and main. */
#ifndef TUND_TESTS_SIM_BY_LANE_H
#define TUND_TESTS_SIM_BY_LANE_H

#include <tund/session/lane.h>

#define BY_LANE_PACKET_MAX 2048

/* Takes up all that lanes have posted. */
void drain_all(struct node *node, uint64_t now_ns);

/*
 * Gives the node a message in this lane of its, and has main take up at once what that posts; for
 * out->reason, main's opinion of the message counts where there is one. Handshakes wait for
 * node_work(). `msg` is clobbered, and holds out->packet.
 */
enum received_kind receive_by_lane(struct node *node, struct lane *lane, uint64_t now_ns,
				   const struct path *from, uint8_t *msg, size_t len,
				   struct received *out);

/*
 * Seals a packet (1..BY_LANE_PACKET_MAX bytes) into `msg`, which has room for DATA_OVERHEAD +
 * PADDING bytes more, to be sent to *to; drain_all() follows. Returns the message's length. -EAGAIN:
 * no session, the packet is staged. -EHOSTUNREACH.
 */
ssize_t seal_by_lane(struct lane *lane, uint64_t now_ns, struct peer *peer, const uint8_t *packet,
		     size_t len, struct path *to, uint8_t *msg);

#endif
