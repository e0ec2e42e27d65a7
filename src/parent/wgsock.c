/* SPDX-License-Identifier: ISC */
/* Sockets for wg(8). */
#include "wgsock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/sys/file.h>
#include <tund/sys/unixsock.h>

#define RETRY_MS 10

static void name_path(const char *name, char path[WGSOCK_PATH_MAX])
{
	snprintf(path, WGSOCK_PATH_MAX, "%s/%.64s.sock", WGSOCK_DIR, name);
}

/* -EEXIST is what it mostly is. */
static int make_dir(bool *made)
{
	if (mkdir(WGSOCK_DIR, 0700) != 0)
		return errno == EEXIST ? 0 : -errno;
	*made = true;
	return 0;
}

int wgsock_listen(const char *name, int patience_ms, struct wgsock *out)
{
	struct wgsock sock = {.fd = -1};
	int err, waited = 0;

	*out = sock;
	name_path(name, sock.path);
	for (;; waited += RETRY_MS) {
		err = make_dir(&sock.made_dir);
		if (err == 0)
			err = unixsock_listen(sock.path, 0600, &sock.fd);
		/* ENOENT: another one, the last of its time, removed the directory. */
		if ((err != -EADDRINUSE && err != -ENOENT) || waited >= patience_ms)
			break;
		poll(NULL, 0, RETRY_MS);
	}
	if (err == 0)
		*out = sock;
	else if (sock.made_dir)
		rmdir(WGSOCK_DIR);
	return err;
}

void wgsock_remove(struct wgsock *sock)
{
	if (sock->fd < 0)
		return;
	file_remove(sock->path);
	if (sock->made_dir)
		rmdir(WGSOCK_DIR);
	close(sock->fd);
	sock->fd = -1;
}

void wgsock_remove_dead(const char *name)
{
	char path[WGSOCK_PATH_MAX];
	int fd, err;

	name_path(name, path);
	err = unixsock_connect(path, &fd);
	if (err == 0)
		close(fd);
	if (err != -ECONNREFUSED)
		return;
	file_remove(path);
	rmdir(WGSOCK_DIR);
}
