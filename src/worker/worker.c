/* SPDX-License-Identifier: ISC */
/* A thread, its loop, and what others ask of it. */
#include <tund/worker/worker.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

/* Runs what another thread waits for, if one does. */
static void run_task(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	if (worker->task) {
		worker->task(worker->owner, worker->arg);
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
	inbox_take(&worker->inbox, worker->ops->record, worker->owner);
	worker->ops->woken(worker->owner);
}

int worker_init(struct worker *worker, size_t room, const struct worker_ops *ops, void *owner)
{
	int err;

	memset(worker, 0, sizeof *worker);
	worker->ops = ops;
	worker->owner = owner;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->done, NULL);
	worker->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!worker->loop)
		return -ENOMEM;
	err = inbox_init(&worker->inbox, worker->loop, room, on_wake);
	worker->inbox.wake.data = worker;
	return err;
}

void worker_clear(struct worker *worker)
{
	if (worker->loop) {
		inbox_clear(&worker->inbox);
		ev_loop_destroy(worker->loop);
	}
	pthread_cond_destroy(&worker->done);
	pthread_mutex_destroy(&worker->lock);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	worker->ops->begin(worker->owner);
	ev_run(worker->loop, 0);
	worker->ops->end(worker->owner);
	return NULL;
}

/* Signals are the main thread's. */
int worker_start(struct worker *worker)
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

static void leave_loop(void *owner, void *arg)
{
	struct worker *worker = arg;

	(void)owner;
	ev_break(worker->loop, EVBREAK_ALL);
}

void worker_stop(struct worker *worker)
{
	if (!worker->running)
		return;
	worker_call(worker, leave_loop, worker);
	pthread_join(worker->thread, NULL);
	worker->running = false;
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

bool worker_post(struct worker *worker, const void *head, size_t head_len, const void *body,
		 size_t body_len, size_t reserve)
{
	return inbox_post(&worker->inbox, head, head_len, body, body_len, reserve);
}
