/* SPDX-License-Identifier: ISC */
/*
 * Control messages between two tunds, reliably and in order, over sessions that lose, reorder and
 * duplicate. A message is cut into pieces with consecutive sequence numbers; the receiver
 * acknowledges what its owner has consumed, the sender repeats what is not acknowledged.
 * Each direction has an epoch, a random number that the sender draws when it starts: a new epoch
 * means that the sender lost its state, so the receiver begins anew and, since a lost state is lost
 * in both directions, tells its owner to send everything again. A receiver that sees a piece from
 * the middle of an epoch it does not know answers FRAME_RESET, upon which the sender draws a new
 * epoch and tells its owner to send everything again. Frames are at most CONTROL_FRAME_BYTES; they
 * arrive authentic, so a frame that breaks the rules is a fault of the peer and changes nothing.
 * Owner: one peer; one thread.
 */
#ifndef TUND_SESSION_CONTROL_CHANNEL_H
#define TUND_SESSION_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/time.h>
#include <tund/crypto/random.h>

#define CONTROL_FRAME_BYTES 1200
#define CONTROL_MESSAGE_MAX 65000
#define CONTROL_UNACKNOWLEDGED_MAX (64 * 1024) /* bytes of messages; one largest fits */
#define CONTROL_WINDOW 256 /* pieces not consumed, at most; a power of two */
#define CONTROL_RETRY_MIN_NS (300 * NS_PER_MS) /* doubling up to CONTROL_RETRY_MAX_NS */
#define CONTROL_RETRY_MAX_NS (5 * NS_PER_SEC)

struct control_channel;

struct control_channel_ops {
	void *ctx;
	/* One frame (first byte: enum control_frame_type) to be sent now. May be lost. `is_ack`: it
	 * asks for nothing, and must start no probing. */
	void (*send)(void *ctx, uint64_t now_ns, const uint8_t *frame, size_t len, bool is_ack);
	/* One whole message; it is acknowledged after control_channel_consumed(). */
	void (*deliver)(void *ctx, const uint8_t *msg, size_t len);
	/* The other side lost its state: send everything again. */
	void (*reset)(void *ctx);
};

/* NULL when out of memory. Allocates its buffers only when messages flow. */
struct control_channel *control_channel_new(const struct control_channel_ops *ops,
					    const struct rng *rng);
void control_channel_free(struct control_channel *channel);

/* Queues and sends. -EINVAL: length; -ENOBUFS: too much unacknowledged; -ENOMEM. */
int control_channel_send(struct control_channel *channel, uint64_t now_ns, const uint8_t *msg,
			 size_t len);

/* Takes one frame of type MESSAGE, ACK or RESET. -EBADMSG: it breaks the rules; nothing changed. */
int control_channel_receive(struct control_channel *channel, uint64_t now_ns,
			    const uint8_t *frame, size_t len);

/* The oldest delivered and not yet consumed message was consumed. Without one: nothing. */
void control_channel_consumed(struct control_channel *channel, uint64_t now_ns);

/* Our owner lost its state: drop what is queued and half received, draw a new epoch, and tell the
 * other side by FRAME_RESET, repeated until something with a known epoch comes back. */
void control_channel_restart(struct control_channel *channel, uint64_t now_ns);

/* A new session or path: send at once what is unacknowledged. */
void control_channel_kick(struct control_channel *channel, uint64_t now_ns);

/* Repeats what is due; the time of the next call, or TIME_NEVER. */
void control_channel_tick(struct control_channel *channel, uint64_t now_ns);
uint64_t control_channel_deadline(const struct control_channel *channel);

#endif
