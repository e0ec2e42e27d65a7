/* SPDX-License-Identifier: ISC */
/*
 * What other threads have to say to the one that runs a loop: a bounded queue of records. Many may
 * post, the loop's thread takes. Nothing is allocated after inbox_init().
 */
#ifndef TUND_WORKER_INBOX_H
#define TUND_WORKER_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>

struct inbox {
	struct ev_loop *loop;
	ev_async wake;
	pthread_mutex_t lock;
	size_t room;             /* bytes of each buffer */
	uint8_t *posted, *taken; /* what comes in, and what is being handed out */
	size_t len;              /* posted */
};

/* `on_wake` runs in the loop's thread, with wake.data as the caller sets it. `room`: bytes of
 * records, their lengths included. -ENOMEM. */
int inbox_init(struct inbox *inbox, struct ev_loop *loop, size_t room,
	       void (*on_wake)(struct ev_loop *, ev_async *, int));
void inbox_clear(struct inbox *inbox);

/* Posts one record made of two parts, unless less than `reserve` bytes would be left, and wakes the
 * loop. False: full, nothing was posted. Any thread. */
bool inbox_post(struct inbox *inbox, const void *head, size_t head_len, const void *body,
		size_t body_len, size_t reserve);

/* Hands every record that is there to `take`. The loop's thread. */
void inbox_take(struct inbox *inbox, void (*take)(void *ctx, const uint8_t *record, size_t len),
		void *ctx);

#endif
