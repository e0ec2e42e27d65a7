/* SPDX-License-Identifier: ISC */
/*
 * The outer sockets: an edge's bound UDP sockets and TCP listener, a client's connected ones, and
 * every TCP connection. Each has a handle, never 0, that paths carry. A UDP port is one handle for
 * all workers: bound, it has a socket for each of them (SO_REUSEPORT); else the first worker reads
 * its only socket and all may send on it. A TCP connection belongs to one worker, which its handle
 * tells; other threads reach it through that worker's inbox. The listener is the first worker's.
 */
#ifndef TUND_ENGINE_OUTER_H
#define TUND_ENGINE_OUTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <ev.h>

#include <tund/config/config.h>
#include <tund/session/path.h>
#include <tund/sys/udp.h>

struct engine;
struct tcp_connection;
struct train;
struct worker;

#define OUTER_UDP_MAX 4
#define OUTER_STRANGERS_MAX 1024 /* TCP connections of a worker that have not been authenticated */
#define OUTER_STRANGER_S 10.0    /* and how long each may take */
#define OUTER_SPARE_FDS 16       /* descriptors kept free for what the parent hands over */

/* A UDP port as the main thread has it. */
struct udp_port {
	uint32_t handle;        /* 0: free */
	struct endpoint remote; /* of a connected one */
	unsigned count;         /* sockets: 0, 1, or one for each worker */
	struct udp_socket socket[CONFIG_WORKERS_MAX];
};

/* The main thread's part. */
struct outer {
	_Atomic uint32_t last_handle;
	struct udp_port udp[OUTER_UDP_MAX];
	int more_udp[CONFIG_WORKERS_MAX]; /* the other workers' sockets of a port that is to come */
	unsigned more_udp_count;
	int fd_limit;                    /* a connection's number stays below it */
};

/* The same port as a worker has it, in the same place. */
struct udp_slot {
	uint32_t handle;          /* 0: free */
	struct endpoint remote;
	struct udp_socket socket; /* to send on; fd -1: none for now */
	ev_io io;                 /* active where this worker reads it */
	struct worker *worker;
};

struct udp_table {
	struct udp_slot slot[OUTER_UDP_MAX];
	uint8_t *datagrams; /* receive buffers */
	_Atomic uint64_t send_errors;
};

LIST_HEAD(connection_list, tcp_connection);
TAILQ_HEAD(stranger_list, tcp_connection);

struct tcp_table {
	struct tcp_connection *by_handle; /* uthash */
	int listener;                     /* the first worker's; -1: none */
	ev_io accept;
	ev_timer accept_pause;            /* after running out of descriptors */
	struct stranger_list strangers;   /* oldest first */
	uint32_t stranger_count;
	struct connection_list unflushed;
	struct connection_list ended;     /* the main thread is still to be told */
	uint8_t *scratch;                 /* a message for another worker's connection */
	_Atomic uint64_t full, strangers_dropped;
};

void outer_init(struct engine *engine);

/* Closes every UDP socket. The threads have ended. */
void outer_close(struct engine *engine);

/* Starts the watchers of the sockets that start-up brought. */
void outer_watch(struct engine *engine);

/* A worker's part. 0 or -ENOMEM. */
int outer_worker_init(struct worker *worker);
void outer_worker_clear(struct worker *worker);

/* Sends one message of the main thread's; what cannot be sent now is lost. `tos`: DSCP and ECN of a
 * datagram. */
void outer_send(struct engine *engine, const struct path *path, const uint8_t *msg, size_t len,
		uint8_t tos);

/* Takes over a bound UDP socket, at start: all of them are one port, the first is the first
 * worker's, and so on. 0 or -errno, with the descriptor closed. */
int outer_add_bound(struct engine *engine, int fd);

/* Keeps a bound UDP socket of another worker than the first until the first's comes, with which
 * outer_replace_udp() gets them all. */
void outer_keep_udp(struct engine *engine, int fd);

/* Takes over a connected UDP socket. Returns its handle; 0: no room, and it is closed. */
uint32_t outer_add_connected(struct engine *engine, int fd, const struct endpoint *remote);

/* The handle of the first UDP port: an edge's bound one. 0: none. */
uint32_t outer_first_udp(const struct engine *engine);

/*
 * A UDP port that comes and goes behind one handle, so that paths stay valid. outer_reserve_udp()
 * makes the handle (0: no room), outer_replace_udp() gives it a bound socket, and those that were
 * kept, which it owns then, in the place of the ones before; -1: none for now. 0 or -errno, with
 * the descriptors closed.
 */
uint32_t outer_reserve_udp(struct engine *engine);
int outer_replace_udp(struct engine *engine, uint32_t handle, int fd);

void outer_remove_udp(struct engine *engine, uint32_t handle);

/* Takes over the listening TCP socket, at start. */
void outer_set_listener(struct engine *engine, int fd);

/* Takes over a socket on which connect() has begun. Returns its handle, 0 when out of memory. */
uint32_t outer_add_connecting(struct engine *engine, int fd, const struct endpoint *remote);

/* A TCP connection that a peer does not use any more: it ends in a later turn of the loop. */
void outer_hang_up(struct engine *engine, uint32_t handle);

/* Ends a TCP connection; the session forgets its paths. */
void outer_close_tcp(struct engine *engine, uint32_t handle);

/* The rest is for the worker's own thread. */

/* Sends a train, with one system call where the kernel can. */
void outer_udp_send_train(struct worker *worker, const struct train *train);

/* Room for one message of `len` bytes to this connection, NULL if there is none (which is counted);
 * then either the message has been written there and is sent (len) or not (0). */
uint8_t *outer_tcp_reserve(struct worker *worker, uint32_t handle, size_t len);
void outer_tcp_commit(struct worker *worker, uint32_t handle, size_t len);

/* Hands the frames collected in this batch to the kernel. */
void outer_tcp_flush(struct worker *worker);

/* A record from the inbox: what another thread wants of a connection. */
void outer_tcp_record(struct worker *worker, const uint8_t *record, size_t len);

#endif
