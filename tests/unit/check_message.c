/* SPDX-License-Identifier: ISC */
/* The gate: every header byte and every length, against a list of what there is. */
#include <errno.h>
#include <string.h>

#include <tund/wire/message.h>

#include "tap.h"

#define LEN_MAX 65600

static uint8_t msg[LEN_MAX];

/* All messages that exist, as tund-protocol(7) lists them. */
static const struct kind {
	uint8_t type;
	uint8_t suites; /* bit mask */
	uint8_t flags;  /* bit mask of those allowed */
	size_t shortest, longest;
} kinds[] = {
	{1, 0x7, 0x00, 148, 148},
	{2, 0x7, 0x00, 92, 92},
	{3, 0x7, 0x00, 64, 64},
	{4, 0x1, 0x00, 32, 65535},
	{4, 0x6, 0x0f, 32, 65535},
};

static int expected(const uint8_t *header, size_t len)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind *k = &kinds[i];

		if (header[0] == k->type && header[1] < 8 && (k->suites >> header[1] & 1) &&
		    (header[2] | k->flags) == k->flags && header[3] == 0 && len >= k->shortest &&
		    len <= k->longest)
			return k->type;
	}
	return -EBADMSG;
}

static void compare(const uint8_t header[4], size_t len)
{
	memcpy(msg, header, 4);
	if (message_gate(msg, len) != expected(header, len)) /* ck_assert would take seconds here */
		ck_abort_msg("%02x%02x%02x%02x, %zu bytes: %d", header[0], header[1], header[2],
			     header[3], len, message_gate(msg, len));
}

START_TEST(every_length)
{
	for (uint8_t type = 0; type < 6; type++)
		for (uint8_t suite = 0; suite < 4; suite++)
			for (size_t len = 4; len < LEN_MAX; len += len < 2100 ? 1 : 61)
				compare((uint8_t[]){type, suite, 0, 0}, len);
	for (size_t len = 65530; len < 65540; len++)
		compare((uint8_t[]){4, 1, 0, 0}, len);
}
END_TEST

START_TEST(every_header_byte)
{
	static const size_t lengths[] = {32, 64, 92, 148, 149};

	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++)
		for (unsigned a = 0; a < 256; a++)
			for (unsigned b = 0; b < 256; b++) {
				compare((uint8_t[]){(uint8_t)a, (uint8_t)b, 0, 0}, lengths[i]);
				compare((uint8_t[]){4, (uint8_t)a, (uint8_t)b, 0}, lengths[i]);
				compare((uint8_t[]){4, 2, (uint8_t)a, (uint8_t)b}, lengths[i]);
				compare((uint8_t[]){1, 1, (uint8_t)a, (uint8_t)b}, lengths[i]);
				compare((uint8_t[]){2, (uint8_t)a, (uint8_t)b, 0}, lengths[i]);
				compare((uint8_t[]){3, 0, (uint8_t)a, (uint8_t)b}, lengths[i]);
			}
}
END_TEST

/* The bytes behind the length are not even read: each length in memory of its own. */
START_TEST(short_ones)
{
	for (size_t len = 0; len < 40; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(exact);
		memset(exact, 0, len ? len : 1);
		if (len)
			exact[0] = MESSAGE_DATA;
		ck_assert_int_eq(message_gate(exact, len), len < 32 ? -EBADMSG : MESSAGE_DATA);
		free(exact);
	}
}
END_TEST

/* The offsets follow from the sizes of the fields (WireGuard paper 5.4.2 to 5.4.7). */
START_TEST(layout)
{
	ck_assert_int_eq(INITIATION_SENDER, 1 + 3);
	ck_assert_int_eq(INITIATION_EPHEMERAL, INITIATION_SENDER + 4);
	ck_assert_int_eq(INITIATION_STATIC, INITIATION_EPHEMERAL + 32);
	ck_assert_int_eq(INITIATION_TIMESTAMP, INITIATION_STATIC + 32 + TAG_SIZE);
	ck_assert_int_eq(INITIATION_MAC1, INITIATION_TIMESTAMP + TAI64N_SIZE + TAG_SIZE);
	ck_assert_int_eq(INITIATION_MAC2, INITIATION_MAC1 + MAC_SIZE);
	ck_assert_int_eq(INITIATION_SIZE, INITIATION_MAC2 + MAC_SIZE);
	ck_assert_int_eq(RESPONSE_RECEIVER, RESPONSE_SENDER + 4);
	ck_assert_int_eq(RESPONSE_EPHEMERAL, RESPONSE_RECEIVER + 4);
	ck_assert_int_eq(RESPONSE_EMPTY, RESPONSE_EPHEMERAL + 32);
	ck_assert_int_eq(RESPONSE_MAC1, RESPONSE_EMPTY + TAG_SIZE);
	ck_assert_int_eq(RESPONSE_MAC2, RESPONSE_MAC1 + MAC_SIZE);
	ck_assert_int_eq(RESPONSE_SIZE, RESPONSE_MAC2 + MAC_SIZE);
	ck_assert_int_eq(COOKIE_NONCE, COOKIE_RECEIVER + 4);
	ck_assert_int_eq(COOKIE_ENCRYPTED, COOKIE_NONCE + COOKIE_NONCE_SIZE);
	ck_assert_int_eq(COOKIE_SIZE, COOKIE_ENCRYPTED + MAC_SIZE + TAG_SIZE);
	ck_assert_int_eq(DATA_COUNTER, DATA_RECEIVER + 4);
	ck_assert_int_eq(DATA_PAYLOAD, DATA_COUNTER + 8);
	ck_assert_int_eq(DATA_MIN_SIZE, DATA_PAYLOAD + TAG_SIZE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, every_length);
	tcase_add_test(tc, every_header_byte);
	tcase_add_test(tc, short_ones);
	tcase_add_test(tc, layout);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
