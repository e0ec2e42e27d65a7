/* SPDX-License-Identifier: ISC */
/*
 * A data worker: one thread with a loop, a TUN queue, its parts of the transports and buffers of its
 * own. All packets pass through workers; the main thread has timers, handshakes, configuration and
 * control. A worker reads what it shares with others (sessions, the role's view) only between
 * begin and end of a batch.
 *
 *   TUN queue --> role --> egress (cut, seal) ------------> train, or in place in a connection
 *   message ---> lane (open) --> role --> tun_port (join) --> TUN queue
 *                                    `--> egress, at an edge
 */
#ifndef TUND_ENGINE_DATA_WORKER_H
#define TUND_ENGINE_DATA_WORKER_H

#include <stdatomic.h>
#include <stdint.h>

#include <tund/ipc/engine.h>
#include <tund/transport/transport.h>
#include <tund/worker/worker.h>

#include "counters.h"
#include "egress.h"
#include "packet.h"
#include "tun_port.h"

struct judge;
struct lane;

/* What a data worker says to the main thread. */
enum data_says {
	DATA_TRANSPORT, /* event, path */
	DATA_TUN_GONE,  /* the device was deleted */
	DATA_DENIED,    /* a refusal, for control */
};

struct data_record {
	enum data_says says;
	enum transport_event event;
	struct path path;
	struct engine_denied denied;
};

/* What all data workers and the main thread share; written by the main thread. */
struct data_shared {
	const struct packet_ops *packets; /* the role's */
	void *role;                       /* and what it finds itself by */
	void *_Atomic view;               /* the role's, as its workers see it */
	_Atomic uint32_t frame_mtu;       /* that a whole TSO packet's pieces must fit */
	struct inbox inbox;               /* what the workers have to say */
};

struct data_worker {
	struct worker worker;
	unsigned number;
	struct data_shared *shared;
	struct lane *lane;   /* NULL until the node is there */
	const void *view;    /* the role's, as the batch found it */
	struct judge *judge; /* of roles that judge; NULL else */
	struct tun_port tun;
	struct transport_worker transports;
	struct egress egress;
	uint64_t next_denied_ns; /* when the next refusal may be reported */
	struct counters counters;
};

/* Makes one, as the next worker of `transports`, and starts its thread, which waits for calls.
 * -errno: to be freed, too. */
int data_worker_new(unsigned number, struct data_shared *shared, struct transports *transports,
		    const struct tun_ops *tun, struct data_worker **out);

/* Its thread has ended (worker_stop()). NULL is allowed. */
void data_worker_free(struct data_worker *dw);

/* Tells the main thread. False: its inbox is full. Its thread. */
bool data_worker_tell(struct data_worker *dw, const struct data_record *record);

#endif
