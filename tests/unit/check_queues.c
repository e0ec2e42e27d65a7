/* SPDX-License-Identifier: ISC */
/* What an engine is handed for its workers, at first and after a restart. A real TUN with several
 * queues: tests/system/check_parent.sh. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/ipc/parent.h>
#include <tund/sys/channel.h>

#include "parent/child.h"
#include "parent/queues.h"

#include "tap.h"

static const struct socket_options plain;
static _Alignas(8) uint8_t buffer[CHANNEL_BODY_MAX];

static bool is_same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_ino == sb.st_ino;
}

/* The engine's end of the channel says that this comes next. */
static void expect_udp(int channel, const struct queues *q, uint32_t index)
{
	const struct parent_udp *body = (const void *)buffer;
	struct channel_message m;

	ck_assert_int_eq(channel_receive(channel, buffer, sizeof buffer, &m), 1);
	ck_assert_uint_eq(m.kind, PARENT_UDP);
	ck_assert_uint_eq(m.len, sizeof *body);
	ck_assert_uint_eq(body->index, index);
	ck_assert_uint_eq(body->count, q->workers);
	ck_assert(is_same_file(m.fd, q->udp[index]));
	close(m.fd);
}

static void expect_nothing(int channel)
{
	struct channel_message m;

	ck_assert_int_eq(channel_receive(channel, buffer, sizeof buffer, &m), -EAGAIN);
}

START_TEST(hands_sockets_over)
{
	static const uint32_t numbers[] = {1, 3, CONFIG_WORKERS_MAX};
	struct child engine;
	char why[WHY_MAX];
	struct queues q;
	int pair[2];

	queues_init(&q, numbers[_i]);
	ck_assert_int_eq(channel_pair(pair), 0);
	child_init(&engine, "engine", NULL, NULL, buffer);
	link_open(&engine.link, pair[0]);
	queues_hand_udp(&q, &engine, 0);
	expect_nothing(pair[1]);
	ck_assert_int_eq(queues_set_mark(&q, 0), -ENOTCONN);
	ck_assert_int_eq(queues_open_udp(&q, 0, &plain, why), 0);
	/* The engine has died, and another one is handed all of it. */
	for (int start = 0; start < 2; start++) {
		queues_hand_udp(&q, &engine, 0);
		for (uint32_t i = 0; i < numbers[_i]; i++)
			expect_udp(pair[1], &q, i);
		expect_nothing(pair[1]);
	}
	queues_hand_udp(&q, &engine, 1);
	for (uint32_t i = 1; i < numbers[_i]; i++)
		expect_udp(pair[1], &q, i);
	expect_nothing(pair[1]);
	queues_close_udp(&q);
	queues_hand_udp(&q, &engine, 0);
	expect_nothing(pair[1]);
	link_close(&engine.link);
	close(pair[1]);
}
END_TEST

START_TEST(hands_a_tun_over)
{
	struct child engine;
	const struct parent_tun *body = (const void *)buffer;
	struct channel_message m;
	struct queues q;
	int pair[2];

	queues_init(&q, 2);
	q.tun_count = 2;
	q.tun[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	q.tun[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	q.features = (struct tun_features){.vnet_hdr = true, .uso = _i};
	ck_assert_int_eq(channel_pair(pair), 0);
	child_init(&engine, "engine", NULL, NULL, buffer);
	link_open(&engine.link, pair[0]);
	queues_hand_tun(&q, &engine, "fifteen-letters", 1380);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_int_eq(channel_receive(pair[1], buffer, sizeof buffer, &m), 1);
		ck_assert_uint_eq(m.kind, PARENT_TUN);
		ck_assert_uint_eq(m.len, sizeof *body);
		ck_assert_str_eq(body->name, "fifteen-letters");
		ck_assert_uint_eq(body->mtu, 1380);
		ck_assert_uint_eq(body->index, i);
		ck_assert_uint_eq(body->count, 2);
		ck_assert(body->vnet_hdr && body->uso == _i);
		ck_assert_int_ge(m.fd, 0);
		close(m.fd);
	}
	expect_nothing(pair[1]);
	queues_close_tun(&q);
	ck_assert_uint_eq(q.tun_count, 0);
	link_close(&engine.link);
	close(pair[1]);
}
END_TEST

/* What was bound stays until the new is there, and when the new cannot be. */
START_TEST(replaces_sockets)
{
	struct endpoint before = {0}, after = {0}, taken = {0};
	struct queues q, other;
	char why[WHY_MAX];

	queues_init(&q, 2);
	queues_init(&other, 2);
	ck_assert_int_eq(queues_open_udp(&q, 0, &plain, why), 0);
	ck_assert_int_eq(queues_open_udp(&other, 0, &plain, why), 0);
	ck_assert_int_eq(socket_local(q.udp[0], &before), 0);
	ck_assert_int_eq(socket_local(other.udp[1], &taken), 0);
	ck_assert_int_eq(queues_open_udp(&q, taken.port, &plain, why), -EADDRINUSE);
	ck_assert_uint_eq(q.udp_count, 2);
	ck_assert_int_eq(socket_local(q.udp[1], &after), 0);
	ck_assert_uint_eq(after.port, before.port);
	ck_assert_int_eq(queues_open_udp(&q, 0, &plain, why), 0);
	ck_assert_int_eq(socket_local(q.udp[1], &after), 0);
	ck_assert_uint_ne(after.port, before.port);
	queues_close_udp(&q);
	queues_close_udp(&other);
}
END_TEST

START_TEST(counts_processors)
{
	struct queues q;

	queues_init(&q, 0);
	ck_assert_uint_ge(q.workers, 1);
	ck_assert_uint_le(q.workers, 8);
	ck_assert_uint_eq(q.tun_count + q.udp_count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("queues");
	TCase *tc = tcase_create("queues");

	tcase_add_loop_test(tc, hands_sockets_over, 0, 3);
	tcase_add_loop_test(tc, hands_a_tun_over, 0, 2);
	tcase_add_test(tc, replaces_sockets);
	tcase_add_test(tc, counts_processors);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
