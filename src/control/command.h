/* SPDX-License-Identifier: ISC */
/*
 * The command socket's server side (ipc/command.h): a bounded number of clients, each with a limit
 * of time to say what it wants. When all places are taken, the one that has been silent longest
 * gives its place up: nobody can keep others out by saying nothing.
 */
#ifndef TUND_CONTROL_COMMAND_H
#define TUND_CONTROL_COMMAND_H

#include <stddef.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/ipc/command.h>
#include <tund/ipc/parent.h>

#define COMMAND_SILENCE_S 5.0   /* until the whole request line is there */
#define COMMAND_WRITE_S 30.0    /* until a client has taken its answer */
#define COMMAND_PENDING_S 600.0 /* until the tunnel works, or the parent answers */

struct client;
struct control;

struct commands {
	struct control *control;
	int fd; /* listening; -1: none yet; owned */
	ev_io listener;
	TAILQ_HEAD(client_list, client) clients; /* the oldest first */
	unsigned count;
};

void commands_init(struct commands *commands, struct control *c);

/* Takes over a listening, non-blocking socket, instead of any before. */
void commands_open(struct commands *commands, int fd);

/* Drops all clients and closes the socket. */
void commands_close(struct commands *commands);

/* Answers those who wait for the tunnel to work. */
void commands_answer_waiting(struct commands *commands, enum exit_code code, const char *text);

/* The parent's answer to REQUEST_RELOAD or REQUEST_DOWN, for those who asked for it. */
void commands_parent_replied(struct commands *commands, const struct parent_reply *reply);

/* Answers a client and, once it has taken the answer, drops it. */
void client_answer(struct client *client, enum exit_code code, const char *text, size_t len);

#endif
