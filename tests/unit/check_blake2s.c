/* SPDX-License-Identifier: ISC */
/* BLAKE2s, MAC, HMAC and HKDF against RFC 7693 and a table made by another implementation. */
#include <stdio.h>
#include <string.h>

#include <tund/crypto/blake2s.h>
#include <tund/crypto/secret.h>

#include "tap.h"

#define TEXT_MAX 1024 /* bytes */
#define COUNT(table) (sizeof(table) / sizeof *(table))

struct digest_case {
	size_t key_len, len; /* bytes */
	const char *digest;
};

struct hkdf_case {
	size_t len; /* bytes */
	const char *out[3];
};

#include "blake2s_table.h"

/* selftest_seq() of RFC 7693 appendix E. */
static void sequence(uint8_t *out, size_t len, uint32_t seed)
{
	uint32_t a = 0xdead4bad * seed, b = 1;

	for (size_t i = 0; i < len; i++) {
		uint32_t t = a + b;

		a = b;
		b = t;
		out[i] = (uint8_t)(t >> 24);
	}
}

static void text_of(size_t len, uint8_t out[TEXT_MAX])
{
	sequence(out, len, (uint32_t)len);
}

static void key_of(size_t len, uint8_t out[TEXT_MAX])
{
	sequence(out, len, (uint32_t)len + 1000);
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char hex[2 * TEXT_MAX + 1] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	ck_assert_str_eq(hex, expected);
}

START_TEST(rfc7693_appendix_b)
{
	uint8_t out[BLAKE2S_SIZE];

	blake2s_hash("abc", 3, out);
	assert_hex(out, sizeof out,
		   "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}
END_TEST

START_TEST(hash_in_pieces)
{
	const struct digest_case *c = &hash_cases[_i];
	uint8_t text[TEXT_MAX], out[BLAKE2S_SIZE];

	text_of(c->len, text);
	blake2s_hash(text, c->len, out);
	assert_hex(out, sizeof out, c->digest);
	for (size_t piece = 1; piece < 130; piece += 9) {
		struct blake2s h;

		blake2s_start(&h);
		for (size_t at = 0; at < c->len; at += piece)
			blake2s_add(&h, text + at, c->len - at < piece ? c->len - at : piece);
		blake2s_finish(&h, out);
		assert_hex(out, sizeof out, c->digest);
		ck_assert(secret_is_zero(&h, sizeof h));
	}
	blake2s_hash2(text, c->len / 3, text + c->len / 3, c->len - c->len / 3, out);
	assert_hex(out, sizeof out, c->digest);
}
END_TEST

START_TEST(mac)
{
	const struct digest_case *c = &mac_cases[_i];
	uint8_t text[TEXT_MAX], key[TEXT_MAX], out[BLAKE2S_MAC_SIZE];
	struct blake2s h;

	text_of(c->len, text);
	key_of(c->key_len, key);
	blake2s_mac(key, c->key_len, text, c->len, out);
	assert_hex(out, sizeof out, c->digest);
	blake2s_mac_start(&h, key, c->key_len);
	blake2s_add(&h, NULL, 0);
	blake2s_add(&h, text, c->len);
	blake2s_mac_finish(&h, out);
	assert_hex(out, sizeof out, c->digest);
	ck_assert(secret_is_zero(&h, sizeof h));
}
END_TEST

START_TEST(hmac)
{
	const struct digest_case *c = &hmac_cases[_i];
	uint8_t text[TEXT_MAX], key[TEXT_MAX], out[BLAKE2S_SIZE];
	size_t half = c->len / 2;

	text_of(c->len, text);
	key_of(c->key_len, key);
	blake2s_hmac(key, c->key_len, text, c->len, NULL, 0, out);
	assert_hex(out, sizeof out, c->digest);
	blake2s_hmac(key, c->key_len, text, half, text + half, c->len - half, out);
	assert_hex(out, sizeof out, c->digest);
}
END_TEST

START_TEST(hkdf)
{
	const struct hkdf_case *c = &hkdf_cases[_i];
	uint8_t text[TEXT_MAX], key[TEXT_MAX], out[3][BLAKE2S_SIZE];

	text_of(c->len, text);
	key_of(BLAKE2S_SIZE, key);
	for (int n = 1; n <= 3; n++) {
		memset(out, 0, sizeof out);
		blake2s_hkdf(key, text, c->len, out[0], n > 1 ? out[1] : NULL,
			     n > 2 ? out[2] : NULL);
		for (int i = 0; i < n; i++)
			assert_hex(out[i], BLAKE2S_SIZE, c->out[i]);
	}
}
END_TEST

/* Noise's MixKey overwrites the chaining key; tokens come from a buffer that may be an output. */
START_TEST(outputs_over_inputs)
{
	const struct hkdf_case *c = &hkdf_cases[2];
	uint8_t text[TEXT_MAX], key[TEXT_MAX], third[BLAKE2S_SIZE];

	ck_assert_uint_eq(c->len, BLAKE2S_SIZE);
	text_of(c->len, text);
	key_of(BLAKE2S_SIZE, key);
	blake2s_hkdf(key, text, c->len, key, text, third);
	assert_hex(key, BLAKE2S_SIZE, c->out[0]);
	assert_hex(text, BLAKE2S_SIZE, c->out[1]);
	assert_hex(third, BLAKE2S_SIZE, c->out[2]);
	text_of(64, text);
	blake2s_hash2(text, BLAKE2S_SIZE, text + BLAKE2S_SIZE, BLAKE2S_SIZE, text);
	assert_hex(text, BLAKE2S_SIZE, hash_cases[4].digest);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("blake2s");
	TCase *tc = tcase_create("blake2s");

	tcase_add_test(tc, rfc7693_appendix_b);
	tcase_add_loop_test(tc, hash_in_pieces, 0, COUNT(hash_cases));
	tcase_add_loop_test(tc, mac, 0, COUNT(mac_cases));
	tcase_add_loop_test(tc, hmac, 0, COUNT(hmac_cases));
	tcase_add_loop_test(tc, hkdf, 0, COUNT(hkdf_cases));
	tcase_add_test(tc, outputs_over_inputs);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
