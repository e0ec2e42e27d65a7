/* SPDX-License-Identifier: ISC */
/*
 * UDP sockets: connected (client, connector) or bound on every address (edge). Outer packets are
 * never fragmented, neither here nor by a router (IP_PMTUDISC_PROBE: DF set, and the kernel's
 * cached path MTU not believed). A bound socket reports to which local address a datagram came
 * and answers from it. The parent opens the sockets; only the engine sends and receives.
 *
 * Trains: datagrams of one size to one receiver, the last perhaps shorter, go to the kernel in one
 * call (UDP_SEGMENT) and come from it in one (UDP_GRO). Both are probed, and what the kernel, the
 * device or the route does not have is done without.
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
#define UDP_SHARED_MAX 64 /* sockets on one port */
#define UDP_TRAIN_MAX 64          /* datagrams; UDP_MAX_SEGMENTS of Linux before 6.9 */
#define UDP_TRAIN_BYTES_MAX 65400 /* with IP and UDP header less than 64 KiB */
#define UDP_GRO_ROOM 65536        /* bytes that a train may have at receipt */

/* The system calls of the packet path, so that a test can inject errors. */
struct udp_ops {
	int (*recvmmsg)(int fd, struct mmsghdr *messages, unsigned count);
	ssize_t (*sendmsg)(int fd, const struct msghdr *message);
	int (*sendmmsg)(int fd, struct mmsghdr *messages, unsigned count);
};

extern const struct udp_ops udp_kernel;

/* A socket as the packet path uses it: not by two threads at a time, but each may have its own. */
struct udp_socket {
	int fd;
	bool v6;        /* IPv4 addresses are v4-mapped on it */
	bool connected;
	bool gso;       /* a train goes in one call; ends when that has failed once */
	const struct udp_ops *ops;
};

struct udp_datagram {
	struct endpoint remote;
	struct endpoint local; /* to which address it came; family 0 if the kernel did not say */
	uint8_t *data;         /* inside the caller's buffer */
	size_t len;            /* bytes; 0 for an empty datagram and for one that did not fit */
	size_t segment;        /* > 0: `data` is a train of datagrams of this size, the last
				* perhaps shorter; 0: it is one datagram */
	uint8_t tos;           /* DSCP and ECN of its IP header; all of a train have the same */
};

/* Opens a socket connected to `remote` in *fd. -ENETUNREACH: no route now; -errno. */
int udp_open_connected(const struct endpoint *remote, const struct socket_options *options, int *fd,
		       char why[WHY_MAX]);

/*
 * Opens `count` (1..UDP_SHARED_MAX) sockets bound to `port` (0: the kernel's choice) on every
 * address (see socket_open_bound()) in fds[0..count - 1]. With several of them all datagrams of a
 * flow come to the same one. -EADDRINUSE: somebody else has the port. -errno. Nothing is open then.
 */
int udp_open_bound(uint16_t port, uint32_t count, const struct socket_options *options, int *fds,
		   char why[WHY_MAX]);

/* Takes a descriptor made by one of these two, perhaps in another process. -errno: it is none. */
int udp_socket_init(struct udp_socket *s, int fd, const struct udp_ops *ops);

/* From now on a receive may bring trains (UDP_GRO, Linux 5.0). False: the kernel does not do that,
 * datagrams come one by one. */
bool udp_set_gro(const struct udp_socket *s);

/*
 * Receives up to `count` (at most UDP_BATCH_MAX) datagrams, each into `room` bytes of `buffers`;
 * after udp_set_gro() trains, and `room` is UDP_GRO_ROOM.
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

/*
 * Sends `len` bytes as a train of datagrams of `segment` bytes (1..65535), the last perhaps
 * shorter: at most UDP_TRAIN_MAX of them and UDP_TRAIN_BYTES_MAX bytes. As udp_send(), but where an
 * error is returned those before the one that failed may have been sent, and none behind it.
 *
 * Where the kernel or the device refuses it as a whole (EIO: no checksum offload, IPsec; EINVAL),
 * they are sent one by one at once, and from then on s->gso is off. That is not done when one
 * datagram is refused as well: it is too big (EINVAL before Linux 6.12), or not the train's fault.
 */
int udp_send_train(struct udp_socket *s, const struct endpoint *local,
		   const struct endpoint *remote, const void *data, size_t len, size_t segment,
		   uint8_t tos);

#endif
