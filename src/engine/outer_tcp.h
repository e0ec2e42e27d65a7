/* SPDX-License-Identifier: ISC */
/*
 * TCP connections of a worker, as outer_tcp.c (what passes through them) and outer_tcp_open.c (how
 * they come to be) share them, and nobody else.
 */
#ifndef TUND_ENGINE_OUTER_TCP_H
#define TUND_ENGINE_OUTER_TCP_H

/* A table that cannot grow leaves the new connection out, it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "engine.h"

struct tcp_connection {
	uint32_t handle;
	struct worker *worker;
	struct path path;
	int fd;
	bool connecting;
	bool stranger;  /* nothing authentic has come through it yet */
	bool inside;    /* its own frames are being handled: close after that */
	bool closed;
	ev_io readable, writable;
	ev_timer limit; /* to connect, or to stop being a stranger */
	uint8_t *in, *out;
	size_t in_len, in_cap, out_pos, out_len, out_cap;
	bool is_unflushed;
	UT_hash_handle hh;
	TAILQ_ENTRY(tcp_connection) older;
	LIST_ENTRY(tcp_connection) next_unflushed;
	LIST_ENTRY(tcp_connection) next_ended;
};

/* What is in the socket, and what it has room for. */
void tcp_on_readable(struct tcp_connection *c);
void tcp_on_writable(struct tcp_connection *c);

/* The connection ended: the session forgets the path, the uplink hears of it. */
void tcp_end(struct tcp_connection *c);
/* It is not a stranger's any more. */
void tcp_forget_stranger(struct tcp_connection *c);
/* Tells the main thread. False: its inbox is full. */
bool tcp_tell(struct tcp_connection *c, enum worker_says says);
/* Closes it; `c` itself is the caller's to free. */
void tcp_shut(struct tcp_connection *c);
struct tcp_connection *tcp_find(struct tcp_table *table, uint32_t handle);

#endif
