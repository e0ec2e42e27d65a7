/* SPDX-License-Identifier: ISC */
/* The kernel's randomness, and the start of the crypto libraries. */
#include <tund/crypto/random.h>

#include <errno.h>
#include <sodium.h>

#include <tund/base/bytes.h>
#include <tund/crypto/aead.h>

int crypto_init(void)
{
	if (sodium_init() < 0)
		return -EIO;
	if (!aead_select(AEAD_CHACHA20POLY1305, NULL) || !aead_select(AEAD_AES256GCM, NULL))
		return -ENOTSUP;
	return 0;
}

static void system_fill(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	randombytes_buf(out, n);
}

struct rng rng_system(void)
{
	return (struct rng){.fill = system_fill};
}

uint32_t rng_u32(const struct rng *r)
{
	uint8_t bytes[4];

	rng_fill(r, bytes, sizeof bytes);
	return get_le32(bytes);
}
