/* SPDX-License-Identifier: ISC */
/* Unix stream sockets by path: the command socket. */
#ifndef TUND_SYS_UNIXSOCK_H
#define TUND_SYS_UNIXSOCK_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Listens at `path` with this mode, owned by us (non-blocking, close-on-exec). A stale socket
 * there is replaced. -EADDRINUSE: a living process listens on it, or the path is no socket;
 * -ENAMETOOLONG; -errno.
 */
int unixsock_listen(const char *path, mode_t mode, int *fd);

/* Connects, blocking. -ENOENT, -ECONNREFUSED: nobody listens; -EACCES; -errno. */
int unixsock_connect(const char *path, int *fd);

/* Accepts one (non-blocking, close-on-exec). -EAGAIN: none; errors as tcp_accept(). */
int unixsock_accept(int listener, int *fd);

/* A descriptor that gets readable when the socket file at `path` may have been removed; look with
 * access(2) then. -errno. */
int unixsock_watch(const char *path, int *fd);

/* Who is on the other side, as the kernel vouched when it connected. -errno. */
int unixsock_peer(int fd, pid_t *pid, uid_t *uid);

#endif
