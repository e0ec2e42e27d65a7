/* SPDX-License-Identifier: ISC */
/* The commands of `tund`, as a table, and what each of them needs to read its arguments. */
#ifndef TUND_CMD_COMMAND_H
#define TUND_CMD_COMMAND_H

#include <getopt.h>

#include <tund/ipc/command.h>
#include <tund/parent/tunnel.h>

struct command {
	const char *name;      /* one word, or two: "policy explain" */
	const char *arguments; /* "[--json] [NAME]" */
	const char *summary;   /* one line, no full stop */
	const char *help;      /* paragraphs for --help, each line ended by '\n' */
	/* argv[0] is the command's last word. Returns the exit code. */
	int (*run)(const struct command *command, int argc, char **argv);
};

extern const struct command commands[];
extern const size_t command_count;

/*
 * The next option as getopt_long(3) gives it, -1 at the end of options. Ends the program after
 * --help (0) and an unknown option (64).
 */
int command_option(const struct command *command, int argc, char **argv,
		   const struct option *options);

/* Ends the program with 64, a message and a hint at --help. */
_Noreturn void command_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The tunnel that the only operand names, or the only one there is; ends the program with 64
 * where that cannot be said. */
void command_tunnel(const struct command *command, int argc, char **argv, struct tunnel *out);

/* The same for commands that take --help and an optional NAME, and nothing else. */
void command_only_tunnel(const struct command *command, int argc, char **argv,
			 struct tunnel *out);

void command_print_help(const struct command *command);

/* command_up.c, command_down.c, ... */
int command_up(const struct command *command, int argc, char **argv);
int command_wait(const struct command *command, int argc, char **argv);
int command_down(const struct command *command, int argc, char **argv);
int command_status(const struct command *command, int argc, char **argv);
int command_log(const struct command *command, int argc, char **argv);
int command_run(const struct command *command, int argc, char **argv);
int command_reload(const struct command *command, int argc, char **argv);
int command_check(const struct command *command, int argc, char **argv);
int command_explain(const struct command *command, int argc, char **argv);
int command_import(const struct command *command, int argc, char **argv);
int command_export(const struct command *command, int argc, char **argv);
int command_genkey(const struct command *command, int argc, char **argv);
int command_genpsk(const struct command *command, int argc, char **argv);
int command_pubkey(const struct command *command, int argc, char **argv);

#endif
