/* SPDX-License-Identifier: ISC */
/*
 * The command socket's server side (ipc/command.h): a bounded number of clients, each with a limit
 * of time to say what it wants. When all places are taken, the one that has been silent longest
 * gives its place up: nobody can keep others out by saying nothing.
 */
#ifndef TUND_CONTROL_COMMAND_H
#define TUND_CONTROL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/ipc/command.h>

#define COMMAND_SILENCE_S 5.0   /* until the whole request line is there */
#define COMMAND_WRITE_S 30.0    /* until a client has taken its answer */
#define COMMAND_PENDING_S 600.0 /* until the tunnel works, or the parent answers */

struct client;

/* What a client that has asked for it waits for. */
enum client_wait {
	CLIENT_WAITS_NOT, /* for an answer of its own */
	CLIENT_WAITS,     /* until the tunnel works */
	CLIENT_WAITS_DOWN,
	CLIENT_WAITS_RELOAD,
	CLIENT_WAITS_LOG,
};

struct commands_ops {
	/* It has said what it wants, in one line without its LF: client_answer(), at once or later. */
	void (*request)(void *ctx, struct client *client, const char *line, size_t len);
	/* It is gone. */
	void (*gone)(void *ctx, const struct client *client);
};

struct commands {
	struct ev_loop *loop;
	const struct commands_ops *ops;
	void *ctx; /* of ops */
	int fd; /* listening; -1: none yet; owned */
	ev_io listener;
	TAILQ_HEAD(client_list, client) clients; /* the oldest first */
	unsigned count;
};

void commands_init(struct commands *commands, struct ev_loop *loop, const struct commands_ops *ops,
		   void *ctx);

/* Takes over a listening, non-blocking socket, instead of any before. */
void commands_open(struct commands *commands, int fd);

/* Drops all clients and closes the socket. */
void commands_close(struct commands *commands);

/* Answers those who wait for this. */
void commands_answer(struct commands *commands, enum client_wait what, enum exit_code code,
		     const char *text);

bool commands_someone_waits(const struct commands *commands, enum client_wait what);

/* Answers a client and, once it has taken the answer, drops it. */
void client_answer(struct client *client, enum exit_code code, const char *text, size_t len);

/* The same with a text that ends with NUL. */
void client_answer_text(struct client *client, enum exit_code code, const char *text);

/* It is answered with those who wait for this. */
void client_wait(struct client *client, enum client_wait what);

#endif
