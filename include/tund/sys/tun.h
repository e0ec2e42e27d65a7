/* SPDX-License-Identifier: ISC */
/*
 * The TUN device: raw IP packets, no packet information, one queue. It vanishes when the last
 * descriptor is closed. The parent creates it, the engine reads and writes it.
 *
 * Traps (measured): poll(2) says POLLERR once the device is deleted (stop watching, or the loop
 * spins) and says nothing at all when it goes down; a valid packet written while it is down is
 * EIO, a malformed one EINVAL.
 */
#ifndef TUND_SYS_TUN_H
#define TUND_SYS_TUN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <tund/sys/ifname.h>
#include <tund/sys/why.h>

/* The system calls of the packet path, so that a test can inject errors. */
struct tun_ops {
	ssize_t (*read)(int fd, void *buf, size_t len);
	ssize_t (*write)(int fd, const void *buf, size_t len);
};

extern const struct tun_ops tun_kernel;

/*
 * Creates the interface `name` and returns its descriptor (non-blocking, close-on-exec) in *fd.
 * `owner` is who may attach to it besides root (TUNSETOWNER); (uid_t)-1 leaves it to root alone.
 * -EINVAL: name. -EBUSY: it exists already. -ENOENT or -ENODEV: no /dev/net/tun. -EPERM.
 */
int tun_open(const char *name, uid_t owner, int *fd, char why[WHY_MAX]);

/* The name of the device behind fd; -EBADFD: it was deleted. */
int tun_name(int fd, char name[IFNAME_SIZE]);

/* The network namespace that the device is in now, as a descriptor of its own. -EBADFD: it was
 * deleted; -EPERM; -errno. */
int tun_netns(int fd, int *netns);

/*
 * Reads one packet. Returns its length (> 0), or
 * -EAGAIN: nothing there; -ENODEV: the device was deleted, for good; -errno.
 */
ssize_t tun_read(const struct tun_ops *ops, int fd, void *buf, size_t len);

/*
 * Writes one packet. 0; -EAGAIN: the queue is full, the packet is lost; -EIO: the interface is
 * down, the packet is lost; -EINVAL: the kernel does not take it as a packet; -ENODEV: the device
 * was deleted, for good; -errno.
 */
int tun_write(const struct tun_ops *ops, int fd, const void *packet, size_t len);

#endif
