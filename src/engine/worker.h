/* SPDX-License-Identifier: ISC */
/*
 * A data worker: one thread with a loop, a TUN queue, UDP sockets, TCP connections and buffers of
 * its own. All packets pass through workers; the main thread has timers, handshakes, configuration
 * and control. A worker reads what it shares with others (sessions, the role's view) only between
 * worker_begin() and worker_end(), which enclose each batch.
 *
 *   TUN queue --> role --> egress (cut, seal) ------------> UDP train or TCP frame
 *   UDP, TCP ---> lane (open) --> role --> tun_port (join) --> TUN queue
 *                                     `--> egress, at an edge
 *
 * The main thread changes what belongs to a worker by worker_call(), and what workers look at by
 * publishing it anew (engine_publish()); a worker tells the main thread what concerns it by records
 * in its lane and in the engine's inbox.
 */
#ifndef TUND_ENGINE_WORKER_H
#define TUND_ENGINE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/ipc/engine.h>
#include <tund/policy/reason.h>

#include "egress.h"
#include "inbox.h"
#include "outer.h"
#include "role.h"
#include "tun_port.h"

struct engine;
struct judge;
struct lane;

typedef void worker_task(struct worker *worker, void *arg);

struct worker {
	struct engine *engine;
	unsigned number;
	pthread_t thread;
	bool running;
	struct ev_loop *loop;
	struct inbox inbox;       /* TCP messages of other threads */
	pthread_mutex_t lock;     /* of the task */
	pthread_cond_t done;
	worker_task *task;        /* to be run for the main thread; NULL: none */
	void *arg;
	struct lane *lane;
	const void *view;         /* the role's, as worker_begin() found it */
	struct judge *judge;      /* of roles that judge; NULL else */
	struct tun_port tun;
	struct udp_table udp;
	struct tcp_table tcp;
	struct egress egress;
	uint64_t next_denied_ns;  /* when the next refusal may be reported */
	_Atomic uint64_t counters[REASON_COUNT]; /* written by this worker only */
};

/* What a worker says to the main thread. */
enum worker_says {
	WORKER_TCP_CONNECTED, /* path */
	WORKER_TCP_ENDED,     /* path.socket */
	WORKER_UDP_BROKEN,    /* path.socket cannot send any more */
	WORKER_SOURCE_LOST,   /* path.socket no longer has path.local */
	WORKER_TUN_GONE,      /* the device was deleted */
	WORKER_DENIED,        /* a refusal, for control */
};

struct worker_record {
	enum worker_says says;
	struct path path;
	struct engine_denied denied;
};

/* Makes `count` (1..CONFIG_WORKERS_MAX) workers and starts their threads, which wait for calls. To be
 * called before the sandbox's filter closes. 0 or -errno. */
int workers_start(struct engine *engine, unsigned count);

/* Ends and joins the threads. What they own is freed by workers_free(). */
void workers_stop(struct engine *engine);
void workers_free(struct engine *engine);

/* Runs `task` in the worker's thread, between two batches, and waits for its end. Main thread. */
void worker_call(struct worker *worker, worker_task *task, void *arg);
void workers_call(struct engine *engine, worker_task *task, void *arg);

/* Begins a batch; returns the time that all of it uses. */
uint64_t worker_begin(struct worker *worker);
/* Sends what the batch has left unsent, and wakes the main thread if that has something to do. */
void worker_end(struct worker *worker);

/* One data message that arrived on `from`: opened in place and handed to the role. `congested`: its
 * IP header said so (ECN). True if it was authentic and its path is known. Within a batch. */
bool worker_receive(struct worker *worker, uint64_t now_ns, const struct path *from, uint8_t *msg,
		    size_t len, bool congested);

/* Tells the main thread. False: its inbox is full. */
bool worker_tell(struct worker *worker, const struct worker_record *record);

static inline void worker_count(struct worker *worker, enum reason reason)
{
	/* Nobody else writes it: no locked instruction is needed. */
	uint64_t n = atomic_load_explicit(&worker->counters[reason], memory_order_relaxed);

	atomic_store_explicit(&worker->counters[reason], n + 1, memory_order_relaxed);
}

/* The sum over all workers. Any thread. */
uint64_t workers_counter(const struct engine *engine, enum reason reason);

#endif
