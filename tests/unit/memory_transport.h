/* SPDX-License-Identifier: ISC */
/*
 * A transport of messages in memory: what is sent waits to be taken, what is received is given. A
 * stream, as TCP is, with room for one message at a time in each worker.
 */
#ifndef TUND_TESTS_UNIT_MEMORY_TRANSPORT_H
#define TUND_TESTS_UNIT_MEMORY_TRANSPORT_H

#include <tund/transport/transport.h>

#define MEMORY_MESSAGE_MAX 2048
#define MEMORY_MESSAGES 64

struct memory_message {
	struct path path;
	size_t len;
	uint8_t bytes[MEMORY_MESSAGE_MAX];
};

extern const struct transport_ops memory_transport;

/* The oldest message that was sent and not yet taken. False: none. Any thread. */
bool memory_take(struct transports *t, struct memory_message *out);

/* While it is full nothing can be reserved, which is counted. Any thread. */
void memory_set_full(struct transports *t, bool full);

/* Gives a worker a message, in its thread and as a batch of its own. Returns whether it was authentic. */
bool memory_receive(struct transports *t, unsigned worker, const struct path *from,
		    const uint8_t *msg, size_t len);

/* Called when a batch ends, in the worker's thread; NULL: not. */
void memory_on_flush(struct transports *t, void (*flushed)(void *ctx), void *ctx);

#endif
