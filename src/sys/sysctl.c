/* SPDX-License-Identifier: ISC */
/* Kernel parameters. */

#include <tund/sys/sysctl.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tund/sys/ifname.h>

static const struct {
	const char *before, *after; /* around the interface's name; NULL: none is taken */
} keys[] = {
	[SYSCTL_IP4_FORWARDING] = {"net/ipv4/conf/", "/forwarding"},
	[SYSCTL_IP4_RP_FILTER] = {"net/ipv4/conf/", "/rp_filter"},
	[SYSCTL_IP4_SRC_VALID_MARK] = {"net/ipv4/conf/all/src_valid_mark", NULL},
	[SYSCTL_IP6_FORWARDING] = {"net/ipv6/conf/", "/forwarding"},
	[SYSCTL_IP6_ALL_FORWARDING] = {"net/ipv6/conf/all/forwarding", NULL},
	[SYSCTL_IP6_FORCE_FORWARDING] = {"net/ipv6/conf/", "/force_forwarding"},
	[SYSCTL_IP6_ACCEPT_RA] = {"net/ipv6/conf/", "/accept_ra"},
	[SYSCTL_IP6_ADDR_GEN_MODE] = {"net/ipv6/conf/", "/addr_gen_mode"},
	[SYSCTL_IP6_DISABLE] = {"net/ipv6/conf/", "/disable_ipv6"},
};

int sysctl_path(enum sysctl_key key, const char *interface, char path[SYSCTL_PATH_MAX])
{
	if ((unsigned)key >= sizeof keys / sizeof keys[0])
		return -EINVAL;
	if (!keys[key].after) {
		snprintf(path, SYSCTL_PATH_MAX, "/proc/sys/%s", keys[key].before);
		return 0;
	}
	if (!ifname_valid(interface))
		return -EINVAL;
	snprintf(path, SYSCTL_PATH_MAX, "/proc/sys/%s%s%s", keys[key].before, interface,
		 keys[key].after);
	return 0;
}

static int open_key(enum sysctl_key key, const char *interface, int flags)
{
	char path[SYSCTL_PATH_MAX];
	int err = sysctl_path(key, interface, path);
	int fd;

	if (err < 0)
		return err;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysctl_get(enum sysctl_key key, const char *interface, int *value)
{
	char text[32], *end;
	int fd = open_key(key, interface, O_RDONLY);
	ssize_t n;
	long v;

	if (fd < 0)
		return fd;
	n = read(fd, text, sizeof text - 1);
	if (n < 0) {
		n = -errno;
		close(fd);
		return (int)n;
	}
	close(fd);
	text[n] = '\0';
	v = strtol(text, &end, 10);
	if (end == text || (*end != '\n' && *end != '\0'))
		return -EINVAL;
	*value = (int)v;
	return 0;
}

int sysctl_set(enum sysctl_key key, const char *interface, int value)
{
	char text[32];
	int len = snprintf(text, sizeof text, "%d\n", value);
	int fd = open_key(key, interface, O_WRONLY);
	int err = 0;

	if (fd < 0)
		return fd;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	close(fd);
	return err;
}
