/* SPDX-License-Identifier: ISC */
/* The table of transports, with one in memory: handles, events upward, what is full. */
#include <string.h>

#include <tund/transport/transport.h>

#include "memory_transport.h"
#include "tap.h"

struct owner {
	struct worker worker;
	struct transport_worker tw;
	unsigned begun, ended;
	size_t len;
	struct path from;
};

static uint64_t on_begin(void *ctx)
{
	return ++((struct owner *)ctx)->begun;
}

static void on_end(void *ctx)
{
	((struct owner *)ctx)->ended++;
}

static bool on_received(void *ctx, uint64_t now_ns, const struct path *from, uint8_t *msg,
			size_t len, bool congested)
{
	struct owner *owner = ctx;

	(void)now_ns;
	(void)congested;
	owner->from = *from;
	owner->len = len;
	return msg[0] == 1;
}

static const struct transport_events events = {
	.begin = on_begin, .end = on_end, .received = on_received};

static void nothing(void *owner)
{
	(void)owner;
}

static void on_record(void *ctx, const uint8_t *record, size_t len)
{
	transport_record(&((struct owner *)ctx)->tw, record, len);
}

static const struct worker_ops worker_ops = {nothing, nothing, on_record, nothing};

static void on_tell(void *owner, enum transport_event event, const struct path *path)
{
	(void)owner;
	(void)event;
	(void)path;
}

static const struct transport_ops *const table[] = {&memory_transport, NULL};
static struct transports transports;
static struct owner owner;

static void set_up(void)
{
	memset(&owner, 0, sizeof owner);
	ck_assert_int_eq(transports_init(&transports, table, on_tell, NULL), 0);
	ck_assert_int_eq(worker_init(&owner.worker, 4096, &worker_ops, &owner), 0);
	ck_assert_int_eq(
		transports_add_worker(&transports, &owner.tw, &owner.worker, &events, &owner), 0);
	ck_assert_int_eq(worker_start(&owner.worker), 0);
}

static void tear_down(void)
{
	worker_stop(&owner.worker);
	transport_worker_clear(&owner.tw);
	transports_clear(&transports);
	worker_clear(&owner.worker);
}

START_TEST(handles_are_never_0_and_name_their_worker)
{
	uint32_t before = 0;

	transports.last_handle = UINT32_MAX / TRANSPORT_WORKERS_MAX - 2;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t handle = transport_next_handle(&transports, 3);

		ck_assert_uint_ne(handle, 0);
		ck_assert_uint_ne(handle, before);
		ck_assert_uint_eq(transport_owner(handle), 3);
		before = handle;
	}
}
END_TEST

START_TEST(what_is_sent_can_be_taken)
{
	struct path path = {.socket = 64};
	struct memory_message m;

	transports_send(&transports, &path, (const uint8_t *)"one", 3, 0);
	transports_send(&transports, &path, (const uint8_t *)"three", 5, 0);
	ck_assert(memory_take(&transports, &m) && m.len == 3 && memcmp(m.bytes, "one", 3) == 0);
	ck_assert(memory_take(&transports, &m) && m.len == 5 && m.path.socket == 64);
	ck_assert(!memory_take(&transports, &m));
}
END_TEST

START_TEST(one_wake_up_is_one_batch)
{
	struct path from = {.socket = 128};

	ck_assert(memory_receive(&transports, 0, &from, (const uint8_t *)"\1a", 2));
	ck_assert(!memory_receive(&transports, 0, &from, (const uint8_t *)"\2a", 2));
	ck_assert_uint_eq(owner.begun, 2);
	ck_assert_uint_eq(owner.ended, 2);
	ck_assert_uint_eq(owner.len, 2);
	ck_assert_uint_eq(owner.from.socket, 128);
}
END_TEST

START_TEST(a_full_one_says_so)
{
	ck_assert_ptr_nonnull(memory_transport.reserve(&owner.tw, 64, 100));
	memory_set_full(&transports, true);
	ck_assert_ptr_null(memory_transport.reserve(&owner.tw, 64, 100));
	ck_assert_uint_eq(memory_transport.count(&transports, 0), 1);
}
END_TEST

START_TEST(rows_are_found)
{
	struct path path;

	ck_assert_int_eq(transport_by_type(&transports, memory_transport.socket_type), 0);
	ck_assert_int_eq(transport_by_type(&transports, -1), -1);
	ck_assert(!transports_bound(&transports, &path));
	ck_assert_uint_eq(transports_whole_tso(&transports), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("transport");
	TCase *t = tcase_create("transport");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, handles_are_never_0_and_name_their_worker);
	tcase_add_test(t, what_is_sent_can_be_taken);
	tcase_add_test(t, one_wake_up_is_one_batch);
	tcase_add_test(t, a_full_one_says_so);
	tcase_add_test(t, rows_are_found);
	suite_add_tcase(s, t);
	return tap_run(s);
}
