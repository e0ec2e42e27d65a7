/* SPDX-License-Identifier: ISC */
/* The text of our nft table, word for word. That the kernel takes it: tests/system/sys.sh. */
#include <errno.h>
#include <string.h>

#include <tund/sys/nft.h>

#include "tap.h"

static const char client_script[] =
	"add table inet tund_tun0\n"
	"delete table inet tund_tun0\n"
	"table inet tund_tun0 {\n"
	"\tset own4 {\n"
	"\t\ttype ipv4_addr\n"
	"\t\telements = { 100.80.0.11 }\n"
	"\t}\n"
	"\tset own6 {\n"
	"\t\ttype ipv6_addr\n"
	"\t\telements = { fd74:756e:64::11, fd74:756e:64::12 }\n"
	"\t}\n"
	"\tchain guard {\n"
	"\t\ttype filter hook prerouting priority raw; policy accept;\n"
	"\t\tiifname { \"tun0\", \"lo\" } accept\n"
	"\t\tip daddr @own4 drop\n"
	"\t\tip6 daddr @own6 drop\n"
	"\t}\n"
	"}\n";

static struct ip_addr own[3];
static struct ip_prefix announced[2];
static char script[NFT_SCRIPT_MAX];

static struct nft_table client(void)
{
	struct nft_table t = {.interface = "tun0", .address = own, .address_count = 3};

	ck_assert_int_eq(ip_addr_parse("100.80.0.11", &own[0]), 0);
	ck_assert_int_eq(ip_addr_parse("fd74:756e:64::11", &own[1]), 0);
	ck_assert_int_eq(ip_addr_parse("fd74:756e:64::12", &own[2]), 0);
	return t;
}

static struct nft_table connector(bool snat)
{
	struct nft_table t = client();

	ck_assert_int_eq(ip_prefix_parse("10.77.0.0/24", &announced[0]), 0);
	ck_assert_int_eq(ip_prefix_parse("10.78.0.0/16", &announced[1]), 0);
	t.forward = true;
	t.snat = snat;
	t.announced = announced;
	t.announced_count = 2;
	return t;
}

START_TEST(builds_a_clients)
{
	struct nft_table t = client();

	ck_assert_int_eq(nft_build(&t, script, sizeof script), (int)sizeof client_script - 1);
	ck_assert_str_eq(script, client_script);
}
END_TEST

START_TEST(builds_a_connectors)
{
	struct nft_table t = connector(true);

	ck_assert_int_gt(nft_build(&t, script, sizeof script), 0);
	ck_assert_ptr_nonnull(strstr(script, "elements = { 10.77.0.0/24, 10.78.0.0/16 }"));
	ck_assert_ptr_nonnull(strstr(script, "\tset announced6 {\n\t\ttype ipv6_addr; flags "
					     "interval; auto-merge\n\t}\n"));
	ck_assert_ptr_nonnull(strstr(script, "\t\tiifname \"tun0\" masquerade\n"));
	ck_assert_ptr_nonnull(strstr(script, "\t\toifname \"tun0\" goto into_tunnel\n"));
}
END_TEST

START_TEST(preserves_the_source)
{
	struct nft_table t = connector(false);

	ck_assert_int_gt(nft_build(&t, script, sizeof script), 0);
	ck_assert_ptr_null(strstr(script, "masquerade"));
	ck_assert_ptr_null(strstr(script, "nat"));
	ck_assert_ptr_nonnull(strstr(script, "hook forward"));
}
END_TEST

START_TEST(says_when_it_does_not_fit)
{
	struct nft_table t = connector(true);
	int len = nft_build(&t, script, sizeof script);

	for (int size = 1; size <= len; size++)
		ck_assert_int_eq(nft_build(&t, script, (size_t)size), -ENOSPC);
	ck_assert_int_eq(nft_build(&t, script, (size_t)len + 1), len);
}
END_TEST

START_TEST(takes_no_names_that_are_more)
{
	struct nft_table t = client();

	strcpy(t.interface, "a\"; flush");
	ck_assert_int_eq(nft_build(&t, script, sizeof script), -EINVAL);
	ck_assert_int_eq(nft_build_delete("x; flush ruleset", script, sizeof script), -EINVAL);
	ck_assert_int_eq(nft_build_delete("", script, sizeof script), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nft");
	TCase *tc = tcase_create("build");

	tcase_add_test(tc, builds_a_clients);
	tcase_add_test(tc, builds_a_connectors);
	tcase_add_test(tc, preserves_the_source);
	tcase_add_test(tc, says_when_it_does_not_fit);
	tcase_add_test(tc, takes_no_names_that_are_more);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
