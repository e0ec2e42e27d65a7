/* SPDX-License-Identifier: ISC */
/* The Internet checksum: RFC 1071's example, and updates against a new computation. */
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>

#include "tap.h"

START_TEST(rfc1071_example)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	ck_assert_uint_eq(checksum_fold(checksum_add(0, data, sizeof data)), 0xffff ^ 0xddf2);
}
END_TEST

/* RFC 1071 section 1, word by word. */
static uint16_t plain(const uint8_t *d, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? d[i] : (uint32_t)d[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

START_TEST(every_length)
{
	uint8_t data[300];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 151 + 7);
	for (size_t len = 0; len <= sizeof data; len++)
		ck_assert_uint_eq(checksum_fold(checksum_add(0, data, len)), plain(data, len));
	ck_assert_uint_eq(checksum_fold(checksum_add_pseudo(0, data, 4, 17, 1234)),
			  checksum_fold(checksum_add(17 + 1234, data, 8)));
}
END_TEST

/* As long as a packet can be, all ones, at any address, in two pieces. */
START_TEST(long_ones)
{
	static uint8_t data[65536 + 64];

	memset(data, 0xff, sizeof data);
	for (size_t at = 0; at < 40; at++) {
		for (size_t len = 65490; len < 65536; len += 5)
			ck_assert_uint_eq(checksum_fold(checksum_add(0, data + at, len)),
					  plain(data + at, len));
	}
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * i >> 3);
	for (size_t first = 0; first < 9000; first += 46)
		ck_assert_uint_eq(
			checksum_fold(checksum_add(checksum_add(0, data + 1, first),
						   data + 1 + first, 9001 - first)),
			plain(data + 1, 9001));
}
END_TEST

START_TEST(updates)
{
	uint8_t data[20] = {0x45, 1, 2, 3, 4, 5, 6, 7, 0x40, 17};

	for (unsigned value = 0; value < 0x10000; value += 13) {
		uint16_t before = plain(data, sizeof data), old = get_be16(data + 8);

		put_be16(data + 8, (uint16_t)(value * 7));
		ck_assert_uint_eq(checksum_update(before, old, get_be16(data + 8)),
				  plain(data, sizeof data));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checksum");
	TCase *tc = tcase_create("checksum");

	tcase_add_test(tc, rfc1071_example);
	tcase_add_test(tc, every_length);
	tcase_add_test(tc, long_ones);
	tcase_add_test(tc, updates);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
