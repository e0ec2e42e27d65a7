/* SPDX-License-Identifier: ISC */
/* Children: what they inherit, and how their end is told. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/process.h>

#include "tap.h"

static int run(const char *script, const struct process_fd *fd, size_t count, enum process_end *end)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	static const char *const envp[] = {"WORD=one", NULL};
	struct process_plan plan = {.path = "/bin/sh", .argv = argv, .envp = envp, .fd = fd,
				    .fd_count = count};
	struct process p;
	int code = -1;

	ck_assert_int_eq(process_spawn(&plan, &p), 0);
	ck_assert_int_eq(process_wait(&p, 10000, end, &code), 0);
	ck_assert_int_eq(p.pidfd, -1);
	return code;
}

START_TEST(tells_how_it_ended)
{
	enum process_end end;

	ck_assert_int_eq(run("exit 0", NULL, 0, &end), 0);
	ck_assert_int_eq(end, PROCESS_EXITED);
	ck_assert_int_eq(run("exit 78", NULL, 0, &end), 78);
	ck_assert_int_eq(run("kill -9 $$", NULL, 0, &end), SIGKILL);
	ck_assert_int_eq(end, PROCESS_KILLED);
}
END_TEST

START_TEST(inherits_nothing_else)
{
	enum process_end end;
	int pipe_fd[2];

	ck_assert_int_eq(setenv("SECRET", "x", 1), 0);
	ck_assert_int_eq(pipe(pipe_fd), 0); /* not close-on-exec */
	ck_assert_int_eq(run("test -z \"$SECRET\" && test \"$WORD\" = one", NULL, 0, &end), 0);
	/* Only 0, 1, 2, and the one that ls itself opens. */
	ck_assert_int_eq(run("test \"$(ls /proc/self/fd | wc -l)\" -eq 4", NULL, 0, &end), 0);
	ck_assert_int_eq(run("read x; test $? -eq 1", NULL, 0, &end), 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}
END_TEST

/* A pipe out of the way of the numbers that the test uses. */
static void high_pipe(int fds[2])
{
	int low[2];

	ck_assert_int_eq(pipe(low), 0);
	for (int i = 0; i < 2; i++) {
		fds[i] = fcntl(low[i], F_DUPFD, 40);
		ck_assert_int_ge(fds[i], 40);
		close(low[i]);
	}
}

/* The numbers of the plan collide with those that are to be duplicated. */
START_TEST(places_descriptors)
{
	const struct process_fd fds[] = {
		{.from = 8, .to = 9}, {.from = 9, .to = 8}, {.from = 8, .to = STDOUT_FILENO},
	};
	enum process_end end;
	char bytes[2] = "";
	int a[2], b[2];

	high_pipe(a);
	high_pipe(b);
	ck_assert_int_eq(dup2(a[1], 8), 8);
	ck_assert_int_eq(dup2(b[1], 9), 9);
	ck_assert_int_eq(run("printf A >&9; printf B >&8; printf C", fds, 3, &end), 0);
	ck_assert_int_eq(read(a[0], bytes, 2), 2);
	ck_assert_mem_eq(bytes, "AC", 2);
	ck_assert_int_eq(read(b[0], bytes, 2), 1);
	ck_assert_int_eq(bytes[0], 'B');
}
END_TEST

START_TEST(resets_signals)
{
	enum process_end end;
	sigset_t all;

	signal(SIGTERM, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	ck_assert_int_eq(run("kill -TERM $$; exit 3", NULL, 0, &end), SIGTERM);
	ck_assert_int_eq(end, PROCESS_KILLED);
}
END_TEST

START_TEST(refuses_a_plan)
{
	static const char *const argv[] = {"x", NULL}, *const none[] = {NULL};
	struct process_plan plan = {.path = "/nowhere/at/all", .argv = argv};
	struct process_fd fd = {.from = 0, .to = PROCESS_FD_TOP};
	struct process p = {.pid = -5};

	ck_assert_int_eq(process_spawn(&plan, &p), -ENOENT);
	plan.path = "/etc";
	ck_assert_int_eq(process_spawn(&plan, &p), -EACCES);
	plan.path = "sh";
	ck_assert_int_eq(process_spawn(&plan, &p), -EINVAL);
	plan = (struct process_plan){.path = "/bin/sh", .argv = none};
	ck_assert_int_eq(process_spawn(&plan, &p), -EINVAL);
	plan = (struct process_plan){.path = "/bin/sh", .argv = argv, .fd = &fd, .fd_count = 1};
	ck_assert_int_eq(process_spawn(&plan, &p), -EINVAL);
	fd = (struct process_fd){.from = 1000, .to = 3};
	ck_assert_int_eq(process_spawn(&plan, &p), -EBADF);
	ck_assert_int_eq(p.pid, -5);
}
END_TEST

START_TEST(waits_and_signals)
{
	static const char *const argv[] = {"sleep", "100", NULL};
	struct process_plan plan = {.path = "/bin/sleep", .argv = argv};
	enum process_end end;
	struct process p;
	int code = 0;

	ck_assert_int_eq(process_spawn(&plan, &p), 0);
	ck_assert_int_ne(fcntl(p.pidfd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(process_reap(&p, &end, &code), -EAGAIN);
	ck_assert_int_eq(process_wait(&p, 20, &end, &code), -ETIMEDOUT);
	ck_assert_int_eq(process_signal(&p, SIGTERM), 0);
	ck_assert_int_eq(process_wait(&p, -1, &end, &code), 0);
	ck_assert_int_eq(end, PROCESS_KILLED);
	ck_assert_int_eq(code, SIGTERM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tc = tcase_create("process");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, tells_how_it_ended);
	tcase_add_test(tc, inherits_nothing_else);
	tcase_add_test(tc, places_descriptors);
	tcase_add_test(tc, resets_signals);
	tcase_add_test(tc, refuses_a_plan);
	tcase_add_test(tc, waits_and_signals);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
