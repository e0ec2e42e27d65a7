/* SPDX-License-Identifier: ISC */
/*
 * A thread with a loop of its own, that does what others ask of it between two turns of the loop: a
 * task, for which the asker waits, and records, which it leaves in the worker's inbox. What else the
 * thread does is the owner's, by watchers on the loop.
 */
#ifndef TUND_WORKER_WORKER_H
#define TUND_WORKER_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>

#include <tund/worker/inbox.h>

/* What a worker calls, in its own thread. */
struct worker_ops {
	void (*begin)(void *owner); /* the thread has started */
	void (*end)(void *owner);   /* and ends */
	void (*record)(void *owner, const uint8_t *record, size_t len);
	void (*woken)(void *owner); /* task and records are done */
};

typedef void worker_task(void *owner, void *arg);

struct worker {
	struct ev_loop *loop;
	const struct worker_ops *ops;
	void *owner;
	struct inbox inbox;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* of the task */
	pthread_cond_t done;
	worker_task *task; /* to be run for another thread; NULL: none */
	void *arg;
};

/* Loop and inbox, `room` bytes of records; the thread is worker_start()'s. -ENOMEM: to be cleared, too.
 * `ops` and `owner` are borrowed. */
int worker_init(struct worker *worker, size_t room, const struct worker_ops *ops, void *owner);

/* The thread has ended, or never began. */
void worker_clear(struct worker *worker);

/* Starts the thread, in which every signal is blocked. 0 or -errno of pthread_create(3). */
int worker_start(struct worker *worker);

/* Ends and joins the thread, if there is one. */
void worker_stop(struct worker *worker);

/* Runs `task` in the worker's thread and waits for its end. One other thread at a time. */
void worker_call(struct worker *worker, worker_task *task, void *arg);

/* Leaves a record of two parts (`body` may be of 0 bytes), unless less than `reserve` bytes of the
 * inbox would be left. False: full. Any thread. */
bool worker_post(struct worker *worker, const void *head, size_t head_len, const void *body,
		 size_t body_len, size_t reserve);

#endif
