/* SPDX-License-Identifier: ISC */
/* Request lines of the command socket: tables of lines and what they mean. */
#include <errno.h>
#include <string.h>

#include "control/request.h"
#include <tund/ipc/command.h>

#include "tap.h"

struct request_case {
	const char *line;
	int result;
	unsigned count;
	bool json;
};

static const struct request_case cases[] = {
	{"status", 0, 0, false},
	{"status\tjson", 0, 0, true},
	{"status\tJSON", 0, 1, false},
	{"status\t", 0, 1, false},
	{"status\tjson\tjson", 0, 1, true},
	{"", 0, 0, false},
	{"\t", 0, 1, false},
	{"json", 0, 0, false},
	{"a\tb\tc\td\te\tf\tg\th\ti", 0, 8, false},
	{"a\tb\tc\td\te\tf\tg\th\ti\tj", -EINVAL, 0, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80", 0, 5, false},
	{"explain\talice\t-\t10.77.0.10\ttcp\t80\tjson", 0, 5, true},
};

START_TEST(lines_parse)
{
	const struct request_case *c = &cases[_i];
	char why[REQUEST_WHY_MAX] = "";
	struct request r;

	ck_assert_msg(request_parse(c->line, strlen(c->line), &r, why) == c->result, "%s",
		      c->line);
	if (c->result) {
		ck_assert_ptr_nonnull(strchr(why, '\n'));
		return;
	}
	ck_assert_uint_eq(strlen(r.name), strcspn(c->line, "\t"));
	ck_assert_uint_eq(r.count, c->count);
	ck_assert_int_eq(r.json, c->json);
}
END_TEST

static const struct {
	const char *line;
	int result;
} questions[] = {
	{"explain\talice\t-\t10.77.0.10\ttcp\t80", 0},
	{"explain\talice\t100.80.0.11\t10.77.0.10\t6\t80", 0},
	{"explain\t\t-\t10.77.0.10\ttcp\t80", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\ttcp\t65536", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\ttcp\t-1", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\ttcp\t 1", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\ttcp\t", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\t256\t80", -EINVAL},
	{"explain\talice\t-\t10.77.0.10\tTCP\t80", -EINVAL},
	{"explain\talice\t-\t10.77.0\ttcp\t80", -EINVAL},
	{"explain\talice\tx\t10.77.0.10\ttcp\t80", -EINVAL},
	{"explain\talice\tfd74::1\t10.77.0.10\ttcp\t80", -EINVAL},
};

static int ask(const char *line, struct control_explain *out, char why[REQUEST_WHY_MAX])
{
	struct request r;

	*out = (struct control_explain){0};
	ck_assert_int_eq(request_parse(line, strlen(line), &r, why), 0);
	ck_assert_uint_eq(r.count, 5);
	return request_explain(&r, out, why);
}

START_TEST(questions_parse)
{
	char why[REQUEST_WHY_MAX] = "";
	struct control_explain q;

	ck_assert_int_eq(ask(questions[_i].line, &q, why), questions[_i].result);
	if (questions[_i].result)
		ck_assert_ptr_nonnull(strchr(why, '\n'));
}
END_TEST

START_TEST(explain_is_understood)
{
	static const char line[] = "explain\talice@example.com/laptop\t-\tfd74:756e:64::1\ticmp\t0";
	char why[REQUEST_WHY_MAX], text[IP_ADDR_STRLEN];
	struct control_explain q;

	ck_assert_int_eq(ask(line, &q, why), 0);
	ck_assert_str_eq(q.principal, "alice@example.com/laptop");
	ck_assert_int_eq(q.source.family, 0);
	ck_assert_str_eq(ip_addr_format(&q.dst, text), "fd74:756e:64::1");
	ck_assert_int_eq(q.proto, 58); /* ICMPv6 */
	ck_assert_int_eq(q.port, 0);
}
END_TEST

START_TEST(a_name_that_is_too_long)
{
	char line[COMMAND_MAX], why[REQUEST_WHY_MAX], name[200];
	struct control_explain q;

	memset(name, 'a', sizeof name);
	name[127] = '\0';
	snprintf(line, sizeof line, "explain\t%s\t-\t10.0.0.1\ttcp\t80", name);
	ck_assert_int_eq(ask(line, &q, why), 0);
	name[127] = 'a';
	name[128] = '\0';
	snprintf(line, sizeof line, "explain\t%s\t-\t10.0.0.1\ttcp\t80", name);
	ck_assert_int_eq(ask(line, &q, why), -EINVAL);
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
	tcase_add_loop_test(tc, questions_parse, 0, sizeof questions / sizeof *questions);
	tcase_add_test(tc, explain_is_understood);
	tcase_add_test(tc, a_name_that_is_too_long);
	tcase_add_test(tc, a_line_with_nul);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
