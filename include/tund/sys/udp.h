/* SPDX-License-Identifier: ISC */
/*
 * UDP sockets: connected (client, connector) or bound on every address (edge). Outer packets are
 * never fragmented, neither here nor by a router (IP_PMTUDISC_PROBE: DF set, and the kernel's
 * cached path MTU not believed). A bound socket reports to which local address a datagram came
 * and answers from it. The parent opens the sockets; only the engine sends and receives.
 */
#ifndef TUND_SYS_UDP_H
#define TUND_SYS_UDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <tund/base/addr.h>
#include <tund/sys/socket.h>
#include <tund/sys/why.h>

#define UDP_BATCH_MAX 32

/* The system calls of the packet path, so that a test can inject errors. */
struct udp_ops {
	int (*recvmmsg)(int fd, struct mmsghdr *messages, unsigned count);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message);
};

extern const struct udp_ops udp_kernel;

/* A socket as the packet path uses it. */
struct udp_socket {
	int fd;
	bool v6;        /* IPv4 addresses are v4-mapped on it */
	bool connected;
	const struct udp_ops *ops;
};

struct udp_datagram {
	struct endpoint remote;
	struct endpoint local; /* to which address it came; family 0 if the kernel did not say */
	uint8_t *data;         /* inside the caller's buffer */
	size_t len;            /* bytes; 0 for an empty datagram and for one that did not fit */
	uint8_t tos;           /* DSCP and ECN of its IP header */
};

/* Opens a socket connected to `remote` in *fd. -ENETUNREACH: no route now; -errno. */
int udp_open_connected(const struct endpoint *remote, const struct socket_options *options, int *fd,
		       char why[WHY_MAX]);

/* Opens a socket bound to `port` on every address in *fd (see socket_open_bound()). */
int udp_open_bound(uint16_t port, const struct socket_options *options, int *fd,
		   char why[WHY_MAX]);

/* Takes a descriptor made by one of these two, perhaps in another process. -errno: it is none. */
int udp_socket_init(struct udp_socket *s, int fd, const struct udp_ops *ops);

/*
 * Receives up to `count` (at most UDP_BATCH_MAX) datagrams, each into `room` bytes of `buffers`.
 * Returns how many (>= 1); -EAGAIN: none; another harmless error (socket_error_is_harmless()):
 * a report about an earlier send, call again; -errno.
 */
int udp_receive(const struct udp_socket *s, uint8_t *buffers, size_t room,
		struct udp_datagram *out, unsigned count);

/*
 * Sends one datagram. On a bound socket `local` (NULL or family 0: the kernel's choice) is the
 * source address and `remote` the destination; a connected one only looks at the family of `remote`
 * (NULL: none, and no `tos`). `tos`: DSCP and ECN.
 * 0: sent. 1: sent, but the source address is no longer this host's: the kernel chose another.
 * -EMSGSIZE: too big for the interface. -errno: not sent; see socket_error_is_harmless().
 */
int udp_send(const struct udp_socket *s, const struct endpoint *local,
	     const struct endpoint *remote, const void *data, size_t len, uint8_t tos);

#endif
