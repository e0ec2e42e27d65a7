/* SPDX-License-Identifier: ISC */
/*
 * The TUN device: IP packets, no packet information, one queue or several. It vanishes when the
 * last descriptor is closed. The parent creates it, the engine reads and writes it: each queue from
 * one thread.
 *
 * With virtio headers (IFF_VNET_HDR) TUN_VNET_HEADER bytes are in front of each packet, in both
 * directions (wire/virtio.h). Then what is read may be a whole TSO or USO packet, larger than the
 * MTU, and its checksum may be left to be completed; and the same may be written. Without them
 * packets are as they would be on a wire.
 *
 * The kernel chooses the queue of a packet by its flow: the queue to which this flow was written
 * last, else by a hash. A flow stays in order as long as one thread writes it.
 *
 * Traps (measured): poll(2) says POLLERR once the device is deleted (stop watching, or the loop
 * spins) and says nothing at all when it goes down; a valid packet written while it is down is
 * EIO, a malformed one EINVAL. USO4 and USO6 are taken together or not at all. A queue that nobody
 * reads loses what the kernel puts there: whoever opens several must serve them all.
 */
#ifndef TUND_SYS_TUN_H
#define TUND_SYS_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <tund/sys/ifname.h>
#include <tund/sys/why.h>

#define TUN_VNET_HEADER 10 /* bytes, struct virtio_net_hdr */
#define TUN_QUEUES_MAX 64
#define TUN_PACKET_MAX (TUN_VNET_HEADER + 65535) /* room for whatever is read at once */

/* The system calls, so that a test can inject errors and play an older kernel. */
struct tun_ops {
	ssize_t (*read)(int fd, void *buf, size_t len);
	ssize_t (*writev)(int fd, const struct iovec *iov, int n);
	int (*open)(void); /* /dev/net/tun */
	int (*ioctl)(int fd, unsigned long request, void *arg);
};

extern const struct tun_ops tun_kernel;

struct tun_options {
	uid_t owner;     /* who may attach to it besides root; (uid_t)-1: nobody */
	uint32_t queues; /* 1..TUN_QUEUES_MAX; 1: a plain device, not a multi-queue one */
	bool vnet_hdr;   /* virtio headers are wanted, with all that the kernel offers */
};

/* What the kernel gave; what it does not have is no error. */
struct tun_features {
	bool vnet_hdr; /* virtio headers; TSO, and checksums left to be completed */
	bool uso;      /* the same for UDP (Linux 6.2); never without vnet_hdr */
};

/*
 * Creates the interface `name` and returns the descriptors of its queues (non-blocking,
 * close-on-exec) in fds[0..options->queues - 1].
 * -EINVAL: name or number of queues. -EBUSY: it exists already. -ENOENT or -ENODEV: no
 * /dev/net/tun. -EPERM. -errno. Nothing is left then.
 */
int tun_open(const struct tun_ops *ops, const char *name, const struct tun_options *options,
	     struct tun_features *features, int *fds, char why[WHY_MAX]);

/* The name of the device behind fd; -EBADFD: it was deleted. */
int tun_name(int fd, char name[IFNAME_SIZE]);

/* The network namespace that the device is in now, as a descriptor of its own. -EBADFD: it was
 * deleted; -EPERM; -errno. */
int tun_netns(int fd, int *netns);

/*
 * Reads one packet, its virtio header in front if the device has them, into `buf`; what does not
 * fit is cut off, so `len` is TUN_PACKET_MAX. Returns the length with the header (> 0), or
 * -EAGAIN: nothing there; -ENODEV: the device was deleted, for good; -errno.
 */
ssize_t tun_read(const struct tun_ops *ops, int fd, void *buf, size_t len);

/*
 * Writes one packet that lies in `n` pieces (at most 1024), which begin with the virtio header if
 * the device has them. 0; -EAGAIN: the queue is full, the packet is lost; -EIO: the interface is
 * down, the packet is lost; -EINVAL: the kernel does not take it as a packet (or not what its
 * header says of it); -ENODEV: the device was deleted, for good; -errno.
 */
int tun_write(const struct tun_ops *ops, int fd, const struct iovec *iov, size_t n);

#endif
