/* SPDX-License-Identifier: ISC */
/* The new configuration in the place of the old one, everywhere, or nowhere. */
#include "parent_reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "parent_interface.h"

_Static_assert(RELOAD_TEXT_MAX >= LOADER_TEXT_MAX, "all that the loader says");

/* Each line is a message of its own. */
static void log_lines(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		log_error("%.*s", (int)len, text);
	}
}

/* As many whole lines as there is room for; the log has them all. */
static void put_lines(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);
	const char *end;

	if (len >= size) {
		end = memrchr(text, '\n', size);
		len = end ? (size_t)(end - text) : size - 1;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static void answer(struct parent *parent, int error, const char *text)
{
	struct parent_reply reply = {.error = -error};

	if (!parent->control_awaits_reload)
		return;
	parent->control_awaits_reload = false;
	put_lines(reply.text, sizeof reply.text, text);
	parent_send(parent, CONTROL, PARENT_REPLY, &reply, sizeof reply, -1);
}

static enum reload_action ask_loader(struct parent *parent)
{
	char text[LOADER_TEXT_MAX] = "";
	int code = loader_load(parent->tunnel, &parent->fresh, text);
	int err = code == EXIT_BAD_CONFIG ? -EINVAL : -EIO;

	return reload_vote(&parent->reload, RELOAD_LOADER, code ? err : 0, text, clock_now_ns());
}

/* What the parent itself has to do must be possible. */
static enum reload_action ask_parent(struct parent *parent)
{
	const struct config *fresh = parent->fresh.config;
	const char *fixed = config_fixed_change(parent->loaded.config, fresh);
	char text[RELOAD_TEXT_MAX] = "";
	int err = 0;

	if (fixed) {
		err = -EINVAL;
		snprintf(text, sizeof text,
			 "`%s` cannot change while the tunnel runs; nothing was changed. Use "
			 "`tund down %s` and `tund up %s`",
			 fixed, parent->tunnel->name, parent->tunnel->name);
	} else if (fresh->role == ROLE_CONNECTOR) {
		err = system_check_nft(&parent->system, fresh, text, sizeof text);
	}
	return reload_vote(&parent->reload, RELOAD_PARENT, err, text, clock_now_ns());
}

/* One that does not run cannot be asked, and has nothing that would have to change. */
static enum reload_action ask_engine(struct parent *parent)
{
	struct parent_config body = {.generation = parent->generation + 1};

	if (parent->supervisor.child[ENGINE].link.fd < 0)
		return reload_vote(&parent->reload, RELOAD_ENGINE, 0, "", clock_now_ns());
	parent_send(parent, ENGINE, PARENT_CONFIG, &body, sizeof body, parent->fresh.full_fd);
	return RELOAD_WAIT;
}

static enum reload_action ask(struct parent *parent)
{
	switch (parent->reload.asked) {
	case RELOAD_LOADER:
		return ask_loader(parent);
	case RELOAD_PARENT:
		return ask_parent(parent);
	case RELOAD_ENGINE:
		return ask_engine(parent);
	case RELOAD_NOBODY:
		break;
	}
	return RELOAD_WAIT;
}

/* RELOAD_WAIT, or the beginning of the next one. */
static enum reload_action finish(struct parent *parent, int error, const char *text)
{
	if (reload_finish(&parent->reload))
		return reload_begin(&parent->reload, clock_now_ns());
	answer(parent, error, text);
	return RELOAD_WAIT;
}

static enum reload_action commit(struct parent *parent)
{
	struct parent_config body = {.generation = parent->generation + 1};
	bool silent = parent->reload.silent;

	loaded_clear(&parent->loaded);
	parent->loaded = parent->fresh;
	parent->fresh = (struct loaded){0};
	parent->generation = body.generation;
	if (silent) {
		log_error("engine has not answered for %u s: killing it",
			  (unsigned)(RELOAD_SILENCE_NS / NS_PER_SEC));
		child_kill(&parent->supervisor.child[ENGINE]);
	}
	parent_send(parent, ENGINE, PARENT_COMMIT, &body, sizeof body, -1);
	parent_send(parent, CONTROL, PARENT_CONFIG, &body, sizeof body, parent->loaded.public_fd);
	parent_reapply(parent);
	log_notice("%s: configuration reloaded", parent->tunnel->name);
	return finish(parent, 0, silent ? "reloaded; the engine did not answer and starts again"
					: "reloaded");
}

static enum reload_action refuse(struct parent *parent)
{
	char text[RELOAD_TEXT_MAX];
	int error = parent->reload.error;

	memcpy(text, parent->reload.text, sizeof text);
	loaded_clear(&parent->fresh);
	log_error("%s: reload failed, the old configuration stays", parent->tunnel->name);
	log_lines(text);
	return finish(parent, error, text);
}

static void act(struct parent *parent, enum reload_action action)
{
	while (action != RELOAD_WAIT && !parent->supervisor.stopping) {
		switch (action) {
		case RELOAD_WAIT:
			break;
		case RELOAD_ASK:
			action = ask(parent);
			break;
		case RELOAD_COMMIT:
			action = commit(parent);
			break;
		case RELOAD_REFUSE:
			action = refuse(parent);
			break;
		}
	}
}

void parent_reload(struct parent *parent, bool by_control)
{
	parent->control_awaits_reload |= by_control;
	act(parent, reload_begin(&parent->reload, clock_now_ns()));
}

void parent_reload_prepared(struct parent *parent, const struct request_prepared *said)
{
	char text[sizeof said->text];
	int error = said->error > 0 ? -said->error : 0;

	if (said->generation != parent->generation + 1)
		return;
	memcpy(text, said->text, sizeof text);
	text[sizeof text - 1] = '\0';
	act(parent, reload_vote(&parent->reload, RELOAD_ENGINE, error, text, clock_now_ns()));
}

void parent_reload_engine_ended(struct parent *parent)
{
	act(parent, reload_engine_ended(&parent->reload, clock_now_ns()));
}

void parent_reload_due(struct parent *parent, uint64_t now_ns)
{
	act(parent, reload_tick(&parent->reload, now_ns));
}
