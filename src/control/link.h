/* SPDX-License-Identifier: ISC */
/*
 * A channel (sys/channel.h) on the event loop: what the kernel does not take now waits in a queue
 * and is sent in order later, so that nobody who has something to say ever blocks.
 */
#ifndef TUND_CONTROL_LINK_H
#define TUND_CONTROL_LINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/sys/channel.h>

struct link_item;

struct link_ops {
	/* One message; the body is borrowed for the call, a descriptor is the handler's. */
	void (*message)(void *ctx, struct channel_message *message);
	/* The other side is gone, and the link already closed. */
	void (*closed)(void *ctx);
	/* Everything queued was sent. */
	void (*drained)(void *ctx);
};

struct link {
	struct ev_loop *loop;
	int fd; /* -1: closed; owned */
	ev_io reader, writer;
	STAILQ_HEAD(link_queue, link_item) queue;
	size_t queued_bytes;
	const struct link_ops *ops;
	void *ctx;
	uint8_t *buffer; /* CHANNEL_BODY_MAX bytes to receive into; borrowed */
};

/* A closed link. `buffer` may be shared by all links of one loop. */
void link_init(struct link *link, struct ev_loop *loop, const struct link_ops *ops, void *ctx,
	       uint8_t *buffer);

/* Takes over a connected, non-blocking channel; an open one is closed before. */
void link_open(struct link *link, int fd);

/* Waits for a message and handles what is there, without the loop: at the start. */
void link_receive(struct link *link);

/* Closes the channel and forgets what is queued. */
void link_close(struct link *link);

/* Sends or queues one message. -ENOTCONN: closed; -ENOMEM. */
int link_send(struct link *link, uint32_t kind, const void *body, size_t len);

#endif
