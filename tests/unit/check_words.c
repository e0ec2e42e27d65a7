/* SPDX-License-Identifier: ISC */
/* The words of the policy and their numbers. */
#include <errno.h>
#include <string.h>

#include <tund/policy/words.h>

#include "tap.h"

static const struct {
	const char *text;
	int v4, v6; /* -1: none of the words */
} protos[] = {
	{"tcp", 6, 6},       {"udp", 17, 17},   {"icmp", 1, 58},  {"sctp", 132, 132},
	{"gre", 47, 47},     {"esp", 50, 50},   {"0", 0, 0},      {"58", 58, 58},
	{"255", 255, 255},   {"256", -1, -1},   {"any", -1, -1},  {"TCP", -1, -1},
	{"", -1, -1},        {" 6", -1, -1},    {"6 ", -1, -1},   {"-1", -1, -1},
	{"+6", -1, -1},      {"0x6", -1, -1},   {"tc", -1, -1},   {"000006", -1, -1},
	{"4294967302", -1, -1},
};

static void parse(const char *text, uint8_t family, int expected)
{
	uint8_t out = 99;

	ck_assert_int_eq(word_proto_parse(text, family, &out), expected < 0 ? -EINVAL : 0);
	ck_assert_int_eq(out, expected < 0 ? 99 : expected);
}

START_TEST(proto_parses)
{
	parse(protos[_i].text, 4, protos[_i].v4);
	parse(protos[_i].text, 6, protos[_i].v6);
}
END_TEST

/* A number with a word reads back as itself; the others are shown as numbers. */
START_TEST(proto_has_a_text)
{
	static const uint8_t known[] = {1, 6, 17, 47, 50, 58, 132};
	char buf[WORD_PROTO_STRLEN], number[WORD_PROTO_STRLEN];
	const char *text = word_proto_text((uint8_t)_i, buf);
	uint8_t back;

	if (memchr(known, _i, sizeof known)) {
		ck_assert_int_eq(word_proto_parse(text, _i == 58 ? 6 : 4, &back), 0);
		ck_assert_int_eq(back, _i);
	} else {
		snprintf(number, sizeof number, "protocol %d", _i);
		ck_assert_str_eq(text, number);
	}
}
END_TEST

START_TEST(rules_have_more)
{
	ck_assert_str_eq(word_rule_protos[0], "any");
	ck_assert_int_eq(word_rule_proto(0), POLICY_PROTO_ANY);
	for (int i = 0; word_rule_protos[i]; i++) {
		if (strcmp(word_rule_protos[i], "icmp") == 0)
			ck_assert_int_eq(word_rule_proto(i), POLICY_PROTO_ICMP);
		if (i > 0)
			ck_assert_ptr_nonnull(strstr(WORD_PROTOS, word_rule_protos[i]));
	}
}
END_TEST

START_TEST(enums)
{
	ck_assert_str_eq(word_kinds[PRINCIPAL_USER], "user");
	ck_assert_str_eq(word_kinds[PRINCIPAL_CONNECTOR], "connector");
	ck_assert_str_eq(word_kinds[PRINCIPAL_SERVICE], "service");
	ck_assert_ptr_null(word_kinds[PRINCIPAL_SERVICE + 1]);
	ck_assert_str_eq(word_actions[POLICY_ACCEPT], "accept");
	ck_assert_str_eq(word_actions[POLICY_REJECT], "reject");
	ck_assert_str_eq(word_actions[POLICY_DROP], "drop");
	ck_assert_ptr_null(word_actions[POLICY_DROP + 1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("words");
	TCase *tc = tcase_create("words");

	tcase_add_loop_test(tc, proto_parses, 0, sizeof protos / sizeof *protos);
	tcase_add_loop_test(tc, proto_has_a_text, 0, 256);
	tcase_add_test(tc, rules_have_more);
	tcase_add_test(tc, enums);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
