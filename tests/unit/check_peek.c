/* SPDX-License-Identifier: ISC */
/* Addresses, lengths and ECN of inner packets, the checksum recomputed from nothing. */
#include <errno.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/peek.h>

#include "tap.h"

static const uint8_t v4[24] = {0x45, 0xb8, 0, 22, 0x12, 0x34, 0, 0, 64, 17, 0, 0,
			       10,   1,    2, 3,  192,  0,    2, 9, 1,  2,  0, 0};
static const uint8_t v6[44] = {0x6b, 0x80, 0,        0,           0,        3, 17, 64, 0x20, 0x01,
			       0x0d, 0xb8, [23] = 1, [24] = 0xfd, [39] = 2, 1, 2,  3,  0};

START_TEST(both_families)
{
	struct peek o;
	char text[IP_ADDR_STRLEN];

	ck_assert_int_eq(peek_read(v4, sizeof v4, &o), 0);
	ck_assert_uint_eq(o.len, 22);
	ck_assert_str_eq(ip_addr_format(&o.src, text), "10.1.2.3");
	ck_assert_str_eq(ip_addr_format(&o.dst, text), "192.0.2.9");
	ck_assert_uint_eq(o.ecn, ECN_NOT_ECT);
	ck_assert_int_eq(peek_read(v6, sizeof v6, &o), 0);
	ck_assert_uint_eq(o.len, 43);
	ck_assert_str_eq(ip_addr_format(&o.src, text), "2001:db8::1");
	ck_assert_str_eq(ip_addr_format(&o.dst, text), "fd00::2");
	ck_assert_uint_eq(o.ecn, ECN_NOT_ECT);
}
END_TEST

START_TEST(what_is_no_packet)
{
	uint8_t p[sizeof v6];
	struct peek o;

	for (size_t len = 0; len < 22; len++)
		ck_assert_int_eq(peek_read(v4, len, &o), -EBADMSG);
	for (size_t len = 0; len < 43; len++)
		ck_assert_int_eq(peek_read(v6, len, &o), -EBADMSG);
	memcpy(p, v4, sizeof v4);
	put_be16(p + 2, 19);
	ck_assert_int_eq(peek_read(p, sizeof v4, &o), -EBADMSG);
	for (uint8_t version = 0; version < 16; version++) {
		memcpy(p, v6, sizeof v6);
		p[0] = (uint8_t)(version << 4);
		if (version != 4 && version != 6)
			ck_assert_int_eq(peek_read(p, sizeof p, &o), -EBADMSG);
	}
}
END_TEST

static uint16_t checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += i == 10 ? 0 : get_be16(header + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* RFC 6040: outer by inner, and inner after congestion, for each of the four code points. */
START_TEST(ecn)
{
	static const uint8_t outer[] = {0, 1, 2, 2}, congested[] = {0, 3, 3, 3};
	uint8_t p[sizeof v6];
	struct peek o;

	for (uint8_t e = 0; e < 4; e++) {
		ck_assert_uint_eq(peek_outer_ecn(e), outer[e]);
		for (unsigned ttl = 0; ttl < 256; ttl++) {
			memcpy(p, v4, sizeof v4);
			p[1] |= e;
			p[8] = (uint8_t)ttl;
			put_be16(p + 10, checksum(p));
			ck_assert_int_eq(peek_read(p, sizeof v4, &o), 0);
			ck_assert_uint_eq(o.ecn, e);
			peek_set_congested(p, &o);
			ck_assert_uint_eq(p[1], 0xb8 | congested[e]);
			ck_assert_uint_eq(o.ecn, congested[e]);
			ck_assert_uint_eq(get_be16(p + 10), checksum(p));
		}
		memcpy(p, v6, sizeof v6);
		p[1] |= (uint8_t)(e << 4);
		ck_assert_int_eq(peek_read(p, sizeof p, &o), 0);
		ck_assert_uint_eq(o.ecn, e);
		peek_set_congested(p, &o);
		ck_assert_uint_eq(p[0], 0x6b);
		ck_assert_uint_eq(p[1], 0x80 | congested[e] << 4);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outline");
	TCase *tc = tcase_create("outline");

	tcase_add_test(tc, both_families);
	tcase_add_test(tc, what_is_no_packet);
	tcase_add_test(tc, ecn);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
