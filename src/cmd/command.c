/* SPDX-License-Identifier: ISC */
/* Arguments that all commands read the same way. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

void command_print_help(const struct command *command)
{
	printf("usage: tund %s%s%s\n\n%s.\n%s%s", command->name, command->arguments[0] ? " " : "",
	       command->arguments, command->summary, command->help[0] ? "\n" : "", command->help);
}

void command_usage(const struct command *command, const char *format, ...)
{
	va_list args;

	fputs("tund: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nusage: tund %s%s%s\nSee `tund %s --help`.\n", command->name,
		command->arguments[0] ? " " : "", command->arguments, command->name);
	exit(EXIT_USAGE);
}

/* -o is short for --output where there is one; all other options have one form. */
static bool has_output(const struct option *options)
{
	while (options->name && strcmp(options->name, "output") != 0)
		options++;
	return options->name != NULL;
}

int command_option(const struct command *command, int argc, char **argv,
		   const struct option *options)
{
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, has_output(options) ? ":ho:" : ":h", options, NULL);
	if (c == 'h') {
		command_print_help(command);
		exit(fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM);
	}
	if (c == ':')
		command_usage(command, "option %s needs a value", argv[optind - 1]);
	if (c == '?')
		command_usage(command, "%s has no option %s", command->name, argv[optind - 1]);
	return c;
}

void command_tunnel(const struct command *command, int argc, char **argv, struct tunnel *out)
{
	char why[512];

	if (argc - optind > 1)
		command_usage(command, "one tunnel at a time; \"%s\" is too much",
			      argv[optind + 1]);
	if (tunnel_find(argv[optind], out, why, sizeof why))
		exit(say_error(EXIT_USAGE, "%s", why));
}

void command_only_tunnel(const struct command *command, int argc, char **argv,
			 struct tunnel *out)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {0}};

	while (command_option(command, argc, argv, options) != -1)
		continue; /* there is only --help, which does not return */
	command_tunnel(command, argc, argv, out);
}
