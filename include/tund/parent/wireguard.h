/* SPDX-License-Identifier: ISC */
/*
 * The parent of a WireGuard interface, which is made and configured as WireGuard's own tools want
 * it: it creates the device and the socket of the configuration protocol, starts the engine, opens
 * UDP sockets for it, and follows the device through network namespaces. When the engine ends, all
 * ends: what it was configured with was in its memory alone.
 */
#ifndef TUND_PARENT_WIREGUARD_H
#define TUND_PARENT_WIREGUARD_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/ipc/command.h>
#include <tund/sys/log.h>

struct wireguard_options {
	const char *interface;
	/* -1: in the foreground. Else write end of a pipe: one byte is written when device and socket
	 * can be used. */
	int started_fd;
	bool keep_stderr; /* messages stay on standard error; else to syslog once it has started */
	enum log_level level;
	uint32_t workers; /* threads that carry packets; 0: as there are processors */
};

/*
 * Serves the interface until it is deleted, its socket is removed, or a signal says so. To be
 * called as root in a process of its own. EXIT_DONE after an orderly end; EXIT_SYSTEM;
 * EXIT_BAD_CONFIG without the user `tund`.
 */
enum exit_code wireguard_run(const struct wireguard_options *options);

#endif
