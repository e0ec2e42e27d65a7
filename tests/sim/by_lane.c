/* SPDX-License-Identifier: ISC */
/* One message through a lane. */
#include "by_lane.h"

#include <errno.h>
#include <string.h>

void drain_all(struct node *node, uint64_t now_ns)
{
	while (node_drain(node, now_ns))
		;
}

/* Main's opinion of what the lane found good shows in the counters only. */
static enum session_reason drain_reason(struct node *node, uint64_t now_ns,
					enum session_reason reason)
{
	uint64_t before[SESSION_REASON_COUNT];

	for (int i = 0; i < SESSION_REASON_COUNT; i++)
		before[i] = node_counter(node, (enum session_reason)i);
	drain_all(node, now_ns);
	for (int i = 0; i < SESSION_REASON_COUNT; i++) {
		if (node_counter(node, (enum session_reason)i) != before[i])
			return (enum session_reason)i;
	}
	return reason;
}

enum received_kind receive_by_lane(struct node *node, struct lane *lane, uint64_t now_ns,
				   const struct path *from, uint8_t *msg, size_t len,
				   struct received *out)
{
	enum received_kind kind;

	lane_enter(lane);
	kind = lane_receive(lane, now_ns, from, msg, len, out);
	lane_leave(lane);
	out->reason = drain_reason(node, now_ns, out->reason);
	return kind;
}

ssize_t seal_by_lane(struct lane *lane, uint64_t now_ns, struct peer *peer, const uint8_t *packet,
		     size_t len, struct path *to, uint8_t *msg)
{
	uint8_t copy[BY_LANE_PACKET_MAX + PADDING];
	struct sealing s;
	ssize_t n;

	memcpy(copy, packet, len);
	lane_enter(lane);
	n = lane_send_begin(lane, now_ns, peer, 1, &s);
	if (n == 0) {
		*to = s.path;
		n = lane_seal(&s, 0, copy, len, msg);
		lane_send_end(&s);
	} else if (n == -EAGAIN) {
		lane_stage(lane, now_ns, peer, packet, len);
	}
	lane_leave(lane);
	return n;
}
