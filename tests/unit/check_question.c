/* SPDX-License-Identifier: ISC */
/* The operands of `tund policy explain`, and the first line of an answer. */
#include <errno.h>
#include <string.h>

#include "cmd/ask.h"
#include "cmd/question.h"

#include "tap.h"

static const struct {
	const char *words[6];
	const char *destination, *protocol, *port; /* NULL: wrong */
} questions[] = {
	{{"bob", "tcp", "10.77.0.10", "80"}, "10.77.0.10", "tcp", "80"},
	{{"bob", "10.77.0.10:80"}, "10.77.0.10", "tcp", "80"},
	{{"bob", "10.77.0.10:80", "udp"}, "10.77.0.10", "udp", "80"},
	{{"bob", "10.77.0.10", "80"}, "10.77.0.10", "tcp", "80"},
	{{"bob", "10.77.0.10", "80", "udp"}, "10.77.0.10", "udp", "80"},
	{{"bob", "[fd74:756e:64::a]:443"}, "fd74:756e:64::a", "tcp", "443"},
	{{"bob", "icmp", "fd74:756e:64::a"}, "fd74:756e:64::a", "icmp", "0"},
	{{"bob", "10.77.0.10", "icmp"}, "10.77.0.10", "icmp", "0"},
	{{"bob", "47", "10.77.0.10"}, "10.77.0.10", "47", "0"},
	{{"bob/laptop", "sctp", "10.77.0.10", "1"}, "10.77.0.10", "sctp", "1"},
	{{"bob"}, NULL, NULL, NULL},
	{{"bob", "tcp"}, NULL, NULL, NULL},
	{{"bob", "10.77.0.10"}, NULL, NULL, NULL},
	{{"bob", "10.77.0.10:80", "81"}, NULL, NULL, NULL},
	{{"bob", "tcp", "10.77.0.10:80", "81"}, NULL, NULL, NULL},
	{{"bob", "tcp", "udp", "10.77.0.10"}, NULL, NULL, NULL},
	{{"bob", "tcp", "10.77.0.10", "65536"}, NULL, NULL, NULL},
	{{"bob", "256", "10.77.0.10"}, NULL, NULL, NULL},
	{{"bob", "tcp", "10.77.0.10", "10.77.0.11"}, NULL, NULL, NULL},
	{{"bob", "tcp", "example.com", "80"}, NULL, NULL, NULL},
	{{"", "tcp", "10.77.0.10", "80"}, NULL, NULL, NULL},
	{{"a\tb", "tcp", "10.77.0.10", "80"}, NULL, NULL, NULL},
};

START_TEST(question)
{
	struct question q = {.principal = "untouched"};
	char *words[6];
	int count = 0;
	const char *why;

	while (count < 6 && questions[_i].words[count]) {
		words[count] = strdup(questions[_i].words[count]);
		count++;
	}
	why = question_read(count, words, &q);
	if (questions[_i].destination) {
		ck_assert_ptr_null(why);
		ck_assert_str_eq(q.principal, words[0]);
		ck_assert_str_eq(q.destination, questions[_i].destination);
		ck_assert_str_eq(q.protocol, questions[_i].protocol);
		ck_assert_str_eq(q.port, questions[_i].port);
	} else {
		ck_assert_ptr_nonnull(why);
		ck_assert_str_eq(q.principal, "untouched");
	}
	while (count > 0)
		free(words[--count]);
}
END_TEST

static const struct {
	const char *text;
	int length, code;
} answers[] = {
	{"EXIT 0\nup", 7, 0},
	{"EXIT 78\n", 8, 78},
	{"EXIT 255\n", 9, 255},
	{"EXIT 256\n", -EBADMSG, 0},
	{"EXIT \n", -EBADMSG, 0},
	{"EXIT -1\n", -EBADMSG, 0},
	{"EXIT 0000\n", -EBADMSG, 0},
	{"EXIT 1", 0, 0},
	{"", 0, 0},
	{"exit 0\n", -EBADMSG, 0},
	{"0123456789012345", -EBADMSG, 0},
};

START_TEST(answer)
{
	int code = -7;

	ck_assert_int_eq(ask_parse_exit(answers[_i].text, strlen(answers[_i].text), &code),
			 answers[_i].length);
	ck_assert_int_eq(code, answers[_i].length > 0 ? answers[_i].code : -7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("question");
	TCase *tc = tcase_create("question");

	tcase_add_loop_test(tc, question, 0, sizeof questions / sizeof *questions);
	tcase_add_loop_test(tc, answer, 0, sizeof answers / sizeof *answers);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
