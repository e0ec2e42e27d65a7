/* SPDX-License-Identifier: ISC */
/* Numbers that are random enough for a test and the same in every run (splitmix64). */
#ifndef TUND_TESTS_UNIT_PRNG_H
#define TUND_TESTS_UNIT_PRNG_H

#include <stddef.h>
#include <stdint.h>

#include <tund/crypto/random.h>

struct prng {
	uint64_t state; /* the seed, at first */
};

static inline uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0..n-1. */
static inline uint64_t prng_below(struct prng *p, uint64_t n)
{
	return prng_next(p) % n;
}

static inline void prng_fill(void *ctx, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)prng_next(ctx);
}

/* As the injected randomness of a module; borrows `p`. */
static inline struct rng prng_rng(struct prng *p)
{
	return (struct rng){.fill = prng_fill, .ctx = p};
}

#endif
