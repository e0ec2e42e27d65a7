/* SPDX-License-Identifier: ISC */
/*
 * One end of a channel (sys/channel.h) between two of our processes. What the kernel does not take
 * now waits in a bounded queue and is sent in order later, so that nobody who has something to say
 * ever blocks; what comes is dispatched by a table. It knows no event loop: its owner polls `fd`, or
 * hands it to one (link/link_ev.h). One thread.
 */
#ifndef TUND_LINK_LINK_H
#define TUND_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <tund/link/dispatch.h>

struct link;
struct link_item;

/* What becomes of a link is its owner's to decide: each of these is told the owner's `ctx`, and may
 * close the link, or open it anew. */
struct link_ops {
	size_t limit; /* bytes that may wait; 0: nothing waits */
	/* The other side is gone; the link is closed already. Never called inside of link_send(). */
	void (*closed)(void *ctx);
	/* A message was refused: -EBADMSG by the table, or what its handler said. Of one that is cut
	 * short only `kind` 0 is left. The next one is handled, unless the link is closed. */
	void (*refused)(void *ctx, const struct channel_message *message, int err);
	/* A message was neither sent nor kept, as link_send() says. */
	void (*lost)(void *ctx, int err);
	/* Everything that waited was sent. NULL: nobody asks. */
	void (*drained)(void *ctx);
};

/* For an event loop; each is called with `link`. */
struct link_loop {
	void (*opened)(struct link *link); /* from now on link_receive() when there is something */
	void (*waits)(struct link *link);  /* link_flush() when there is room; not more than once */
	void (*closing)(struct link *link); /* the descriptor is closed next */
};

struct link {
	int fd; /* -1: closed; owned */
	const struct link_ops *ops;
	const struct dispatch_table *table;
	void *ctx;                    /* of ops and handlers */
	uint8_t *buffer;              /* to receive into; borrowed */
	const struct link_loop *loop; /* NULL: the owner polls */
	size_t queued_bytes;          /* that wait, and what it takes to keep them */
	STAILQ_HEAD(link_queue, link_item) queue;
};

/* A closed link. `buffer`, of CHANNEL_BODY_MAX bytes, 8-byte aligned, may be shared by all links of
 * a thread whose handlers do not receive. */
void link_init(struct link *link, const struct link_ops *ops, const struct dispatch_table *table,
	       void *ctx, uint8_t *buffer);

/* Takes over a connected, non-blocking channel; an open one is closed before. */
void link_open(struct link *link, int fd);

/* Closes the channel and forgets what waits. Nothing if it is closed. */
void link_close(struct link *link);

/*
 * Sends one message, or keeps it for later. -ENOTCONN: closed, or the other side is gone, which its
 * owner is told when it receives. Otherwise the message is lost and ops->lost() was told why:
 * -ENOBUFS: the queue is full; -ENOMEM; -errno of channel_send().
 */
int link_send(struct link *link, uint32_t kind, const void *body, size_t len);

/* The same with a body of two parts. */
int link_send_parts(struct link *link, uint32_t kind, const void *head, size_t head_len,
		    const void *tail, size_t tail_len);

/* The same with a descriptor (duplicated; -1: none), which never waits: -ENOBUFS when it would. */
int link_send_fd(struct link *link, uint32_t kind, const void *body, size_t len, int fd);

/* True if nothing waits. */
bool link_is_idle(const struct link *link);

/* Sends what waits, as far as there is room. */
void link_flush(struct link *link);

/* Handles what is there now, at most `max` messages. */
void link_receive(struct link *link, unsigned max);

/* Waits for one message, or the end, and handles it: before there is a loop. */
void link_wait(struct link *link);

#endif
