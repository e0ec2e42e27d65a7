/* SPDX-License-Identifier: ISC */
/* Small files, whole: read, replaced atomically, locked. */
#ifndef TUND_SYS_FILE_H
#define TUND_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FILE_STORE_MAX 4096 /* bytes */

/* Reads the whole of a small file. -ENOENT; -EFBIG: it has more than `size` bytes; -errno. */
int file_read(const char *path, void *buf, size_t size, size_t *len);

/*
 * Replaces a file (mode 0600) by at most FILE_STORE_MAX bytes: after a crash or on a full disk it
 * holds either the old or the new, whole. -EFBIG, -ENOSPC, -EDQUOT, -errno: the old one stays.
 */
int file_store(const char *path, const void *data, size_t len);

/* 0 also if it is not there. */
int file_remove(const char *path);

/* Creates a directory (not its parents) with this mode and owner, which it also gets if it is
 * there. -ENOTDIR: something else is there (a symbolic link, too). */
int file_make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid);

/*
 * Opens a file of the configuration for reading. `world_access`: users other than its owner and
 * group may read or write it. -ENOENT; -EINVAL: not a regular file; -errno.
 */
int file_open_config(const char *path, int *fd, bool *world_access);

/* Takes the lock file for this process's life (until *fd is closed); the file is created.
 * -EWOULDBLOCK: another process has it. */
int file_lock(const char *path, int *fd);

#endif
