/* SPDX-License-Identifier: ISC */
/*
 * A control channel that is given any frames in any order, with its owner's doings in between:
 * what it delivers is bounded, it answers each frame with a bounded number of frames, and it always
 * has a deadline in the future. Input: records of one byte for what to do, and for a frame one more
 * for its length.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "session/control_channel.h"

#include "../unit/prng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { DO_FRAME, DO_CONSUME, DO_SEND, DO_RESTART, DO_TICK, DO_KICK, DO_COUNT };

struct owner {
	size_t sent, waiting;
	uint8_t last[CONTROL_FRAME_BYTES]; /* sent, so that an input can echo it */
	size_t last_len;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static void on_send(void *ctx, uint64_t now_ns, const uint8_t *frame, size_t len, bool is_ack)
{
	struct owner *owner = ctx;

	(void)now_ns;
	(void)is_ack;
	expect(len > 0 && len <= CONTROL_FRAME_BYTES);
	owner->sent++;
	memcpy(owner->last, frame, len);
	owner->last_len = len;
}

static void on_deliver(void *ctx, const uint8_t *msg, size_t len)
{
	struct owner *owner = ctx;

	expect(msg != NULL && len > 0 && len <= CONTROL_MESSAGE_MAX);
	owner->waiting++;
	expect(owner->waiting <= CONTROL_UNACKNOWLEDGED_MAX);
}

static void on_reset(void *ctx)
{
	(void)ctx;
}

/* A frame of the input; one without length is the channel's own last frame come back. */
static size_t give_frame(struct control_channel *channel, struct owner *owner, uint64_t now_ns,
			 const uint8_t *data, size_t len)
{
	size_t n = len > 0 ? data[0] : 0, before = owner->sent;
	bool own = n == 0 || n > len - 1;
	const uint8_t *frame = own ? owner->last : data + 1;
	uint8_t *exact;
	int err;

	if (own)
		n = owner->last_len;
	exact = malloc(n ? n : 1);
	expect(exact != NULL);
	if (n)
		memcpy(exact, frame, n);
	err = control_channel_receive(channel, now_ns, exact, n);
	free(exact);
	expect(err == 0 || err == -EBADMSG);
	expect(err == 0 || owner->sent == before);
	expect(owner->sent - before <= 2 * CONTROL_UNACKNOWLEDGED_MAX / 1000);
	return own ? 0 : n + 1;
}

static void consume(struct control_channel *channel, struct owner *owner, uint64_t now_ns)
{
	if (owner->waiting == 0)
		return;
	owner->waiting--;
	control_channel_consumed(channel, now_ns);
}

static size_t do_one(struct control_channel *channel, struct owner *owner, uint64_t *now_ns,
		     const uint8_t *data, size_t len)
{
	static const uint8_t message[3000] = {1};

	switch (data[0] % DO_COUNT) {
	case DO_FRAME:
		return 1 + give_frame(channel, owner, *now_ns, data + 1, len - 1);
	case DO_CONSUME:
		consume(channel, owner, *now_ns);
		break;
	case DO_SEND:
		control_channel_send(channel, *now_ns, message, 1 + data[0] * 11u);
		break;
	case DO_RESTART:
		owner->waiting = 0;
		control_channel_restart(channel, *now_ns);
		break;
	case DO_TICK:
		if (control_channel_deadline(channel) != TIME_NEVER)
			*now_ns = control_channel_deadline(channel);
		control_channel_tick(channel, *now_ns);
		expect(control_channel_deadline(channel) > *now_ns);
		break;
	case DO_KICK:
		control_channel_kick(channel, *now_ns);
		break;
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct prng prng = {.state = 5};
	struct rng rng = prng_rng(&prng);
	struct owner owner = {0};
	struct control_channel_ops ops = {&owner, on_send, on_deliver, on_reset};
	struct control_channel *channel = control_channel_new(&ops, &rng);
	uint64_t now_ns = 1000 * NS_PER_SEC;

	expect(channel != NULL);
	for (size_t pos = 0; pos < len;)
		pos += do_one(channel, &owner, &now_ns, data + pos, len - pos);
	control_channel_free(channel);
	return 0;
}
