/* SPDX-License-Identifier: ISC */
/* import, export: to and from what wg-quick(8) reads; the loader does both in its sandbox. */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/parent/loader.h>

#include "say.h"

/* What is printed holds keys. */
static void check_stdout(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & (S_IRWXG | S_IRWXO)))
		exit(say_error(EXIT_USAGE, "standard output is a file that others may read, and there "
					   "are keys to be written: use `umask 077` before"));
}

/* The name of an interface, as wg-quick takes it from the file's: ".conf" off. */
static void interface_of(const char *path, char out[INTERFACE_MAX])
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name);

	if (len > 5 && strcmp(name + len - 5, ".conf") == 0)
		len -= 5;
	if (len < INTERFACE_MAX)
		snprintf(out, INTERFACE_MAX, "%.*s", (int)len, name);
	else
		out[0] = '\0';
}

static int import(const char *file, int out)
{
	struct tunnel tunnel = {0}; /* there is no policy */
	char interface[INTERFACE_MAX];

	if (snprintf(tunnel.conf, sizeof tunnel.conf, "%s", file) >= (int)sizeof tunnel.conf)
		return say_error(EXIT_USAGE, "%s: the name is too long", file);
	if (access(file, R_OK) != 0)
		return say_error(errno == EACCES ? EXIT_SYSTEM : EXIT_USAGE, "%s: %s", file,
				 strerror(errno));
	interface_of(file, interface);
	return loader_run(&tunnel, "import", (const char *[]){interface, NULL}, out);
}

static int import_to(const char *file, const char *output)
{
	int fd = open(output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int code;

	if (fd < 0)
		return say_error(EXIT_SYSTEM, "%s: %s%s", output, strerror(errno),
				 errno == EEXIST ? "; remove it, or write another one" : "");
	code = import(file, fd);
	if (code == EXIT_DONE && fsync(fd) != 0)
		code = say_error(EXIT_SYSTEM, "%s: %s", output, strerror(errno));
	close(fd);
	if (code != EXIT_DONE)
		unlink(output);
	return code;
}

int command_import(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"output", required_argument, NULL, 'o'},
		{0},
	};
	const char *output = NULL;
	int c;

	while ((c = command_option(command, argc, argv, options)) != -1)
		output = optarg;
	if (argc - optind != 1)
		command_usage(command, "expected one wg-quick file");
	if (output)
		return import_to(argv[optind], output);
	check_stdout();
	return import(argv[optind], -1);
}

struct export_options {
	const char *principal, *endpoint;
	bool generate, qr;
};

static void parse_export(const struct command *command, int argc, char **argv,
			 struct export_options *o)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"wg", required_argument, NULL, 'w'},
		{"endpoint", required_argument, NULL, 'e'},
		{"generate-key", no_argument, NULL, 'g'},
		{"qr", no_argument, NULL, 'q'},
		{0},
	};
	int c;

	while ((c = command_option(command, argc, argv, options)) != -1) {
		if (c == 'w')
			o->principal = optarg;
		else if (c == 'e')
			o->endpoint = optarg;
		else if (c == 'g')
			o->generate = true;
		else
			o->qr = true;
	}
	if (!o->principal)
		command_usage(command, "expected --wg PRINCIPAL[/DEVICE]");
	if (o->qr && !(o->generate && o->endpoint))
		command_usage(command, "--qr needs --generate-key and --endpoint: without a private "
				       "key and an endpoint in it no app takes the code");
}

int command_export(const struct command *command, int argc, char **argv)
{
	const char *arguments[6] = {0};
	struct export_options o = {0};
	struct tunnel tunnel;
	size_t n = 2;

	parse_export(command, argc, argv, &o);
	command_tunnel(command, argc, argv, &tunnel);
	check_stdout();
	arguments[0] = o.principal;
	arguments[1] = o.endpoint ? o.endpoint : "-";
	if (o.generate)
		arguments[n++] = "generate";
	if (o.qr)
		arguments[n++] = "qr";
	if (o.qr && isatty(STDOUT_FILENO) && !getenv("NO_COLOR"))
		arguments[n++] = "colour";
	return loader_run(&tunnel, "export", arguments, -1);
}
