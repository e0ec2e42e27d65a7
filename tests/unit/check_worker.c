/* SPDX-License-Identifier: ISC */
/* A worker: tasks run in its thread and are waited for, records come in order, it ends when told. */
#include <signal.h>
#include <string.h>

#include <tund/worker/worker.h>

#include "tap.h"

struct owner {
	struct worker worker;
	pthread_t thread; /* of the worker, as it says itself */
	unsigned begun, ended, records, woken, tasks;
	bool signals_blocked;
	uint32_t last;
};

static void on_begin(void *ctx)
{
	struct owner *owner = ctx;
	sigset_t set;

	owner->thread = pthread_self();
	owner->begun++;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	owner->signals_blocked = sigismember(&set, SIGTERM) && sigismember(&set, SIGHUP);
}

static void on_end(void *ctx)
{
	struct owner *owner = ctx;

	owner->ended++;
}

static void on_record(void *ctx, const uint8_t *record, size_t len)
{
	struct owner *owner = ctx;
	uint32_t number;

	ck_assert_uint_eq(len, sizeof number);
	memcpy(&number, record, sizeof number);
	ck_assert_uint_eq(number, owner->last + 1);
	owner->last = number;
	owner->records++;
}

static void on_woken(void *ctx)
{
	struct owner *owner = ctx;

	owner->woken++;
}

static const struct worker_ops ops = {on_begin, on_end, on_record, on_woken};

static void task(void *ctx, void *arg)
{
	struct owner *owner = ctx;

	owner->tasks++;
	*(bool *)arg = pthread_equal(pthread_self(), owner->thread);
}

static struct owner owner;

static void set_up(void)
{
	memset(&owner, 0, sizeof owner);
	ck_assert_int_eq(worker_init(&owner.worker, 4096, &ops, &owner), 0);
}

static void tear_down(void)
{
	worker_stop(&owner.worker);
	worker_clear(&owner.worker);
}

START_TEST(a_task_runs_in_the_thread_and_is_waited_for)
{
	ck_assert_int_eq(worker_start(&owner.worker), 0);
	for (unsigned i = 1; i <= 100; i++) {
		bool inside = false;

		worker_call(&owner.worker, task, &inside);
		ck_assert(inside);
		ck_assert_uint_eq(owner.tasks, i);
	}
	ck_assert_uint_eq(owner.begun, 1);
	ck_assert(owner.signals_blocked);
}
END_TEST

START_TEST(records_come_in_order_and_before_the_end)
{
	bool inside;

	ck_assert_int_eq(worker_start(&owner.worker), 0);
	for (uint32_t i = 1; i <= 10000; i += worker_post(&owner.worker, &i, sizeof i, NULL, 0, 0))
		;
	worker_call(&owner.worker, task, &inside);
	worker_stop(&owner.worker);
	ck_assert_uint_eq(owner.records, 10000);
	ck_assert_uint_gt(owner.woken, 0);
	ck_assert_uint_eq(owner.ended, 1);
}
END_TEST

START_TEST(one_that_never_began_can_be_stopped)
{
	worker_stop(&owner.worker);
	ck_assert_uint_eq(owner.begun, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("worker");
	TCase *t = tcase_create("worker");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_task_runs_in_the_thread_and_is_waited_for);
	tcase_add_test(t, records_come_in_order_and_before_the_end);
	tcase_add_test(t, one_that_never_began_can_be_stopped);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return tap_run(s);
}
