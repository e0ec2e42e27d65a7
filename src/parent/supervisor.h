/* SPDX-License-Identifier: ISC */
/*
 * The frame of a process that keeps its privileges for others: it starts its children, hands each
 * what it needs, introduces them to each other, answers what each may ask for, starts again who
 * dies, and ends them all. What is particular is told in one plan: a row for each child, and what
 * else to wait for. Single-threaded; poll(2).
 */
#ifndef TUND_PARENT_SUPERVISOR_H
#define TUND_PARENT_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/ipc/command.h>
#include <tund/link/link.h>

#include "child.h"
#include "logger.h"

#define SUPERVISOR_CHILDREN_MAX 4
#define SUPERVISOR_WATCHES_MAX 8
#define SUPERVISOR_STOP_MS 500 /* for the children to say goodbye */

/* Sends something to a child that was just started. */
typedef void supervisor_hand(void *owner, struct child *child);

/* A child. */
struct supervisor_row {
	const char *program;
	bool once;        /* its end is the end of all */
	bool has_workers; /* is told their number as its second argument */
	supervisor_hand *const *hand; /* ends with NULL: what it gets in front of PARENT_GO, in order */
	supervisor_hand *started;     /* what it gets behind it; NULL: nothing */
	const struct dispatch_table *requests; /* what it may ask for; see child_init() */
};

/* Two rows whose children have a channel to each other: each gets an end by PARENT_SIBLING before
 * its PARENT_GO, and a new one whenever the other was started again. */
struct supervisor_pair {
	uint8_t one, other;
};

/* A descriptor to wait for; asked for anew each time, -1: not now. */
struct supervisor_watch {
	int (*fd)(const void *owner);
	short events; /* of poll(2); 0: only errors */
	void (*ready)(void *owner);
};

/* Something that has its time; no longer when the stop has begun. */
struct supervisor_timer {
	uint64_t (*due_ns)(const void *owner); /* TIME_NEVER: not now */
	void (*fire)(void *owner, uint64_t now_ns);
};

struct supervisor_plan {
	const struct supervisor_row *row; /* started in this order */
	size_t row_count;
	const struct supervisor_pair *pair;
	size_t pair_count;
	const struct supervisor_watch *watch;
	size_t watch_count;
	const struct supervisor_timer *timer;
	size_t timer_count;
	bool is_service;             /* systemd is told of the end */
	void (*hangup)(void *owner); /* SIGHUP; NULL: it is left alone */
	/* A child has ended by itself, and its end was logged. It starts again later, or all ends. NULL:
	 * nobody asks. */
	void (*ended)(void *owner, struct child *child);
};

struct supervisor {
	const struct supervisor_plan *plan;
	void *owner; /* is given to all functions of the plan, and is that of the children */
	struct child_home home;
	struct child child[SUPERVISOR_CHILDREN_MAX]; /* of each row */
	struct logger logger;
	int signals, lock, caller; /* descriptors; -1: none */
	bool stopping;
	uint64_t stop_deadline_ns;
	enum exit_code code; /* with which to end */
	_Alignas(8) uint8_t message[CHANNEL_BODY_MAX];
};

/*
 * Nothing runs yet. `plan` and what `home` has are borrowed; home.journal may be set later.
 * `caller`: -1, or the write end of a pipe to who waits for the start; owned from now on.
 */
void supervisor_init(struct supervisor *s, const struct supervisor_plan *plan, void *owner,
		     const struct child_home *home, int caller);

/* Takes the lock file, and writes our number into it. EXIT_DONE; EXIT_AGAIN: another has it;
 * EXIT_SYSTEM; after one message. It is held until supervisor_close(). */
enum exit_code supervisor_lock(struct supervisor *s, const char *path);

/* Blocks SIGTERM, SIGINT and, with plan->hangup, SIGHUP, for the loop to read. EXIT_DONE, or
 * EXIT_SYSTEM after one message. */
enum exit_code supervisor_watch_signals(struct supervisor *s);

/* Tells the caller that the start is over; its terminal goes on to get messages until it hangs up. */
void supervisor_tell_caller(struct supervisor *s);

/* Lets go of the caller and its terminal. */
void supervisor_leave_caller(struct supervisor *s);

/* How many workers the rows with `has_workers` are told of from now on. */
void supervisor_set_workers(struct supervisor *s, uint32_t workers);

/* Starts the children and serves until the end. The exit code that supervisor_stop() was given. */
enum exit_code supervisor_run(struct supervisor *s);

/* Begins the end: the children are told, and the loop waits SUPERVISOR_STOP_MS at most for theirs.
 * Of several exit codes the first is it. */
void supervisor_stop(struct supervisor *s, enum exit_code code);

/* Kills what still runs. */
void supervisor_end_children(struct supervisor *s);

/* Hands on the last messages and closes all, the lock too. */
void supervisor_close(struct supervisor *s);

#endif
