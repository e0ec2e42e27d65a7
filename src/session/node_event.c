/* SPDX-License-Identifier: ISC */
/* Up, down, moved. */
#include "node_event.h"

#include "node_state.h"
#include "node_timers.h"

void peer_emit(struct peer *peer, enum peer_event event)
{
	peer->node->ops.event(peer->node->ops.ctx, peer, event);
}

void peer_kick_control(struct peer *peer, uint64_t now_ns)
{
	if (!peer->control)
		return;
	control_channel_kick(peer->control, now_ns);
	timers_note_control(peer);
}

void peer_set_up(struct peer *peer, uint64_t now_ns, bool up)
{
	bool was_up = peer->up;

	peer->up = up;
	if (!up) {
		if (was_up)
			peer_emit(peer, PEER_DOWN);
		return;
	}
	peer_emit(peer, was_up ? PEER_REKEYED : PEER_UP);
	if (!was_up)
		peer_kick_control(peer, now_ns);
}
