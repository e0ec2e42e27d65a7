/* SPDX-License-Identifier: ISC */
/* One request, one answer. */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/ipc/command.h>
#include <tund/sys/clock.h>
#include <tund/sys/unixsock.h>

#include "say.h"

#define ASK_TIMEOUT_MS 20000 /* a reload takes longest: the loader has 10 s */
#define EXIT_LINE_MAX 16 /* bytes of "EXIT 255\n", and some */

int ask_parse_exit(const char *text, size_t len, int *code)
{
	const char *end = memchr(text, '\n', len < EXIT_LINE_MAX ? len : EXIT_LINE_MAX);
	int n = 0;

	if (!end)
		return len < EXIT_LINE_MAX ? 0 : -EBADMSG;
	if (end - text < 6 || end - text > 8 || memcmp(text, "EXIT ", 5) != 0)
		return -EBADMSG;
	for (const char *p = text + 5; p < end; p++) {
		if (*p < '0' || *p > '9')
			return -EBADMSG;
		n = n * 10 + (*p - '0');
	}
	if (n > 255)
		return -EBADMSG;
	*code = n;
	return (int)(end - text) + 1;
}

/* Waits for something to read until the deadline (TIME_NEVER: none). */
static int wait_readable(int fd, uint64_t deadline_ns)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n, timeout_ms = clock_timeout_ms(deadline_ns, clock_now_ns());

	do {
		n = poll(&p, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

/* Where the bytes of an answer go depends on its code. */
static void copy(int code, const char *bytes, size_t len)
{
	FILE *out = code == EXIT_DONE || code == EXIT_NO ? stdout : stderr;

	fwrite(bytes, 1, len, out);
}

static int read_answer(int fd, uint64_t deadline_ns, int *code)
{
	char buf[8192];
	size_t used = 0;
	int line = 0, err;
	ssize_t n;

	for (;;) {
		err = wait_readable(fd, deadline_ns);
		if (err)
			return err;
		n = read(fd, buf + used, sizeof buf - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return line > 0 ? 0 : -ECONNRESET;
		used += (size_t)n;
		if (line == 0) {
			line = ask_parse_exit(buf, used, code);
			if (line < 0)
				return line;
			if (line == 0)
				continue;
			copy(*code, buf + line, used - (size_t)line);
		} else {
			copy(*code, buf, used);
		}
		used = 0;
	}
}

static int send_request(int fd, const char *request)
{
	char line[COMMAND_MAX + 1];
	int len = snprintf(line, sizeof line, "%s\n", request);

	if (len < 0 || len > COMMAND_MAX)
		return -E2BIG;
	return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len ? 0 : -ECONNRESET;
}

int ask(const struct tunnel *tunnel, const char *request, int timeout_ms, int *code)
{
	uint64_t deadline_ns = timeout_ms < 0
				       ? TIME_NEVER
				       : clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	int fd, answered = EXIT_DONE;
	int err = unixsock_connect(tunnel->sock, &fd);

	if (err)
		return err;
	err = send_request(fd, request);
	if (!err)
		err = read_answer(fd, deadline_ns, &answered);
	close(fd);
	fflush(stdout);
	if (!err)
		*code = answered;
	return err;
}

int ask_say_error(const struct tunnel *tunnel, int error)
{
	switch (error) {
	case -ENOENT:
	case -ECONNREFUSED:
		return say_error(EXIT_NO_DAEMON, "%s is not up; start it with `tund up %s`",
				 tunnel->name, tunnel->name);
	case -EACCES:
	case -EPERM:
		return say_error(EXIT_SYSTEM, "%s: permission denied; run this as root",
				 tunnel->sock);
	case -E2BIG:
		return say_error(EXIT_USAGE, "the arguments are too long");
	case -ETIMEDOUT:
		return say_error(EXIT_AGAIN, "the daemon does not answer; see its messages in the "
					     "system log, or stop it with `tund down %s`",
				 tunnel->name);
	case -ECONNRESET:
		return say_error(EXIT_AGAIN, "the daemon hung up without an answer (is it being "
					     "restarted?); try again");
	}
	return say_error(EXIT_SYSTEM, "%s: %s", tunnel->sock, strerror(-error));
}

int ask_or_say(const struct tunnel *tunnel, const char *request)
{
	int code = EXIT_DONE;
	int err = ask(tunnel, request, ASK_TIMEOUT_MS, &code);

	return err ? ask_say_error(tunnel, err) : code;
}
