/* SPDX-License-Identifier: ISC */
/*
 * The command socket /run/tund/NAME.sock (SOCK_STREAM): the command line sends one line, control
 * answers with text and ends the connection.
 *
 *   request:  a command and its arguments separated by TAB, ended by LF; at most COMMAND_MAX bytes
 *   answer:   "EXIT <code>" LF, then bytes to copy: to stdout when the code is 0 or 1, to stderr
 *             otherwise
 *
 * Commands: "status" ["json"], "wait" (answers when the tunnel works, for which a client or
 * connector must have had a handshake within seconds), "down", "reload",
 * "log" [level], "explain" principal source|- destination proto port ["json"].
 */
#ifndef TUND_IPC_COMMAND_H
#define TUND_IPC_COMMAND_H

#define COMMAND_MAX 1024
#define COMMAND_CLIENTS_MAX 64

/* Exit codes: those of sysexits(3), and 1 for "no"; never 77 or 99, which automake's tests take for
 * "skipped" and "hard error". */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 64,
	EXIT_NO_DAEMON = 69,
	EXIT_SYSTEM = 71,
	EXIT_AGAIN = 75,
	EXIT_BAD_CONFIG = 78,
};

#endif
