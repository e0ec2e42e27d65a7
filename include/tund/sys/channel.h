/* SPDX-License-Identifier: ISC */
/*
 * A message channel between two of our processes: SOCK_SEQPACKET with at most one descriptor a
 * message. A message is a 32-bit kind and a body.
 */
#ifndef TUND_SYS_CHANNEL_H
#define TUND_SYS_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define CHANNEL_BODY_MAX (66 * 1024)
#define CHANNEL_PARTS_MAX 2

struct channel_message {
	uint32_t kind;
	size_t len;  /* of body, bytes */
	int fd;      /* -1: none; owned by the receiver */
	uint8_t *body; /* inside the caller's buffer, aligned for any struct */
};

/* Makes a connected, non-blocking, close-on-exec pair with room for at least one largest message.
 * -errno of socketpair(2). */
int channel_pair(int fds[2]);

/*
 * Sends one message; `fd` is -1 or a descriptor to duplicate to the other side (not closed here).
 * Does not block: -EAGAIN when the queue is full; -EPIPE when the other side is gone; -errno.
 */
int channel_send(int channel, uint32_t kind, const void *body, size_t len, int fd);

/* The same with a body in up to CHANNEL_PARTS_MAX parts, which are sent as one. */
int channel_send_parts(int channel, uint32_t kind, const struct iovec *part, unsigned count,
		       int fd);

/*
 * Receives one message into buf (at least CHANNEL_BODY_MAX bytes, 8-byte aligned).
 * 1: a message. 0: the other side is gone. -EAGAIN: nothing there. -EBADMSG: a message without a
 * kind or cut short (any descriptor it brought was closed). -errno.
 */
int channel_receive(int channel, void *buf, size_t size, struct channel_message *out);

#endif
