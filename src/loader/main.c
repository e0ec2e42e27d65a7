/* SPDX-License-Identifier: ISC */
/*
 * libexec/tund/loader: reads the two files of a tunnel, which the parent or the command line has
 * opened, and ends. It is a process of its own, because parsing is where foreign bytes meet the
 * most code: before the first byte is read it can do nothing but read and write descriptors.
 *
 *   loader load CONF POLICY      writes the three views to descriptors 5, 6 and 7
 *   loader check CONF POLICY     prints a line about what the files say
 *   loader import FILE POLICY INTERFACE
 *   loader export CONF POLICY PRINCIPAL ENDPOINT|- [generate] [qr] [colour]
 *   loader explain CONF POLICY PRINCIPAL SOURCE|- DESTINATION PROTO PORT [json]
 *
 * Descriptor 3 is the file named CONF, 4 (which may be absent) the one named POLICY; the names are
 * for messages. Exit: 0, 1 (explain: refused), 64, 71, 78.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

static void report(void *ctx, const struct config_error *error)
{
	(void)ctx;
	if (error->line)
		fprintf(stderr, "%s:%u: %s\n", error->file, error->line, error->text);
	else
		fprintf(stderr, "%s: %s\n", error->file, error->text);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: loader load|check CONF POLICY\n"
		"       loader import FILE POLICY INTERFACE\n"
		"       loader export CONF POLICY PRINCIPAL ENDPOINT|- [generate] [qr] [colour]\n"
		"       loader explain CONF POLICY PRINCIPAL SOURCE|- DESTINATION PROTO PORT "
		"[json]\n");
	return EXIT_USAGE;
}

static int run_verb(struct config *config, int argc, char **argv)
{
	if (strcmp(argv[1], "load") == 0)
		return loader_load(config);
	if (strcmp(argv[1], "check") == 0)
		return loader_check(config);
	if (strcmp(argv[1], "export") == 0)
		return loader_export(config, argc - 4, argv + 4);
	return loader_explain(config, argc - 4, argv + 4);
}

static bool arguments_are_valid(int argc, char **argv)
{
	if (argc < 4)
		return false;
	if (strcmp(argv[1], "explain") == 0)
		return argc == 9 || (argc == 10 && strcmp(argv[9], "json") == 0);
	if (strcmp(argv[1], "import") == 0)
		return argc == 5;
	if (strcmp(argv[1], "export") == 0)
		return argc >= 6;
	return argc == 4 && (strcmp(argv[1], "load") == 0 || strcmp(argv[1], "check") == 0);
}

int main(int argc, char **argv)
{
	const struct config_errors errors = {.report = report};
	struct config_file conf, policy;
	struct config *config;
	int err;

	if (!arguments_are_valid(argc, argv))
		return usage();
	conf = loader_file(LOADER_CONF_FD, argv[2]);
	policy = loader_file(LOADER_POLICY_FD, argv[3]);
	err = loader_confine();
	if (err)
		return err;
	if (strcmp(argv[1], "import") == 0)
		return loader_import(argv[2], argv[4]);
	err = config_parse(&conf, &policy, &errors, &config);
	if (err == -EINVAL)
		return EXIT_BAD_CONFIG;
	if (err) {
		fprintf(stderr, "%s: cannot be loaded: %s\n", argv[2], strerror(-err));
		return EXIT_SYSTEM;
	}
	err = loader_check_keys(config, argv[2]);
	if (!err)
		err = run_verb(config, argc, argv);
	config_free(config);
	return err;
}
