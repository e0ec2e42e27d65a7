/* SPDX-License-Identifier: ISC */
/* Small files, whole. */

#include <tund/sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads until the end or until the buffer is full. */
static ssize_t read_up_to(int fd, uint8_t *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += (size_t)n;
	}
	return (ssize_t)len;
}

int file_read(const char *path, void *buf, size_t size, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t more;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	n = read_up_to(fd, buf, size);
	if (n < 0)
		err = (int)n;
	else if ((size_t)n == size && read_up_to(fd, &more, 1) > 0)
		err = -EFBIG;
	close(fd);
	if (err == 0)
		*len = (size_t)n;
	return err;
}

static int write_new(const char *path, const uint8_t *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (len > 0 && err == 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			err = -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	if (err == 0 && fsync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && err == 0)
		err = -errno;
	return err;
}

/* So that the new name survives a power cut; where a file system cannot, the rename stands. */
static void sync_directory_of(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	if (slash == path)
		slash++;
	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int file_store(const char *path, const void *data, size_t len)
{
	char temporary[PATH_MAX];
	int n = snprintf(temporary, sizeof temporary, "%s.new", path);
	int err;

	if (len > FILE_STORE_MAX)
		return -EFBIG;
	if (n < 0 || (size_t)n >= sizeof temporary)
		return -ENAMETOOLONG;
	unlink(temporary); /* what a crash left */
	err = write_new(temporary, data, len);
	if (err == 0 && rename(temporary, path) < 0)
		err = -errno;
	if (err < 0)
		unlink(temporary);
	else
		sync_directory_of(path);
	return err;
}

int file_remove(const char *path)
{
	return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int file_make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	int err = 0;
	int fd;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -ENOTDIR : -errno;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		err = -errno;
	close(fd);
	return err;
}

int file_open_config(const char *path, int *fd, bool *world_access)
{
	/* Non-blocking: opening a FIFO must not wait for its writer. */
	int f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int err = 0;

	if (f < 0)
		return -errno;
	if (fstat(f, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	if (err < 0) {
		close(f);
		return err;
	}
	*fd = f;
	*world_access = (st.st_mode & (S_IROTH | S_IWOTH)) != 0;
	return 0;
}

/* Whether the path still names the locked file: the last owner may have removed it between our
 * open and our lock. */
static bool still_named(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

int file_lock(const char *path, int *fd)
{
	for (;;) {
		int f = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		int err;

		if (f < 0)
			return -errno;
		if (flock(f, LOCK_EX | LOCK_NB) < 0) {
			err = -errno;
			close(f);
			return err;
		}
		if (still_named(f, path)) {
			*fd = f;
			return 0;
		}
		close(f);
	}
}
