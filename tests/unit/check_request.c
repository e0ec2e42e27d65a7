/* SPDX-License-Identifier: ISC */
/* Request lines of the command socket: a table of lines and what they mean. */
#include <errno.h>
#include <string.h>

#include "control/request.h"
#include <tund/ipc/command.h>

#include "tap.h"

struct request_case {
	const char *line;
	int result;
	enum request_kind kind;
	bool json;
};

static const struct request_case cases[] = {
	{"status", 0, REQUEST_KIND_STATUS, false},
	{"status\tjson", 0, REQUEST_KIND_STATUS, true},
	{"wait", 0, REQUEST_KIND_WAIT, false},
	{"down", 0, REQUEST_KIND_DOWN, false},
	{"reload", 0, REQUEST_KIND_RELOAD, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80", 0, REQUEST_KIND_EXPLAIN, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80\tjson", 0, REQUEST_KIND_EXPLAIN, true},
	{"explain\talice\t100.80.0.11\t10.77.0.10\t6\t80", 0, REQUEST_KIND_EXPLAIN, false},
	{"", -EINVAL, 0, false},
	{"\t", -EINVAL, 0, false},
	{"stat", -EINVAL, 0, false},
	{"status ", -EINVAL, 0, false},
	{"status\t", -EINVAL, 0, false},
	{"status\tjson\tjson", -EINVAL, 0, false},
	{"status\tJSON", -EINVAL, 0, false},
	{"wait\tjson", -EINVAL, 0, false},
	{"down\tnow", -EINVAL, 0, false},
	{"explain", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp", -EINVAL, 0, false},
	{"explain\t\t-\t10.77.0.10\ttcp\t80", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80\tyaml", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80\tjson\tjson", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t65536", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t-1", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t 1", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\t256\t80", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\tTCP\t80", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0\ttcp\t80", -EINVAL, 0, false},
	{"explain\talice\tx\t10.77.0.10\ttcp\t80", -EINVAL, 0, false},
	{"explain\talice\tfd74::1\t10.77.0.10\ttcp\t80", -EINVAL, 0, false},
	{"a\tb\tc\td\te\tf\tg\th\ti\tj", -EINVAL, 0, false},
};

START_TEST(lines_parse)
{
	const struct request_case *c = &cases[_i];
	char why[REQUEST_WHY_MAX] = "";
	struct request r;

	ck_assert_msg(request_parse(c->line, strlen(c->line), &r, why) == c->result, "%s",
		      c->line);
	if (c->result) {
		ck_assert_str_ne(why, "");
		ck_assert_ptr_nonnull(strchr(why, '\n'));
		return;
	}
	ck_assert_int_eq(r.kind, c->kind);
	ck_assert_int_eq(r.json, c->json);
}
END_TEST

START_TEST(explain_is_understood)
{
	static const char line[] = "explain\talice@example.com/laptop\t-\tfd74:756e:64::1\ticmp\t0";
	char why[REQUEST_WHY_MAX], text[IP_ADDR_STRLEN];
	struct request r;

	ck_assert_int_eq(request_parse(line, strlen(line), &r, why), 0);
	ck_assert_str_eq(r.explain.principal, "alice@example.com/laptop");
	ck_assert_int_eq(r.explain.source.family, 0);
	ck_assert_str_eq(ip_addr_format(&r.explain.dst, text), "fd74:756e:64::1");
	ck_assert_int_eq(r.explain.proto, 58); /* ICMPv6 */
	ck_assert_int_eq(r.explain.port, 0);
}
END_TEST

START_TEST(a_name_that_is_too_long)
{
	char line[COMMAND_MAX], why[REQUEST_WHY_MAX], name[200];
	struct request r;

	memset(name, 'a', sizeof name);
	name[127] = '\0';
	snprintf(line, sizeof line, "explain\t%s\t-\t10.0.0.1\ttcp\t80", name);
	ck_assert_int_eq(request_parse(line, strlen(line), &r, why), 0);
	name[127] = 'a';
	name[128] = '\0';
	snprintf(line, sizeof line, "explain\t%s\t-\t10.0.0.1\ttcp\t80", name);
	ck_assert_int_eq(request_parse(line, strlen(line), &r, why), -EINVAL);
}
END_TEST

START_TEST(a_line_with_nul)
{
	char why[REQUEST_WHY_MAX];
	struct request r;

	ck_assert_int_eq(request_parse("status\0json", 11, &r, why), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("request");
	TCase *tc = tcase_create("request");

	tcase_add_loop_test(tc, lines_parse, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, explain_is_understood);
	tcase_add_test(tc, a_name_that_is_too_long);
	tcase_add_test(tc, a_line_with_nul);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
