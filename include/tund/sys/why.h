/* SPDX-License-Identifier: ISC */
/*
 * The text of an error for people: what happened, why, and what to do; one line, no newline.
 * Functions that take `char why[WHY_MAX]` fill it exactly when they fail.
 */
#ifndef TUND_SYS_WHY_H
#define TUND_SYS_WHY_H

#define WHY_MAX 400

/* Writes the text (cut to WHY_MAX) and returns `error`, so that a failure is one statement. */
int why_set(char why[WHY_MAX], int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
