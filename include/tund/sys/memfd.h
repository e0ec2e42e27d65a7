/* SPDX-License-Identifier: ISC */
/* Sealed memory files: how one of our processes hands another a block of data that no one can
 * change any more. */
#ifndef TUND_SYS_MEMFD_H
#define TUND_SYS_MEMFD_H

#include <stddef.h>

/* Creates an empty one (close-on-exec, not executable where the kernel can say so) to be written
 * and then sealed. `name` is for /proc only. */
int memfd_create_empty(const char *name, int *fd);

/* Forbids every later change: no write, no growing or shrinking, no more seals. */
int memfd_seal(int fd);

/* Both at once for data at hand; the descriptor stands at the beginning. */
int memfd_from(const char *name, const void *data, size_t len, int *fd);

/*
 * Maps a sealed one for reading. -EBADMSG: it is not sealed, so its writer could still change it
 * under us; -EFBIG: above `max` bytes; -ENODATA: empty; -errno. The mapping outlives fd.
 */
int memfd_map(int fd, size_t max, const void **data, size_t *len);

void memfd_unmap(const void *data, size_t len);

#endif
