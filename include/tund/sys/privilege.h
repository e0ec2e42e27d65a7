/* SPDX-License-Identifier: ISC */
/* What the parent needs before it starts: to be root, and a user for its children. */
#ifndef TUND_SYS_PRIVILEGE_H
#define TUND_SYS_PRIVILEGE_H

#include <stdint.h>

#include <tund/sys/sandbox.h>
#include <tund/sys/why.h>

#define PRIVILEGE_USER "tund"

/* 0, or -EPERM with the remedy: effective uid 0 and CAP_NET_ADMIN. */
int privilege_check(char why[WHY_MAX]);

/* Finds the user's ids. -ENOENT with the remedy (exit code 78); -EINVAL: it is root. */
int privilege_find_user(const char *name, struct sandbox_user *out, char why[WHY_MAX]);

/* Raises RLIMIT_MEMLOCK of this process (children inherit it) to at least `bytes`, as far as
 * allowed. Returns the limit there is now; UINT64_MAX for none. */
uint64_t privilege_raise_memlock(uint64_t bytes);

/* The same for RLIMIT_NOFILE, descriptors: an edge has one for each TCP connection. */
uint64_t privilege_raise_descriptors(uint64_t count);

#endif
