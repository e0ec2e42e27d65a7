/* SPDX-License-Identifier: ISC */
/* Landlock by system call: glibc has no wrappers, and Debian 12's headers not all constants. */
#ifndef TUND_SYS_SANDBOX_LANDLOCK_H
#define TUND_SYS_SANDBOX_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* The ABI version of this kernel; 0: no Landlock, or switched off. */
int landlock_version(void);

/*
 * Denies this thread, and all it starts, the file system except reading below `paths` (those that
 * exist), and TCP: binding always, connecting unless `may_connect`; and signals and abstract
 * sockets to processes outside. As far as this kernel can; 0 also if it cannot at all. Needs
 * no_new_privs. -errno.
 */
int landlock_enter(const char *const *paths, size_t count, bool may_connect);

#endif
