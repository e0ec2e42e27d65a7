/* SPDX-License-Identifier: ISC */
/* What becomes of foreign bytes in a log line. */
#include <stdarg.h>
#include <string.h>

#include <tund/sys/log.h>

#include "tap.h"

static size_t format(char *buf, size_t size, const char *prefix, const char *message, ...)
	__attribute__((format(printf, 4, 5)));

static size_t format(char *buf, size_t size, const char *prefix, const char *message, ...)
{
	va_list args;
	size_t len;

	va_start(args, message);
	len = log_format(buf, size, prefix, message, args);
	va_end(args);
	return len;
}

static const struct {
	const char *text, *line;
} cases[] = {
	{"plain", "error: plain\n"},
	{"", "error: \n"},
	{"two\nlines", "error: two?lines\n"},
	{"\033[31mred\007\t\177", "error: ?[31mred???\n"},
	{"Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x90\xa7", "error: Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x90\xa7\n"},
	{"\xc2\x9b" "31m", "error: ??31m\n"},           /* C1 control: CSI */
	{"\xc0\xaf \xed\xa0\x80", "error: ?? ???\n"},     /* overlong, surrogate */
	{"\xf4\x90\x80\x80", "error: ????\n"},          /* above U+10FFFF */
	{"cut \xe2\x82", "error: cut ??\n"},
	{"\xff\xfe", "error: ??\n"},
};

START_TEST(replaces_what_moves_a_cursor)
{
	char buf[128];
	size_t len = format(buf, sizeof buf, "error: ", "%s", cases[_i].text);

	ck_assert_str_eq(buf, cases[_i].line);
	ck_assert_uint_eq(len, strlen(cases[_i].line));
}
END_TEST

START_TEST(cuts_at_every_size)
{
	char buf[64], whole[64];

	format(whole, sizeof whole, "<3>", "%s", "a long message");
	for (size_t size = 2; size < sizeof buf; size++) {
		size_t len;

		memset(buf, '!', sizeof buf);
		len = format(buf, size, "<3>", "%s", "a long message");
		ck_assert_uint_lt(len, size);
		ck_assert_uint_eq(strlen(buf), len);
		ck_assert_int_eq(buf[len - 1], '\n');
		ck_assert_mem_eq(buf, whole, len - 1);
		ck_assert_int_eq(buf[size], '!');
	}
}
END_TEST

START_TEST(levels_have_names)
{
	enum log_level level;

	ck_assert_int_eq(log_level(), LOG_LEVEL_INFO);
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		ck_assert(log_level_parse(log_level_name((enum log_level)i), &level));
		ck_assert_int_eq(level, i);
	}
	ck_assert(!log_level_parse("loud", &level));
	ck_assert(!log_level_parse("", &level));
	ck_assert(!log_level_parse("INFO", &level));
	log_set_level(LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_level(), LOG_LEVEL_DEBUG);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("format");

	tcase_add_loop_test(tc, replaces_what_moves_a_cursor, 0, sizeof cases / sizeof cases[0]);
	tcase_add_test(tc, cuts_at_every_size);
	tcase_add_test(tc, levels_have_names);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
