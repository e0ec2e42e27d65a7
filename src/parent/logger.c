/* SPDX-License-Identifier: ISC */
/* Lines from a pipe to syslog and the terminal. */
#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

void logger_none(struct logger *logger)
{
	*logger = (struct logger){.pipe = -1, .terminal = -1};
}

int logger_open(struct logger *logger, const char *program, const char *tunnel)
{
	int ends[2];

	logger_none(logger);
	/* Non-blocking at both ends: we read what we write ourselves, and must never wait for it. */
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -errno;
	logger->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	logger->pipe = ends[0];
	dup2(ends[1], STDOUT_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	logger->program = program;
	snprintf(logger->ident, sizeof logger->ident, "%s(%s)", program, tunnel);
	openlog(logger->ident, LOG_PID, LOG_DAEMON);
	return 0;
}

int logger_priority(const char *line, const char **text)
{
	static const struct {
		const char *name;
		int priority;
	} levels[] = {
		{"error: ", LOG_ERR},	{"warning: ", LOG_WARNING}, {"notice: ", LOG_NOTICE},
		{"info: ", LOG_INFO},	{"debug: ", LOG_DEBUG},
	};

	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strncmp(line, levels[i].name, strlen(levels[i].name)) == 0) {
			*text = line + strlen(levels[i].name);
			return levels[i].priority;
		}
	*text = line;
	return LOG_INFO;
}

/* Children write through log.h, which replaces control characters; what a dying library or a
 * sanitizer prints does not come that way. */
static void sanitise(char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
}

static void emit(struct logger *logger)
{
	const char *text;
	int priority;

	logger->line[logger->used] = '\0';
	sanitise(logger->line);
	priority = logger_priority(logger->line, &text);
	if (text[0])
		syslog(priority, "%s", text);
	if (logger->terminal >= 0 && priority <= LOG_NOTICE)
		dprintf(logger->terminal, "%s: %s\n", logger->program, logger->line);
	logger->used = 0;
}

static void take(struct logger *logger, char c)
{
	if (c == '\n') {
		if (!logger->overlong)
			emit(logger);
		logger->overlong = false;
	} else if (!logger->overlong) {
		logger->line[logger->used++] = c;
		if (logger->used == sizeof logger->line - 1) {
			emit(logger);
			logger->overlong = true;
		}
	}
}

void logger_drain(struct logger *logger)
{
	char buf[4096];
	ssize_t n;

	if (logger->pipe < 0)
		return;
	while ((n = read(logger->pipe, buf, sizeof buf)) > 0)
		for (ssize_t i = 0; i < n; i++)
			take(logger, buf[i]);
}

void logger_detach(struct logger *logger)
{
	if (logger->terminal >= 0)
		close(logger->terminal);
	logger->terminal = -1;
}
