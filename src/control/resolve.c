/* SPDX-License-Identifier: ISC */
/* Name resolution off the loop. */
#include "resolve.h"

#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#define HOST_MAX 256
#define STACK_SIZE (512 * 1024)

/* What the thread works on: its own until it signals `done`. */
struct resolve_job {
	pthread_t thread;
	char host[HOST_MAX];
	uint16_t port;
	int error; /* of getaddrinfo(3) */
	struct control_endpoints endpoints;
	struct ev_loop *loop;
	ev_async *done;
};

static void collect(const struct addrinfo *list, struct resolve_job *job)
{
	struct control_endpoints *out = &job->endpoints;

	for (const struct addrinfo *ai = list; ai && out->count < ENDPOINTS_MAX; ai = ai->ai_next) {
		struct endpoint *e = &out->endpoint[out->count];

		if (endpoint_from_sockaddr(ai->ai_addr, e) == 0) {
			e->port = job->port;
			out->count++;
		}
	}
}

static void *lookup(void *arg)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
	struct resolve_job *job = arg;
	struct addrinfo *list = NULL;

	job->error = getaddrinfo(job->host, NULL, &hints, &list);
	if (!job->error) {
		collect(list, job);
		freeaddrinfo(list);
	}
	ev_async_send(job->loop, job->done);
	return NULL;
}

static void repeat_later(struct resolver *r)
{
	ev_timer_set(&r->timer, r->delay_s, 0.);
	ev_timer_start(r->loop, &r->timer);
	r->delay_s *= 2;
	if (r->delay_s > RESOLVE_DELAY_MAX_S)
		r->delay_s = RESOLVE_DELAY_MAX_S;
}

static int start_thread(struct resolve_job *job)
{
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	r = pthread_create(&job->thread, &attr, lookup, job);
	pthread_attr_destroy(&attr);
	return r;
}

static void start_job(struct resolver *r)
{
	struct resolve_job *job = calloc(1, sizeof *job);

	if (!job || strlen(r->host) >= sizeof job->host)
		goto fail;
	strcpy(job->host, r->host); /* fits: just measured */
	job->port = r->port;
	job->loop = r->loop;
	job->done = &r->done;
	if (start_thread(job))
		goto fail;
	r->job = job;
	r->outdated = false;
	return;
fail:
	free(job);
	repeat_later(r);
}

static void start(struct resolver *r)
{
	struct control_endpoints one = {.count = 1};

	ev_timer_stop(r->loop, &r->timer);
	if (ip_addr_parse(r->host, &one.endpoint[0].addr) == 0) {
		one.endpoint[0].port = r->port;
		r->found(r->ctx, &one);
	} else if (r->job) {
		r->outdated = true;
	} else {
		start_job(r);
	}
}

static void job_done(struct ev_loop *loop, ev_async *w, int events)
{
	struct resolver *r = w->data;
	struct resolve_job *job = r->job;

	(void)loop, (void)events;
	if (!job)
		return;
	pthread_join(job->thread, NULL);
	r->job = NULL;
	if (r->outdated) {
		start(r);
	} else if (job->endpoints.count == 0) {
		log_warning("cannot resolve the edge's name %s: %s; trying again in %.0f s",
			    job->host, job->error ? gai_strerror(job->error) : "no address",
			    r->delay_s);
		repeat_later(r);
	} else {
		r->found(r->ctx, &job->endpoints);
	}
	free(job);
}

static void timer_fired(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)events;
	start(w->data);
}

void resolver_init(struct resolver *r, struct ev_loop *loop,
		   void (*found)(void *ctx, const struct control_endpoints *endpoints), void *ctx)
{
	*r = (struct resolver){
		.loop = loop, .delay_s = RESOLVE_DELAY_MIN_S, .found = found, .ctx = ctx};
	ev_async_init(&r->done, job_done);
	ev_timer_init(&r->timer, timer_fired, 0., 0.);
	r->done.data = r;
	r->timer.data = r;
	ev_async_start(loop, &r->done);
	ev_unref(loop); /* waiting for nothing is no reason to run */
}

void resolver_ask(struct resolver *r, const char *host, uint16_t port)
{
	r->host = host;
	r->port = port;
	r->delay_s = RESOLVE_DELAY_MIN_S;
	start(r);
}

void resolver_again(struct resolver *r)
{
	if (r->host && !ev_is_active(&r->timer))
		repeat_later(r);
}

void resolver_succeeded(struct resolver *r)
{
	r->delay_s = RESOLVE_DELAY_MIN_S;
}

void resolver_stop(struct resolver *r)
{
	if (!r->loop)
		return;
	ev_timer_stop(r->loop, &r->timer);
	ev_ref(r->loop);
	ev_async_stop(r->loop, &r->done);
	r->host = NULL;
}
