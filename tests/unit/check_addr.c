/* SPDX-License-Identifier: ISC */
/* Addresses, prefixes and endpoints: tables of texts and what they mean. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <tund/base/addr.h>

#include "tap.h"

struct prefix_case {
	const char *text;
	int result;
	const char *canonical;
};

static const struct prefix_case prefix_cases[] = {
	{"10.0.0.0/8", 0, "10.0.0.0/8"},
	{"10.0.0.1", 0, "10.0.0.1/32"},
	{"0.0.0.0/0", 0, "0.0.0.0/0"},
	{"::/0", 0, "::/0"},
	{"2001:db8::/33", 0, "2001:db8::/33"},
	{"2001:db8:8000::/33", 0, "2001:db8:8000::/33"},
	{"2001:db8::1", 0, "2001:db8::1/128"},
	{"10.0.0.1/8", -ERANGE, NULL},
	{"2001:db8:4000::/33", -ERANGE, NULL},
	{"10.0.0.0/33", -EINVAL, NULL},
	{"10.0.0.0/08", -EINVAL, NULL},
	{"10.0.0.0/", -EINVAL, NULL},
	{"10.0.0.0/-1", -EINVAL, NULL},
	{"10.0.0/8", -EINVAL, NULL},
	{"010.0.0.0/8", -EINVAL, NULL},
	{"", -EINVAL, NULL},
	{"/8", -EINVAL, NULL},
	{"::/129", -EINVAL, NULL},
	{"10.0.0.0/8 ", -EINVAL, NULL},
	{"10.0.0.0/99999999999999999999", -EINVAL, NULL},
};

START_TEST(prefix_parses)
{
	const struct prefix_case *c = &prefix_cases[_i];
	char buf[IP_PREFIX_STRLEN];
	struct ip_prefix p;

	ck_assert_int_eq(ip_prefix_parse(c->text, &p), c->result);
	if (c->canonical)
		ck_assert_str_eq(ip_prefix_format(&p, buf), c->canonical);
}
END_TEST

START_TEST(prefix_contains_every_bit)
{
	struct ip_addr base = ip_addr_from_bytes(6, (const uint8_t *)"\x20\x01\x0d\xb8\xa5\x5a"
								    "\xff\x00\x12\x34\x56\x78"
								    "\x9a\xbc\xde\xf1");

	for (unsigned len = 0; len <= 128; len++) {
		struct ip_prefix p = ip_prefix_of(&base, (uint8_t)len);

		for (unsigned bit = 0; bit < 128; bit++) {
			struct ip_addr a = base;

			a.bytes[bit / 8] ^= (uint8_t)(0x80 >> (bit % 8));
			ck_assert_int_eq(ip_prefix_contains(&p, &a), bit >= len);
		}
		ck_assert(ip_prefix_contains(&p, &base));
	}
}
END_TEST

START_TEST(prefix_relations)
{
	struct ip_prefix a, b, c;

	ck_assert_int_eq(ip_prefix_parse("10.0.0.0/8", &a), 0);
	ck_assert_int_eq(ip_prefix_parse("10.1.0.0/16", &b), 0);
	ck_assert_int_eq(ip_prefix_parse("::/0", &c), 0);
	ck_assert(ip_prefix_covers(&a, &b) && !ip_prefix_covers(&b, &a));
	ck_assert(ip_prefix_overlaps(&b, &a) && !ip_prefix_overlaps(&a, &c));
	ck_assert(ip_prefix_equal(&a, &a) && !ip_prefix_equal(&a, &b));
}
END_TEST

struct endpoint_case {
	const char *text;
	bool valid;
};

static const struct endpoint_case endpoint_cases[] = {
	{"192.0.2.1:51820", true},  {"[2001:db8::1]:51820", true}, {"192.0.2.1:0", false},
	{"192.0.2.1:65536", false}, {"192.0.2.1", false},          {"2001:db8::1:51820", false},
	{"[192.0.2.1]:1", false},   {"[2001:db8::1]", false},      {"example.com:1", false},
	{"192.0.2.1:1x", false},    {"[2001:db8::1:51820", false}, {":1", false},
};

START_TEST(endpoint_parses)
{
	const struct endpoint_case *c = &endpoint_cases[_i];
	char buf[ENDPOINT_STRLEN];
	struct endpoint e;

	ck_assert_int_eq(endpoint_parse(c->text, &e), c->valid ? 0 : -EINVAL);
	if (c->valid)
		ck_assert_str_eq(endpoint_format(&e, buf), c->text);
}
END_TEST

START_TEST(endpoint_through_sockaddr)
{
	static const char *const texts[] = {"192.0.2.1:51820", "[2001:db8::1]:51820"};

	for (size_t i = 0; i < 2; i++) {
		for (int v6 = 0; v6 < 2; v6++) {
			struct sockaddr_storage ss;
			struct endpoint e, back;

			ck_assert_int_eq(endpoint_parse(texts[i], &e), 0);
			endpoint_to_sockaddr(&e, v6, &ss);
			ck_assert_int_eq(ss.ss_family, v6 || i ? AF_INET6 : AF_INET);
			ck_assert_int_eq(endpoint_from_sockaddr((struct sockaddr *)&ss, &back), 0);
			ck_assert(endpoint_equal(&e, &back));
		}
	}
}
END_TEST

START_TEST(special_addresses)
{
	static const char *const special[] = {"0.0.0.0",   "127.0.0.1", "169.254.1.1", "224.0.0.1",
					      "255.255.255.255", "::", "::1", "fe80::1", "ff02::1",
					      "::ffff:10.0.0.1"};
	static const char *const plain[] = {"10.0.0.1", "100.80.0.1", "192.0.2.1", "fd74:756e:64::1"};
	struct ip_addr a;

	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		ck_assert_int_eq(ip_addr_parse(special[i], &a), 0);
		ck_assert_msg(ip_addr_is_special(&a), "%s", special[i]);
	}
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		ck_assert_int_eq(ip_addr_parse(plain[i], &a), 0);
		ck_assert_msg(!ip_addr_is_special(&a), "%s", plain[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tc = tcase_create("addr");

	tcase_add_loop_test(tc, prefix_parses, 0, sizeof prefix_cases / sizeof *prefix_cases);
	tcase_add_test(tc, prefix_contains_every_bit);
	tcase_add_test(tc, prefix_relations);
	tcase_add_loop_test(tc, endpoint_parses, 0, sizeof endpoint_cases / sizeof *endpoint_cases);
	tcase_add_test(tc, endpoint_through_sockaddr);
	tcase_add_test(tc, special_addresses);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
