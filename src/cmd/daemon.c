/* SPDX-License-Identifier: ISC */
/* The start of a daemon, from both sides. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tund/ipc/command.h>

#define STARTED_FD 3

/* The child's part. */
_Noreturn static void become_daemon(const struct daemon_work *work, int started_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	/* A pipe of the caller's must not stay open for as long as the daemon lives. */
	if (started_fd != STARTED_FD)
		dup3(started_fd, STARTED_FD, O_CLOEXEC);
	close_range(STARTED_FD + 1, ~0U, 0);
	umask(077);
	_exit(work->run(work->ctx, STARTED_FD));
}

/* Waits for its byte, or its end. */
static int wait_started(pid_t daemon, int fd, char why[WHY_MAX])
{
	char byte;
	int status;
	ssize_t n;

	why[0] = '\0';
	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return EXIT_DONE;
	while (waitpid(daemon, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFSIGNALED(status))
		return why_set(why, EXIT_SYSTEM, "the daemon was killed by signal %d at its start",
			       WTERMSIG(status));
	if (WEXITSTATUS(status) == EXIT_DONE)
		return why_set(why, EXIT_SYSTEM, "the daemon was stopped at its start");
	return WEXITSTATUS(status);
}

int daemon_start(const struct daemon_work *work, int *fd, char why[WHY_MAX])
{
	int ends[2], code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return why_set(why, EXIT_SYSTEM, "cannot create a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		why_set(why, EXIT_SYSTEM, "cannot start a process: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return EXIT_SYSTEM;
	}
	if (pid == 0) {
		close(ends[0]);
		become_daemon(work, ends[1]);
	}
	close(ends[1]);
	code = wait_started(pid, ends[0], why);
	if (code)
		close(ends[0]);
	else
		*fd = ends[0];
	return code;
}
