/* SPDX-License-Identifier: ISC */
/* X25519 by libsodium. */
#include <tund/crypto/x25519.h>

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include <tund/crypto/secret.h>

void x25519_clamp(uint8_t secret[X25519_SIZE])
{
	secret[0] &= 0xf8;
	secret[31] = (uint8_t)((secret[31] & 0x7f) | 0x40);
}

void x25519_generate(const struct rng *rng, uint8_t secret[X25519_SIZE])
{
	rng_fill(rng, secret, X25519_SIZE);
	x25519_clamp(secret);
}

void x25519_public(const uint8_t secret[X25519_SIZE], uint8_t public_key[X25519_SIZE])
{
	crypto_scalarmult_curve25519_base(public_key, secret);
}

int x25519_dh(const uint8_t secret[X25519_SIZE], const uint8_t public_key[X25519_SIZE],
	      uint8_t shared[X25519_SIZE])
{
	uint8_t out[X25519_SIZE];
	int r = 0;

	if (crypto_scalarmult_curve25519(out, secret, public_key) != 0 ||
	    secret_is_zero(out, sizeof out))
		r = -EINVAL;
	else
		memcpy(shared, out, sizeof out);
	secret_wipe(out, sizeof out);
	return r;
}
