/* SPDX-License-Identifier: ISC */
/* up, run: start a tunnel, in the background or here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/cmd/ask.h>
#include <tund/cmd/command.h>
#include <tund/cmd/say.h>
#include <tund/parent/parent.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#define UP_TIMEOUT_S 30
#define UP_TIMEOUT_MAX_S 86400
#define DAEMON_STARTED_FD 3
#define RETRY_MS 20 /* while control is being (re)started nobody answers */

static unsigned parse_timeout(const struct command *command, const char *text)
{
	char *end;
	unsigned long seconds = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || seconds > UP_TIMEOUT_MAX_S)
		command_usage(command, "--timeout takes seconds, 0 to %d, not \"%s\"",
			      UP_TIMEOUT_MAX_S, text);
	return (unsigned)seconds;
}

/* The child's part: becomes the parent process of the tunnel. */
_Noreturn static void become_daemon(struct tunnel *tunnel, int started_fd)
{
	const struct parent_options options = {.started_fd = DAEMON_STARTED_FD};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	/* A pipe of the caller's must not stay open for as long as the tunnel lives. */
	if (started_fd != DAEMON_STARTED_FD)
		dup3(started_fd, DAEMON_STARTED_FD, O_CLOEXEC);
	close_range(DAEMON_STARTED_FD + 1, ~0U, 0);
	umask(077);
	log_init("");
	if (tunnel_make_absolute(tunnel) || chdir("/") != 0)
		_exit(say_error(EXIT_SYSTEM, "this directory cannot be named: %s",
				strerror(errno)));
	_exit((int)parent_run(tunnel, &options));
}

/* Waits for the end of the start phase. EXIT_DONE, or what the daemon ended with. */
static int start_phase(pid_t daemon, int fd)
{
	char byte;
	int status;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return EXIT_DONE;
	while (waitpid(daemon, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return say_error(EXIT_SYSTEM, "the daemon was killed by signal %d at its start",
			 WTERMSIG(status));
}

/* On success *fd is to be kept open for as long as the daemon's messages are wanted here. */
static int start_daemon(struct tunnel *tunnel, int *fd)
{
	int ends[2], code;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return say_error(EXIT_SYSTEM, "cannot create a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		return say_error(EXIT_SYSTEM, "cannot start a process: %s", strerror(errno));
	if (pid == 0) {
		close(ends[0]);
		become_daemon(tunnel, ends[1]);
	}
	close(ends[1]);
	code = start_phase(pid, ends[0]);
	if (code)
		close(ends[0]);
	else
		*fd = ends[0];
	return code;
}

static int not_yet(const struct tunnel *tunnel, unsigned seconds)
{
	return say_error(EXIT_AGAIN,
			 "%s does not work yet after %u s; it goes on trying in the background. "
			 "See `tund status %s`; stop it with `tund down %s`",
			 tunnel->name, seconds, tunnel->name, tunnel->name);
}

/* "wait" is answered when the tunnel works. */
static int wait_until_works(const struct tunnel *tunnel, unsigned seconds)
{
	uint64_t now_ns = clock_now_ns(), deadline_ns = now_ns + seconds * NS_PER_SEC;
	int err, code;

	for (; now_ns < deadline_ns; now_ns = clock_now_ns()) {
		err = ask(tunnel, "wait", (int)((deadline_ns - now_ns) / NS_PER_MS) + 1, &code);
		if (err == 0)
			return code;
		if (err == -EACCES || err == -EPERM)
			return ask_say_error(tunnel, err);
		if (err != -ETIMEDOUT && !tunnel_is_running(tunnel))
			return say_error(EXIT_SYSTEM, "%s was stopped", tunnel->name);
		poll(NULL, 0, RETRY_MS);
	}
	return not_yet(tunnel, seconds);
}

int command_up(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
						{"timeout", required_argument, NULL, 't'},
						{0}};
	unsigned seconds = UP_TIMEOUT_S;
	struct tunnel tunnel;
	int code, fd = -1;

	while (command_option(command, argc, argv, options) != -1)
		seconds = parse_timeout(command, optarg);
	command_tunnel(command, argc, argv, &tunnel);
	if (!tunnel_is_running(&tunnel)) {
		code = start_daemon(&tunnel, &fd);
		if (code)
			return code;
	}
	code = seconds ? wait_until_works(&tunnel, seconds) : EXIT_DONE;
	if (fd >= 0)
		close(fd);
	return code;
}

int command_run(const struct command *command, int argc, char **argv)
{
	const struct parent_options options = {.started_fd = -1};
	struct tunnel tunnel;

	command_only_tunnel(command, argc, argv, &tunnel);
	log_init("");
	return (int)parent_run(&tunnel, &options);
}
