/* SPDX-License-Identifier: ISC */
/* What there is before the first child, and after the last. */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <tund/sys/file.h>
#include <tund/sys/log.h>

void supervisor_init(struct supervisor *s, const struct supervisor_plan *plan, void *owner,
		     const struct child_home *home, int caller)
{
	s->plan = plan;
	s->owner = owner;
	s->home = *home;
	s->signals = s->lock = -1;
	s->caller = caller;
	s->stopping = false;
	s->code = EXIT_DONE;
	logger_none(&s->logger);
	for (size_t i = 0; i < plan->row_count; i++) {
		child_init(&s->child[i], plan->row[i].program, plan->row[i].requests, owner,
			   s->message);
		s->child[i].once = plan->row[i].once;
	}
}

enum exit_code supervisor_lock(struct supervisor *s, const char *path)
{
	int err = file_lock(path, &s->lock);

	if (err == -EWOULDBLOCK) {
		log_error("%s runs already; see `tund status %s`", s->home.tunnel, s->home.tunnel);
		return EXIT_AGAIN;
	}
	if (err) {
		log_error("cannot take %s: %s", path, strerror(-err));
		return EXIT_SYSTEM;
	}
	/* For `tund down`, should the children no longer answer. */
	if (ftruncate(s->lock, 0) == 0)
		dprintf(s->lock, "%d\n", (int)getpid());
	return EXIT_DONE;
}

enum exit_code supervisor_watch_signals(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (s->plan->hangup)
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0) {
		log_error("signalfd: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void supervisor_leave_caller(struct supervisor *s)
{
	logger_detach(&s->logger);
	close_fd(&s->caller);
}

void supervisor_tell_caller(struct supervisor *s)
{
	if (s->caller >= 0 && write(s->caller, "s", 1) != 1)
		supervisor_leave_caller(s);
}

void supervisor_set_workers(struct supervisor *s, uint32_t workers)
{
	for (size_t i = 0; i < s->plan->row_count; i++)
		s->child[i].workers = s->plan->row[i].has_workers ? workers : 0;
}

void supervisor_close(struct supervisor *s)
{
	logger_drain(&s->logger);
	close_fd(&s->caller);
	close_fd(&s->signals);
	close_fd(&s->lock);
}
