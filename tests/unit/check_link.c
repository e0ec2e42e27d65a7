/* SPDX-License-Identifier: ISC */
/* Two ends of a channel: what is sent, kept, refused and lost, with and without an event loop. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <tund/link/link_ev.h>

#include "tap.h"

#define LIMIT (100 * 1000)

enum { NUMBER = 1, TEXT, GIFT, LARGE };

static _Alignas(8) uint8_t buffer[CHANNEL_BODY_MAX];
static struct ev_loop *loop;
static struct link a;
static struct link_ev b; /* `a` is polled by hand, `b` is on the loop */

static uint32_t next; /* the number that must come next */
static unsigned received, closed, refused, lost, drained;
static int refused_with, lost_with, gift;
static char text[32];
static bool close_when_refused, open_when_closed;
static int spare; /* another channel, for open_when_closed */

static int take_number(void *ctx, struct channel_message *m)
{
	uint32_t number;

	ck_assert_ptr_eq(ctx, &next);
	memcpy(&number, m->body, sizeof number);
	ck_assert_uint_eq(number, next++);
	received++;
	return 0;
}

static int take_text(void *ctx, struct channel_message *m)
{
	uint32_t len;

	(void)ctx;
	memcpy(&len, m->body, sizeof len);
	if (len != m->len - sizeof len || len >= sizeof text)
		return -EINVAL;
	memcpy(text, m->body + sizeof len, len);
	text[len] = '\0';
	received++;
	return 0;
}

static int take_gift(void *ctx, struct channel_message *m)
{
	(void)ctx;
	gift = dispatch_take_fd(m);
	received++;
	return 0;
}

static int take_large(void *ctx, struct channel_message *m)
{
	(void)ctx;
	ck_assert_uint_eq(m->len, CHANNEL_BODY_MAX);
	ck_assert_uint_eq(m->body[0], 0xa5);
	ck_assert_uint_eq(m->body[CHANNEL_BODY_MAX - 1], 0xa5);
	received++;
	return 0;
}

static const struct dispatch_row rows[] = {
	[NUMBER] = {take_number, sizeof(uint32_t)},
	[TEXT] = {take_text, sizeof(uint32_t), .more = true},
	[GIFT] = {take_gift, 0, .fd = DISPATCH_FD},
	[LARGE] = {take_large, CHANNEL_BODY_MAX},
};
static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

static void on_closed(void *ctx)
{
	ck_assert_ptr_eq(ctx, &next);
	closed++;
	if (open_when_closed) {
		ck_assert_int_eq(b.link.fd, -1);
		link_open(&b.link, spare);
	}
}

static void on_refused(void *ctx, const struct channel_message *m, int err)
{
	(void)ctx, (void)m;
	refused++;
	refused_with = err;
	if (close_when_refused)
		link_close(&a);
}

static void on_lost(void *ctx, int err)
{
	(void)ctx;
	lost++;
	lost_with = err;
}

static void on_drained(void *ctx)
{
	(void)ctx;
	drained++;
}

static const struct link_ops bounded = {LIMIT, on_closed, on_refused, on_lost, on_drained};
static const struct link_ops unqueued = {0, on_closed, on_refused, on_lost, NULL};

static void begin(const struct link_ops *of_a, const struct link_ops *of_b)
{
	int pair[2];

	ck_assert_int_eq(channel_pair(pair), 0);
	loop = ev_loop_new(EVFLAG_NOENV);
	link_init(&a, of_a, &table, &next, buffer);
	link_ev_init(&b, loop, of_b, &table, &next, buffer);
	ck_assert_int_eq(link_send(&a, NUMBER, &next, sizeof next), -ENOTCONN);
	ck_assert_uint_eq(lost, 0);
	link_open(&a, pair[0]);
	link_open(&b.link, pair[1]);
}

static void setup(void)
{
	begin(&bounded, &bounded);
}

static void teardown(void)
{
	link_close(&a);
	link_close(&b.link);
	ev_loop_destroy(loop);
}

static void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/* Sends numbers to the other side as long as `until` is not reached: how many. */
static uint32_t send_numbers(struct link *link, int until, uint32_t first)
{
	uint32_t n = first;
	int err;

	while ((err = link_send(link, NUMBER, &n, sizeof n)) == 0)
		n++;
	ck_assert_int_eq(err, until);
	return n - first;
}

START_TEST(in_order_and_in_parts)
{
	uint32_t len = 5;
	static uint8_t large[CHANNEL_BODY_MAX + 1];

	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(link_send(&a, NUMBER, &i, sizeof i), 0);
	ck_assert_int_eq(link_send_parts(&a, TEXT, &len, sizeof len, "hello", len), 0);
	ck_assert(link_is_idle(&a));
	turn();
	ck_assert_uint_eq(received, 4);
	ck_assert_str_eq(text, "hello");
	memset(large, 0xa5, sizeof large);
	ck_assert_int_eq(link_send(&a, LARGE, large, CHANNEL_BODY_MAX), 0);
	turn();
	ck_assert_uint_eq(received, 5);
	ck_assert_int_eq(link_send(&a, LARGE, large, sizeof large), -EMSGSIZE);
	ck_assert_int_eq(lost_with, -EMSGSIZE);
	ck_assert_uint_eq(lost, 1);
	ck_assert_uint_eq(refused, 0);
}
END_TEST

/* The kernel's room, then ours; nothing is reordered, and at the limit one message is lost, once. */
START_TEST(waits_up_to_the_limit)
{
	uint32_t count = send_numbers(&a, -ENOBUFS, 0), len = 5;

	ck_assert(!link_is_idle(&a));
	ck_assert_uint_le(a.queued_bytes, LIMIT);
	ck_assert_uint_gt(a.queued_bytes, LIMIT - 100);
	ck_assert_uint_eq(lost, 1);
	ck_assert_int_eq(lost_with, -ENOBUFS);
	for (unsigned i = 0; i < 10000 && received < count; i++) {
		turn();
		link_flush(&a);
	}
	ck_assert_uint_eq(received, count);
	ck_assert_uint_ge(drained, 1);
	ck_assert(link_is_idle(&a));
	ck_assert_uint_eq(a.queued_bytes, 0);
	/* And what was in two parts is the same when it waited. */
	count += send_numbers(&a, -ENOBUFS, count);
	turn();
	link_flush(&a);
	ck_assert(!link_is_idle(&a));
	ck_assert_int_eq(link_send_parts(&a, TEXT, &len, sizeof len, "world", len), 0);
	for (unsigned i = 0; i < 10000 && received < count + 1; i++) {
		turn();
		link_flush(&a);
	}
	ck_assert_str_eq(text, "world");
}
END_TEST

/* The side that is on a loop sends what waits by itself. */
START_TEST(the_loop_drains)
{
	uint32_t count = send_numbers(&b.link, -ENOBUFS, 0);

	turn();
	ck_assert_uint_eq(drained, 0);
	for (unsigned i = 0; i < 10000 && received < count; i++) {
		link_receive(&a, 1000);
		turn();
	}
	ck_assert_uint_eq(received, count);
	ck_assert_uint_eq(drained, 1);
	ck_assert(!ev_is_active(&b.writer));
	turn();
	ck_assert_uint_eq(drained, 1);
}
END_TEST

/* One link does not keep the loop from the others, and by hand not more than asked for. */
START_TEST(in_bursts)
{
	for (uint32_t i = 0; i < 100; i++)
		ck_assert_int_eq(link_send(&a, NUMBER, &i, sizeof i), 0);
	turn();
	ck_assert_uint_gt(received, 0);
	ck_assert_uint_lt(received, 100);
	for (unsigned i = 0; i < 100 && received < 100; i++)
		turn();
	ck_assert_uint_eq(received, 100);
	for (uint32_t i = 100; i < 103; i++)
		ck_assert_int_eq(link_send(&b.link, NUMBER, &i, sizeof i), 0);
	link_receive(&a, 2);
	ck_assert_uint_eq(received, 102);
	link_wait(&a);
	ck_assert_uint_eq(received, 103);
}
END_TEST

START_TEST(without_a_queue)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint32_t count;

	teardown();
	begin(&unqueued, &bounded);
	count = send_numbers(&a, -ENOBUFS, 0);
	ck_assert_uint_gt(count, 10);
	ck_assert_uint_eq(lost, 1);
	ck_assert(link_is_idle(&a));
	ck_assert_uint_eq(a.queued_bytes, 0);
	for (unsigned i = 0; i < 10000 && received < count; i++)
		turn();
	ck_assert_uint_eq(received, count);
	ck_assert_int_eq(link_send_fd(&a, GIFT, NULL, 0, fd), 0);
	turn();
	ck_assert_int_ge(fcntl(gift, F_GETFD), 0);
	ck_assert_int_ne(gift, fd);
	close(gift);
	close(fd);
}
END_TEST

/* Behind what waits it would have to wait, too. */
START_TEST(a_descriptor_never_waits)
{
	send_numbers(&a, -ENOBUFS, 0);
	turn();
	link_flush(&a);
	ck_assert(!link_is_idle(&a));
	ck_assert_int_eq(link_send_fd(&a, GIFT, NULL, 0, a.fd), -ENOBUFS);
	ck_assert_uint_eq(lost, 2);
}
END_TEST

START_TEST(the_end)
{
	int fd = a.fd;

	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(link_send(&b.link, NUMBER, &i, sizeof i), 0);
	link_close(&b.link);
	/* The sender is told, its owner not yet: and what was said is heard before the end is. */
	ck_assert_int_eq(link_send(&a, NUMBER, &next, sizeof next), -ENOTCONN);
	ck_assert_uint_eq(closed + lost, 0);
	link_receive(&a, 10);
	ck_assert_uint_eq(received, 3);
	ck_assert_uint_eq(closed, 1);
	ck_assert_int_eq(a.fd, -1);
	ck_assert_int_lt(fcntl(fd, F_GETFD), 0);
	link_receive(&a, 10);
	link_wait(&a);
	link_flush(&a);
	link_close(&a);
	ck_assert_uint_eq(closed, 1);
}
END_TEST

START_TEST(the_end_while_something_waits)
{
	int pair[2];
	uint32_t one = 1;

	send_numbers(&b.link, -ENOBUFS, 0);
	ck_assert_int_eq(channel_pair(pair), 0);
	spare = pair[0];
	open_when_closed = true;
	link_close(&a);
	turn();
	ck_assert_uint_eq(closed, 1);
	/* Nothing of the old one's is said to the new one, and the loop knows which it is. */
	ck_assert_int_eq(b.link.fd, pair[0]);
	ck_assert(link_is_idle(&b.link));
	ck_assert_uint_eq(b.link.queued_bytes, 0);
	next = one;
	ck_assert_int_eq(channel_send(pair[1], NUMBER, &one, sizeof one, -1), 0);
	turn();
	ck_assert_uint_eq(received, 1);
	close(pair[1]);
}
END_TEST

/* What is refused has no effect on what comes after it, unless the owner closes the link. */
START_TEST(refusals)
{
	uint32_t len = 9, zero = 0;

	close_when_refused = _i;
	link_send(&b.link, NUMBER, "too long", 8);
	link_send(&b.link, 77, NULL, 0);
	link_send_parts(&b.link, TEXT, &len, sizeof len, "short", 5);
	link_send_fd(&b.link, NUMBER, &zero, sizeof zero, b.link.fd);
	link_send(&b.link, GIFT, NULL, 0);
	ck_assert_int_eq(write(b.link.fd, "k", 1), 1); /* not even a kind */
	link_send(&b.link, NUMBER, &zero, sizeof zero);
	link_receive(&a, 3);
	ck_assert_uint_eq(refused, _i ? 1 : 3);
	ck_assert_int_eq(refused_with, _i ? -EBADMSG : -EINVAL);
	link_receive(&a, 10);
	ck_assert_uint_eq(refused, _i ? 1 : 6);
	ck_assert_uint_eq(received, _i ? 0 : 1);
	ck_assert_uint_eq(closed, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, in_order_and_in_parts);
	tcase_add_test(tc, waits_up_to_the_limit);
	tcase_add_test(tc, the_loop_drains);
	tcase_add_test(tc, in_bursts);
	tcase_add_test(tc, without_a_queue);
	tcase_add_test(tc, a_descriptor_never_waits);
	tcase_add_test(tc, the_end);
	tcase_add_test(tc, the_end_while_something_waits);
	tcase_add_loop_test(tc, refusals, 0, 2);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
