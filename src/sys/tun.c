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

const struct tun_ops tun_kernel = {.read = read, .write = write};

static int open_device(int *fd, char why[WHY_MAX])
{
	int device = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

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

static int create(int device, const char *name, uid_t owner, char why[WHY_MAX])
{
	struct ifreq request = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL)};

	strncpy(request.ifr_name, name, IFNAME_SIZE - 1);
	if (ioctl(device, TUNSETIFF, &request) < 0) {
		if (errno == EBUSY)
			return why_set(why, -EBUSY,
				       "interface %s exists already: another program uses the "
				       "name. Stop it or choose another one", name);
		if (errno == EPERM)
			return why_set(why, -EPERM,
				       "cannot create interface %s: no permission. Run as root, "
				       "with CAP_NET_ADMIN", name);
		return why_set(why, -errno, "cannot create interface %s: %s", name,
			       strerror(errno));
	}
	if (owner != (uid_t)-1 && ioctl(device, TUNSETOWNER, (unsigned long)owner) < 0)
		return why_set(why, -errno, "cannot set the owner of %s: %s", name,
			       strerror(errno));
	return 0;
}

int tun_open(const char *name, uid_t owner, int *fd, char why[WHY_MAX])
{
	int device, err;

	if (!ifname_valid(name))
		return why_set(why, -EINVAL,
			       "not an interface name: at most 15 letters, digits, _ . -");
	err = open_device(&device, why);
	if (err < 0)
		return err;
	err = create(device, name, owner, why);
	if (err < 0) {
		close(device);
		return err;
	}
	*fd = device;
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

int tun_write(const struct tun_ops *ops, int fd, const void *packet, size_t len)
{
	ssize_t n;

	do
		n = ops->write(fd, packet, len);
	while (n < 0 && errno == EINTR);
	return n >= 0 ? 0 : packet_error(errno);
}
