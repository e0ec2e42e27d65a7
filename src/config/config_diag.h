/* SPDX-License-Identifier: ISC */
/* Where the parser says what is wrong with one file. */
#ifndef TUND_CONFIG_CONFIG_DIAG_H
#define TUND_CONFIG_CONFIG_DIAG_H

#include <stddef.h>

#include <tund/config/config.h>

#define DIAG_HELD 20 /* the first ones; the others of a file are only counted */

struct diag {
	const struct config_errors *sink;
	const char *file; /* name for messages; borrowed */
	unsigned count;   /* errors so far */
	struct config_error held[DIAG_HELD];
};

/* Takes one error; line 0 means the file as a whole. What does not fit is cut. */
void diag_report(struct diag *diag, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Hands what was taken to the sink, in the order of the lines, at the end of a file. */
void diag_flush(struct diag *diag);

/*
 * Makes text from a file fit to be shown: at most 48 bytes, and '?' for what is not printable
 * ASCII. Returns buf.
 */
#define DIAG_SHOWN 52
const char *diag_shown(const char *text, size_t len, char buf[DIAG_SHOWN]);

/*
 * The name in `names` (ended by NULL) that `text` is most likely a misspelling of, or NULL when
 * none is near.
 */
const char *diag_nearest(const char *text, const char *const *names);

/* Writes the names (ended by NULL) as "a, b, c" into buf and returns buf; cut if it is full. */
const char *diag_list(const char *const *names, char *buf, size_t size);

#endif
