/* SPDX-License-Identifier: ISC */
/* What UDP and TCP sockets have in common: families, marks, buffers, addresses. */
#ifndef TUND_SYS_SOCKET_H
#define TUND_SYS_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <tund/base/addr.h>

/* The system calls by which a host without IPv6 differs, so that a test can play one. */
struct socket_ops {
	int (*socket)(int domain, int type, int protocol);
	int (*bind)(int fd, const struct sockaddr *addr, socklen_t len);
};

extern const struct socket_ops socket_kernel;

struct socket_options {
	uint32_t mark;    /* SO_MARK; 0: none */
	int buffer_bytes; /* both buffers; 0: the system's default */
	bool share_port;  /* as socket_share_port(), before it is bound */
};

/*
 * Opens a non-blocking socket of `type` bound to `port` on every local address, IPv4 and IPv6; on
 * a host without IPv6 to IPv4 alone. -EADDRINUSE: the port is taken. -errno.
 */
int socket_open_bound(const struct socket_ops *ops, int type, uint16_t port,
		      const struct socket_options *options, int *fd);

/* Opens a non-blocking socket of `type` in the family of `remote`, not yet connected. -errno. */
int socket_open_for(const struct endpoint *remote, int type, const struct socket_options *options,
		    int *fd);

/* Lets further sockets of the same user bind to the same port if they agree as well (SO_REUSEPORT);
 * the kernel gives each of them a part of the flows. */
int socket_share_port(int fd);

/* Sets SO_MARK of an open socket; 0: none. -EPERM; -errno. */
int socket_set_mark(int fd, uint32_t mark);

/* Bytes that the receive buffer really holds (the kernel doubles and clamps what was asked). */
int socket_receive_buffer(int fd);

/* AF_INET or AF_INET6, as the socket was opened; -errno. */
int socket_family(int fd);

/* The socket's own address, and the other side's; -ENOTCONN. */
int socket_local(int fd, struct endpoint *out);
int socket_remote(int fd, struct endpoint *out);

/* The error that waits on the socket (SO_ERROR): 0 or -errno. Also the outcome of a connect. */
int socket_error(int fd);

/*
 * Whether an error of a send or receive is about the network or the other side at this moment
 * (unreachable, refused, no buffer, would block ...): the message is lost as on any network and
 * the socket stays usable. `error` is an errno, of either sign.
 */
bool socket_error_is_harmless(int error);

#endif
