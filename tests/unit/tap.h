/* SPDX-License-Identifier: ISC */
/* Runs one Check suite and speaks TAP on stdout, for automake's TAP driver. */
#ifndef TUND_TESTS_UNIT_TAP_H
#define TUND_TESTS_UNIT_TAP_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs and frees the suite; main's return value. */
static inline int tap_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return EXIT_SUCCESS; /* the driver counts the "not ok" lines */
}

/* Instead of tap_run(): the whole program cannot run here, and why; main's return value. */
static inline int tap_skip(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return EXIT_SUCCESS;
}

#endif
