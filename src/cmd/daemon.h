/* SPDX-License-Identifier: ISC */
/* Starting a process in the background and waiting until it can be used. */
#ifndef TUND_CMD_DAEMON_H
#define TUND_CMD_DAEMON_H

#include <tund/sys/why.h>

/*
 * What the daemon does: it says that it can be used by writing one byte to `started_fd`, which is
 * closed on exec; its result is the exit code. It has no terminal, nothing on standard input, a
 * umask of 077, and no other descriptor of the caller's than standard output and error.
 */
struct daemon_work {
	int (*run)(void *ctx, int started_fd);
	void *ctx;
};

/*
 * Forks and waits for that byte: EXIT_DONE, and *fd is the other end, to be kept open for as long
 * as the daemon's messages are wanted here. Otherwise the daemon's exit code, of which it has told
 * the reason itself (`why` is empty), or EXIT_SYSTEM and why.
 */
int daemon_start(const struct daemon_work *work, int *fd, char why[WHY_MAX]);

#endif
