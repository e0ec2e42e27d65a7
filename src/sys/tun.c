/* SPDX-License-Identifier: ISC */
/* The TUN device. */

#include <tund/sys/tun.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"

/* Linux 6.2: newer than the headers of some systems that we are built on. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static int kernel_open(void)
{
	return open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static int kernel_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

const struct tun_ops tun_kernel = {
	.read = read, .writev = writev, .open = kernel_open, .ioctl = kernel_ioctl};

static int open_device(const struct tun_ops *ops, int *fd, char why[WHY_MAX])
{
	int device = ops->open();

	if (device >= 0) {
		*fd = device;
		return 0;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return why_set(why, -errno,
			       TUN_DEVICE " is missing: the kernel's tun module is not there. Run "
					  "\"modprobe tun\"; in a container, pass the device in");
	if (errno == EACCES || errno == EPERM)
		return why_set(why, -EPERM,
			       "cannot open " TUN_DEVICE ": no permission. Run as root; in a "
			       "container, allow the device");
	return why_set(why, -errno, "cannot open " TUN_DEVICE ": %s", strerror(errno));
}

/* A further queue has the same flags but IFF_TUN_EXCL, or it would change the device's. */
static int attach(const struct tun_ops *ops, int device, const char *name, int flags,
		  char why[WHY_MAX])
{
	struct ifreq request = {.ifr_flags = (short)flags};

	strncpy(request.ifr_name, name, IFNAME_SIZE - 1);
	if (ops->ioctl(device, TUNSETIFF, &request) == 0)
		return 0;
	if (errno == EBUSY && (flags & IFF_TUN_EXCL))
		return why_set(why, -EBUSY,
			       "interface %s exists already: another program uses the "
			       "name. Stop it or choose another one", name);
	if (errno == EPERM)
		return why_set(why, -EPERM,
			       "cannot create interface %s: no permission. Run as root, "
			       "with CAP_NET_ADMIN", name);
	return why_set(why, -errno, "cannot create interface %s: %s", name, strerror(errno));
}

static bool is_offered(const struct tun_ops *ops, int device, unsigned flag)
{
	unsigned offered = 0;

	return ops->ioctl(device, TUNGETFEATURES, &offered) == 0 && (offered & flag);
}

static bool set_offloads(const struct tun_ops *ops, int device, unsigned offloads)
{
	return ops->ioctl(device, TUNSETOFFLOAD, (void *)(uintptr_t)offloads) == 0;
}

/* The largest set that the kernel takes. With none at all the headers are there and say nothing. */
static void choose_offloads(const struct tun_ops *ops, int device, struct tun_features *features)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	features->uso = set_offloads(ops, device, tcp | TUN_F_USO4 | TUN_F_USO6);
	if (!features->uso)
		(void)set_offloads(ops, device, tcp);
}

static int set_up(const struct tun_ops *ops, int device, const char *name, uid_t owner,
		  struct tun_features *features, char why[WHY_MAX])
{
	int size = TUN_VNET_HEADER;

	if (features->vnet_hdr && ops->ioctl(device, TUNSETVNETHDRSZ, &size) < 0)
		return why_set(why, -errno, "cannot set the header of %s: %s", name,
			       strerror(errno));
	if (owner != (uid_t)-1 && ops->ioctl(device, TUNSETOWNER, (void *)(uintptr_t)owner) < 0)
		return why_set(why, -errno, "cannot set the owner of %s: %s", name,
			       strerror(errno));
	if (features->vnet_hdr)
		choose_offloads(ops, device, features);
	return 0;
}

/* The first queue is the device. */
static int create(const struct tun_ops *ops, const char *name, const struct tun_options *options,
		  struct tun_features *got, int *fd, char why[WHY_MAX])
{
	int device, err = open_device(ops, &device, why);

	if (err < 0)
		return err;
	got->vnet_hdr = options->vnet_hdr && is_offered(ops, device, IFF_VNET_HDR);
	err = attach(ops, device, name,
		     IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL | (got->vnet_hdr ? IFF_VNET_HDR : 0) |
			     (options->queues > 1 ? IFF_MULTI_QUEUE : 0), why);
	if (err == 0)
		err = set_up(ops, device, name, options->owner, got, why);
	if (err < 0)
		close(device);
	else
		*fd = device;
	return err;
}

static int add_queue(const struct tun_ops *ops, const char *name, bool vnet_hdr, int *fd,
		     char why[WHY_MAX])
{
	int device, err = open_device(ops, &device, why);

	if (err < 0)
		return err;
	err = attach(ops, device, name,
		     IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE | (vnet_hdr ? IFF_VNET_HDR : 0), why);
	if (err < 0)
		close(device);
	else
		*fd = device;
	return err;
}

int tun_open(const struct tun_ops *ops, const char *name, const struct tun_options *options,
	     struct tun_features *features, int *fds, char why[WHY_MAX])
{
	struct tun_features got = {0};
	int opened[TUN_QUEUES_MAX], err;
	uint32_t n = 0;

	if (!ifname_valid(name))
		return why_set(why, -EINVAL,
			       "not an interface name: at most 15 letters, digits, _ . -");
	if (options->queues < 1 || options->queues > TUN_QUEUES_MAX)
		return why_set(why, -EINVAL, "a TUN has 1 to %d queues", TUN_QUEUES_MAX);
	err = create(ops, name, options, &got, &opened[n], why);
	while (err == 0 && ++n < options->queues)
		err = add_queue(ops, name, got.vnet_hdr, &opened[n], why);
	if (err < 0) {
		while (n > 0)
			close(opened[--n]);
		return err;
	}
	memcpy(fds, opened, n * sizeof *fds);
	*features = got;
	return 0;
}

int tun_name(int fd, char name[IFNAME_SIZE])
{
	struct ifreq request = {0};

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return -errno;
	memcpy(name, request.ifr_name, IFNAME_SIZE);
	name[IFNAME_SIZE - 1] = '\0';
	return 0;
}

int tun_netns(int fd, int *netns)
{
	int ns = ioctl(fd, TUNGETDEVNETNS);

	if (ns < 0)
		return -errno;
	fcntl(ns, F_SETFD, FD_CLOEXEC);
	*netns = ns;
	return 0;
}

/* EBADFD: the descriptor is no longer attached to a device. */
static int packet_error(int error)
{
	return error == EBADFD ? -ENODEV : -error;
}

ssize_t tun_read(const struct tun_ops *ops, int fd, void *buf, size_t len)
{
	ssize_t n;

	do
		n = ops->read(fd, buf, len);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return n;
	return n == 0 ? -EAGAIN : packet_error(errno);
}

int tun_write(const struct tun_ops *ops, int fd, const struct iovec *iov, size_t n)
{
	ssize_t written;

	do
		written = ops->writev(fd, iov, (int)n);
	while (written < 0 && errno == EINTR);
	return written >= 0 ? 0 : packet_error(errno);
}
