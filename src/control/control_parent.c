/* SPDX-License-Identifier: ISC */
/* What the parent says. */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>
#include <tund/sys/memfd.h>

#define PARENT_QUEUE_MAX (1024 * 1024) /* bytes that may wait for the parent */
#define GRACE_S 0.15 /* for goodbye to leave the engine; the parent gives 500 ms */

static int read_config(int fd, struct config **out)
{
	const void *data;
	struct reader r;
	size_t len;
	int error = memfd_map(fd, CONFIG_IMAGE_MAX, &data, &len);

	if (error)
		return error;
	r = reader_init(data, len);
	error = config_decode(&r, out);
	memfd_unmap(data, len);
	return error;
}

/* The first configuration says which; another one never changes it. */
static void set_role(struct control *c, enum role role)
{
	bool is_edge = role == ROLE_EDGE;

	c->role = is_edge ? &edge_ops : &member_ops;
	c->part = is_edge ? (void *)&c->edge : &c->member;
}

/* Everything that borrows from the old one, is made anew. */
static void use_config(struct control *c, struct config *config, struct device_index *devices)
{
	struct config *old = c->hub.config;

	set_role(c, config->role);
	c->hub.config = config;
	device_index_clear(&c->hub.devices);
	c->hub.devices = *devices;
	peers_forget_config(&c->hub.peers);
	if (c->started && c->role->configured)
		c->role->configured(c->part);
	config_free(old);
	if (c->started)
		control_greet_engine(c);
}

static int take_config(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	struct device_index devices;
	struct config *config;
	int r = read_config(m->fd, &config);

	if (!r && c->hub.config && config->role != c->hub.config->role) {
		config_free(config);
		r = -EINVAL;
	}
	if (!r && (r = device_index_make(config->policy, &devices)))
		config_free(config);
	if (r)
		log_error("cannot use the configuration: %s", strerror(-r));
	else
		use_config(c, config, &devices);
	return 0;
}

static int take_sibling(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	link_open(&c->hub.engine.link, dispatch_take_fd(m));
	peers_forget_engine(&c->hub.peers);
	if (!c->started)
		return 0;
	if (c->role->engine_came)
		c->role->engine_came(c->part);
	control_greet_engine(c);
	if (c->role->engine_greeted)
		c->role->engine_greeted(c->part);
	return 0;
}

static int take_command(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	commands_open(&c->hub.commands, dispatch_take_fd(m));
	return 0;
}

static int take_go(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	c->started = true;
	return 0;
}

static int take_reply(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;
	struct parent_reply reply;

	memcpy(&reply, m->body, sizeof reply);
	reply.text[sizeof reply.text - 1] = '\0';
	if (reply.id == 0)
		control_command_replied(c, &reply);
	else if (c->role && c->role->replied)
		c->role->replied(c->part, &reply);
	return 0;
}

static int take_log(void *ctx, struct channel_message *m)
{
	const struct parent_log *body = (const void *)m->body;
	struct control *c = ctx;

	log_set_level((enum log_level)body->level);
	commands_answer(&c->hub.commands, CLIENT_WAITS_LOG, EXIT_DONE, "");
	return 0;
}

static void grace_over(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)w, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

static int take_stop(void *ctx, struct channel_message *m)
{
	struct control *c = ctx;

	(void)m;
	if (c->stopping)
		return 0;
	c->stopping = true;
	if (!c->started || !c->role->stop || !c->role->stop(c->part)) {
		ev_break(c->hub.loop, EVBREAK_ALL);
		return 0;
	}
	ev_timer_init(&c->grace, grace_over, GRACE_S, 0.);
	ev_timer_start(c->hub.loop, &c->grace);
	return 0;
}

static const struct dispatch_row rows[] = {
	[PARENT_CONFIG] = {.handle = take_config,
			   .size = sizeof(struct parent_config),
			   .fd = DISPATCH_FD},
	[PARENT_COMMAND] = {.handle = take_command, .size = 0, .fd = DISPATCH_FD},
	[PARENT_SIBLING] = {.handle = take_sibling, .size = 0, .fd = DISPATCH_FD},
	[PARENT_GO] = {.handle = take_go, .size = 0},
	[PARENT_REPLY] = {.handle = take_reply, .size = sizeof(struct parent_reply)},
	[PARENT_STOP] = {.handle = take_stop, .size = 0},
	[PARENT_LOG] = {.handle = take_log, .size = sizeof(struct parent_log)},
};

static const struct dispatch_table table = {.rows = rows, .count = DISPATCH_COUNT(rows)};

/* Without the parent nothing may go on. */
static void closed(void *ctx)
{
	struct control *c = ctx;

	ev_break(c->hub.loop, EVBREAK_ALL);
}

static void refused(void *ctx, const struct channel_message *m, int err)
{
	(void)ctx;
	log_error("unexpected message %u of %zu bytes from the parent: %s", m->kind, m->len,
		  strerror(-err));
}

static void lost(void *ctx, int err)
{
	struct control *c = ctx;

	log_error("the parent takes no messages (%s): ending", strerror(-err));
	ev_break(c->hub.loop, EVBREAK_ALL);
}

static const struct link_ops ops = {
	.limit = PARENT_QUEUE_MAX, .closed = closed, .refused = refused, .lost = lost};

void control_parent_init(struct control *c)
{
	link_ev_init(&c->hub.parent, c->hub.loop, &ops, &table, c, c->buffer);
}
