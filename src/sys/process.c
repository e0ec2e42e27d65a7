/* SPDX-License-Identifier: ISC */
/* Child processes. */

#include <tund/sys/process.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool plan_is_valid(const struct process_plan *plan)
{
	size_t i;

	if (plan->path[0] != '/' || !plan->argv[0] || plan->fd_count > PROCESS_FDS_MAX)
		return false;
	for (i = 0; i < plan->fd_count; i++)
		if (plan->fd[i].to < 0 || plan->fd[i].to >= PROCESS_FD_TOP ||
		    plan->fd[i].from < 0)
			return false;
	return true;
}

/* First above every number that a plan may name, so that none is overwritten before its turn;
 * only dup2() clears close-on-exec. */
static int place_fds(const struct process_plan *plan)
{
	int high[PROCESS_FDS_MAX], null;
	size_t i;

	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	for (i = 0; i < plan->fd_count; i++) {
		high[i] = fcntl(plan->fd[i].from, F_DUPFD_CLOEXEC, PROCESS_FD_TOP);
		if (high[i] < 0)
			return -errno;
	}
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -errno;
	for (i = 0; i < plan->fd_count; i++)
		if (dup2(high[i], plan->fd[i].to) < 0)
			return -errno;
	return 0;
}

static void reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL); /* fails for KILL, STOP and libc's own */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Runs in the child; only what is safe between fork and exec. Returns where it failed. */
static int become(const struct process_plan *plan, pid_t parent)
{
	static const char *const empty[] = {NULL};
	const char *const *envp = plan->envp ? plan->envp : empty;
	int err;

	reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	if (getppid() != parent) /* it died before that took effect */
		return -ESRCH;
	err = place_fds(plan);
	if (err < 0)
		return err;
	execve(plan->path, (char *const *)(uintptr_t)plan->argv,
	       (char *const *)(uintptr_t)envp);
	return -errno;
}

static void run_child(const struct process_plan *plan, pid_t parent, int report)
{
	/* Out of the way of the plan's numbers; become() marks it close-on-exec. */
	int high = fcntl(report, F_DUPFD_CLOEXEC, PROCESS_FD_TOP);
	int err = high < 0 ? -errno : become(plan, parent);

	(void)!write(high < 0 ? report : high, &err, sizeof err);
	_exit(127);
}

/* The pipe ends without a word when the exec has closed it. */
static int read_report(int report)
{
	int err = 0;
	ssize_t n;

	do
		n = read(report, &err, sizeof err);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof err ? err : 0;
}

static int adopt(pid_t pid, int report, struct process *out)
{
	int err = read_report(report);
	int pidfd;

	if (err == 0) {
		pidfd = pidfd_open(pid, 0);
		if (pidfd >= 0) {
			*out = (struct process){.pid = pid, .pidfd = pidfd};
			return 0;
		}
		err = -errno;
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return err;
}

int process_spawn(const struct process_plan *plan, struct process *out)
{
	pid_t parent = getpid(), pid;
	int report[2], err;

	if (!plan_is_valid(plan))
		return -EINVAL;
	if (pipe2(report, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run_child(plan, parent, report[1]);
	err = pid < 0 ? -errno : 0;
	close(report[1]);
	if (err == 0)
		err = adopt(pid, report[0], out);
	close(report[0]);
	return err;
}

int process_signal(const struct process *p, int signal)
{
	return pidfd_send_signal(p->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int process_reap(struct process *p, enum process_end *end, int *code)
{
	siginfo_t info = {0};
	int r;

	do
		r = waitid(P_PIDFD, (id_t)p->pidfd, &info, WEXITED | WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (info.si_pid == 0)
		return -EAGAIN;
	close(p->pidfd);
	*p = (struct process){.pid = -1, .pidfd = -1};
	*end = info.si_code == CLD_EXITED ? PROCESS_EXITED : PROCESS_KILLED;
	*code = info.si_status;
	return 0;
}

int process_wait(struct process *p, int timeout_ms, enum process_end *end, int *code)
{
	struct pollfd poll_fd = {.fd = p->pidfd, .events = POLLIN};
	int r;

	do /* a signal starts the time anew: callers have few, and a bound is all they want */
		r = poll(&poll_fd, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : process_reap(p, end, code);
}
