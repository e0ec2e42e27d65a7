/* SPDX-License-Identifier: ISC */
/*
 * TCP connections of a worker. From bottom to top: tcp_connection.c (what passes through one),
 * tcp_open.c (how they come to be), tcp.c (the transport).
 */
#ifndef TUND_TRANSPORT_TCP_H
#define TUND_TRANSPORT_TCP_H

#include <sys/queue.h>

/* A table that cannot grow leaves the new connection out, it never exits. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include <tund/transport/transport.h>

struct tcp_connection {
	uint32_t handle;
	struct tcp_table *table;
	struct path path;
	int fd;
	bool connecting;
	bool stranger; /* nothing authentic has come through it yet */
	bool inside;   /* its own frames are being handled: close after that */
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

LIST_HEAD(connection_list, tcp_connection);
TAILQ_HEAD(stranger_list, tcp_connection);

struct tcp_table {
	struct transport_worker *tw;
	uint8_t number;                   /* of the transport */
	struct tcp_connection *by_handle; /* uthash */
	int listener;                     /* the first worker's; -1: none */
	ev_io accept;
	ev_timer accept_pause;          /* after running out of descriptors */
	struct stranger_list strangers; /* oldest first */
	uint32_t stranger_count;
	struct connection_list unflushed;
	struct connection_list ended; /* the main thread is still to be told */
	uint8_t *scratch;             /* a message for another worker's connection */
	_Atomic uint64_t full, strangers_dropped;
};

extern const struct transport_ops tcp_transport;

/* tcp_connection.c */

struct tcp_connection *tcp_find(struct tcp_table *table, uint32_t handle);

/* What is in the socket, and what it has room for. */
void tcp_on_readable(struct tcp_connection *c);
void tcp_on_writable(struct tcp_connection *c);

/* Room for one message in the connection's own buffer, NULL: none; then that it is there. */
uint8_t *tcp_reserve(struct tcp_connection *c, size_t len);
void tcp_commit(struct tcp_connection *c, size_t len);
/* A message of another thread's. */
void tcp_send(struct tcp_connection *c, const uint8_t *msg, size_t len);
/* Hands what was committed to the kernel, for all connections. */
void tcp_flush(struct tcp_table *table);

/* The connection ended: whose path it was hears of it. */
void tcp_end(struct tcp_connection *c);
/* Tells the main thread. False: its inbox is full. */
bool tcp_tell(struct tcp_connection *c, enum transport_event event);
/* Closes it; `c` itself is the caller's to free. */
void tcp_shut(struct tcp_connection *c);

/* tcp_open.c */

/* A socket on which connect(2) has begun. False: out of memory, and it is closed. */
bool tcp_open_connecting(struct tcp_table *table, int fd, uint32_t handle,
			 const struct endpoint *remote);
/* Accepts strangers from now on, if there is a listener. */
void tcp_open_watch(struct tcp_table *table);

#endif
