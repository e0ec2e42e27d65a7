/* SPDX-License-Identifier: ISC */
/* XChaCha20-Poly1305: the draft's example; Wycheproof's are in wycheproof.c. */
#include <errno.h>
#include <string.h>

#include <tund/crypto/random.h>
#include <tund/crypto/secret.h>
#include <tund/crypto/xaead.h>

#include "tap.h"

/* draft-irtf-cfrg-xchacha-03, A.3.1 (its tag), in place; then what must be refused. */
START_TEST(sealing_and_refusing)
{
	static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
				   "only one tip for the future, sunscreen would be it.";
	static const uint8_t ad[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
				     0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
	static const uint8_t tag[] = {0xc0, 0x87, 0x59, 0x24, 0xc1, 0xc7, 0x98, 0x79,
				      0x47, 0xde, 0xaf, 0xd8, 0x78, 0x0a, 0xcf, 0x49};
	uint8_t key[XAEAD_KEY_SIZE], nonce[XAEAD_NONCE_SIZE], buf[sizeof text - 1 + XAEAD_TAG_SIZE];
	size_t len = sizeof text - 1;

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof nonce; i++)
		nonce[i] = (uint8_t)(0x40 + i);
	memcpy(buf, text, len);
	xaead_seal(key, nonce, ad, sizeof ad, buf, len, buf);
	ck_assert_mem_eq(buf + len, tag, sizeof tag);
	ck_assert_int_eq(xaead_open(key, nonce, ad, sizeof ad, buf, XAEAD_TAG_SIZE - 1, buf),
			 -EBADMSG);
	ck_assert_mem_eq(buf + len, tag, sizeof tag);
	ck_assert_int_eq(xaead_open(key, nonce, ad, sizeof ad, buf, sizeof buf, buf), 0);
	ck_assert_mem_eq(buf, text, len);
	xaead_seal(key, nonce, ad, sizeof ad, buf, len, buf);
	ck_assert_int_eq(xaead_open(key, nonce, ad, sizeof ad - 1, buf, sizeof buf, buf), -EBADMSG);
	ck_assert(secret_is_zero(buf, len));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xaead");
	TCase *tc = tcase_create("xaead");

	if (crypto_init() != 0)
		return EXIT_FAILURE;
	tcase_add_test(tc, sealing_and_refusing);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
