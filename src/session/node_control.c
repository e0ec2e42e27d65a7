/* SPDX-License-Identifier: ISC */
/* Control frames: probes, and those of the control channel, which is made when first needed. */
#include "node_control.h"

#include <errno.h>
#include <string.h>

#include <tund/wire/control_frame.h>

#include "node_data.h"
#include "node_event.h"
#include "node_keypair.h"
#include "node_state.h"
#include "node_timers.h"

static void on_channel_send(void *ctx, uint64_t now_ns, const uint8_t *frame, size_t len,
			    bool is_ack)
{
	struct peer *peer = ctx;

	if (peer->has_path)
		data_send_frame(peer, now_ns, &peer->path, frame, len, !is_ack);
}

static void on_channel_deliver(void *ctx, const uint8_t *msg, size_t len)
{
	struct peer *peer = ctx;

	peer->node->ops.control(peer->node->ops.ctx, peer, msg, len);
}

static void on_channel_reset(void *ctx)
{
	peer_emit(ctx, PEER_CONTROL_RESET);
}

/* Made when first needed. NULL: out of memory. */
static struct control_channel *channel_of(struct peer *peer)
{
	struct control_channel_ops ops = {
		.ctx = peer,
		.send = on_channel_send,
		.deliver = on_channel_deliver,
		.reset = on_channel_reset,
	};

	if (!peer->control)
		peer->control = control_channel_new(&ops, &peer->node->rng);
	return peer->control;
}

int peer_control_send(struct peer *peer, uint64_t now_ns, const uint8_t *msg, size_t len)
{
	int err;

	if (peer->wireguard)
		return -EINVAL;
	if (!channel_of(peer))
		return -ENOMEM;
	err = control_channel_send(peer->control, now_ns, msg, len);
	timers_note_control(peer);
	return err;
}

void peer_control_consumed(struct peer *peer, uint64_t now_ns)
{
	if (!peer->control)
		return;
	control_channel_consumed(peer->control, now_ns);
	timers_note_control(peer);
}

void peer_control_restart(struct peer *peer, uint64_t now_ns)
{
	if (peer->wireguard || !channel_of(peer))
		return;
	control_channel_restart(peer->control, now_ns);
	timers_note_control(peer);
}

static enum session_reason on_probe(struct peer *peer, uint64_t now_ns, const struct path *from,
				    const uint8_t *frame, size_t len)
{
	uint8_t answer[FRAME_PROBE_SIZE];

	/* What follows is padding. */
	if (len < sizeof answer)
		return SESSION_BAD_CONTROL;
	memcpy(answer, frame, sizeof answer);
	answer[0] = FRAME_PROBE_ANSWER;
	data_send_frame(peer, now_ns, from, answer, sizeof answer, false);
	return SESSION_OK;
}

enum session_reason control_frame_received(struct peer *peer, uint64_t now_ns,
					   const struct path *from, const uint8_t *frame,
					   size_t len)
{
	struct control_channel *channel;

	switch (frame[0]) {
	case FRAME_PROBE:
		return on_probe(peer, now_ns, from, frame, len);
	case FRAME_PROBE_ANSWER:
		return SESSION_OK;
	case FRAME_MESSAGE:
	case FRAME_ACK:
	case FRAME_RESET:
		channel = channel_of(peer);
		if (!channel || control_channel_receive(channel, now_ns, frame, len) < 0)
			return SESSION_BAD_CONTROL;
		timers_note_control(peer);
		return SESSION_OK;
	}
	return SESSION_BAD_CONTROL;
}
