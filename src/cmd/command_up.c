/* SPDX-License-Identifier: ISC */
/* up, run: start a tunnel, in the background or here; wait: until it works. */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/parent/parent.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "ask.h"
#include "daemon.h"
#include "say.h"

#define UP_TIMEOUT_S 30
#define UP_TIMEOUT_MAX_S 86400
#define ENDED (-1)
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

/* Becomes the parent process of the tunnel. */
static int run_daemon(void *ctx, int started_fd)
{
	const struct parent_options options = {.started_fd = started_fd};
	struct tunnel *tunnel = ctx;

	log_init("");
	if (tunnel_make_absolute(tunnel) || chdir("/") != 0)
		return say_error(EXIT_SYSTEM, "this directory cannot be named: %s",
				 strerror(errno));
	return (int)parent_run(tunnel, &options);
}

/* On success *fd is to be kept open for as long as the daemon's messages are wanted here. */
static int start_daemon(struct tunnel *tunnel, int *fd)
{
	const struct daemon_work work = {run_daemon, tunnel};
	char why[WHY_MAX];
	int code = daemon_start(&work, fd, why);

	if (code && why[0])
		say_error(code, "%s", why);
	return code;
}

static int not_yet(const struct tunnel *tunnel, unsigned seconds)
{
	return say_error(EXIT_AGAIN,
			 "%s does not work yet after %u s; it goes on trying in the background. "
			 "See `tund status %s`; stop it with `tund down %s`",
			 tunnel->name, seconds, tunnel->name, tunnel->name);
}

/* "wait" is answered when the tunnel works. ENDED: it runs no more. */
static int wait_until_works(const struct tunnel *tunnel, unsigned seconds)
{
	uint64_t now_ns = clock_now_ns(), deadline_ns = now_ns + seconds * NS_PER_SEC;
	int err, code;

	for (; now_ns < deadline_ns; now_ns = clock_now_ns()) {
		err = ask(tunnel, "wait", clock_timeout_ms(deadline_ns, now_ns), &code);
		if (err == 0)
			return code;
		if (err == -EACCES || err == -EPERM)
			return ask_say_error(tunnel, err);
		if (err != -ETIMEDOUT && !tunnel_is_running(tunnel))
			return ENDED;
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
	int code = ENDED, fd = -1;

	while (command_option(command, argc, argv, options) != -1)
		seconds = parse_timeout(command, optarg);
	command_tunnel(command, argc, argv, &tunnel);
	/* One that was killed holds its lock until the kernel has ended it. */
	if (tunnel_is_running(&tunnel))
		code = seconds ? wait_until_works(&tunnel, seconds) : EXIT_DONE;
	if (code == ENDED) {
		code = start_daemon(&tunnel, &fd);
		if (code == EXIT_DONE && seconds)
			code = wait_until_works(&tunnel, seconds);
	}
	if (code == ENDED)
		code = say_error(EXIT_SYSTEM, "%s was stopped", tunnel.name);
	if (fd >= 0)
		close(fd);
	return code;
}

int command_wait(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
						{"timeout", required_argument, NULL, 't'},
						{0}};
	unsigned seconds = UP_TIMEOUT_S;
	struct tunnel tunnel;
	int code;

	while (command_option(command, argc, argv, options) != -1)
		seconds = parse_timeout(command, optarg);
	command_tunnel(command, argc, argv, &tunnel);
	if (!tunnel_is_running(&tunnel))
		return say_error(EXIT_NO_DAEMON, "%s is not running; start it with `tund up %s`",
				 tunnel.name, tunnel.name);
	code = wait_until_works(&tunnel, seconds);
	return code == ENDED ? say_error(EXIT_SYSTEM, "%s was stopped", tunnel.name) : code;
}

int command_run(const struct command *command, int argc, char **argv)
{
	const struct parent_options options = {.started_fd = -1};
	struct tunnel tunnel;

	command_only_tunnel(command, argc, argv, &tunnel);
	log_init("");
	return (int)parent_run(&tunnel, &options);
}
