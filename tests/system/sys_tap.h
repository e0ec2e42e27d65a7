/* SPDX-License-Identifier: ISC */
/* TAP for the programs of tests/system that are written in C. */
#ifndef TUND_TESTS_SYSTEM_SYS_TAP_H
#define TUND_TESTS_SYSTEM_SYS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct tap {
	unsigned count, failed;
};

static inline bool __attribute__((format(printf, 3, 4)))
tap_ok(struct tap *t, bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u - ", ok ? "" : "not ", ++t->count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	t->failed += !ok;
	return ok;
}

/* One check of a function that returns 0 or -errno. */
static inline bool tap_zero(struct tap *t, long result, const char *what)
{
	if (result == 0)
		return tap_ok(t, true, "%s", what);
	return tap_ok(t, false, "%s: returned %ld", what, result);
}

static inline void tap_skip(struct tap *t, const char *what, const char *why)
{
	printf("ok %u - %s # SKIP %s\n", ++t->count, what, why);
	fflush(stdout);
}

static inline int tap_end(const struct tap *t)
{
	printf("1..%u\n", t->count);
	return t->failed ? 1 : 0;
}

#endif
