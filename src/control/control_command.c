/* SPDX-License-Identifier: ISC */
/* What the command socket's clients may ask for: a row for each command. */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/sys/log.h>

#include "request.h"
#include "status_collect.h"

static int status(struct control *c, struct client *client, const struct request *r,
		  char why[REQUEST_WHY_MAX])
{
	(void)why;
	ask_status(&c->asks, client, r->json);
	return 0;
}

/* What works may have ended without our knowing, if the edge has revoked us: a handshake tells. */
static int wait_until_works(struct control *c, struct client *client, const struct request *r,
			    char why[REQUEST_WHY_MAX])
{
	(void)r, (void)why;
	if (c->hub.works && c->role->works_by_engine) {
		client_answer_text(client, EXIT_DONE, "");
		return 0;
	}
	if (c->hub.works)
		link_send(&c->hub.engine.link, CONTROL_CONFIRM, NULL, 0);
	client_wait(client, CLIENT_WAITS);
	return 0;
}

static void ask_parent(struct control *c, struct client *client, enum parent_request request,
		       const void *body, size_t len, enum client_wait what)
{
	if (link_send(&c->hub.parent.link, request, body, len))
		client_answer_text(client, EXIT_SYSTEM, "the daemon's parent process is gone\n");
	else
		client_wait(client, what);
}

static int down(struct control *c, struct client *client, const struct request *r,
		char why[REQUEST_WHY_MAX])
{
	(void)r, (void)why;
	ask_parent(c, client, REQUEST_DOWN, NULL, 0, CLIENT_WAITS_DOWN);
	return 0;
}

static int reload(struct control *c, struct client *client, const struct request *r,
		  char why[REQUEST_WHY_MAX])
{
	(void)r, (void)why;
	ask_parent(c, client, REQUEST_RELOAD, NULL, 0, CLIENT_WAITS_RELOAD);
	return 0;
}

static int explain(struct control *c, struct client *client, const struct request *r,
		   char why[REQUEST_WHY_MAX])
{
	struct control_explain question = {0};
	int err = request_explain(r, &question, why);

	if (!err)
		ask_explain(&c->asks, client, r->json, &question);
	return err;
}

static int set_log(struct control *c, struct client *client, const struct request *r,
		   char why[REQUEST_WHY_MAX])
{
	struct parent_log body;
	enum log_level level;
	char text[20];

	if (r->count == 0) {
		snprintf(text, sizeof text, "%s\n", log_level_name(log_level()));
		client_answer_text(client, EXIT_DONE, text);
		return 0;
	}
	if (!log_level_parse(r->argument[0], &level))
		return request_wrong(why, "error, warning, notice, info or debug", r->argument[0]);
	body = (struct parent_log){.level = level};
	ask_parent(c, client, REQUEST_LOG, &body, sizeof body, CLIENT_WAITS_LOG);
	return 0;
}

static const struct command_row {
	const char *name;
	unsigned min, max; /* arguments, without "json" */
	bool may_be_json;
	/* 0: the client is answered, or will be; -EINVAL: wrong arguments, with `why`. */
	int (*handle)(struct control *c, struct client *client, const struct request *r,
		      char why[REQUEST_WHY_MAX]);
} rows[] = {
	{"status", 0, 0, true, status},   {"wait", 0, 0, false, wait_until_works},
	{"down", 0, 0, false, down},      {"reload", 0, 0, false, reload},
	{"explain", 5, 5, true, explain}, {"log", 0, 1, false, set_log},
};

static int unknown(const char *name, char why[REQUEST_WHY_MAX])
{
	char expected[100] = "a command:";
	size_t len = strlen(expected);

	for (size_t i = 0; i < sizeof rows / sizeof *rows && len < sizeof expected; i++)
		len += (size_t)snprintf(expected + len, sizeof expected - len, "%s %s",
					i ? "," : "", rows[i].name);
	return request_wrong(why, expected, name);
}

static int run(struct control *c, struct client *client, const struct request *r,
	       char why[REQUEST_WHY_MAX])
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct command_row *row = &rows[i];

		if (strcmp(row->name, r->name) != 0)
			continue;
		if (r->count < row->min || r->count > row->max || (r->json && !row->may_be_json))
			return request_wrong(why, "used with these arguments", r->name);
		return row->handle(c, client, r, why);
	}
	return unknown(r->name, why);
}

static void request(void *ctx, struct client *client, const char *line, size_t len)
{
	char why[REQUEST_WHY_MAX];
	struct request r;

	if (request_parse(line, len, &r, why) || run(ctx, client, &r, why))
		client_answer_text(client, EXIT_USAGE, why);
}

static void gone(void *ctx, const struct client *client)
{
	struct control *c = ctx;

	ask_forget(&c->asks, client);
}

static int render(void *ctx, const struct ask *ask, char **text, size_t *len)
{
	struct control *c = ctx;
	struct status s;
	int r = status_collect(&c->hub, c->role == &member_ops ? &c->member : NULL, ask, &s);

	if (r)
		return r;
	r = ask->json ? status_json(&s, text, len) : status_text(&s, text, len);
	status_release(&s);
	return r;
}

void control_command_init(struct control *c)
{
	static const struct commands_ops ops = {.request = request, .gone = gone};

	commands_init(&c->hub.commands, c->hub.loop, &ops, c);
	c->asks = (struct asks){.hub = &c->hub, .render = render, .ctx = c};
}

/* Neither request has a number. Once "down" was asked for, nothing else matters any more. */
void control_command_replied(struct control *c, const struct parent_reply *reply)
{
	struct commands *commands = &c->hub.commands;
	enum client_wait what = commands_someone_waits(commands, CLIENT_WAITS_DOWN)
					? CLIENT_WAITS_DOWN
					: CLIENT_WAITS_RELOAD;
	enum exit_code code = EXIT_DONE;
	char text[sizeof reply->text + 1];

	snprintf(text, sizeof text, "%s%s", reply->text, reply->text[0] ? "\n" : "");
	if (reply->error)
		code = reply->error == EINVAL ? EXIT_BAD_CONFIG : EXIT_SYSTEM;
	commands_answer(commands, what, code, text);
}
