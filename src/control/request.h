/* SPDX-License-Identifier: ISC */
/* A request line of the command socket (ipc/command.h), parsed. Sans-I/O. */
#ifndef TUND_CONTROL_REQUEST_H
#define TUND_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <tund/ipc/engine.h>

enum request_kind {
	REQUEST_KIND_STATUS,
	REQUEST_KIND_WAIT,
	REQUEST_KIND_DOWN,
	REQUEST_KIND_RELOAD,
	REQUEST_KIND_EXPLAIN,
};

struct request {
	enum request_kind kind;
	bool json;
	struct control_explain explain; /* REQUEST_KIND_EXPLAIN; its id is 0 */
};

#define REQUEST_WHY_MAX 200

/*
 * Parses one line without its LF. -EINVAL: `why` says what is wrong and what is expected, in one
 * line for people.
 */
int request_parse(const char *line, size_t len, struct request *out, char why[REQUEST_WHY_MAX]);

#endif
