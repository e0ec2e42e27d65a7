/* SPDX-License-Identifier: ISC */
/* Which paths a key and a name can become, and which names are none. */
#include <errno.h>
#include <string.h>

#include <tund/sys/ifname.h>
#include <tund/sys/sysctl.h>

#include "tap.h"

static const struct {
	enum sysctl_key key;
	const char *interface, *path;
} paths[] = {
	{SYSCTL_IP4_FORWARDING, "eth0", "/proc/sys/net/ipv4/conf/eth0/forwarding"},
	{SYSCTL_IP4_RP_FILTER, "eth0.100", "/proc/sys/net/ipv4/conf/eth0.100/rp_filter"},
	{SYSCTL_IP4_SRC_VALID_MARK, NULL, "/proc/sys/net/ipv4/conf/all/src_valid_mark"},
	{SYSCTL_IP6_FORWARDING, "br-lan", "/proc/sys/net/ipv6/conf/br-lan/forwarding"},
	{SYSCTL_IP6_ALL_FORWARDING, NULL, "/proc/sys/net/ipv6/conf/all/forwarding"},
	{SYSCTL_IP6_FORCE_FORWARDING, "e", "/proc/sys/net/ipv6/conf/e/force_forwarding"},
	{SYSCTL_IP6_ACCEPT_RA, "wlp0s20f3", "/proc/sys/net/ipv6/conf/wlp0s20f3/accept_ra"},
	{SYSCTL_IP6_ADDR_GEN_MODE, "tun0", "/proc/sys/net/ipv6/conf/tun0/addr_gen_mode"},
	{SYSCTL_IP6_DISABLE, "fifteen_letters", "/proc/sys/net/ipv6/conf/fifteen_letters/disable_ipv6"},
};

static const struct {
	const char *name;
	bool valid;
} names[] = {
	{"tun0", true},   {"_x", true},     {"0", true},         {"a.b-c", true},
	{"", false},      {".", false},     {"..", false},       {"a/b", false},
	{"../x", false},  {"-f", false},    {"a b", false},      {"a\"", false},
	{"all", false},   {"default", false}, {"a\n", false},    {"\xc3\xa4", false},
	{"sixteen_letters_", false},        {"seventeen_letters", false},
	{"a%d", false},   {"a;b", false},   {"a@b", false},
};

START_TEST(makes_a_path)
{
	char path[SYSCTL_PATH_MAX];

	ck_assert_int_eq(sysctl_path(paths[_i].key, paths[_i].interface, path), 0);
	ck_assert_str_eq(path, paths[_i].path);
}
END_TEST

START_TEST(knows_names)
{
	ck_assert_int_eq(ifname_valid(names[_i].name), names[_i].valid);
}
END_TEST

START_TEST(refuses)
{
	char path[SYSCTL_PATH_MAX] = "untouched";
	int value = 7;

	ck_assert_int_eq(sysctl_path(SYSCTL_IP4_FORWARDING, "../../kernel", path), -EINVAL);
	ck_assert_int_eq(sysctl_path((enum sysctl_key)99, "eth0", path), -EINVAL);
	ck_assert_str_eq(path, "untouched");
	ck_assert_int_eq(sysctl_get(SYSCTL_IP4_FORWARDING, "all", &value), -EINVAL);
	ck_assert_int_eq(sysctl_set(SYSCTL_IP4_FORWARDING, "default", 1), -EINVAL);
	ck_assert_int_eq(value, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysctl");
	TCase *tc = tcase_create("sysctl");

	tcase_add_loop_test(tc, makes_a_path, 0, sizeof paths / sizeof paths[0]);
	tcase_add_loop_test(tc, knows_names, 0, sizeof names / sizeof names[0]);
	tcase_add_test(tc, refuses);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
