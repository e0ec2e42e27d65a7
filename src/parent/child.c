/* SPDX-License-Identifier: ISC */
/* The life of one child: start, end, delay, start again. */
#include "child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/ipc/parent.h>
#include <tund/parent/undo.h>
#include <tund/sys/channel.h>
#include <tund/sys/log.h>

#include "environ.h"
#include "journal.h"

#define HUNG_UP_MS 200
#define BURST_MAX 16 /* requests of one child, before signals and the others have their turn */

void child_kill(struct child *child)
{
	link_close(&child->link);
	if (child->process.pid)
		process_signal(&child->process, SIGKILL); /* its pidfd does the rest */
}

/* It has hung up, so it is ending, and how is worth knowing: a moment for that. */
static void on_closed(void *ctx)
{
	struct child *child = ctx;
	struct pollfd p = {.fd = child->process.pidfd, .events = POLLIN};

	if (poll(&p, 1, HUNG_UP_MS) <= 0)
		child_kill(child);
}

static void on_refused(void *ctx, const struct channel_message *message, int err)
{
	struct child *child = ctx;

	log_error("%s asked for what it may not (request %u: %s): killing it", child->program,
		  message->kind, strerror(-err));
	child_kill(child);
}

static void on_lost(void *ctx, int err)
{
	struct child *child = ctx;

	log_error("%s takes no message from the parent (%s): killing it", child->program,
		  strerror(-err));
	child_kill(child);
}

/* Nothing waits for a child: there is room for all that a working one can be told. */
static const struct link_ops ops = {.closed = on_closed, .refused = on_refused, .lost = on_lost};

void child_init(struct child *child, const char *program, const struct dispatch_table *requests,
		void *owner, uint8_t *buffer)
{
	*child = (struct child){.program = program, .process.pidfd = -1, .owner = owner};
	link_init(&child->link, &ops, requests, child, buffer);
}

uint32_t child_backoff(uint32_t last_ms, uint64_t ran_ns)
{
	if (last_ms == 0 || ran_ns >= CHILD_STABLE_NS)
		return CHILD_BACKOFF_FIRST_MS;
	return last_ms >= CHILD_BACKOFF_MAX_MS / 2 ? CHILD_BACKOFF_MAX_MS : last_ms * 2;
}

static void schedule_restart(struct child *child, uint64_t now_ns)
{
	if (child->once)
		return;
	child->backoff_ms = child_backoff(child->backoff_ms, now_ns - child->started_ns);
	child->restart_ns = now_ns + child->backoff_ms * NS_PER_MS;
}

static int spawn(struct child *child, const struct child_home *home, int theirs)
{
	char workers[12];
	const char *argv[] = {child->program, home->tunnel, child->workers ? workers : NULL, NULL};
	struct process_fd fd = {theirs, CHILD_CHANNEL_FD};
	char path[PATH_MAX];
	struct process_plan plan = {.path = path,
				    .argv = argv,
				    .envp = environ_for_children(),
				    .fd = &fd,
				    .fd_count = 1};
	int err;

	snprintf(workers, sizeof workers, "%u", child->workers);
	snprintf(path, sizeof path, "%s/%s", home->directory, child->program);
	err = process_spawn(&plan, &child->process);
	if (err)
		log_error("cannot start %s: %s%s", path, strerror(-err),
			  err == -ENOENT ? "; is tund installed completely?" : "");
	return err;
}

/* The journal is told at once, though after the fact: before it there is no number to tell, and
 * a child dies with us anyway. */
static void journal_child(struct child *child, struct journal *journal)
{
	struct change change = {.kind = CHANGE_CHILD,
				.pid = child->process.pid,
				.started = undo_process_started(child->process.pid)};

	if (journal)
		journal_add(journal, &change);
}

int child_start(struct child *child, const struct child_home *home, uint64_t now_ns)
{
	int pair[2];
	int err = channel_pair(pair);

	child->started_ns = now_ns;
	child->restart_ns = TIME_NEVER;
	if (err) {
		log_error("cannot create a channel: %s", strerror(-err));
		schedule_restart(child, now_ns);
		return err;
	}
	err = spawn(child, home, pair[1]);
	close(pair[1]);
	if (err) {
		close(pair[0]);
		child->process.pid = 0;
		schedule_restart(child, now_ns);
		return err;
	}
	link_open(&child->link, pair[0]);
	journal_child(child, home->journal);
	return 0;
}

void child_send(struct child *child, uint32_t kind, const void *body, size_t len, int fd)
{
	link_send_fd(&child->link, kind, body, len, fd);
}

void child_receive(struct child *child)
{
	link_receive(&child->link, BURST_MAX);
}

static void forget(struct child *child, const struct child_home *home, pid_t pid)
{
	if (home->journal)
		journal_drop(home->journal, CHANGE_CHILD, pid);
	link_close(&child->link);
	child->process.pid = 0;
}

/* `expected`: it was told to end. */
static void log_end(const struct child *child, pid_t pid, enum process_end end, int code,
		    bool expected)
{
	char again[48] = "";

	if (!child->once && !expected)
		snprintf(again, sizeof again, "; starting it again in %u ms", child->backoff_ms);
	if (end == PROCESS_KILLED)
		log_error("%s (pid %d) was killed by signal %d (%s)%s", child->program, (int)pid,
			  code, strsignal(code), again);
	else
		log_error("%s (pid %d) ended with status %d%s", child->program, (int)pid, code,
			  again);
}

bool child_reap(struct child *child, const struct child_home *home, uint64_t now_ns, bool expected)
{
	pid_t pid = child->process.pid;
	enum process_end end;
	int code;

	if (pid == 0 || process_reap(&child->process, &end, &code))
		return false;
	forget(child, home, pid);
	if (!expected)
		schedule_restart(child, now_ns);
	/* A crash on the way out is one, too. */
	if (!expected || (end == PROCESS_KILLED && code != SIGKILL))
		log_end(child, pid, end, code, expected);
	return true;
}

void child_end(struct child *child, const struct child_home *home)
{
	pid_t pid = child->process.pid;
	enum process_end end;
	int code;

	child->restart_ns = TIME_NEVER;
	if (pid == 0)
		return;
	if (process_wait(&child->process, 0, &end, &code)) {
		log_warning("%s (pid %d) did not end in time: killing it", child->program,
			    (int)pid);
		child_kill(child);
		process_wait(&child->process, -1, &end, &code);
	}
	forget(child, home, pid);
}
