/* SPDX-License-Identifier: ISC */
/* tund: finds the command in the table and runs it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "say.h"

static void print_overview(FILE *out)
{
	fputs("usage: tund COMMAND [ARGUMENTS]\n\n"
	      "A private network between hosts that stay invisible. NAME is a tunnel: "
	      TUND_SYSCONFDIR "/NAME.conf,\nor a path with a '/'; it can be left out where there "
	      "is only one.\n\n",
	      out);
	for (size_t i = 0; i < command_count; i++)
		fprintf(out, "  %-15s %s\n", commands[i].name, commands[i].summary);
	fputs("  help [COMMAND]  this, or what a command does\n"
	      "  version         the program's version\n\n"
	      "Each command takes --help. Manual pages: tund(8), tund.conf(5), tund-policy(5),\n"
	      "tund-protocol(7).\n",
	      out);
}

/* The command that the first words name; *words gets how many those are. */
static const struct command *find(int argc, char **argv, int *words)
{
	char two[64];

	for (size_t i = 0; i < command_count; i++) {
		if (argc > 1)
			snprintf(two, sizeof two, "%.30s %.30s", argv[0], argv[1]);
		if (strcmp(commands[i].name, argv[0]) == 0 ||
		    (argc > 1 && strcmp(commands[i].name, two) == 0)) {
			*words = strchr(commands[i].name, ' ') ? 2 : 1;
			return &commands[i];
		}
	}
	return NULL;
}

/* What begins alike, for the hint. */
static const char *similar(const char *word)
{
	for (size_t len = strlen(word); len > 0; len--)
		for (size_t i = 0; i < command_count; i++)
			if (strncmp(commands[i].name, word, len) == 0)
				return commands[i].name;
	return NULL;
}

static int unknown(const char *word)
{
	const char *hint = similar(word);

	say("there is no command \"%s\"", word);
	if (hint)
		fprintf(stderr, "Did you mean `tund %s`? ", hint);
	fputs("See `tund help`.\n", stderr);
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc == 0) {
		print_overview(stdout);
		return EXIT_DONE;
	}
	if (argc == 1 && strcmp(argv[0], "policy") == 0)
		command = find(2, (char *[]){"policy", "explain"}, &words);
	else
		command = find(argc, argv, &words);
	if (!command)
		return unknown(argv[0]);
	command_print_help(command);
	return EXIT_DONE;
}

static bool is(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;
	int words;

	if (argc < 1) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	if (is(argv[0], "help", "--help", "-h"))
		return help(argc - 1, argv + 1);
	if (is(argv[0], "version", "--version", "-V")) {
		puts("tund " PACKAGE_VERSION);
		return EXIT_DONE;
	}
	command = find(argc, argv, &words);
	if (command)
		return command->run(command, argc - words + 1, argv + words - 1);
	if (strcmp(argv[0], "policy") == 0)
		return help(1, argv), EXIT_USAGE;
	return unknown(argv[0]);
}

int main(int argc, char **argv)
{
	int code;

	signal(SIGPIPE, SIG_IGN); /* a write into a closed pipe is an error like others */
	code = dispatch(argc - 1, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout))
		return say_error(EXIT_SYSTEM, "cannot write to standard output");
	return code;
}
