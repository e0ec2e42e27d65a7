/* SPDX-License-Identifier: ISC */
/*
 * How our processes give up what they do not need, in two steps, because threads must be started
 * between them: credentials and Landlock belong to a thread and are inherited by those started
 * later, the system call filter is set on all threads at once.
 */
#ifndef TUND_SYS_SANDBOX_H
#define TUND_SYS_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include <tund/sys/why.h>

enum sandbox_kind {
	SANDBOX_ENGINE,  /* descriptors it was given, memory, time; no file, socket or program */
	SANDBOX_CONTROL, /* also name resolution: resolver files and libraries read-only, sockets */
	SANDBOX_LOADER,  /* reads and writes descriptors it was given, nothing else */
};

struct sandbox_user {
	uid_t uid;
	gid_t gid;
};

/*
 * First step, before any thread: uid and gid without supplementary groups, no capability in any
 * set, no_new_privs, not dumpable, no core file, Landlock where the kernel has it, and the
 * parent's death kills us (a change of uid had cleared that). A process that is not root keeps
 * its own ids, which must be the user's. -EPERM, -errno: nothing may be done with foreign bytes,
 * the process must exit.
 */
int sandbox_drop(enum sandbox_kind kind, const struct sandbox_user *user, char why[WHY_MAX]);

/* Second step: the system call filter, on every thread; anything not allowed kills the process by
 * SIGSYS (under ThreadSanitizer: is answered with EPERM). -errno: the process must exit. */
int sandbox_filter(enum sandbox_kind kind, char why[WHY_MAX]);

/* Whether this kernel has Landlock (it is optional everywhere, the filter is not). */
bool sandbox_has_landlock(void);

#endif
