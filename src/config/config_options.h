/* SPDX-License-Identifier: ISC */
/*
 * The options of tund.conf(5) as a table: a row says all that there is to say of an option, and the
 * parser, both directions of the encoding, the checks, what a reload may change, and a test of the
 * manual page go through it. To add an option: a field of struct config, a row, its entry in
 * man/tund.conf.5. It is constant; any thread.
 */
#ifndef TUND_CONFIG_CONFIG_OPTIONS_H
#define TUND_CONFIG_CONFIG_OPTIONS_H

#include "config_option.h"

extern const struct option config_options[]; /* the first is `role` */
extern const size_t config_option_count;     /* at most OPTIONS_MAX */
#define OPTIONS_MAX 64

/* The role, one of OF_...; in the course of reading, that of what was read so far. */
unsigned options_role(const struct config *config);

/* Whether this configuration, as far as it was read, has the option. */
bool option_applies(const struct option *option, const struct config *config);

/* Sees the errors of checks. */
#define JUDGE_MISSING SIZE_MAX /* in place of an item: nothing is written */
struct judge {
	uint64_t unread; /* a bit for each row that could not be read: no checks of it */
	unsigned count;  /* of errors */
	/* `item` counts the values of a list; NULL where nobody is told. */
	void (*say)(struct judge *judge, const struct option *option, size_t item, const char *text);
};

/* For checks: counts an error, and says it. */
void judge_report(struct judge *judge, const struct option *option, size_t item,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Everything that must be there in this view and all checks, in the order of the table. */
void options_check(const struct config *config, enum config_view view, struct judge *judge);

/* Another number for another table: names, kinds, roles, views and ranges. */
uint32_t options_fingerprint(void);

#endif
