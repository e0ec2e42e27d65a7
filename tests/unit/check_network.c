/* SPDX-License-Identifier: ISC */
/* A host's network as a value: what is one, what is the same, what fits. */
#include <string.h>

#include <tund/base/network.h>

#include "tap.h"

static struct network good(void)
{
	struct network n = {.mtu = 1420, .address_count = 2, .route_count = 2};

	ck_assert_int_eq(ip_addr_parse("100.80.0.11", &n.address[0]), 0);
	ck_assert_int_eq(ip_addr_parse("fd74:756e:64::11", &n.address[1]), 0);
	ck_assert_int_eq(ip_prefix_parse("10.77.0.0/24", &n.route[0]), 0);
	ck_assert_int_eq(ip_prefix_parse("fd74:756e:64::/48", &n.route[1]), 0);
	return n;
}

/* Each is changed by one thing that makes it none. */
static void spoil(struct network *n, int how)
{
	switch (how) {
	case 0:
		n->address_count = NETWORK_ADDRESSES_MAX + 1;
		return;
	case 1:
		n->route_count = UINT32_MAX;
		return;
	case 2:
		n->address[0].bytes[15] = 1; /* spare bytes of IPv4 */
		return;
	case 3:
		n->address[1].family = 0;
		return;
	case 4:
		n->route[0].addr.bytes[3] = 1; /* behind the prefix */
		return;
	case 5:
		n->route[1].len = 129;
		return;
	case 6:
		n->mtu = NETWORK_MTU_MIN - 1;
		return;
	case 7:
		n->mtu = NETWORK_MTU_MAX + 1;
		return;
	}
}

START_TEST(valid)
{
	struct network n = good(), none = {0};

	ck_assert(network_is_valid(&n));
	ck_assert(network_is_valid(&none));
	n.mtu = NETWORK_MTU_MIN;
	ck_assert(network_is_valid(&n));
	n.mtu = NETWORK_MTU_MAX;
	ck_assert(network_is_valid(&n));
}
END_TEST

START_TEST(invalid)
{
	struct network n = good();

	spoil(&n, _i);
	ck_assert(!network_is_valid(&n));
}
END_TEST

START_TEST(equal)
{
	struct network a = good(), b;

	b = a;
	b.route[NETWORK_ROUTES_MAX - 1].len = 8; /* behind the count: means nothing */
	ck_assert(network_equal(&a, &b));
	b.mtu++;
	ck_assert(!network_equal(&a, &b) && network_addresses_equal(&a, &b));
	b = a;
	b.route[1].len--;
	ck_assert(!network_equal(&a, &b) && network_addresses_equal(&a, &b));
	b = a;
	b.route_count--;
	ck_assert(!network_equal(&a, &b));
	b = a;
	b.address[1].bytes[15]++;
	ck_assert(!network_equal(&a, &b) && !network_addresses_equal(&a, &b));
	b = a;
	b.address_count--;
	ck_assert(!network_equal(&a, &b) && !network_addresses_equal(&a, &b));
}
END_TEST

START_TEST(holds)
{
	struct network n = good(), rest = good();

	rest.address[0].bytes[3]++;
	rest.route[0].len--;
	ck_assert(network_has_address(&n, &n.address[1]));
	ck_assert(!network_has_address(&n, &rest.address[0]));
	ck_assert(network_has_route(&n, &n.route[1]));
	ck_assert(!network_has_route(&n, &rest.route[0]));
	ck_assert(network_add_address(&n, &rest.address[0]));
	ck_assert(network_add_route(&n, &rest.route[0]));
	ck_assert(network_has_address(&n, &rest.address[0]));
	ck_assert(network_has_route(&n, &rest.route[0]));
}
END_TEST

START_TEST(full)
{
	struct network n = {0}, one = good();

	for (unsigned i = 0; i < NETWORK_ADDRESSES_MAX; i++)
		ck_assert(network_add_address(&n, &one.address[0]));
	for (unsigned i = 0; i < NETWORK_ROUTES_MAX; i++)
		ck_assert(network_add_route(&n, &one.route[0]));
	ck_assert(!network_add_address(&n, &one.address[0]));
	ck_assert(!network_add_route(&n, &one.route[0]));
	ck_assert(network_is_valid(&n));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("network");
	TCase *tc = tcase_create("network");

	tcase_add_test(tc, valid);
	tcase_add_loop_test(tc, invalid, 0, 8);
	tcase_add_test(tc, equal);
	tcase_add_test(tc, holds);
	tcase_add_test(tc, full);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
