/* SPDX-License-Identifier: ISC */
/*
 * The parent: the one process that stays root. It sets the host up, starts engine and control,
 * hands them what they need, answers their closed table of requests, starts them again when they
 * die, and takes everything back at the end. Single-threaded; poll(2).
 */
#ifndef TUND_PARENT_PARENT_H
#define TUND_PARENT_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/ipc/command.h>
#include <tund/ipc/parent.h>
#include <tund/parent/child.h>
#include <tund/parent/loader.h>
#include <tund/parent/logger.h>
#include <tund/parent/pace.h>
#include <tund/parent/store.h>
#include <tund/parent/system.h>
#include <tund/parent/tunnel.h>
#include <tund/sys/sandbox.h>

#define PARENT_STOP_MS 500 /* for the children to say goodbye */

struct parent_options {
	/* -1: in the foreground. Else write end of a pipe: one byte is written when the start phase
	 * is over; before it messages go to our standard error, after it to syslog, and to standard
	 * error as well until the pipe's other end is closed. */
	int started_fd;
};

struct parent {
	const struct tunnel *tunnel;
	int lock, started_fd, signals; /* descriptors; -1: none */
	struct logger logger;
	struct sandbox_user user;
	struct loaded loaded;
	uint32_t generation;
	struct system system;
	bool system_open;
	struct store store;
	struct child engine, control;
	struct pace pace;              /* of the networks that control asks for */
	bool stopping;
	uint64_t stop_deadline_ns;
	enum exit_code code;           /* with which to end */
	_Alignas(8) uint8_t message[]; /* CHANNEL_BODY_MAX bytes */
};

/*
 * Runs a tunnel until it is told to stop. To be called as root in a process of its own; messages
 * go to standard error. EXIT_DONE after an orderly end; EXIT_SYSTEM, EXIT_AGAIN (it runs
 * already, a port is in use), EXIT_BAD_CONFIG when it could not start or not go on.
 */
enum exit_code parent_run(const struct tunnel *tunnel, const struct parent_options *options);

/* Loads the configuration anew and hands it out; or keeps the old one. `text`
 * (LOADER_TEXT_MAX) gets what is to be said. 0 or -errno. */
int parent_reload(struct parent *parent, char *text);

/* Begins the end; the loop does the rest. */
void parent_stop(struct parent *parent, enum exit_code code);

/* Tells the engine what became of the TUN. */
void parent_tell_interface(struct parent *parent, bool present);

#endif
