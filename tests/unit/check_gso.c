/* SPDX-License-Identifier: ISC */
/* What a peer may call a whole TSO packet: each limit, on both sides. */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/gso.h>

#include "gso_packets.h"
#include "tap.h"

#define MTU 1420

static uint8_t packet[70000];

static int judge(const struct shape *s, uint32_t size, size_t more, struct gso *gso, size_t *len)
{
	uint8_t prefix[GSO_PREFIX];

	put_be16(prefix, (uint16_t)size);
	*len = shape_write(s, packet) + more;
	return gso_of_frame(prefix, packet, len, MTU, gso);
}

START_TEST(limits)
{
	struct shape s = {.ttl = 64, .flags = 0x10, .option_words = 3, .payload = 5000, .seq = 1};
	struct gso gso;
	size_t len;

	for (int v6 = 0; v6 < 2; v6++) {
		size_t header;

		s.v6 = v6;
		s.payload = 5000;
		header = shape_header_len(&s);
		ck_assert_int_eq(judge(&s, 1000, 0, &gso, &len), 0);
		ck_assert_int_eq(gso.kind, GSO_TCP);
		ck_assert_uint_eq(gso.size, 1000);
		ck_assert_uint_eq(gso.l4, v6 ? 40 : 20);
		ck_assert_uint_eq(gso.header_len, header);
		ck_assert_int_eq(judge(&s, 1000, 11, &gso, &len), 0); /* padding */
		ck_assert_uint_eq(len, header + 5000);
		ck_assert_int_eq(judge(&s, GSO_SIZE_MIN, 0, &gso, &len), 0);
		ck_assert_int_lt(judge(&s, GSO_SIZE_MIN - 1, 0, &gso, &len), 0);
		ck_assert_int_lt(judge(&s, 0, 0, &gso, &len), 0);
		ck_assert_int_eq(judge(&s, (uint32_t)(MTU - header), 0, &gso, &len), 0);
		ck_assert_int_lt(judge(&s, (uint32_t)(MTU - header + 1), 0, &gso, &len), 0);
		s.payload = 128 * 48;
		ck_assert_int_eq(judge(&s, 48, 0, &gso, &len), 0);
		s.payload++;
		ck_assert_int_lt(judge(&s, 48, 0, &gso, &len), 0);
		s.payload = 0;
		ck_assert_int_lt(judge(&s, 100, 0, &gso, &len), 0);
	}
}
END_TEST

START_TEST(other_packets)
{
	struct shape s = {.ttl = 64, .flags = 0x10, .payload = 5000, .udp = true};
	struct gso gso;
	size_t len;

	ck_assert_int_lt(judge(&s, 1000, 0, &gso, &len), 0);
	s.udp = false;
	len = shape_write(&s, packet);
	packet[6] = 0x20; /* the first of some fragments */
	put_be16(packet + 10, 0);
	put_be16(packet + 10, plain_sum(0, packet, 20));
	ck_assert_int_lt(gso_of_frame((const uint8_t[]){4, 0}, packet, &len, MTU, &gso), 0);
	len = shape_write(&s, packet);
	len -= 1; /* the end is missing */
	ck_assert_int_lt(gso_of_frame((const uint8_t[]){4, 0}, packet, &len, MTU, &gso), 0);
	packet[32] = 0xf0; /* options that are not there */
	len = 60;
	put_be16(packet + 2, 60);
	put_be16(packet + 10, 0);
	put_be16(packet + 10, plain_sum(0, packet, 20));
	ck_assert_int_lt(gso_of_frame((const uint8_t[]){4, 0}, packet, &len, MTU, &gso), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gso");
	TCase *tc = tcase_create("gso");

	tcase_add_test(tc, limits);
	tcase_add_test(tc, other_packets);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
