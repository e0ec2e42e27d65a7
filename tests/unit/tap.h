/* SPDX-License-Identifier: ISC */
/* Runs one Check suite and speaks TAP on stdout, for automake's TAP driver. */
#ifndef TUND_TESTS_UNIT_TAP_H
#define TUND_TESTS_UNIT_TAP_H

#include <check.h>
#include <stdlib.h>

static inline int tap_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	srunner_free(runner);
	return EXIT_SUCCESS; /* the driver counts the "not ok" lines */
}

#endif
