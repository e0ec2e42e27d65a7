/* SPDX-License-Identifier: ISC */
/* The children's requests: what each is, and whose; every field is checked before it has effects. */
#include "requests.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/notify.h>

#include "parent_reload.h"
#include "parent_state.h"
#include "verify.h"

/* Whose child asks. NULL while the tunnel is being stopped: then nothing is done any more but to
 * store what must not be forgotten. */
static struct parent *serving(void *child)
{
	struct parent *parent = ((struct child *)child)->owner;

	return parent->supervisor.stopping ? NULL : parent;
}

static void open_socket(struct parent *parent, const struct request_socket *request)
{
	const struct config *config = parent->loaded.config;
	struct parent_reply reply = {.id = request->id};
	enum verdict verdict = verify_socket(config, request);
	int fd = -1;

	if (verdict != VERDICT_OK) {
		reply.error = EACCES;
		snprintf(reply.text, sizeof reply.text, "socket refused: %s",
			 verdict_text(verdict));
		log_warning("%s", reply.text);
	} else {
		reply.error = -system_open_socket(&parent->system, config, request, &fd, reply.text,
						  sizeof reply.text);
	}
	parent_send(parent, ENGINE, PARENT_REPLY, &reply, sizeof reply, reply.error ? -1 : fd);
	if (!reply.error)
		close(fd);
}

static int on_socket(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);

	if (parent)
		open_socket(parent, (const void *)message->body);
	return 0;
}

static int on_store(void *ctx, struct channel_message *message)
{
	struct child *child = ctx;
	struct parent *parent = child->owner;

	store_put(&parent->store, (const void *)message->body);
	return 0;
}

static int on_network(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);

	if (parent)
		pace_put(&parent->pace, (const void *)message->body); /* its timer takes it */
	return 0;
}

/* A host without a network has a service that runs, not one that is killed for starting too long. */
static int on_serves(void *ctx, struct channel_message *message)
{
	(void)message;
	if (serving(ctx))
		notify_send("READY=1\nSTATUS=waiting for the edge");
	return 0;
}

static int on_works(void *ctx, struct channel_message *message)
{
	const struct request_works *body = (const void *)message->body;
	struct parent *parent = serving(ctx);

	if (!parent)
		return 0;
	log_info("%s: %s", parent->tunnel->name, body->works ? "up" : "not up");
	notify_send(body->works ? "STATUS=up" : "STATUS=waiting for the edge");
	return 0;
}

static int on_reload(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);

	(void)message;
	if (parent)
		parent_reload(parent, true);
	return 0;
}

static int on_prepared(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);

	if (parent)
		parent_reload_prepared(parent, (const void *)message->body);
	return 0;
}

static int on_down(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);
	struct parent_reply reply = {0};

	(void)message;
	if (!parent)
		return 0;
	child_send(ctx, PARENT_REPLY, &reply, sizeof reply, -1);
	supervisor_stop(&parent->supervisor, EXIT_DONE);
	return 0;
}

/* Its end is noticed by its pidfd, and both get a new channel to each other. */
static int on_control(void *ctx, struct channel_message *message)
{
	struct parent *parent = serving(ctx);

	(void)message;
	if (parent)
		child_kill(&parent->supervisor.child[CONTROL]);
	return 0;
}

static int on_log(void *ctx, struct channel_message *message)
{
	const struct parent_log *body = (const void *)message->body;
	struct parent *parent = serving(ctx);

	if (body->level < LOG_LEVEL_ERROR || body->level > LOG_LEVEL_DEBUG)
		return -EBADMSG;
	if (!parent)
		return 0;
	log_set_level((enum log_level)body->level);
	parent_send(parent, ENGINE, PARENT_LOG, body, sizeof *body, -1);
	parent_send(parent, CONTROL, PARENT_LOG, body, sizeof *body, -1);
	return 0;
}

enum asker { ASKER_ENGINE = 1, ASKER_CONTROL };

static const struct dispatch_row rows[] = {
	[REQUEST_SOCKET] = {on_socket, sizeof(struct request_socket), .from = ASKER_ENGINE},
	[REQUEST_STORE] = {on_store, sizeof(struct parent_state), .from = ASKER_ENGINE},
	[REQUEST_NETWORK] = {on_network, sizeof(struct request_network), .from = ASKER_CONTROL},
	[REQUEST_SERVES] = {on_serves, 0, .from = ASKER_CONTROL},
	[REQUEST_WORKS] = {on_works, sizeof(struct request_works), .from = ASKER_CONTROL},
	[REQUEST_RELOAD] = {on_reload, 0, .from = ASKER_CONTROL},
	[REQUEST_DOWN] = {on_down, 0, .from = ASKER_CONTROL},
	[REQUEST_LOG] = {on_log, sizeof(struct parent_log), .from = ASKER_CONTROL},
	[REQUEST_CONTROL] = {on_control, 0, .from = ASKER_ENGINE},
	[REQUEST_PREPARED] = {on_prepared, sizeof(struct request_prepared), .from = ASKER_ENGINE},
};

const struct dispatch_table requests_engine = {rows, DISPATCH_COUNT(rows), ASKER_ENGINE};
const struct dispatch_table requests_control = {rows, DISPATCH_COUNT(rows), ASKER_CONTROL};
