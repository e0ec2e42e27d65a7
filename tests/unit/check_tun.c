/* SPDX-License-Identifier: ISC */
/* Errors of a TUN, injected through the ops. A real one: tests/system/sys.sh. */
#include <errno.h>

#include <tund/sys/tun.h>

#include "tap.h"

static int script[2];
static unsigned calls;

static ssize_t answer(void)
{
	errno = script[calls++];
	return errno ? -1 : 40;
}

static ssize_t scripted_read(int fd, void *buf, size_t len)
{
	(void)fd;
	(void)buf;
	(void)len;
	return answer();
}

static ssize_t scripted_write(int fd, const void *buf, size_t len)
{
	(void)fd;
	(void)buf;
	(void)len;
	return answer();
}

static const struct tun_ops scripted = {scripted_read, scripted_write};

static const struct {
	int script[2];
	int result; /* of a write; a read has a length where this is 0 */
	unsigned calls;
} cases[] = {
	{{0}, 0, 1},
	{{EINTR, 0}, 0, 2},
	{{EAGAIN}, -EAGAIN, 1},
	{{EIO}, -EIO, 1},
	{{EINVAL}, -EINVAL, 1},
	{{EBADFD}, -ENODEV, 1},
	{{ENOBUFS}, -ENOBUFS, 1},
};

START_TEST(sorts_errors)
{
	char packet[40] = {0};
	int expected = cases[_i].result;

	script[0] = cases[_i].script[0];
	script[1] = cases[_i].script[1];
	calls = 0;
	ck_assert_int_eq(tun_write(&scripted, -1, packet, sizeof packet), expected);
	ck_assert_uint_eq(calls, cases[_i].calls);
	calls = 0;
	ck_assert_int_eq(tun_read(&scripted, -1, packet, sizeof packet), expected ? expected : 40);
	ck_assert_uint_eq(calls, cases[_i].calls);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tun");
	TCase *tc = tcase_create("tun");

	tcase_add_loop_test(tc, sorts_errors, 0, sizeof cases / sizeof cases[0]);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
