/* SPDX-License-Identifier: ISC */
/* What the engine of a WireGuard interface may ask for. */
#include <tund/parent/wireguard.h>

#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/parent/system.h>
#include <tund/sys/channel.h>

#include "wireguard_state.h"

static void answer(struct wireguard *w, struct parent_reply *reply, int error, int fd)
{
	reply->error = -error;
	child_send(&w->engine, PARENT_REPLY, reply, sizeof *reply, fd);
}

static void on_listen(struct wireguard *w, const void *body)
{
	const struct request_listen *request = body;
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
		queues_hand_udp(&w->queues, &w->engine, 1);
	answer(w, &reply, err, err == 0 && request->open ? w->queues.udp[0] : -1);
}

static void on_mark(struct wireguard *w, const void *body)
{
	const struct request_listen *request = body;
	struct parent_reply reply = {.id = request->id};
	int err = queues_set_mark(&w->queues, request->mark);

	if (err < 0)
		snprintf(reply.text, sizeof reply.text, "cannot set the mark %u: %s",
			 request->mark, strerror(-err));
	answer(w, &reply, err, -1);
}

/* We are in the network namespace of the UDP sockets. */
static void on_zone(struct wireguard *w, const void *body)
{
	struct request_zone request = *(const struct request_zone *)body;
	struct parent_reply reply = {.id = request.id};

	request.name[sizeof request.name - 1] = '\0';
	reply.number = if_nametoindex(request.name);
	answer(w, &reply, reply.number ? 0 : -ENODEV, -1);
}

static void on_ready(struct wireguard *w, const void *body)
{
	(void)body;
	wireguard_ready(w);
}

static const struct {
	void (*handle)(struct wireguard *w, const void *body);
	size_t size; /* of the body, exactly */
} requests[] = {
	[REQUEST_LISTEN] = {on_listen, sizeof(struct request_listen)},
	[REQUEST_MARK] = {on_mark, sizeof(struct request_listen)},
	[REQUEST_ZONE] = {on_zone, sizeof(struct request_zone)},
	[REQUEST_READY] = {on_ready, 0},
};

/* False: it is none of these. */
static bool handle(struct wireguard *w, const struct channel_message *m)
{
	if (m->kind >= sizeof requests / sizeof *requests || !requests[m->kind].handle ||
	    m->len != requests[m->kind].size)
		return false;
	requests[m->kind].handle(w, m->body);
	return true;
}

void wireguard_requests(struct wireguard *w)
{
	struct channel_message message;
	int n;

	while ((n = channel_receive(w->engine.channel, w->message, CHANNEL_BODY_MAX, &message)) >
	       0) {
		if (message.fd >= 0)
			close(message.fd);
		if (message.fd >= 0 || !handle(w, &message)) {
			n = -EBADMSG;
			break;
		}
	}
	if (n == -EAGAIN || n == 0) /* its end is noticed by its pidfd */
		return;
	log_error("the engine asked for what it may not: killing it");
	process_signal(&w->engine.process, SIGKILL);
}
