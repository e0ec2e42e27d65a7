/* SPDX-License-Identifier: ISC */
/* Sockets of WireGuard's configuration protocol, where wg(8) looks for them: of a WireGuard
 * interface, and of a tunnel for reading. */
#ifndef TUND_PARENT_WGSOCK_H
#define TUND_PARENT_WGSOCK_H

#include <stdbool.h>

#define WGSOCK_DIR "/var/run/wireguard"
#define WGSOCK_PATH_MAX 104 /* bytes; fits struct sockaddr_un */

struct wgsock {
	int fd;         /* listening; -1: none */
	bool made_dir;  /* it goes with the socket, when it is empty */
	char path[WGSOCK_PATH_MAX];
};

/*
 * Listens on WGSOCK_DIR/NAME.sock, mode 0600, in a directory that it makes (0700) where it is
 * missing. A dead socket is replaced; a living one may have `patience_ms` to go, for the interface
 * of this name may just have been deleted. -EADDRINUSE: it stays; -errno. `out` always gets one that
 * can be removed.
 */
int wgsock_listen(const char *name, int patience_ms, struct wgsock *out);

/* Removes the file, so that another one may take the name, then closes. Idempotent. */
void wgsock_remove(struct wgsock *sock);

/* Removes the socket of this name if nobody listens on it: a parent that was killed left it. */
void wgsock_remove_dead(const char *name);

#endif
