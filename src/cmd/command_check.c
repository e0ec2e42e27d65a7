/* SPDX-License-Identifier: ISC */
/* check and policy explain: what the configuration says, without and with the daemon. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/addr.h>
#include <tund/parent/loader.h>

#include "ask.h"
#include "question.h"
#include "say.h"

int command_check(const struct command *command, int argc, char **argv)
{
	struct tunnel tunnel;

	command_only_tunnel(command, argc, argv, &tunnel);
	return loader_run(&tunnel, "check", NULL, -1);
}

struct explain_options {
	const char *name, *file, *source;
	bool json;
};

static void parse_options(const struct command *command, int argc, char **argv,
			  struct explain_options *o)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"name", required_argument, NULL, 'n'},
		{"file", required_argument, NULL, 'f'},
		{"source", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	struct ip_addr source;
	int c;

	while ((c = command_option(command, argc, argv, options)) != -1) {
		if (c == 'n')
			o->name = optarg;
		else if (c == 'f')
			o->file = optarg;
		else if (c == 's')
			o->source = optarg;
		else
			o->json = true;
	}
	if (o->name && o->file)
		command_usage(command, "--name asks the daemon, --file does without: give one");
	if (o->source && ip_addr_parse(o->source, &source))
		command_usage(command, "\"%s\" is no address", o->source);
}

static void find_tunnel(const struct explain_options *o, struct tunnel *out)
{
	char why[512], path[PATH_MAX];
	const char *arg = o->name;

	if (o->file) {
		/* A file in this directory is one, too, without its "./". */
		snprintf(path, sizeof path, "%s%s", strchr(o->file, '/') ? "" : "./", o->file);
		arg = path;
	}
	if (tunnel_find(arg, out, why, sizeof why))
		exit(say_error(EXIT_USAGE, "%s", why));
}

static int ask_daemon(const struct tunnel *tunnel, const struct question *q,
		      const struct explain_options *o)
{
	char request[COMMAND_MAX];
	int len = snprintf(request, sizeof request, "explain\t%s\t%s\t%s\t%s\t%s%s", q->principal,
			   o->source ? o->source : "-", q->destination, q->protocol, q->port,
			   o->json ? "\tjson" : "");

	if (len < 0 || (size_t)len >= sizeof request)
		return say_error(EXIT_USAGE, "the arguments are too long");
	return ask_or_say(tunnel, request);
}

int command_explain(const struct command *command, int argc, char **argv)
{
	struct explain_options o = {0};
	struct question q;
	struct tunnel tunnel;
	const char *why;

	parse_options(command, argc, argv, &o);
	why = question_read(argc - optind, argv + optind, &q);
	if (why)
		command_usage(command, "%s", why);
	find_tunnel(&o, &tunnel);
	if (o.file)
		return loader_run(&tunnel, "explain",
				  (const char *[]){q.principal, o.source ? o.source : "-",
						   q.destination, q.protocol, q.port,
						   o.json ? "json" : NULL, NULL},
				  -1);
	return ask_daemon(&tunnel, &q, &o);
}
