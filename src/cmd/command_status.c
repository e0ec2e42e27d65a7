/* SPDX-License-Identifier: ISC */
/* status, log, reload: one question to the daemon. */
#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ask.h"

#define STATUS_TIMEOUT_MS 10000

static int print_down(const struct tunnel *tunnel, bool json)
{
	if (json)
		printf("{\"schema\":1,\"tunnel\":\"%s\",\"up\":false}\n", tunnel->name);
	else
		printf("%s: down\n", tunnel->name);
	return EXIT_NO;
}

int command_status(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"json", no_argument, NULL, 'j'}, {0}};
	struct tunnel tunnel;
	bool json = false;
	int err, code = EXIT_DONE;

	while (command_option(command, argc, argv, options) != -1)
		json = true;
	command_tunnel(command, argc, argv, &tunnel);
	err = ask(&tunnel, json ? "status\tjson" : "status", STATUS_TIMEOUT_MS, &code);
	if (err == -ENOENT || err == -ECONNREFUSED) /* a socket without a daemon: it was killed */
		return print_down(&tunnel, json);
	return err ? ask_say_error(&tunnel, err) : code;
}

int command_reload(const struct command *command, int argc, char **argv)
{
	struct tunnel tunnel;

	command_only_tunnel(command, argc, argv, &tunnel);
	return ask_or_say(&tunnel, "reload");
}

int command_log(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'}, {"level", required_argument, NULL, 'l'}, {0}};
	const char *level = NULL;
	struct tunnel tunnel;
	char request[40];

	while (command_option(command, argc, argv, options) != -1)
		level = optarg;
	if (level && (strlen(level) > 20 || strpbrk(level, "\t\n")))
		command_usage(command, "there is no level \"%s\"", level);
	command_tunnel(command, argc, argv, &tunnel);
	snprintf(request, sizeof request, "log%s%s", level ? "\t" : "", level ? level : "");
	return ask_or_say(&tunnel, request);
}
