/* SPDX-License-Identifier: ISC */
/* A child process as its parent sees it: a program, a channel, and when to start it again. */
#ifndef TUND_PARENT_CHILD_H
#define TUND_PARENT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/time.h>
#include <tund/link/link.h>
#include <tund/sys/process.h>

#define CHILD_BACKOFF_FIRST_MS 100
#define CHILD_BACKOFF_MAX_MS 10000
#define CHILD_STABLE_NS (60 * NS_PER_SEC) /* who ran this long begins at the first delay again */

struct journal;

/* What all children of a parent have in common. All borrowed. */
struct child_home {
	const char *directory;   /* of their programs, absolute */
	const char *tunnel;      /* their first argument: its name */
	struct journal *journal; /* knows who runs; NULL: none */
};

struct child {
	const char *program;     /* file in the directory */
	uint32_t workers;        /* its second argument; 0: it has none */
	bool once;               /* it is never started again */
	struct process process;  /* pid 0, pidfd -1: does not run */
	struct link link;        /* open while it runs and has not hung up */
	void *owner; /* of the struct that the table's handlers, given the child, are for */
	uint64_t started_ns;
	uint64_t restart_ns;     /* when to start it again; TIME_NEVER: not due */
	uint32_t backoff_ms;     /* the delay of the last restart; 0: none yet */
};

/*
 * It is due for its first start at once. `requests`: what it may ask of `owner`; their handlers are
 * given the child. A message that is not in there is an attack or a bug: the child is killed.
 * `buffer`: as link_init(). All borrowed.
 */
void child_init(struct child *child, const char *program, const struct dispatch_table *requests,
		void *owner, uint8_t *buffer);

/* Starts it with its channel. -errno with one line logged: nothing runs then, and it is due again
 * later, unless it is one of once. */
int child_start(struct child *child, const struct child_home *home, uint64_t now_ns);

/* The next delay after a run of `ran_ns`: doubles up to the greatest. Pure. */
uint32_t child_backoff(uint32_t last_ms, uint64_t ran_ns);

/* Sends a message; nothing if it does not run. A child that does not read its channel is killed. */
void child_send(struct child *child, uint32_t kind, const void *body, size_t len, int fd);

/* Handles what it has said, a few messages at a time. */
void child_receive(struct child *child);

/* Ends it without a word; child_reap() follows when it has ended. Nothing if it does not run. */
void child_kill(struct child *child);

/*
 * Collects it when it has ended: logs how, closes the channel, and sets when it is due again.
 * `expected`: it was told to end; only a crash is logged, and it is not due again. False: it runs.
 */
bool child_reap(struct child *child, const struct child_home *home, uint64_t now_ns,
		bool expected);

/* Kills it and waits for its end. Nothing if it does not run. */
void child_end(struct child *child, const struct child_home *home);

#endif
