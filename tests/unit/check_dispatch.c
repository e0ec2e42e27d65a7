/* SPDX-License-Identifier: ISC */
/* What a row lets through to its handler, and what becomes of descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <tund/link/dispatch.h>

#include "tap.h"

enum { PLAIN = 1, MORE, WITH_FD, MAY_FD, THEIRS, FAILS, TAKES, HOLE, LAST };

struct body {
	uint32_t number[2];
};

static unsigned handled;
static int taken;

static int count_it(void *ctx, struct channel_message *m)
{
	(void)m;
	ck_assert_ptr_eq(ctx, &handled);
	handled++;
	return 0;
}

static int fails(void *ctx, struct channel_message *m)
{
	(void)ctx, (void)m;
	return -ENOMEM;
}

static int take(void *ctx, struct channel_message *m)
{
	(void)ctx;
	taken = dispatch_take_fd(m);
	return 0;
}

static const struct dispatch_row rows[] = {
	[PLAIN] = {count_it, sizeof(struct body)},
	[MORE] = {count_it, sizeof(struct body), .more = true},
	[WITH_FD] = {count_it, 0, .fd = DISPATCH_FD},
	[MAY_FD] = {count_it, 0, .fd = DISPATCH_MAY_FD},
	[THEIRS] = {count_it, 0, .from = 2},
	[FAILS] = {fails, 0, .fd = DISPATCH_MAY_FD},
	[TAKES] = {take, 0, .fd = DISPATCH_MAY_FD},
	[LAST] = {count_it, 0},
};

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int say_as(uint8_t from, uint32_t kind, size_t len, int fd)
{
	const struct dispatch_table table = {rows, DISPATCH_COUNT(rows), from};
	static _Alignas(8) uint8_t body[64];
	struct channel_message m = {.kind = kind, .len = len, .fd = fd, .body = body};
	int err;

	handled = 0;
	taken = -1;
	err = dispatch(&table, &handled, &m);
	ck_assert_int_eq(m.fd, -1);
	return err;
}

static int say(uint32_t kind, size_t len, int fd)
{
	return say_as(0, kind, len, fd);
}

static const struct {
	uint32_t kind;
	size_t len;
	bool fd;
	int err;
} messages[] = {
	{PLAIN, sizeof(struct body), false, 0},
	{PLAIN, sizeof(struct body) - 1, false, -EBADMSG},
	{PLAIN, sizeof(struct body) + 1, false, -EBADMSG},
	{PLAIN, 0, false, -EBADMSG},
	{PLAIN, sizeof(struct body), true, -EBADMSG},
	{MORE, sizeof(struct body), false, -EBADMSG},
	{MORE, sizeof(struct body) - 1, false, -EBADMSG},
	{MORE, sizeof(struct body) + 1, false, 0},
	{MORE, 64, false, 0},
	{MORE, 64, true, -EBADMSG},
	{WITH_FD, 0, true, 0},
	{WITH_FD, 0, false, -EBADMSG},
	{WITH_FD, 1, true, -EBADMSG},
	{MAY_FD, 0, true, 0},
	{MAY_FD, 0, false, 0},
	{THEIRS, 0, false, -EBADMSG},
	{0, 0, false, -EBADMSG},
	{HOLE, 0, false, -EBADMSG},
	{HOLE, 0, true, -EBADMSG},
	{LAST, 0, false, 0},
	{LAST + 1, 0, false, -EBADMSG},
	{LAST + 1, 0, true, -EBADMSG},
	{UINT32_MAX, 0, false, -EBADMSG},
};

/* Whatever comes of it, a descriptor that nobody took is closed. */
START_TEST(only_what_fits)
{
	int fd = messages[_i].fd ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;

	ck_assert_int_eq(say(messages[_i].kind, messages[_i].len, fd), messages[_i].err);
	ck_assert_uint_eq(handled, messages[_i].err == 0);
	ck_assert(fd < 0 || !is_open(fd));
}
END_TEST

START_TEST(only_from_whom)
{
	ck_assert_int_eq(say_as(2, THEIRS, 0, -1), 0);
	ck_assert_uint_eq(handled, 1);
	ck_assert_int_eq(say_as(1, THEIRS, 0, -1), -EBADMSG);
	ck_assert_int_eq(say_as(2, LAST, 0, -1), -EBADMSG);
	ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(handlers_answer)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(say(FAILS, 0, fd), -ENOMEM);
	ck_assert(!is_open(fd));
}
END_TEST

START_TEST(handlers_take)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(say(TAKES, 0, fd), 0);
	ck_assert_int_eq(taken, fd);
	ck_assert(is_open(fd));
	close(fd);
	ck_assert_int_eq(say(TAKES, 0, -1), 0);
	ck_assert_int_eq(taken, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dispatch");
	TCase *tc = tcase_create("dispatch");

	tcase_add_loop_test(tc, only_what_fits, 0, sizeof messages / sizeof *messages);
	tcase_add_test(tc, only_from_whom);
	tcase_add_test(tc, handlers_answer);
	tcase_add_test(tc, handlers_take);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
