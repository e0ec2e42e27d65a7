/* SPDX-License-Identifier: ISC */
/* The answer to "status", for people and as JSON. */
#ifndef TUND_CONTROL_STATUS_H
#define TUND_CONTROL_STATUS_H

#include <stddef.h>

#include "ask.h"

#define STATUS_SCHEMA 1

/* Writes the text; the caller frees *text. -ENOMEM. */
int status_render(const struct control *c, const struct ask *ask, char **text, size_t *len);

/* The same as JSON; used by status_render(). */
int status_render_json(const struct control *c, const struct ask *ask, char **text, size_t *len);

/* The local end of a path, as far as it is known. Returns buf. */
const char *status_local(const struct endpoint *local, char buf[ENDPOINT_STRLEN]);

/* Number of the suite in words, for people. */
const char *status_suite_name(int suite);

#endif
