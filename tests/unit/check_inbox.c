/* SPDX-License-Identifier: ISC */
/* Records that threads leave for a loop: their order, what is full, what is kept free. */
#include <pthread.h>
#include <string.h>

#include <tund/worker/inbox.h>

#include "tap.h"

#define ROOM 1024
#define POSTERS 4
#define EACH 2000

struct taken {
	unsigned count;
	uint32_t next[POSTERS]; /* the number that each poster's next record must have */
	size_t bytes;
};

struct note {
	uint32_t poster, number;
};

static struct ev_loop *loop;
static struct inbox inbox;
static struct taken taken;

static void take(void *ctx, const uint8_t *record, size_t len)
{
	struct taken *t = ctx;
	struct note note;

	t->count++;
	t->bytes += len;
	if (len < sizeof note)
		return;
	memcpy(&note, record, sizeof note);
	ck_assert_uint_eq(note.number, t->next[note.poster]);
	t->next[note.poster]++;
}

static void on_wake(struct ev_loop *l, ev_async *wake, int events)
{
	(void)wake;
	(void)events;
	inbox_take(&inbox, take, &taken);
	if (taken.count >= POSTERS * EACH)
		ev_break(l, EVBREAK_ALL);
}

static void set_up(void)
{
	memset(&taken, 0, sizeof taken);
	loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(inbox_init(&inbox, loop, ROOM, on_wake), 0);
}

static void tear_down(void)
{
	inbox_clear(&inbox);
	ev_loop_destroy(loop);
}

START_TEST(two_parts_are_one_record)
{
	struct note note = {0, 0};

	ck_assert(inbox_post(&inbox, &note, sizeof note, "tail", 4, 0));
	ck_assert(inbox_post(&inbox, "x", 1, NULL, 0, 0));
	inbox_take(&inbox, take, &taken);
	ck_assert_uint_eq(taken.count, 2);
	ck_assert_uint_eq(taken.bytes, sizeof note + 4 + 1);
	inbox_take(&inbox, take, &taken);
	ck_assert_uint_eq(taken.count, 2);
}
END_TEST

START_TEST(what_does_not_fit_is_not_posted)
{
	static const uint8_t bytes[ROOM];

	ck_assert(!inbox_post(&inbox, bytes, ROOM - sizeof(size_t) + 1, NULL, 0, 0));
	ck_assert(!inbox_post(&inbox, bytes, ROOM / 2, NULL, 0, ROOM / 2));
	ck_assert(inbox_post(&inbox, bytes, ROOM - sizeof(size_t), NULL, 0, 0));
	ck_assert(!inbox_post(&inbox, NULL, 0, NULL, 0, 0));
	inbox_take(&inbox, take, &taken);
	ck_assert_uint_eq(taken.bytes, ROOM - sizeof(size_t));
	ck_assert(inbox_post(&inbox, bytes, 1, NULL, 0, 0));
}
END_TEST

static void *post_all(void *arg)
{
	struct note note = {.poster = *(const uint32_t *)arg};

	while (note.number < EACH)
		note.number += inbox_post(&inbox, &note, sizeof note, NULL, 0, 0);
	return NULL;
}

START_TEST(many_post_and_one_takes_in_order)
{
	uint32_t number[POSTERS];
	pthread_t thread[POSTERS];

	for (uint32_t i = 0; i < POSTERS; i++) {
		number[i] = i;
		ck_assert_int_eq(pthread_create(&thread[i], NULL, post_all, &number[i]), 0);
	}
	ev_run(loop, 0);
	for (unsigned i = 0; i < POSTERS; i++) {
		pthread_join(thread[i], NULL);
		ck_assert_uint_eq(taken.next[i], EACH);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inbox");
	TCase *t = tcase_create("inbox");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, two_parts_are_one_record);
	tcase_add_test(t, what_does_not_fit_is_not_posted);
	tcase_add_test(t, many_post_and_one_takes_in_order);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return tap_run(s);
}
