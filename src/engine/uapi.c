/* SPDX-License-Identifier: ISC */
/* The server of WireGuard's configuration protocol. */
#include "uapi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/session/node.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/unixsock.h>

/* Lines of one client that are done in one turn of the loop: packets have theirs in between. */
#define INPUT_SIZE (8 * 1024)

enum stage {
	AT_OPERATION, /* get=1 or set=1 comes next */
	IN_GET,       /* the empty line after get=1 */
	IN_SET,
	SKIPPING,     /* what is left of an operation that failed */
};

struct uapi_client {
	TAILQ_ENTRY(uapi_client) next;
	struct uapi *uapi;
	int fd;
	ev_io readable, writable;
	enum stage stage;
	bool waiting, busy;  /* for uapi_resume(), with or without a line begun */
	bool ended;          /* the client has said all it will */
	struct uapi_cursor cursor;
	struct uapi_text answer;
	size_t sent;         /* of the answer */
	size_t used;         /* of input */
	char input[INPUT_SIZE];
};

struct uapi_cursor *uapi_cursor(struct uapi_client *client)
{
	return &client->cursor;
}

static void text_clear(struct uapi_text *text)
{
	if (text->data)
		explicit_bzero(text->data, text->cap);
	free(text->data);
	*text = (struct uapi_text){0};
}

/* Not by realloc(), which would leave secrets behind. */
static bool text_reserve(struct uapi_text *text, size_t n)
{
	size_t cap = text->cap ? text->cap : 4096;
	char *grown;

	if (text->failed)
		return false;
	if (text->cap - text->len >= n)
		return true;
	while (cap - text->len < n)
		cap *= 2;
	grown = malloc(cap);
	if (!grown) {
		text->failed = true;
		return false;
	}
	if (text->data) {
		memcpy(grown, text->data, text->len);
		explicit_bzero(text->data, text->cap);
	}
	free(text->data);
	text->data = grown;
	text->cap = cap;
	return true;
}

void uapi_put(struct uapi_text *text, const struct uapi_line *line)
{
	if (text_reserve(text, UAPI_LINE_MAX))
		text->len += uapi_write_line(line, text->data + text->len);
}

void uapi_put_number(struct uapi_text *text, enum uapi_key key, int64_t number)
{
	struct uapi_line line = {.key = key, .number = number};

	uapi_put(text, &line);
}

void uapi_put_key(struct uapi_text *text, enum uapi_key key, const uint8_t bytes[KEY_SIZE])
{
	struct uapi_line line = {.key = key};

	memcpy(line.bytes, bytes, KEY_SIZE);
	uapi_put(text, &line);
	explicit_bzero(&line, sizeof line);
}

void uapi_put_prefix(struct uapi_text *text, const struct ip_prefix *prefix)
{
	struct uapi_line line = {.key = UAPI_ALLOWED_IP, .prefix = *prefix};

	uapi_put(text, &line);
}

void uapi_put_address(struct uapi_text *text, const struct ip_addr *address)
{
	struct ip_prefix prefix = ip_prefix_of(address, 128);

	uapi_put_prefix(text, &prefix);
}

void uapi_put_peer(struct uapi_text *text, const struct peer *peer)
{
	struct uapi_line endpoint = {.key = UAPI_ENDPOINT};
	uint8_t public_key[KEY_SIZE];
	struct peer_stats stats;
	struct path path;

	peer_get_stats(peer, &stats);
	peer_public_key(peer, public_key);
	uapi_put_key(text, UAPI_PUBLIC_KEY, public_key);
	uapi_put_number(text, UAPI_PROTOCOL_VERSION, 1);
	if (peer_path(peer, &path)) {
		endpoint.endpoint = path.remote;
		uapi_put(text, &endpoint);
	}
	uapi_put_number(text, UAPI_LAST_HANDSHAKE_SEC,
			(int64_t)(stats.last_handshake_wall_ns / NS_PER_SEC));
	uapi_put_number(text, UAPI_LAST_HANDSHAKE_NSEC,
			(int64_t)(stats.last_handshake_wall_ns % NS_PER_SEC));
	uapi_put_number(text, UAPI_RX_BYTES, (int64_t)stats.rx_bytes);
	uapi_put_number(text, UAPI_TX_BYTES, (int64_t)stats.tx_bytes);
}

/* The end of an answer. */
static void put_errno(struct uapi_text *text, int result)
{
	uapi_put_number(text, UAPI_ERRNO, result);
	if (text_reserve(text, 1))
		text->data[text->len++] = '\n';
}

static void client_free(struct uapi_client *client)
{
	struct uapi *uapi = client->uapi;

	/* Half of a transaction is no transaction, but what it did is there to stay. */
	if (client->stage == IN_SET)
		uapi->ops->set(uapi->owner, clock_now_ns(), client, NULL);
	ev_io_stop(uapi->loop, &client->readable);
	ev_io_stop(uapi->loop, &client->writable);
	close(client->fd);
	text_clear(&client->answer);
	TAILQ_REMOVE(&uapi->clients, client, next);
	uapi->count--;
	explicit_bzero(client->input, sizeof client->input);
	free(client);
}

static void get(struct uapi_client *client)
{
	client->uapi->ops->get(client->uapi->owner, &client->answer);
	put_errno(&client->answer, 0);
}

/* Ends the operation with this result. */
static void finish(struct uapi_client *client, int result)
{
	struct uapi *uapi = client->uapi;
	int err = 0;

	if (client->stage == IN_SET)
		err = uapi->ops->set(uapi->owner, clock_now_ns(), client, NULL);
	client->cursor = (struct uapi_cursor){.at = CURSOR_INTERFACE};
	client->stage = result < 0 ? SKIPPING : AT_OPERATION;
	put_errno(&client->answer, result < 0 ? result : err);
}

static bool is(const char *line, size_t len, const char *what)
{
	return len == strlen(what) && memcmp(line, what, len) == 0;
}

static void operation(struct uapi_client *client, const char *line, size_t len)
{
	const struct uapi_ops *ops = client->uapi->ops;

	if (len == 0)
		return;
	if (is(line, len, "get=1"))
		client->stage = IN_GET;
	else if (is(line, len, "set=1") && ops->set)
		client->stage = IN_SET;
	else
		finish(client, is(line, len, "set=1") ? -EPERM : -EINVAL);
}

static int set(struct uapi_client *client, const char *line, size_t len)
{
	struct uapi *uapi = client->uapi;
	struct uapi_line read;
	int result = uapi_read_line(line, len, client->cursor.at != CURSOR_INTERFACE, &read);

	if (result == 0)
		result = uapi->ops->set(uapi->owner, clock_now_ns(), client, &read);
	explicit_bzero(&read, sizeof read);
	return result;
}

/* One line; false if it must be offered again. */
static bool take_line(struct uapi_client *client, const char *line, size_t len)
{
	int result;

	switch (client->stage) {
	case SKIPPING:
		client->stage = AT_OPERATION;
		if (len > 0 && !is(line, len, "get=1") && !is(line, len, "set=1"))
			client->stage = SKIPPING;
		else
			operation(client, line, len);
		break;
	case AT_OPERATION:
		operation(client, line, len);
		break;
	case IN_GET:
		if (len == 0)
			get(client);
		client->stage = AT_OPERATION;
		if (len > 0)
			finish(client, -EINVAL);
		break;
	case IN_SET:
		result = len > 0 ? set(client, line, len) : 0;
		client->busy = result == UAPI_BUSY;
		client->waiting = result == UAPI_LATER || client->busy;
		if (len == 0 || result < 0)
			finish(client, result);
		break;
	}
	return !client->busy;
}

/* Every whole line of the input, as long as nothing has to be waited for. */
static void take_lines(struct uapi_client *client)
{
	size_t at = 0;

	while (!client->waiting && client->answer.len < INPUT_SIZE) {
		char *line = client->input + at;
		char *end = memchr(line, '\n', client->used - at);

		if (!end || !take_line(client, line, (size_t)(end - line)))
			break;
		at += (size_t)(end - line) + 1;
	}
	client->used -= at;
	memmove(client->input, client->input + at, client->used);
	explicit_bzero(client->input + client->used, at);
}

/* A line that fills the buffer never ends: it is none. */
static void refuse_long_line(struct uapi_client *client)
{
	if (client->used < INPUT_SIZE)
		return;
	explicit_bzero(client->input, client->used);
	client->used = 0;
	if (client->stage != SKIPPING)
		finish(client, -EPROTO);
}

/* The client hung up its end: a transaction that it did not finish is over. */
static void take_end(struct uapi_client *client)
{
	if (client->stage == IN_SET)
		finish(client, client->used > 0 ? -EPROTO : 0);
	client->used = 0;
	client->stage = AT_OPERATION;
}

/* Returns false when the client is gone, or there is no memory for what it is to be told. */
static bool send_answer(struct uapi_client *client)
{
	struct uapi_text *text = &client->answer;

	if (text->failed)
		return false;
	while (client->sent < text->len) {
		ssize_t n = send(client->fd, text->data + client->sent, text->len - client->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0)
			return false;
		client->sent += (size_t)n;
	}
	text_clear(text);
	client->sent = 0;
	return true;
}

/* Does what can be done now, and watches for what comes next. */
static void proceed(struct uapi_client *client)
{
	struct ev_loop *loop = client->uapi->loop;
	size_t before;

	do {
		before = client->used;
		take_lines(client);
		if (!client->waiting && client->answer.len == 0)
			refuse_long_line(client);
		if (client->ended && !client->waiting && client->answer.len == 0)
			take_end(client);
		if (!send_answer(client)) {
			client_free(client);
			return;
		}
	} while (!client->waiting && client->answer.len == 0 && client->used < before);
	if (client->ended && !client->waiting && client->answer.len == 0) {
		client_free(client);
		return;
	}
	if (client->answer.len > 0)
		ev_io_start(loop, &client->writable);
	else
		ev_io_stop(loop, &client->writable);
	if (client->ended || client->waiting || client->answer.len > 0)
		ev_io_stop(loop, &client->readable);
	else
		ev_io_start(loop, &client->readable);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct uapi_client *client = io->data;
	struct uapi *uapi = client->uapi;
	ssize_t n = recv(client->fd, client->input + client->used, INPUT_SIZE - client->used,
			 MSG_DONTWAIT);

	(void)loop;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_free(client);
		return;
	}
	TAILQ_REMOVE(&uapi->clients, client, next);
	TAILQ_INSERT_TAIL(&uapi->clients, client, next);
	client->ended = n == 0;
	client->used += (size_t)n;
	proceed(client);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	proceed(io->data);
}

static void welcome(struct uapi *uapi, int fd)
{
	struct uapi_client *client = calloc(1, sizeof *client);

	if (!client) {
		close(fd);
		return;
	}
	if (uapi->count == UAPI_CLIENTS_MAX)
		client_free(TAILQ_FIRST(&uapi->clients));
	client->uapi = uapi;
	client->fd = fd;
	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	client->readable.data = client->writable.data = client;
	TAILQ_INSERT_TAIL(&uapi->clients, client, next);
	uapi->count++;
	ev_io_start(uapi->loop, &client->readable);
}

static void on_acceptable(struct ev_loop *loop, ev_io *io, int events)
{
	struct uapi *uapi = io->data;
	int fd, err = unixsock_accept(uapi->listener, &fd);

	(void)loop;
	(void)events;
	if (err == 0)
		welcome(uapi, fd);
	else if (err != -EAGAIN && err != -ECONNABORTED)
		log_warning("accepting a client of wg(8): %s", strerror(-err));
}

/* Goes on with what was waited for, or with the line that was put off. */
static void resume(struct uapi_client *client, int result)
{
	client->waiting = false;
	if (!client->busy && result < 0)
		finish(client, result);
	client->busy = false;
	proceed(client);
}

void uapi_resume(struct uapi *uapi, int result)
{
	struct uapi_client *client, *following;

	for (client = TAILQ_FIRST(&uapi->clients); client; client = following) {
		following = TAILQ_NEXT(client, next);
		if (client->waiting)
			resume(client, result);
	}
}

void uapi_retry(struct uapi *uapi)
{
	struct uapi_client *client, *following;

	for (client = TAILQ_FIRST(&uapi->clients); client; client = following) {
		following = TAILQ_NEXT(client, next);
		if (client->busy)
			resume(client, 0);
	}
}

void uapi_init(struct uapi *uapi, struct ev_loop *loop)
{
	*uapi = (struct uapi){.loop = loop, .listener = -1};
	TAILQ_INIT(&uapi->clients);
}

void uapi_listen(struct uapi *uapi, int fd)
{
	if (uapi->listener >= 0) {
		ev_io_stop(uapi->loop, &uapi->accept);
		close(uapi->listener);
	}
	uapi->listener = fd;
	ev_io_init(&uapi->accept, on_acceptable, fd, EV_READ);
	uapi->accept.data = uapi;
	if (uapi->ops)
		ev_io_start(uapi->loop, &uapi->accept);
}

void uapi_serve(struct uapi *uapi, const struct uapi_ops *ops, void *owner)
{
	uapi->ops = ops;
	uapi->owner = owner;
	if (uapi->listener >= 0)
		ev_io_start(uapi->loop, &uapi->accept);
}

void uapi_close(struct uapi *uapi)
{
	while (!TAILQ_EMPTY(&uapi->clients))
		client_free(TAILQ_FIRST(&uapi->clients));
	if (uapi->listener < 0)
		return;
	ev_io_stop(uapi->loop, &uapi->accept);
	close(uapi->listener);
	uapi->listener = -1;
}
