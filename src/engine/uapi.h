/* SPDX-License-Identifier: ISC */
/*
 * The server of WireGuard's configuration protocol: a few clients at a time, none of which is
 * waited for. It cuts their bytes into lines and operations; what a line means is the business of
 * the role (struct uapi_ops). Every mistake is answered with an errno, and ends no
 * connection.
 */
#ifndef TUND_ENGINE_UAPI_H
#define TUND_ENGINE_UAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/wire/uapi.h>

struct peer;

#define UAPI_CLIENTS_MAX 64 /* one more, and who has been silent longest is cut off */

/* Results of uapi_ops.set besides 0 and -errno. */
#define UAPI_LATER 1 /* the line is being done; uapi_resume() brings its result */
#define UAPI_BUSY 2  /* not now: it is offered again at uapi_resume() */

/* An answer that grows, with secrets in it. */
struct uapi_text {
	char *data;
	size_t len, cap;
	bool failed; /* out of memory */
};

/* Which peer the lines of a "set" are about. */
struct uapi_cursor {
	enum {
		CURSOR_INTERFACE, /* no peer yet */
		CURSOR_NEW,       /* it will be made by the next line, unless that removes it */
		CURSOR_PEER,
		CURSOR_IGNORED,   /* our own key, removed, or not to be made */
	} at;
	uint8_t public_key[KEY_SIZE];
	bool keepalive; /* was switched on */
};

struct uapi_client;
TAILQ_HEAD(uapi_clients, uapi_client);

/* What the lines mean, and who says so. */
struct uapi_ops {
	/* What a client reads: appends it to `text`. */
	void (*get)(void *owner, struct uapi_text *text);
	/* One line of a "set", or NULL at its end. NULL: nothing can be set. */
	int (*set)(void *owner, uint64_t now_ns, struct uapi_client *client,
		   const struct uapi_line *line);
};

struct uapi {
	struct ev_loop *loop;
	const struct uapi_ops *ops; /* NULL until it serves */
	void *owner;
	int listener; /* -1: none */
	ev_io accept;
	struct uapi_clients clients; /* who was heard of least recently comes first */
	unsigned count;
};

void uapi_init(struct uapi *uapi, struct ev_loop *loop);
void uapi_close(struct uapi *uapi);

/* Takes over a listening Unix socket, in the place of the one before. */
void uapi_listen(struct uapi *uapi, int fd);
/* Serves it, and one that comes later. `ops` and `owner` are borrowed. */
void uapi_serve(struct uapi *uapi, const struct uapi_ops *ops, void *owner);

/* Appends a line to an answer. */
void uapi_put(struct uapi_text *text, const struct uapi_line *line);
void uapi_put_number(struct uapi_text *text, enum uapi_key key, int64_t number);
/* Begins a peer: its key, endpoint, last handshake and counters. */
void uapi_put_peer(struct uapi_text *text, const struct peer *peer);
void uapi_put_prefix(struct uapi_text *text, const struct ip_prefix *prefix);
void uapi_put_address(struct uapi_text *text, const struct ip_addr *address);
void uapi_put_key(struct uapi_text *text, enum uapi_key key, const uint8_t bytes[KEY_SIZE]);

/* For uapi_ops.set: who gave the line. */
struct uapi_cursor *uapi_cursor(struct uapi_client *client);

/* What was begun (UAPI_LATER) is done, with this result; who was put off tries again. */
void uapi_resume(struct uapi *uapi, int result);
/* Who was put off tries again, and nobody else. */
void uapi_retry(struct uapi *uapi);

#endif
