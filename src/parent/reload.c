/* SPDX-License-Identifier: ISC */
/* The order of the answers, and the time that they may take. */
#include "reload.h"

#include <errno.h>
#include <stdio.h>

static enum reload_action ask(struct reload *r, enum reload_voter voter, uint64_t now_ns)
{
	r->asked = voter;
	/* The parent itself waits for the loader, with a time of its own. */
	r->deadline_ns = voter == RELOAD_ENGINE ? now_ns + RELOAD_SILENCE_NS : TIME_NEVER;
	return RELOAD_ASK;
}

static enum reload_action decide(struct reload *r, enum reload_action action)
{
	r->asked = RELOAD_NOBODY;
	r->deadline_ns = TIME_NEVER;
	return action;
}

enum reload_action reload_begin(struct reload *r, uint64_t now_ns)
{
	if (r->is_under_way) {
		r->again = true;
		return RELOAD_WAIT;
	}
	*r = (struct reload){.is_under_way = true};
	return ask(r, RELOAD_LOADER, now_ns);
}

enum reload_action reload_vote(struct reload *r, enum reload_voter voter, int error,
			       const char *text, uint64_t now_ns)
{
	if (!r->is_under_way || r->asked != voter)
		return RELOAD_WAIT;
	if (error < 0) {
		r->error = error;
		snprintf(r->text, sizeof r->text, "%s", text);
		return decide(r, RELOAD_REFUSE);
	}
	return voter == RELOAD_ENGINE ? decide(r, RELOAD_COMMIT) : ask(r, voter + 1, now_ns);
}

enum reload_action reload_engine_ended(struct reload *r, uint64_t now_ns)
{
	return reload_vote(r, RELOAD_ENGINE, -ECHILD,
			   "the engine ended while it looked at the new configuration; it starts "
			   "again with the old one",
			   now_ns);
}

uint64_t reload_due(const struct reload *r)
{
	return r->is_under_way ? r->deadline_ns : TIME_NEVER;
}

enum reload_action reload_tick(struct reload *r, uint64_t now_ns)
{
	if (now_ns < reload_due(r))
		return RELOAD_WAIT;
	r->silent = true;
	return decide(r, RELOAD_COMMIT);
}

bool reload_finish(struct reload *r)
{
	bool again = r->again;

	*r = (struct reload){0};
	return again;
}
