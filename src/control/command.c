/* SPDX-License-Identifier: ISC */
/* The command socket's server side. */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/sys/log.h>
#include <tund/sys/unixsock.h>

#define ACCEPT_BURST 64 /* connections before the loop looks at others */

enum client_state {
	CLIENT_READING, /* its request line is not complete */
	CLIENT_PENDING, /* `pending` is under way */
	CLIENT_WRITING, /* its answer is not taken */
};

struct client {
	TAILQ_ENTRY(client) entry;
	struct commands *commands;
	int fd;
	ev_io io;
	ev_timer limit;
	enum client_state state;
	enum client_wait pending;
	size_t got; /* bytes of `line` */
	char *answer; /* owned */
	size_t answer_len, answer_sent;
	char line[COMMAND_MAX];
};

static void drop(struct client *client)
{
	struct commands *commands = client->commands;

	commands->ops->gone(commands->ctx, client);
	ev_io_stop(commands->loop, &client->io);
	ev_timer_stop(commands->loop, &client->limit);
	close(client->fd);
	TAILQ_REMOVE(&commands->clients, client, entry);
	commands->count--;
	free(client->answer);
	free(client);
}

static void set_limit(struct client *client, double seconds)
{
	struct ev_loop *loop = client->commands->loop;

	ev_timer_stop(loop, &client->limit);
	ev_timer_set(&client->limit, seconds, 0.);
	ev_timer_start(loop, &client->limit);
}

static void watch(struct client *client, int events)
{
	struct ev_loop *loop = client->commands->loop;

	ev_io_stop(loop, &client->io);
	ev_io_set(&client->io, client->fd, events);
	ev_io_start(loop, &client->io);
}

/* True when the client was dropped: it has taken all, or is gone. */
static bool write_answer(struct client *client)
{
	while (client->answer_sent < client->answer_len) {
		ssize_t n = send(client->fd, client->answer + client->answer_sent,
				 client->answer_len - client->answer_sent, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		if (n < 0)
			break;
		client->answer_sent += (size_t)n;
	}
	drop(client);
	return true;
}

void client_answer(struct client *client, enum exit_code code, const char *text, size_t len)
{
	char head[24];
	size_t head_len = (size_t)snprintf(head, sizeof head, "EXIT %d\n", (int)code);

	client->answer = malloc(head_len + len);
	if (!client->answer) {
		drop(client);
		return;
	}
	memcpy(client->answer, head, head_len);
	memcpy(client->answer + head_len, text, len);
	client->answer_len = head_len + len;
	client->state = CLIENT_WRITING;
	if (write_answer(client))
		return;
	watch(client, EV_WRITE);
	set_limit(client, COMMAND_WRITE_S);
}

void client_answer_text(struct client *client, enum exit_code code, const char *text)
{
	client_answer(client, code, text, strlen(text));
}

void client_wait(struct client *client, enum client_wait what)
{
	client->pending = what;
	set_limit(client, COMMAND_PENDING_S);
}

static void take_line(struct client *client, size_t len)
{
	struct commands *commands = client->commands;

	client->state = CLIENT_PENDING;
	set_limit(client, COMMAND_PENDING_S);
	commands->ops->request(commands->ctx, client, client->line, len);
}

static void read_line(struct client *client)
{
	size_t room = sizeof client->line - client->got;
	ssize_t n = recv(client->fd, client->line + client->got, room, 0);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(client);
		return;
	}
	client->got += (size_t)n;
	end = memchr(client->line, '\n', client->got);
	if (end)
		take_line(client, (size_t)(end - client->line));
	else if (client->got == sizeof client->line)
		client_answer_text(client, EXIT_USAGE, "the request line is too long\n");
}

/* While its answer is under way: only whether it is still there. It may have closed its sending
 * side, which is no reason to give up. */
static void check_presence(struct client *client)
{
	struct pollfd p = {.fd = client->fd, .events = POLLIN};
	ssize_t n = recv(client->fd, client->line, sizeof client->line, 0);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (n < 0 || (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP)))
		drop(client);
	else
		ev_io_stop(client->commands->loop, &client->io);
}

static void ready(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *client = w->data;

	(void)loop, (void)events;
	switch (client->state) {
	case CLIENT_READING:
		read_line(client);
		return;
	case CLIENT_PENDING:
		check_presence(client);
		return;
	case CLIENT_WRITING:
		write_answer(client);
		return;
	}
}

static void limit_reached(struct ev_loop *loop, ev_timer *w, int events)
{
	struct client *client = w->data;

	(void)loop, (void)events;
	if (client->state == CLIENT_PENDING)
		client_answer_text(client, EXIT_AGAIN, "no answer in time; try again\n");
	else
		drop(client);
}

/* Makes room by dropping who has been silent longest. False: nobody is silent. */
static bool make_room(struct commands *commands)
{
	struct client *client;

	if (commands->count < COMMAND_CLIENTS_MAX)
		return true;
	TAILQ_FOREACH(client, &commands->clients, entry)
	{
		if (client->state == CLIENT_READING) {
			drop(client);
			return true;
		}
	}
	return false;
}

/* A few bytes into an empty socket buffer: they always fit. What it has said is read, because bytes
 * left behind would turn our answer into a broken connection. */
static void refuse(int fd, const char *answer)
{
	char line[COMMAND_MAX];

	if (recv(fd, line, sizeof line, 0) < 0 && errno != EAGAIN)
		log_debug("a refused client: %s", strerror(errno));
	if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
		log_debug("a refused client is gone: %s", strerror(errno));
	close(fd);
}

static bool is_allowed(int fd)
{
	pid_t pid;
	uid_t uid;

	return unixsock_peer(fd, &pid, &uid) == 0 && (uid == 0 || uid == geteuid());
}

static void add(struct commands *commands, int fd)
{
	struct client *client = calloc(1, sizeof *client);

	if (!client) {
		close(fd);
		return;
	}
	client->commands = commands;
	client->fd = fd;
	ev_io_init(&client->io, ready, fd, EV_READ);
	ev_timer_init(&client->limit, limit_reached, COMMAND_SILENCE_S, 0.);
	client->io.data = client;
	client->limit.data = client;
	ev_io_start(commands->loop, &client->io);
	ev_timer_start(commands->loop, &client->limit);
	TAILQ_INSERT_TAIL(&commands->clients, client, entry);
	commands->count++;
}

static void acceptable(struct ev_loop *loop, ev_io *w, int events)
{
	struct commands *commands = w->data;
	int fd;

	(void)loop, (void)events;
	for (unsigned i = 0; i < ACCEPT_BURST && unixsock_accept(commands->fd, &fd) == 0; i++) {
		if (!is_allowed(fd))
			refuse(fd, "EXIT 71\nonly root may command this daemon; use sudo\n");
		else if (!make_room(commands))
			refuse(fd, "EXIT 75\ntoo many commands are waiting; try again\n");
		else
			add(commands, fd);
	}
}

void commands_init(struct commands *commands, struct ev_loop *loop, const struct commands_ops *ops,
		   void *ctx)
{
	*commands = (struct commands){.loop = loop, .ops = ops, .ctx = ctx, .fd = -1};
	TAILQ_INIT(&commands->clients);
	ev_init(&commands->listener, acceptable);
	commands->listener.data = commands;
}

void commands_open(struct commands *commands, int fd)
{
	commands_close(commands);
	commands->fd = fd;
	ev_io_set(&commands->listener, fd, EV_READ);
	ev_io_start(commands->loop, &commands->listener);
}

void commands_close(struct commands *commands)
{
	while (!TAILQ_EMPTY(&commands->clients))
		drop(TAILQ_FIRST(&commands->clients));
	if (commands->fd < 0)
		return;
	ev_io_stop(commands->loop, &commands->listener);
	close(commands->fd);
	commands->fd = -1;
}

/* Answers every client that waits for this; answering drops a client, so the next comes first. */
void commands_answer(struct commands *commands, enum client_wait what, enum exit_code code,
		     const char *text)
{
	struct client *client, *next;

	for (client = TAILQ_FIRST(&commands->clients); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		if (client->state == CLIENT_PENDING && client->pending == what)
			client_answer_text(client, code, text);
	}
}

bool commands_someone_waits(const struct commands *commands, enum client_wait what)
{
	const struct client *client;

	TAILQ_FOREACH(client, &commands->clients, entry)
	{
		if (client->state == CLIENT_PENDING && client->pending == what)
			return true;
	}
	return false;
}
