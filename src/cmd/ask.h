/* SPDX-License-Identifier: ISC */
/* The command line's end of the command socket (ipc/command.h). */
#ifndef TUND_CMD_ASK_H
#define TUND_CMD_ASK_H

#include <tund/parent/tunnel.h>

/*
 * Sends one request (without its LF) and copies the answer to standard output or error. *code gets
 * the exit code in it. `timeout_ms` is for the whole; -1: none.
 * 0; -ENOENT, -ECONNREFUSED: nobody listens; -EACCES: not allowed to; -ETIMEDOUT; -ECONNRESET: the
 * daemon hung up without a whole first line; -errno.
 */
int ask(const struct tunnel *tunnel, const char *request, int timeout_ms, int *code);

/* Says an error of ask(), with the remedy, and returns the exit code for it. */
int ask_say_error(const struct tunnel *tunnel, int error);

/* As ask() with a generous limit of time, with the errors said; the exit code. */
int ask_or_say(const struct tunnel *tunnel, const char *request);

/*
 * The first line of an answer, "EXIT 0\n" with a code of 0 to 255, in `len` bytes of text. Returns
 * the line's length and the code; 0: it is not whole yet; -EBADMSG. Pure.
 */
int ask_parse_exit(const char *text, size_t len, int *code);

#endif
