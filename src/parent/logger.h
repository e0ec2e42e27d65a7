/* SPDX-License-Identifier: ISC */
/*
 * Where the lines of parent and children go when the tunnel runs in the background: through a pipe
 * on everybody's standard error to the parent, which hands them to syslog and, while `tund up`
 * still waits, to its terminal. In the foreground there is no logger: standard error is the log.
 */
#ifndef TUND_PARENT_LOGGER_H
#define TUND_PARENT_LOGGER_H

#include <stdbool.h>
#include <stddef.h>

struct logger {
	int pipe;        /* read end; -1: no logger */
	int terminal;    /* who called; -1: gone */
	size_t used;     /* bytes of a line that is not complete */
	bool overlong;   /* its rest is dropped */
	char line[1024];
	const char *program; /* what the user called */
	char ident[64];  /* for syslog: must live as long as the connection to it */
};

void logger_none(struct logger *logger);

/* Puts the pipe in the place of standard output and error, which become the terminal. `program`
 * (borrowed) and `tunnel` are the name in syslog. -errno. */
int logger_open(struct logger *logger, const char *program, const char *tunnel);

/* Reads what there is and hands on each line. */
void logger_drain(struct logger *logger);

/* Lets go of the caller's terminal: from now on only syslog. */
void logger_detach(struct logger *logger);

/*
 * The priority that a line claims ("error: ...", LOG_INFO without one); *text is set to what
 * follows. Pure.
 */
int logger_priority(const char *line, const char **text);

#endif
