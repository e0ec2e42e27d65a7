/* SPDX-License-Identifier: ISC */
/*
 * Where the edge is: its configured host as endpoints. A name is looked up by a thread of its own,
 * so that a resolver that does not answer stops nothing; failures are repeated after 1 to 30 s.
 */
#ifndef TUND_CONTROL_RESOLVE_H
#define TUND_CONTROL_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include <ev.h>

#include <tund/ipc/engine.h>

#define RESOLVE_DELAY_MIN_S 1.0
#define RESOLVE_DELAY_MAX_S 30.0

struct resolve_job;

struct resolver {
	struct ev_loop *loop;
	ev_async done;
	ev_timer timer;
	struct resolve_job *job; /* running; NULL: none */
	double delay_s;          /* before the next repetition */
	bool outdated;           /* asked again for another host while the job runs */
	const char *host;        /* borrowed: the configuration's */
	uint16_t port;
	void (*found)(void *ctx, const struct control_endpoints *endpoints);
	void *ctx;
};

void resolver_init(struct resolver *r, struct ev_loop *loop,
		   void (*found)(void *ctx, const struct control_endpoints *endpoints), void *ctx);

/* Looks `host` up now, and until it is found; `found` may be called before this returns. `host`
 * is borrowed until the next call or resolver_stop(). */
void resolver_ask(struct resolver *r, const char *host, uint16_t port);

/* Looks the same host up once more, after the delay that failures have lead to. */
void resolver_again(struct resolver *r);

/* The edge was reached: the next failure starts with the shortest delay. */
void resolver_succeeded(struct resolver *r);

/* No more calls of `found`. A running lookup is left to end with the process. */
void resolver_stop(struct resolver *r);

#endif
