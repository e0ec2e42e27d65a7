/* SPDX-License-Identifier: ISC */
/* Dispatches the children's requests: length, kind and owner first, then every field. */
#include "requests.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/parent/verify.h>
#include <tund/sys/channel.h>
#include <tund/sys/log.h>
#include <tund/sys/notify.h>

#define HUNG_UP_MS 200
#define BURST_MAX 16 /* requests of one child, before signals and the other child have their turn */

/* Answers one request, whose body has the right size. */
typedef void request_handler(struct parent *parent, const void *body);

static void on_socket(struct parent *parent, const void *body)
{
	const struct request_socket *request = body;
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
	child_send(&parent->engine, PARENT_REPLY, &reply, sizeof reply, reply.error ? -1 : fd);
	if (!reply.error)
		close(fd);
}

static void on_store(struct parent *parent, const void *body)
{
	store_put(&parent->store, body);
}

static void on_network(struct parent *parent, const void *body)
{
	pace_put(&parent->pace, body); /* the parent's loop takes it */
}

static void on_up(struct parent *parent, const void *body)
{
	(void)body;
	log_info("%s: up", parent->tunnel->name);
	notify_send("READY=1\nSTATUS=up");
}

/* As many whole lines as there is room for; the log has them all. */
static void put_lines(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);
	const char *end;

	if (len >= size) {
		end = memrchr(text, '\n', size);
		len = end ? (size_t)(end - text) : size - 1;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static void on_reload(struct parent *parent, const void *body)
{
	struct parent_reply reply = {0};
	char text[LOADER_TEXT_MAX] = "";

	(void)body;
	reply.error = -parent_reload(parent, text);
	put_lines(reply.text, sizeof reply.text, text);
	child_send(&parent->control, PARENT_REPLY, &reply, sizeof reply, -1);
}

static void on_down(struct parent *parent, const void *body)
{
	struct parent_reply reply = {0};

	(void)body;
	child_send(&parent->control, PARENT_REPLY, &reply, sizeof reply, -1);
	parent_stop(parent, EXIT_DONE);
}

/* Its end is noticed by its pidfd, and both get a new channel to each other. */
static void on_control(struct parent *parent, const void *body)
{
	(void)body;
	if (parent->control.process.pid)
		process_signal(&parent->control.process, SIGKILL);
}

enum asker { ASKER_ENGINE, ASKER_CONTROL };

static const struct {
	request_handler *handle;
	size_t size; /* of the body, exactly */
	enum asker asker;
} request_table[] = {
	[REQUEST_SOCKET] = {on_socket, sizeof(struct request_socket), ASKER_ENGINE},
	[REQUEST_STORE] = {on_store, sizeof(struct parent_state), ASKER_ENGINE},
	[REQUEST_NETWORK] = {on_network, sizeof(struct request_network), ASKER_CONTROL},
	[REQUEST_UP] = {on_up, 0, ASKER_CONTROL},
	[REQUEST_RELOAD] = {on_reload, 0, ASKER_CONTROL},
	[REQUEST_DOWN] = {on_down, 0, ASKER_CONTROL},
	[REQUEST_CONTROL] = {on_control, 0, ASKER_ENGINE},
};

static bool is_allowed(const struct channel_message *message, enum asker asker)
{
	return message->fd < 0 && message->kind < sizeof request_table / sizeof *request_table &&
	       request_table[message->kind].handle && request_table[message->kind].asker == asker &&
	       request_table[message->kind].size == message->len;
}

/* It has hung up, so it is ending, and how is worth knowing: a moment for that. */
static bool wait_end(const struct child *child)
{
	struct pollfd p = {.fd = child->process.pidfd, .events = POLLIN};

	return poll(&p, 1, HUNG_UP_MS) > 0;
}

void requests_handle(struct parent *parent, struct child *child)
{
	enum asker asker = child == &parent->engine ? ASKER_ENGINE : ASKER_CONTROL;
	struct channel_message message;
	int n = 1;

	for (int i = 0; i < BURST_MAX && n > 0; i++) {
		n = channel_receive(child->channel, parent->message, CHANNEL_BODY_MAX, &message);
		if (n <= 0)
			break;
		if (!is_allowed(&message, asker)) {
			if (message.fd >= 0)
				close(message.fd);
			n = -EBADMSG;
			break;
		}
		if (!parent->stopping || message.kind == REQUEST_STORE)
			request_table[message.kind].handle(parent, message.body);
	}
	if (n == -EAGAIN || n > 0)
		return;
	if (n == -EBADMSG)
		log_error("%s asked for what it may not: killing it", child->program);
	else if (wait_end(child))
		return;
	process_signal(&child->process, SIGKILL); /* its pidfd does the rest */
}
