/* SPDX-License-Identifier: ISC */
/* Data workers: their threads, batches, and what they say to the main thread. */
#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/aead.h>
#include <tund/session/lane.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/wire/peek.h>

#include "engine.h"

#define INBOX_BYTES (512 * 1024)

static void on_inbox(void *ctx, const uint8_t *record, size_t len)
{
	outer_tcp_record(ctx, record, len);
}

/* Runs what the main thread waits for, if it does. */
static void run_task(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	if (worker->task) {
		worker->task(worker, worker->arg);
		worker->task = NULL;
		pthread_cond_signal(&worker->done);
	}
	pthread_mutex_unlock(&worker->lock);
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
	struct worker *worker = wake->data;

	(void)loop;
	(void)events;
	run_task(worker);
	inbox_take(&worker->inbox, on_inbox, worker);
	outer_tcp_flush(worker);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	/* Without it the thread is slower, and that is all. */
	(void)aead_thread_start();
	ev_run(worker->loop, 0);
	aead_thread_end();
	return NULL;
}

/* Signals are the main thread's. */
static int start_thread(struct worker *worker)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker->running = err == 0;
	return -err;
}

static int worker_new(struct engine *engine, unsigned number, struct worker **out)
{
	struct worker *worker = aligned_alloc(64, (sizeof *worker + 63) / 64 * 64);
	int err;

	if (!worker)
		return -ENOMEM;
	memset(worker, 0, sizeof *worker);
	*out = worker;
	worker->engine = engine;
	worker->number = number;
	worker->tun.fd = -1;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->done, NULL);
	worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!worker->loop)
		return -ENOMEM;
	err = inbox_init(&worker->inbox, worker->loop, INBOX_BYTES, on_wake);
	worker->inbox.wake.data = worker;
	if (err == 0)
		err = egress_init(&worker->egress);
	if (err == 0)
		err = tun_port_init(worker);
	if (err == 0)
		err = outer_worker_init(worker);
	return err < 0 ? err : start_thread(worker);
}

int workers_start(struct engine *engine, unsigned count)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < count; i++)
		err = worker_new(engine, engine->worker_count++, &engine->workers[i]);
	return err;
}

static void leave_loop(struct worker *worker, void *arg)
{
	(void)arg;
	ev_break(worker->loop, EVBREAK_ALL);
}

void workers_stop(struct engine *engine)
{
	for (unsigned i = 0; i < engine->worker_count; i++) {
		struct worker *worker = engine->workers[i];

		if (!worker || !worker->running)
			continue;
		worker_call(worker, leave_loop, NULL);
		pthread_join(worker->thread, NULL);
		worker->running = false;
	}
}

static void worker_free(struct worker *worker)
{
	outer_worker_clear(worker);
	tun_port_clear(worker);
	egress_clear(&worker->egress);
	inbox_clear(&worker->inbox);
	if (worker->loop)
		ev_loop_destroy(worker->loop);
	pthread_cond_destroy(&worker->done);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}

void workers_free(struct engine *engine)
{
	for (unsigned i = 0; i < engine->worker_count; i++) {
		if (engine->workers[i])
			worker_free(engine->workers[i]);
	}
	engine->worker_count = 0;
}

void worker_call(struct worker *worker, worker_task *task, void *arg)
{
	pthread_mutex_lock(&worker->lock);
	worker->task = task;
	worker->arg = arg;
	ev_async_send(worker->loop, &worker->inbox.wake);
	while (worker->task)
		pthread_cond_wait(&worker->done, &worker->lock);
	pthread_mutex_unlock(&worker->lock);
}

void workers_call(struct engine *engine, worker_task *task, void *arg)
{
	for (unsigned i = 0; i < engine->worker_count; i++)
		worker_call(engine->workers[i], task, arg);
}

uint64_t worker_begin(struct worker *worker)
{
	lane_enter(worker->lane);
	worker->view = atomic_load_explicit(&worker->engine->view, memory_order_acquire);
	return clock_now_ns();
}

void worker_end(struct worker *worker)
{
	tun_port_flush(worker);
	egress_flush(worker);
	outer_tcp_flush(worker);
	lane_leave(worker->lane);
	if (lane_posted(worker->lane))
		ev_async_send(worker->engine->loop, &worker->engine->inbox.wake);
}

/* The packet of a message: what its flags say of it, and of a frame the segment size in front.
 * -EBADMSG: it is not what it says it is. */
static int unwrap(const struct engine *engine, const struct received *r, struct inner_bytes *out)
{
	*out = (struct inner_bytes){.data = r->packet, .len = r->len};
	out->partial_checksum = (r->flags & DATA_FLAG_CSUM) != 0;
	if (!(r->flags & DATA_FLAG_GSO))
		return 0;
	if (r->len < GSO_PREFIX)
		return -EBADMSG;
	out->data += GSO_PREFIX;
	out->len -= GSO_PREFIX;
	if (!out->partial_checksum)
		return -EBADMSG;
	return gso_of_frame(r->packet, out->data, &out->len, engine->frame_mtu, &out->gso);
}

bool worker_receive(struct worker *worker, uint64_t now_ns, const struct path *from, uint8_t *msg,
		    size_t len, bool congested)
{
	const struct engine *engine = worker->engine;
	struct inner_bytes packet;
	struct received r = {0};
	struct peek o;

	if (lane_receive(worker->lane, now_ns, from, msg, len, &r) != RECEIVED_PACKET)
		return r.peer && !r.unnoticed;
	if (unwrap(engine, &r, &packet) < 0) {
		worker_count(worker, REASON_BAD_FRAME);
		return !r.unnoticed;
	}
	if (congested && peek_read(packet.data, packet.len, &o) == 0)
		peek_set_congested(packet.data, &o);
	engine->role->from_session(worker, now_ns, r.peer, &packet);
	return !r.unnoticed;
}

bool worker_tell(struct worker *worker, const struct worker_record *record)
{
	return inbox_post(&worker->engine->inbox, record, sizeof *record, NULL, 0, 0);
}

uint64_t workers_counter(const struct engine *engine, enum reason reason)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < engine->worker_count; i++)
		sum += atomic_load_explicit(&engine->workers[i]->counters[reason],
					    memory_order_relaxed);
	return sum;
}
