/* SPDX-License-Identifier: ISC */
/*
 * TCP sockets for the fallback transport, all non-blocking. Every connection has Nagle's
 * algorithm off, a user time-out and keepalives (a dead peer is noticed), and a small unsent
 * backlog (TCP_NOTSENT_LOWAT), so that a full link shows as -EAGAIN here and not as seconds of
 * queue in the kernel.
 */
#ifndef TUND_SYS_TCP_H
#define TUND_SYS_TCP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <tund/base/addr.h>
#include <tund/sys/socket.h>
#include <tund/sys/why.h>

#define TCP_BACKLOG 512
#define TCP_UNSENT_BYTES (128 * 1024)
#define TCP_DEAD_AFTER_MS 30000 /* unacknowledged data, or unanswered keepalives */

/* Listens on `port` on every address (see socket_open_bound()). -EADDRINUSE; -errno. */
int tcp_listen(uint16_t port, const struct socket_options *options, int *fd, char why[WHY_MAX]);

/* Opens a socket and begins to connect. When it gets writable socket_error() is the outcome.
 * -ENETUNREACH: no route now; -errno. */
int tcp_connect(const struct endpoint *remote, const struct socket_options *options, int *fd,
		char why[WHY_MAX]);

/*
 * Accepts one connection and sets its options. 0; -EAGAIN: none waiting; -ECONNABORTED: one came
 * and went, call again; -EMFILE, -ENFILE, -ENOBUFS, -ENOMEM: it still waits, stop watching for a
 * while or the loop spins; -errno.
 */
int tcp_accept(int listener, int *fd, struct endpoint *remote, struct endpoint *local);

/* Bytes read (> 0); 0: the other side has ended; -EAGAIN: nothing there; -errno: it is broken. */
ssize_t tcp_read(int fd, void *buf, size_t len);

/* Bytes taken (>= 1, perhaps fewer than given); -EAGAIN: full; -EPIPE, -ECONNRESET, -errno:
 * broken. Never raises SIGPIPE. At most 16 pieces. */
ssize_t tcp_write(int fd, const struct iovec *pieces, size_t count);

#endif
