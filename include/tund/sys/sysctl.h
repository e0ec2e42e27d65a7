/* SPDX-License-Identifier: ISC */
/* Kernel parameters, from a closed list. They are those of the caller's network namespace. */
#ifndef TUND_SYS_SYSCTL_H
#define TUND_SYS_SYSCTL_H

#include <stddef.h>

/* IF: takes an interface's name. */
enum sysctl_key {
	SYSCTL_IP4_FORWARDING,       /* net.ipv4.conf.IF.forwarding: what comes in by IF */
	SYSCTL_IP4_RP_FILTER,        /* net.ipv4.conf.IF.rp_filter */
	SYSCTL_IP4_SRC_VALID_MARK,   /* net.ipv4.conf.all.src_valid_mark */
	SYSCTL_IP6_FORWARDING,       /* net.ipv6.conf.IF.forwarding: router behaviour of IF */
	SYSCTL_IP6_ALL_FORWARDING,   /* net.ipv6.conf.all.forwarding: without it nothing is
				      * forwarded before Linux 6.17; sets every interface */
	SYSCTL_IP6_FORCE_FORWARDING, /* net.ipv6.conf.IF.force_forwarding: Linux 6.17, then
				      * `all` is not needed; -ENOENT before */
	SYSCTL_IP6_ACCEPT_RA,        /* net.ipv6.conf.IF.accept_ra */
	SYSCTL_IP6_ADDR_GEN_MODE,    /* net.ipv6.conf.IF.addr_gen_mode: 1 is no link-local */
	SYSCTL_IP6_DISABLE,          /* net.ipv6.conf.IF.disable_ipv6 */
};

#define SYSCTL_PATH_MAX 96

/* Writes the path below /proc/sys. `interface` is ignored by keys that take none.
 * -EINVAL: the key or the interface's name. */
int sysctl_path(enum sysctl_key key, const char *interface, char path[SYSCTL_PATH_MAX]);

/* Reads a value, so that it can be put back. -ENOENT: this kernel or host has no such parameter,
 * or the interface is gone; -errno. */
int sysctl_get(enum sysctl_key key, const char *interface, int *value);

/* -ENOENT as above; -EINVAL; -EROFS, -EACCES, -EPERM: a container without the right; -errno. */
int sysctl_set(enum sysctl_key key, const char *interface, int value);

#endif
