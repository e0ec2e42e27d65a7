/* SPDX-License-Identifier: ISC */
/* What the engine of a WireGuard interface may ask for. */
#include "wireguard_requests.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <tund/sys/log.h>

#include "system.h"
#include "wireguard_state.h"

static void answer(struct child *engine, struct parent_reply *reply, int error, int fd)
{
	reply->error = -error;
	child_send(engine, PARENT_REPLY, reply, sizeof *reply, fd);
}

static int on_listen(void *ctx, struct channel_message *message)
{
	struct child *engine = ctx;
	struct wireguard *w = engine->owner;
	const struct request_listen *request = (const void *)message->body;
	struct socket_options options = {.mark = request->mark,
					 .buffer_bytes = HOST_SOCKET_BUFFER};
	struct parent_reply reply = {.id = request->id};
	char why[WHY_MAX] = "";
	int err = 0;

	if (!request->open) {
		queues_close_udp(&w->queues);
	} else {
		err = queues_open_udp(&w->queues, request->port, &options, why);
		snprintf(reply.text, sizeof reply.text, "%s", why);
	}
	if (err == 0 && request->open)
		queues_hand_udp(&w->queues, engine, 1);
	answer(engine, &reply, err, err == 0 && request->open ? w->queues.udp[0] : -1);
	return 0;
}

static int on_mark(void *ctx, struct channel_message *message)
{
	struct child *engine = ctx;
	struct wireguard *w = engine->owner;
	const struct request_listen *request = (const void *)message->body;
	struct parent_reply reply = {.id = request->id};
	int err = queues_set_mark(&w->queues, request->mark);

	if (err < 0)
		snprintf(reply.text, sizeof reply.text, "cannot set the mark %u: %s",
			 request->mark, strerror(-err));
	answer(engine, &reply, err, -1);
	return 0;
}

/* We are in the network namespace of the UDP sockets. */
static int on_zone(void *ctx, struct channel_message *message)
{
	struct request_zone request = *(const struct request_zone *)(const void *)message->body;
	struct parent_reply reply = {.id = request.id};

	request.name[sizeof request.name - 1] = '\0';
	reply.number = if_nametoindex(request.name);
	answer(ctx, &reply, reply.number ? 0 : -ENODEV, -1);
	return 0;
}

/* It serves the socket: whoever waits for the interface may have it. */
static int on_ready(void *ctx, struct channel_message *message)
{
	struct child *engine = ctx;
	struct wireguard *w = engine->owner;

	(void)message;
	log_info("interface %s is ready", w->options->interface);
	supervisor_tell_caller(&w->supervisor);
	supervisor_leave_caller(&w->supervisor);
	return 0;
}

static const struct dispatch_row rows[] = {
	[REQUEST_LISTEN] = {.handle = on_listen, .size = sizeof(struct request_listen)},
	[REQUEST_MARK] = {.handle = on_mark, .size = sizeof(struct request_listen)},
	[REQUEST_ZONE] = {.handle = on_zone, .size = sizeof(struct request_zone)},
	[REQUEST_READY] = {.handle = on_ready, .size = 0},
};

const struct dispatch_table wireguard_requests = {.rows = rows, .count = DISPATCH_COUNT(rows)};
