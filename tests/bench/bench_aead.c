/* SPDX-License-Identifier: ISC */
/*
 * What every provider of every AEAD takes to seal and to open one message with 16 bytes of
 * associated data: a small one, a packet, a frame. "+thread" is after aead_thread_start().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/aead.h>
#include <tund/crypto/random.h>

#include "bench.h"

#define AD_SIZE 16 /* bytes: the header of a data message */
#define LEN_MAX 60000

static const size_t lengths[] = {64, 256, 1420, LEN_MAX};

struct scene {
	struct aead_key key;
	size_t len;       /* bytes of text */
	uint64_t counter; /* the next one to seal under */
	int failures;
	uint8_t ad[AD_SIZE], text[LEN_MAX], sealed[LEN_MAX + AEAD_TAG_SIZE];
};

static void seal(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->failures -= aead_seal(&s->key, s->counter++, s->ad, sizeof s->ad, s->text,
					 s->len, s->sealed);
}

/* The same message again and again: nothing here knows of replays. */
static void open_sealed(void *ctx, size_t n)
{
	struct scene *s = ctx;

	while (n-- > 0)
		s->failures -= aead_open(&s->key, 0, s->ad, sizeof s->ad, s->sealed,
					 s->len + AEAD_TAG_SIZE, s->text);
}

static void measure_length(const struct bench *b, struct scene *s, const char *prefix)
{
	const struct bench_op sealing = {seal, s}, opening = {open_sealed, s};
	char name[64];

	snprintf(name, sizeof name, "%s_seal_%zu", prefix, s->len);
	bench_run(b, name, &sealing);
	s->counter = 0;
	seal(s, 1);
	snprintf(name, sizeof name, "%s_open_%zu", prefix, s->len);
	bench_run(b, name, &opening);
}

static void measure(const struct bench *b, const struct aead *a, const char *suffix)
{
	static const uint8_t secret[AEAD_SECRET_SIZE] = {1, 2, 3};
	static struct scene s;
	char prefix[48];

	snprintf(prefix, sizeof prefix, "%s_%s%s",
		 a->kind == AEAD_AES256GCM ? "aes256gcm" : "chacha20poly1305", a->name, suffix);
	if (aead_self_test(a) != 0 || aead_key_init(a, secret, &s.key) != 0) {
		printf("# %s: not on this CPU\n", prefix);
		return;
	}
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		s.len = lengths[i];
		measure_length(b, &s, prefix);
	}
	aead_key_clear(&s.key);
	if (s.failures > 0)
		fprintf(stderr, "%s: %d messages failed\n", prefix, s.failures);
}

static void measure_kind(const struct bench *b, enum aead_kind kind)
{
	const struct aead *a;

	for (size_t i = 0; (a = aead_providers(kind, i)) != NULL; i++) {
		measure(b, a, "");
		if (kind != AEAD_CHACHA20POLY1305 || strcmp(a->name, "ipsec-mb") != 0)
			continue;
		if (aead_thread_start() == 0)
			measure(b, a, "+thread");
		aead_thread_end();
	}
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv);
	if (crypto_init() != 0)
		return EXIT_FAILURE;
	measure_kind(&b, AEAD_AES256GCM);
	measure_kind(&b, AEAD_CHACHA20POLY1305);
	return EXIT_SUCCESS;
}
