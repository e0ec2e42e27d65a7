/* SPDX-License-Identifier: ISC */
/*
 * The parent: the one process that stays root. It sets the host up, starts engine and control,
 * hands them what they need, answers their closed table of requests, starts them again when they
 * die, and takes everything back at the end. Single-threaded; poll(2).
 */
#ifndef TUND_PARENT_PARENT_H
#define TUND_PARENT_PARENT_H

#include <tund/ipc/command.h>
#include <tund/parent/tunnel.h>

struct parent_options {
	/* -1: in the foreground. Else write end of a pipe: one byte is written when the start phase
	 * is over; before it messages go to our standard error, after it to syslog, and to standard
	 * error as well until the pipe's other end is closed. */
	int started_fd;
};

/*
 * Runs a tunnel until it is told to stop. To be called as root in a process of its own; messages
 * go to standard error. EXIT_DONE after an orderly end; EXIT_SYSTEM, EXIT_AGAIN (it runs
 * already, a port is in use), EXIT_BAD_CONFIG when it could not start or not go on.
 */
enum exit_code parent_run(const struct tunnel *tunnel, const struct parent_options *options);

#endif
