/* SPDX-License-Identifier: ISC */
/*
 * Randomness, injected: whoever needs some takes a `struct rng`, so that a test can decide every
 * key, index and jitter. Also the start of the crypto layer.
 */
#ifndef TUND_CRYPTO_RANDOM_H
#define TUND_CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* A source of random bytes; fill() writes exactly `n` bytes and cannot fail. */
struct rng {
	void (*fill)(void *ctx, uint8_t *out, size_t n);
	void *ctx;
};

/*
 * Starts the crypto libraries and tests one AEAD provider of each kind with a known answer. Once
 * per process, before threads, privilege drop and sandbox (CPU features, getrandom and libcrypto
 * are set up here); calling it again is harmless.
 * -EIO: a library does not start. -ENOTSUP: an AEAD has no provider that passes its test.
 */
int crypto_init(void);

/* The kernel's randomness, by libsodium. Any thread, after crypto_init(). */
struct rng rng_system(void);

static inline void rng_fill(const struct rng *r, void *out, size_t n)
{
	r->fill(r->ctx, out, n);
}

/* A uniform 32-bit number. */
uint32_t rng_u32(const struct rng *r);

#endif
