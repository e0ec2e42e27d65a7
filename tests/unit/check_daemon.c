/* SPDX-License-Identifier: ISC */
/* Every way in which a daemon's start can end, and what it is left with. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/daemon.h"
#include <tund/ipc/command.h>

#include "tap.h"

/* Says what is wrong by its exit code, or that all is well by the byte; then waits to be let go. */
static int run_well(void *ctx, int started_fd)
{
	const int *held = ctx;
	char byte;

	if (fcntl(*held, F_GETFD) >= 0)
		return 1; /* of the caller */
	if (!(fcntl(started_fd, F_GETFD) & FD_CLOEXEC))
		return 2;
	if (getsid(0) != getpid())
		return 3;
	if (read(STDIN_FILENO, &byte, 1) != 0)
		return 4;
	if (umask(0) != 077)
		return 5;
	return write(started_fd, "s", 1) == 1 ? 0 : 6;
}

static int run_end(void *ctx, int started_fd)
{
	(void)started_fd;
	return *(const int *)ctx;
}

static int run_abort(void *ctx, int started_fd)
{
	(void)ctx;
	(void)started_fd;
	return raise(SIGKILL);
}

START_TEST(starts)
{
	int held = fcntl(STDERR_FILENO, F_DUPFD, 100), fd = -1;
	const struct daemon_work work = {run_well, &held};
	char why[WHY_MAX] = "?", byte;

	ck_assert_int_ge(held, 100);
	ck_assert_int_eq(daemon_start(&work, &fd, why), EXIT_DONE);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq((int)read(fd, &byte, 1), 0); /* its end */
	close(fd);
	close(held);
}
END_TEST

static const struct {
	int code, result;
	const char *why;
} ends[] = {
	{EXIT_BAD_CONFIG, EXIT_BAD_CONFIG, ""},
	{EXIT_SYSTEM, EXIT_SYSTEM, ""},
	{1, 1, ""},
	{EXIT_DONE, EXIT_SYSTEM, "the daemon was stopped at its start"},
};

START_TEST(ends_before)
{
	int code = ends[_i].code, fd = -1;
	const struct daemon_work work = {run_end, &code};
	char why[WHY_MAX] = "?";

	ck_assert_int_eq(daemon_start(&work, &fd, why), ends[_i].result);
	ck_assert_str_eq(why, ends[_i].why);
	ck_assert_int_eq(fd, -1);
}
END_TEST

START_TEST(is_killed)
{
	const struct daemon_work work = {run_abort, NULL};
	char why[WHY_MAX] = "?";
	int fd = -1;

	ck_assert_int_eq(daemon_start(&work, &fd, why), EXIT_SYSTEM);
	ck_assert_str_eq(why, "the daemon was killed by signal 9 at its start");
	ck_assert_int_eq(fd, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("daemon");
	TCase *tc = tcase_create("daemon");

	tcase_add_test(tc, starts);
	tcase_add_loop_test(tc, ends_before, 0, sizeof ends / sizeof ends[0]);
	tcase_add_test(tc, is_killed);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
