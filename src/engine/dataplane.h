/* SPDX-License-Identifier: ISC */
/*
 * The data plane: all data workers, the transports, and what the main thread does with them. The
 * main thread changes what belongs to a worker by dataplane_call(), and what workers look at by
 * publishing it anew (dataplane_publish()); a worker tells the main thread what concerns it by
 * records in its lane and in the shared inbox. Main thread, where nothing else is said.
 */
#ifndef TUND_ENGINE_DATAPLANE_H
#define TUND_ENGINE_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/epoch.h>
#include <tund/config/config.h>

#include "data_worker.h"

struct node;

/* What the role publishes for its workers begins with this. */
struct view_head {
	void (*free)(void *view);
	struct retired retired;
};

/* Upward. */
struct dataplane_ops {
	/* Workers have something to say: the node's lanes first. True: more is left. */
	bool (*drain)(void *owner);
	void (*transport)(void *owner, enum transport_event event, const struct path *path);
	void (*denied)(void *owner, struct engine_denied *denied);
};

struct dataplane {
	struct data_shared shared;
	struct transports transports;
	unsigned count;
	struct data_worker *workers[CONFIG_WORKERS_MAX];
	unsigned tun_count; /* queues that have been handed over */
	const struct dataplane_ops *ops;
	void *owner;
};

/* Inbox and transports; `table` as in transport_table. 0 or -ENOMEM, to be cleared, too. */
int dataplane_init(struct dataplane *plane, struct ev_loop *loop,
		   const struct transport_ops *const *table, const struct dataplane_ops *ops,
		   void *owner);

/* Makes `count` (1..CONFIG_WORKERS_MAX) workers and starts their threads, which wait for calls. To be
 * called before the sandbox's filter closes. 0 or -errno. */
int dataplane_start(struct dataplane *plane, unsigned count, const struct tun_ops *tun);

/* Ends and joins the threads. What they own is freed by dataplane_clear(). */
void dataplane_stop(struct dataplane *plane);
void dataplane_clear(struct dataplane *plane);

/* Whose packets they are; before dataplane_go(). */
void dataplane_set_role(struct dataplane *plane, const struct packet_ops *packets, void *role);

/* The node is there: workers receive from now on, and read the TUN unless that waits. */
void dataplane_go(struct dataplane *plane, struct node *node, bool tun_waits);

/* Runs a task in every worker's thread, one after another; its owner is the struct data_worker. */
void dataplane_call(struct dataplane *plane, worker_task *task, void *arg);

/* A TUN queue for the next worker. -EBADMSG: each has one; then `given->fd` is closed. */
int dataplane_add_tun(struct dataplane *plane, const struct tun_given *given);
/* The device was deleted. */
void dataplane_drop_tun(struct dataplane *plane);
void dataplane_read_tun(struct dataplane *plane, bool reading);

/* Puts a view of the role's state in the place of the one before, which is freed when no worker can
 * see it any more. Consumes `view`. */
void dataplane_publish(struct dataplane *plane, struct epoch *epoch, struct view_head *view);
/* What is in force. */
void *dataplane_view(const struct dataplane *plane);
/* The end: frees the view in force. */
void dataplane_unpublish(struct dataplane *plane);

/* Packets of all workers that ended for this reason; failed writes to the TUN. Any thread. */
uint64_t dataplane_count(const struct dataplane *plane, enum reason reason);
uint64_t dataplane_tun_errors(const struct dataplane *plane);

#endif
