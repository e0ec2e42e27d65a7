/* SPDX-License-Identifier: ISC */
/*
 * What carries outer messages: each transport is one row of a table, and nobody above knows which is
 * which. The main thread opens, closes, and sends single messages; each data worker receives, and
 * sends trains (datagrams) or writes in place into a connection (streams).
 *
 * Every socket, or port of several, has a handle, never 0, that paths carry. A connection belongs to
 * one worker, which its handle tells; other threads reach it through that worker's inbox.
 */
#ifndef TUND_TRANSPORT_TRANSPORT_H
#define TUND_TRANSPORT_TRANSPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>

#include <tund/session/path.h>
#include <tund/worker/worker.h>

#define TRANSPORTS_MAX 4
#define TRANSPORT_WORKERS_MAX 64
#define TRANSPORT_SPARE_FDS 16 /* descriptors kept free for what the parent hands over */

struct transports;
struct transport_worker;

/* Messages under way to one place: all of the same size, but the last may be shorter. */
struct train {
	struct path path;
	uint8_t tos;      /* DSCP and ECN of the outer header */
	bool closed;      /* its last message was shorter */
	uint16_t segment; /* bytes of each message */
	uint16_t count;
	uint32_t len; /* bytes in the buffer */
	uint32_t last_used;
	uint8_t *buffer;
};

/* What happened to a socket, for the main thread. */
enum transport_event {
	TRANSPORT_CONNECTED,   /* path: it is established */
	TRANSPORT_ENDED,       /* path.socket: the connection ended */
	TRANSPORT_BROKEN,      /* path.socket cannot send any more: its address or route is gone */
	TRANSPORT_SOURCE_LOST, /* path.socket no longer has path.local */
};

/* A row. Functions of the main thread have a struct transports, those of a worker's own thread a
 * struct transport_worker. NULL where a transport has no use for it. */
struct transport_ops {
	const char *name;  /* as a configuration calls it */
	const char *title; /* for people: "UDP" */
	int socket_type;   /* of socket(2), what connect() is handed */
	bool is_stream;    /* has connections: reserve() and commit(); else send_train() */
	bool whole_tso;    /* a message may be a whole TSO packet */
	/* Named counters; ended by NULL. count() sums one up over all threads. Any thread. */
	const char *const *counters;
	uint64_t (*count)(const struct transports *t, unsigned counter);

	/* Main thread. init(): 0 or -ENOMEM. clear(): the workers' threads have ended. */
	int (*init)(struct transports *t);
	void (*clear)(struct transports *t);
	/* A worker's part, before its thread begins and after it has ended. */
	int (*worker_init)(struct transport_worker *tw);
	void (*worker_clear)(struct transport_worker *tw);
	/* Takes over a bound or listening socket, at start: for a port that each worker has a socket
	 * of, the first is the first worker's. 0 or -errno, with the descriptor closed. */
	int (*listen)(struct transports *t, int fd);
	/* Takes over a connected socket, or one on which connect(2) has begun: then *ready is false,
	 * and TRANSPORT_CONNECTED is told when it is established. Its handle; 0: no room, closed. */
	uint32_t (*connect)(struct transports *t, int fd, const struct endpoint *remote,
			    bool *ready);
	void (*close)(struct transports *t, uint32_t handle);
	/* A connection that a peer does not use any more: it ends in a later turn of its loop. */
	void (*hang_up)(struct transports *t, uint32_t handle);
	/* The handle from which a peer that did not connect can be reached; 0: none. */
	uint32_t (*bound)(const struct transports *t);
	/* One message; what cannot be sent now is lost. `tos`: DSCP and ECN of a datagram. */
	void (*send)(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos);

	/* A worker's thread. watch(): begin to receive. */
	void (*watch)(struct transport_worker *tw);
	void (*send_train)(struct transport_worker *tw, const struct train *train);
	/* Room for one message of at most MESSAGE_MAX_SIZE bytes to this connection, NULL if there is
	 * none (which is counted); then either it has been written there and is sent (len) or not
	 * (0). */
	uint8_t *(*reserve)(struct transport_worker *tw, uint32_t handle, size_t len);
	void (*commit)(struct transport_worker *tw, uint32_t handle, size_t len);
	/* Hands what was committed in this batch to the kernel. */
	void (*flush)(struct transport_worker *tw);
	/* A record that transport_post() left here. */
	void (*record)(struct transport_worker *tw, const uint8_t *record, size_t len);
};

/* Upward, in a worker's thread. */
struct transport_events {
	/* Around all that one wake-up brings; begin() returns the time that all of it uses. */
	uint64_t (*begin)(void *owner);
	void (*end)(void *owner);
	/* One message from `from`, opened in place. `congested`: its IP header said so (ECN). True if
	 * it was authentic and its path is known. Between begin() and end(). */
	bool (*received)(void *owner, uint64_t now_ns, const struct path *from, uint8_t *msg,
			 size_t len, bool congested);
	/* Whether data with this receiver index belongs to a session. Between begin() and end(). */
	bool (*knows_index)(void *owner, uint32_t index);
	/* For the main thread. False: its inbox is full. */
	bool (*tell)(void *owner, enum transport_event event, const struct path *path);
};

struct transport_worker {
	struct transports *all;
	struct worker *worker;
	unsigned number;
	bool watching; /* receives; set by transport_watch() */
	const struct transport_events *events;
	void *owner;
	void *state[TRANSPORTS_MAX]; /* of each row */
};

/* The main thread's part. */
struct transports {
	const struct transport_ops *const *table;
	unsigned count;
	unsigned worker_count;
	struct transport_worker *workers[TRANSPORT_WORKERS_MAX];
	_Atomic uint32_t last_handle;
	atomic_bool one_by_one; /* no train goes to the kernel as one; may change at any time */
	int fd_limit; /* a connection's number stays below it */
	void (*tell)(void *owner, enum transport_event event, const struct path *path);
	void *owner;
	void *state[TRANSPORTS_MAX];
};

/* The transports of the product, in the order in which a client tries them; ended by NULL. */
extern const struct transport_ops *const transport_table[];

/* `table` is ended by NULL, of at most TRANSPORTS_MAX rows, and borrowed. `tell` is called in the main
 * thread, during send(). 0 or -ENOMEM, to be cleared, too. */
int transports_init(struct transports *t, const struct transport_ops *const *table,
		    void (*tell)(void *, enum transport_event, const struct path *), void *owner);
void transports_clear(struct transports *t);

/* Adds a worker's part, whose worker is there and whose thread has not begun. 0 or -ENOMEM, to be
 * removed, too. */
int transports_add_worker(struct transports *t, struct transport_worker *tw, struct worker *worker,
			  const struct transport_events *events, void *owner);
void transport_worker_clear(struct transport_worker *tw);

/* The row of a path. */
static inline const struct transport_ops *transport_of(const struct transports *t,
						       const struct path *path)
{
	return t->table[path->transport];
}

/* The row with this socket type, as a path has it; -1: none. */
int transport_by_type(const struct transports *t, int socket_type);

/* Fills in transport and socket from which a peer that did not connect can be reached. False: none. */
bool transports_bound(const struct transports *t, struct path *path);

/* Sends one message of the main thread's. */
void transports_send(struct transports *t, const struct path *path, const uint8_t *msg, size_t len,
		     uint8_t tos);

/* The transports whose messages may be whole TSO packets, as bits by their place in the table. */
uint32_t transports_whole_tso(const struct transports *t);

/* A worker begins to receive, hands over what a batch has committed, and takes a record. Its thread. */
void transport_watch(struct transport_worker *tw);
void transport_flush(struct transport_worker *tw);
void transport_record(struct transport_worker *tw, const uint8_t *record, size_t len);

/* For the rows. */

/* A new handle; a connection's says which worker it belongs to. Any thread. */
uint32_t transport_next_handle(struct transports *t, unsigned worker);
unsigned transport_owner(uint32_t handle);

/* Its place in the table. */
uint8_t transport_number(const struct transports *t, const struct transport_ops *ops);

/* Leaves a record, with `len` more bytes, for `ops`->record() of a worker. False: its inbox is full, or
 * would have less than `reserve` bytes left, or there is no such worker. Any thread. */
bool transport_post(struct transports *t, const struct transport_ops *ops, unsigned worker,
		    const void *record, size_t record_len, const uint8_t *msg, size_t len,
		    size_t reserve);

#endif
