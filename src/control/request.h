/* SPDX-License-Identifier: ISC */
/* A request line of the command socket (ipc/command.h), taken apart. Sans-I/O. */
#ifndef TUND_CONTROL_REQUEST_H
#define TUND_CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include <tund/ipc/command.h>
#include <tund/ipc/engine.h>

#define REQUEST_ARGUMENTS_MAX 8
#define REQUEST_WHY_MAX 200

struct request {
	const char *name;
	const char *argument[REQUEST_ARGUMENTS_MAX];
	unsigned count;             /* of arguments */
	bool json;                  /* the last argument, which is not counted, was "json" */
	char line[COMMAND_MAX + 1]; /* the words are in it: a request must not be copied */
};

/*
 * Takes one line without its LF apart. -EINVAL here and below: `why` says what is wrong and what is
 * expected, in one line for people.
 */
int request_parse(const char *line, size_t len, struct request *out, char why[REQUEST_WHY_MAX]);

/* Says that a word is not what was expected there. Always -EINVAL. */
int request_wrong(char why[REQUEST_WHY_MAX], const char *expected, const char *got);

/* The five arguments of "explain": principal, source or "-", destination, protocol, port. */
int request_explain(const struct request *request, struct control_explain *out,
		    char why[REQUEST_WHY_MAX]);

#endif
