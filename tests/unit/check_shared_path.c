/* SPDX-License-Identifier: ISC */
/* The path that threads share: what is set is what is read, whole, and versions tell of changes.
 * Clean under ThreadSanitizer. */
#include <pthread.h>
#include <string.h>

#include <check.h>

#include "prng.h"
#include "session/shared_path.h"
#include "tap.h"

static struct shared_path shared;

static struct endpoint random_end(struct prng *prng)
{
	struct endpoint end = {.addr = {.family = prng_below(prng, 2) ? 4 : 6}};

	prng_fill(prng, end.addr.bytes, end.addr.family == 4 ? 4 : 16);
	end.port = (uint16_t)prng_below(prng, 65536);
	end.scope_id = (uint32_t)prng_below(prng, UINT64_C(1) << 32);
	return end;
}

static struct path random_path(struct prng *prng)
{
	struct path path = {.transport = (uint8_t)prng_below(prng, 256)};

	path.socket = (uint32_t)prng_below(prng, UINT64_C(1) << 32);
	if (prng_below(prng, 2))
		path.local = random_end(prng);
	path.remote = random_end(prng);
	return path;
}

START_TEST(nothing_at_first)
{
	struct path path = {.socket = 7}, none = {0};
	uint32_t version;

	memset(&shared, 0, sizeof shared);
	ck_assert(!shared_path_get(&shared, &path, &version));
	ck_assert_uint_eq(path.socket, 7);
	ck_assert(shared_path_is_version(&shared, version));
	/* A path of which all is zero is one, too. */
	ck_assert(!shared_path_is(&shared, &none, &version));
	shared_path_set(&shared, &none);
	ck_assert(!shared_path_is_version(&shared, version));
	ck_assert(shared_path_get(&shared, &path, &version) && path_equal(&path, &none));
	shared_path_set(&shared, NULL);
	ck_assert(!shared_path_get(&shared, &path, &version));
}
END_TEST

START_TEST(what_is_set_is_read)
{
	struct prng prng = {.state = 1};
	struct path before = {0}, path, read;
	uint32_t version, same;

	memset(&shared, 0, sizeof shared);
	for (int i = 0; i < 10000; i++) {
		path = random_path(&prng);
		shared_path_set(&shared, &path);
		ck_assert(shared_path_get(&shared, &read, &version));
		ck_assert(path_equal(&read, &path));
		ck_assert(shared_path_is(&shared, &path, &same) && same == version);
		ck_assert(!shared_path_is(&shared, &before, &same));
		ck_assert(shared_path_is_version(&shared, version));
		before = path;
		shared_path_set(&shared, &path); /* the same again is another version */
		ck_assert(!shared_path_is_version(&shared, version));
	}
}
END_TEST

/* Threads set paths of which all parts say the same number; others never see a mixture. */
enum { WRITERS = 2, READERS = 2, ROUNDS = 100000 };

static atomic_uint writing, mixtures;

static struct path path_of(uint16_t number)
{
	struct path path = {.socket = number};

	path.local = (struct endpoint){.addr = {.family = 6}, .port = number, .scope_id = number};
	memset(path.local.addr.bytes, (uint8_t)number, 16);
	path.remote = path.local;
	return path;
}

static void *write_paths(void *arg)
{
	struct prng prng = {.state = (uintptr_t)arg};

	for (int i = 0; i < ROUNDS; i++) {
		struct path path = path_of((uint16_t)prng_below(&prng, 65536));

		shared_path_set(&shared, &path);
	}
	atomic_fetch_sub(&writing, 1);
	return NULL;
}

static void *read_paths(void *arg)
{
	struct path path, expected, other;
	uint32_t version, again;

	(void)arg;
	while (atomic_load(&writing) > 0) {
		if (!shared_path_get(&shared, &path, &version))
			continue;
		expected = path_of((uint16_t)path.socket);
		other = path_of((uint16_t)(path.socket + 1));
		if (!path_equal(&path, &expected))
			atomic_fetch_add(&mixtures, 1);
		/* In this version it was no other. */
		if (shared_path_is(&shared, &other, &again) && again == version &&
		    shared_path_is_version(&shared, again))
			atomic_fetch_add(&mixtures, 1);
	}
	return NULL;
}

START_TEST(nobody_reads_a_mixture)
{
	pthread_t threads[WRITERS + READERS];

	memset(&shared, 0, sizeof shared);
	writing = WRITERS;
	for (uintptr_t i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						i < WRITERS ? write_paths : read_paths, (void *)i),
				 0);
	for (int i = 0; i < WRITERS + READERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_uint_eq(mixtures, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared_path");
	TCase *tc = tcase_create("shared_path");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, nothing_at_first);
	tcase_add_test(tc, what_is_set_is_read);
	tcase_add_test(tc, nobody_reads_a_mixture);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
