/* SPDX-License-Identifier: ISC */
/* The loop: what to wait for, and whose turn it is. */
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "supervisor_children.h"

/* What poll(2) waits for: three of our own, the plan's, and of each child two. */
enum { POLL_SIGNALS, POLL_LOG, POLL_CALLER, POLL_WATCHES };

#define POLL_CHILDREN (POLL_WATCHES + SUPERVISOR_WATCHES_MAX)
#define POLL_COUNT (POLL_CHILDREN + 2 * SUPERVISOR_CHILDREN_MAX)

static void fill_poll(const struct supervisor *s, struct pollfd p[POLL_COUNT])
{
	const struct supervisor_plan *plan = s->plan;

	for (size_t i = 0; i < POLL_COUNT; i++)
		p[i] = (struct pollfd){-1, 0, 0};
	p[POLL_SIGNALS] = (struct pollfd){s->signals, POLLIN, 0};
	p[POLL_LOG] = (struct pollfd){s->logger.pipe, POLLIN, 0};
	p[POLL_CALLER] = (struct pollfd){s->caller, 0, 0};
	for (size_t i = 0; i < plan->watch_count; i++)
		p[POLL_WATCHES + i] =
			(struct pollfd){plan->watch[i].fd(s->owner), plan->watch[i].events, 0};
	for (size_t i = 0; i < plan->row_count; i++) {
		p[POLL_CHILDREN + 2 * i] = (struct pollfd){s->child[i].link.fd, POLLIN, 0};
		p[POLL_CHILDREN + 2 * i + 1] =
			(struct pollfd){s->child[i].process.pidfd, POLLIN, 0};
	}
}

static void earlier(uint64_t *due_ns, uint64_t other_ns)
{
	if (other_ns < *due_ns)
		*due_ns = other_ns;
}

static uint64_t next_due_ns(const struct supervisor *s)
{
	uint64_t due_ns = TIME_NEVER;

	if (s->stopping)
		return s->stop_deadline_ns;
	for (size_t i = 0; i < s->plan->row_count; i++)
		earlier(&due_ns, s->child[i].restart_ns);
	for (size_t i = 0; i < s->plan->timer_count; i++)
		earlier(&due_ns, s->plan->timer[i].due_ns(s->owner));
	return due_ns;
}

static void on_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGHUP)
			supervisor_stop(s, EXIT_DONE);
		else if (!s->stopping)
			s->plan->hangup(s->owner);
	}
}

static void handle(struct supervisor *s, const struct pollfd p[POLL_COUNT])
{
	if (p[POLL_LOG].revents)
		logger_drain(&s->logger);
	if (p[POLL_CALLER].revents)
		supervisor_leave_caller(s);
	if (p[POLL_SIGNALS].revents)
		on_signals(s);
	for (size_t i = 0; i < s->plan->watch_count; i++)
		if (p[POLL_WATCHES + i].revents)
			s->plan->watch[i].ready(s->owner);
	for (size_t i = 0; i < s->plan->row_count; i++) {
		if (p[POLL_CHILDREN + 2 * i].revents)
			child_receive(&s->child[i]);
		if (p[POLL_CHILDREN + 2 * i + 1].revents)
			supervisor_reap(s, i, clock_now_ns());
	}
}

static void fire_timers(struct supervisor *s, uint64_t now_ns)
{
	for (size_t i = 0; i < s->plan->timer_count && !s->stopping; i++)
		if (s->plan->timer[i].due_ns(s->owner) <= now_ns)
			s->plan->timer[i].fire(s->owner, now_ns);
}

static bool is_over(const struct supervisor *s, uint64_t now_ns)
{
	return s->stopping && (!supervisor_any_runs(s) || now_ns >= s->stop_deadline_ns);
}

enum exit_code supervisor_run(struct supervisor *s)
{
	struct pollfd p[POLL_COUNT];
	uint64_t now_ns = clock_now_ns();

	supervisor_start_due(s, now_ns);
	while (!is_over(s, now_ns)) {
		fill_poll(s, p);
		if (poll(p, POLL_COUNT, clock_timeout_ms(next_due_ns(s), now_ns)) < 0 &&
		    errno != EINTR)
			break;
		handle(s, p);
		now_ns = clock_now_ns();
		fire_timers(s, now_ns);
		if (!s->stopping)
			supervisor_start_due(s, now_ns);
	}
	return s->code;
}
