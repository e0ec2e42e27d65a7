/* SPDX-License-Identifier: ISC */
/* XChaCha20-Poly1305 by libsodium. */
#include <tund/crypto/xaead.h>

#include <errno.h>
#include <sodium.h>
#include <string.h>

void xaead_seal(const uint8_t key[XAEAD_KEY_SIZE], const uint8_t nonce[XAEAD_NONCE_SIZE],
		const void *ad, size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	crypto_aead_xchacha20poly1305_ietf_encrypt(dst, NULL, src, len, ad, ad_len, NULL, nonce,
						   key);
}

int xaead_open(const uint8_t key[XAEAD_KEY_SIZE], const uint8_t nonce[XAEAD_NONCE_SIZE],
	       const void *ad, size_t ad_len, const uint8_t *src, size_t len, uint8_t *dst)
{
	if (len < XAEAD_TAG_SIZE)
		return -EBADMSG;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(dst, NULL, NULL, src, len, ad, ad_len,
						       nonce, key) == 0)
		return 0;
	if (len > XAEAD_TAG_SIZE)
		memset(dst, 0, len - XAEAD_TAG_SIZE);
	return -EBADMSG;
}
