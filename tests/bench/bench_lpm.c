/* SPDX-License-Identifier: ISC */
/* Longest prefix match: addresses in random order, in tables of 10 and of 10,000 prefixes. */
#include <stdio.h>
#include <stdlib.h>

#include <tund/policy/lpm.h>

#include "../unit/prng.h"
#include "bench.h"

#define ADDRESSES 4096 /* a power of two */

struct scene {
	struct lpm *lpm;
	struct ip_addr addresses[ADDRESSES];
	size_t next;
	uint64_t sum;
};

static void find(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->sum += lpm_find(s->lpm, &s->addresses[s->next++ % ADDRESSES]);
}

/* The i-th /24 of 10.0.0.0/8, or the i-th /64 of fd00::/8. */
static struct ip_addr nth(int family, uint32_t i)
{
	const uint8_t v4[4] = {10, (uint8_t)(i >> 8), (uint8_t)i};
	const uint8_t v6[16] = {0xfd, 0, 0, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i};

	return ip_addr_from_bytes((uint8_t)family, family == 4 ? v4 : v6);
}

static struct lpm *table(int family, uint32_t n)
{
	struct lpm_entry *entries = calloc(n, sizeof *entries);
	struct lpm *lpm = NULL;

	for (uint32_t i = 0; entries && i < n; i++)
		entries[i] = (struct lpm_entry){{nth(family, i), family == 4 ? 24 : 64}, i};
	if (!entries || lpm_new(entries, n, &lpm) < 0) {
		fputs("the table cannot be made\n", stderr);
		exit(EXIT_FAILURE);
	}
	free(entries);
	return lpm;
}

static void measure(const struct bench *b, int family, uint32_t n)
{
	static struct scene s;
	const struct bench_op op = {find, &s};
	struct prng prng = {1};
	char name[48];

	s.lpm = table(family, n);
	for (size_t i = 0; i < ADDRESSES; i++)
		s.addresses[i] = nth(family, (uint32_t)prng_below(&prng, n));
	snprintf(name, sizeof name, "lpm%d_%u", family, n);
	bench_run(b, name, &op);
	bench_keep(&s.sum);
	lpm_free(s.lpm);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	for (int family = 4; family <= 6; family += 2)
		for (uint32_t n = 10; n <= 10000; n *= 1000)
			measure(&b, family, n);
	return EXIT_SUCCESS;
}
