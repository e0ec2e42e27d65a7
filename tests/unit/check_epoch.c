/* SPDX-License-Identifier: ISC */
/* What is retired stays while a reader may see it, and not longer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <tund/base/epoch.h>

#include "tap.h"

static unsigned order[8], released;

struct thing {
	struct retired retired;
	unsigned number;
};

static void release(void *object)
{
	order[released++] = ((struct thing *)object)->number;
}

static void retire(struct epoch *e, struct thing *thing)
{
	epoch_retire(e, &thing->retired, release, thing);
}

START_TEST(without_readers_at_once)
{
	struct epoch *e = epoch_new((unsigned)_i);
	struct thing thing = {.number = 7};

	released = 0;
	ck_assert(!epoch_collect(e));
	retire(e, &thing);
	ck_assert_uint_eq(released, 1);
	ck_assert_uint_eq(order[0], 7);
	epoch_free(e);
}
END_TEST

START_TEST(only_readers_from_before_hold_it)
{
	struct epoch *e = epoch_new(3);
	struct thing things[3] = {{.number = 0}, {.number = 1}, {.number = 2}};

	released = 0;
	epoch_enter(e, 1);
	retire(e, &things[0]);
	epoch_enter(e, 2);
	retire(e, &things[1]);
	ck_assert(epoch_collect(e));
	ck_assert_uint_eq(released, 0);
	epoch_leave(e, 1);
	ck_assert(epoch_collect(e)); /* reader 2 came when the first was gone already */
	ck_assert_uint_eq(released, 1);
	epoch_enter(e, 1);
	retire(e, &things[2]);
	epoch_leave(e, 2);
	ck_assert(epoch_collect(e));
	ck_assert_uint_eq(released, 2);
	epoch_leave(e, 1);
	ck_assert(!epoch_collect(e));
	ck_assert_uint_eq(released, 3);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_uint_eq(order[i], i);
	epoch_free(e);
}
END_TEST

START_TEST(freeing_releases_all)
{
	struct epoch *e = epoch_new(1);
	struct thing things[2] = {{.number = 0}, {.number = 1}};

	released = 0;
	epoch_enter(e, 0);
	retire(e, &things[0]);
	retire(e, &things[1]);
	epoch_leave(e, 0);
	epoch_free(e);
	ck_assert_uint_eq(released, 2);
	epoch_free(NULL);
}
END_TEST

#define READERS 4
#define ALIVE 0x600dU

/* Freed memory may still look alive: it is overwritten first, and poisoned by the sanitizers. */
struct shared {
	struct retired retired;
	unsigned state;
};

static struct epoch *common;
static _Atomic(struct shared *) current;
static atomic_bool stop;

static void free_shared(void *object)
{
	((struct shared *)object)->state = 0;
	free(object);
}

static struct shared *make_shared(void)
{
	struct shared *s = calloc(1, sizeof *s);

	ck_assert_ptr_nonnull(s);
	s->state = ALIVE;
	return s;
}

static void *read_on(void *arg)
{
	unsigned i = *(const unsigned *)arg;
	uintptr_t wrong = 0;

	while (!atomic_load(&stop)) {
		epoch_enter(common, i);
		for (unsigned k = 0; k < 16; k++) {
			struct shared *s = atomic_load_explicit(&current, memory_order_acquire);

			wrong += s->state != ALIVE;
		}
		epoch_leave(common, i);
	}
	return (void *)wrong;
}

START_TEST(readers_never_see_what_was_freed)
{
	pthread_t threads[READERS];
	unsigned numbers[READERS];
	void *wrong;

	common = epoch_new(READERS);
	atomic_store(&current, make_shared());
	for (unsigned i = 0; i < READERS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, read_on, &numbers[i]), 0);
	}
	for (unsigned i = 0; i < 100000; i++) {
		struct shared *old = atomic_exchange(&current, make_shared());

		epoch_retire(common, &old->retired, free_shared, old);
	}
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &wrong), 0);
		ck_assert_ptr_null(wrong);
	}
	ck_assert(!epoch_collect(common));
	free(atomic_load(&current));
	epoch_free(common);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("epoch");
	TCase *tc = tcase_create("epoch");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, without_readers_at_once, 0, 3);
	tcase_add_test(tc, only_readers_from_before_hold_it);
	tcase_add_test(tc, freeing_releases_all);
	tcase_add_test(tc, readers_never_see_what_was_freed);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
