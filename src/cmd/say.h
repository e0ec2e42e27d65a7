/* SPDX-License-Identifier: ISC */
/* Messages of the command line, on standard error; data goes to standard output. */
#ifndef TUND_CMD_SAY_H
#define TUND_CMD_SAY_H

#include <stdbool.h>

/* "tund: message". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "tund: error: message", red on a terminal without NO_COLOR; returns `code`. */
int say_error(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
