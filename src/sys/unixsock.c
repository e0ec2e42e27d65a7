/* SPDX-License-Identifier: ISC */
/* Unix stream sockets by path. */

#include <tund/sys/unixsock.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 32

static int make_address(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path);

	if (len == 0)
		return -EINVAL;
	if (len >= sizeof sun->sun_path)
		return -ENAMETOOLONG;
	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(sun->sun_path, path, len);
	return 0;
}

static int open_connected(const struct sockaddr_un *sun, int *out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)sun, sizeof *sun) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	*out = fd;
	return 0;
}

int unixsock_connect(const char *path, int *fd)
{
	struct sockaddr_un sun;
	int err = make_address(path, &sun);

	return err < 0 ? err : open_connected(&sun, fd);
}

static int remove_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, err;

	if (lstat(sun->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	err = open_connected(sun, &fd);
	if (err == 0) {
		close(fd);
		return -EADDRINUSE;
	}
	if (err != -ECONNREFUSED)
		return err == -EAGAIN ? -EADDRINUSE : err;
	return unlink(sun->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

int unixsock_listen(const char *path, mode_t mode, int *fd)
{
	struct sockaddr_un sun;
	int err = make_address(path, &sun);
	int s;

	if (err == 0)
		err = remove_stale(&sun);
	if (err < 0)
		return err;
	s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return -errno;
	/* The mode of the descriptor becomes the file's in bind(), without a moment in between. */
	if (fchmod(s, mode) < 0 || bind(s, (const struct sockaddr *)&sun, sizeof sun) < 0) {
		err = -errno;
	} else if (chmod(path, mode) < 0 || listen(s, BACKLOG) < 0) { /* whatever the umask */
		err = -errno;
		unlink(path);
	}
	if (err < 0) {
		close(s);
		return err;
	}
	*fd = s;
	return 0;
}

int unixsock_accept(int listener, int *fd)
{
	int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (s < 0)
		return errno == EINTR ? -ECONNABORTED : -errno;
	*fd = s;
	return 0;
}

int unixsock_watch(const char *path, int *fd)
{
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int err;

	if (watch < 0)
		return -errno;
	/* The listening descriptor keeps the file's inode: removal shows as a change of its links. */
	if (inotify_add_watch(watch, path, IN_ATTRIB | IN_DELETE_SELF) < 0) {
		err = -errno;
		close(watch);
		return err;
	}
	*fd = watch;
	return 0;
}

int unixsock_peer(int fd, pid_t *pid, uid_t *uid)
{
	struct ucred credentials;
	socklen_t len = sizeof credentials;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
		return -errno;
	*pid = credentials.pid;
	*uid = credentials.uid;
	return 0;
}
