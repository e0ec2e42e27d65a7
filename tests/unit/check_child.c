/* SPDX-License-Identifier: ISC */
/* How long a dead child waits for its restart, and what its lines claim to be. */
#include <string.h>
#include <syslog.h>

#include "parent/child.h"
#include "parent/logger.h"

#include "tap.h"

START_TEST(backoff)
{
	static const uint32_t expected_ms[] = {100,  200,  400,   800,   1600,
					       3200, 6400, 10000, 10000, 10000};
	uint32_t ms = 0;

	for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
		ms = child_backoff(ms, NS_PER_SEC);
		ck_assert_uint_eq(ms, expected_ms[i]);
	}
	ck_assert_uint_eq(child_backoff(ms, CHILD_STABLE_NS - 1), 10000);
	ck_assert_uint_eq(child_backoff(ms, CHILD_STABLE_NS), 100);
}
END_TEST

static const struct {
	const char *line;
	int priority;
	const char *text;
} log_lines[] = {
	{"error: engine: no", LOG_ERR, "engine: no"},
	{"warning: x", LOG_WARNING, "x"},
	{"notice: x", LOG_NOTICE, "x"},
	{"info: x", LOG_INFO, "x"},
	{"debug: x", LOG_DEBUG, "x"},
	{"errors: x", LOG_INFO, "errors: x"},
	{"", LOG_INFO, ""},
};

START_TEST(priority)
{
	const char *text;

	ck_assert_int_eq(logger_priority(log_lines[_i].line, &text), log_lines[_i].priority);
	ck_assert_str_eq(text, log_lines[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("child");
	TCase *tc = tcase_create("child");

	tcase_add_test(tc, backoff);
	tcase_add_loop_test(tc, priority, 0, sizeof log_lines / sizeof *log_lines);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
