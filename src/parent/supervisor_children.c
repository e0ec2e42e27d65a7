/* SPDX-License-Identifier: ISC */
/* The life of the children: start, introduction, requests, end. */
#include "supervisor_children.h"

#include <unistd.h>

#include <tund/ipc/parent.h>
#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/notify.h>

void supervisor_stop(struct supervisor *s, enum exit_code code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->code = code;
	s->stop_deadline_ns = clock_now_ns() + SUPERVISOR_STOP_MS * NS_PER_MS;
	if (s->plan->is_service)
		notify_send("STOPPING=1");
	for (size_t i = 0; i < s->plan->row_count; i++)
		child_send(&s->child[i], PARENT_STOP, NULL, 0, -1);
}

bool supervisor_any_runs(const struct supervisor *s)
{
	for (size_t i = 0; i < s->plan->row_count; i++)
		if (s->child[i].process.pid)
			return true;
	return false;
}

static void hand_all(struct supervisor *s, size_t row)
{
	for (supervisor_hand *const *hand = s->plan->row[row].hand; *hand; hand++)
		(*hand)(s->owner, &s->child[row]);
}

static void introduce(struct child *one, struct child *other)
{
	int ends[2];
	int err;

	if (one->link.fd < 0 || other->link.fd < 0)
		return;
	err = channel_pair(ends);
	if (err < 0) {
		log_error("cannot create a channel between %s and %s", one->program,
			  other->program);
		return;
	}
	child_send(one, PARENT_SIBLING, NULL, 0, ends[0]);
	child_send(other, PARENT_SIBLING, NULL, 0, ends[1]);
	close(ends[0]);
	close(ends[1]);
}

static void go(struct supervisor *s, size_t row)
{
	child_send(&s->child[row], PARENT_GO, NULL, 0, -1);
	if (s->plan->row[row].started)
		s->plan->row[row].started(s->owner, &s->child[row]);
}

static bool start(struct supervisor *s, size_t row, uint64_t now_ns)
{
	int err;

	if (s->child[row].restart_ns > now_ns)
		return false;
	err = child_start(&s->child[row], &s->home, now_ns);
	if (err < 0 && s->plan->row[row].once)
		supervisor_stop(s, EXIT_SYSTEM);
	return err == 0;
}

void supervisor_start_due(struct supervisor *s, uint64_t now_ns)
{
	const struct supervisor_plan *plan = s->plan;
	bool fresh[SUPERVISOR_CHILDREN_MAX] = {0};

	for (size_t i = 0; i < plan->row_count && !s->stopping; i++)
		fresh[i] = start(s, i, now_ns);
	for (size_t i = 0; i < plan->row_count; i++)
		if (fresh[i])
			hand_all(s, i);
	for (size_t i = 0; i < plan->pair_count; i++)
		if (fresh[plan->pair[i].one] || fresh[plan->pair[i].other])
			introduce(&s->child[plan->pair[i].one], &s->child[plan->pair[i].other]);
	for (size_t i = 0; i < plan->row_count; i++)
		if (fresh[i])
			go(s, i);
}

void supervisor_reap(struct supervisor *s, size_t row, uint64_t now_ns)
{
	if (!child_reap(&s->child[row], &s->home, now_ns, s->stopping) || s->stopping)
		return;
	if (s->plan->ended)
		s->plan->ended(s->owner, &s->child[row]);
	if (s->plan->row[row].once)
		supervisor_stop(s, EXIT_SYSTEM);
}

void supervisor_end_children(struct supervisor *s)
{
	for (size_t i = 0; i < s->plan->row_count; i++)
		child_end(&s->child[i], &s->home);
}
