/* SPDX-License-Identifier: ISC */
/*
 * The outer sockets: an edge's bound UDP socket and TCP listener, a client's connected ones, and
 * every TCP connection. Each has a handle, never 0 and never used twice, that paths carry.
 */
#ifndef TUND_ENGINE_OUTER_H
#define TUND_ENGINE_OUTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/session/path.h>

struct engine;
struct tcp_connection;
struct udp_port;

#define OUTER_UDP_MAX 4
#define OUTER_STRANGERS_MAX 1024 /* TCP connections that have not been authenticated */
#define OUTER_STRANGER_S 10.0    /* and how long each may take (security.md 9) */
#define OUTER_SPARE_FDS 16       /* descriptors kept free for what the parent hands over */

LIST_HEAD(connection_list, tcp_connection);
TAILQ_HEAD(stranger_list, tcp_connection);

struct outer {
	uint32_t last_handle;
	uint32_t udp_count;
	struct udp_port *udp[OUTER_UDP_MAX];
	uint8_t *datagrams;        /* receive buffers, shared by all UDP sockets */
	int listener;              /* -1: none */
	int fd_limit;              /* a connection's number stays below it */
	ev_io accept;
	ev_timer accept_pause;     /* after running out of descriptors */
	struct tcp_connection *by_handle; /* uthash */
	struct stranger_list strangers;   /* oldest first */
	uint32_t stranger_count;
	struct connection_list unflushed;
	uint64_t udp_send_errors, tcp_full, strangers_dropped;
};

void outer_init(struct engine *engine);

/* Closes every socket. */
void outer_close(struct engine *engine);

/* Starts the watchers of the sockets that start-up brought. */
void outer_watch(struct engine *engine);

/* Sends one message; what cannot be sent now is lost. `tos`: DSCP and ECN of a datagram. */
void outer_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len,
		uint8_t tos);

/* Hands the frames collected in this turn of the loop to the kernel. */
void outer_flush(struct engine *engine);

/* Takes over a UDP socket: bound (remote NULL) or connected. Returns its handle; 0: no room, and
 * the descriptor is closed. */
uint32_t outer_add_udp(struct engine *engine, int fd, const struct endpoint *remote);
/* The handle of the first UDP socket: an edge's bound one. 0: none. */
uint32_t outer_first_udp(const struct engine *engine);

/*
 * A UDP socket that comes and goes behind one handle, so that paths stay valid. outer_reserve_udp()
 * makes the handle (0: out of memory), outer_replace_udp() gives it a bound socket, which it owns
 * then, in the place of the one before; -1: none for now. 0 or -errno, with `fd` closed.
 */
uint32_t outer_reserve_udp(struct engine *engine);
int outer_replace_udp(struct engine *engine, uint32_t handle, int fd);

void outer_remove_udp(struct engine *engine, uint32_t handle);

/* Takes over a listening TCP socket. */
void outer_set_listener(struct engine *engine, int fd);

/* Takes over a socket on which connect() has begun. Returns its handle, 0 when out of memory. */
uint32_t outer_add_connecting(struct engine *engine, int fd, const struct endpoint *remote);

/* A TCP connection that a peer does not use any more: it ends in a later turn of the loop. */
void outer_hang_up(struct engine *engine, uint32_t handle);

/* Ends a TCP connection; the session forgets its paths. */
void outer_close_tcp(struct engine *engine, uint32_t handle);

#endif
