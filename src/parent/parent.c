/* SPDX-License-Identifier: ISC */
/* A tunnel's start and end, and what its supervisor is to watch. */
#include <tund/parent/parent.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/parent/undo.h>
#include <tund/sys/file.h>
#include <tund/sys/log.h>
#include <tund/sys/privilege.h>

#include "parent_hand.h"
#include "parent_interface.h"
#include "parent_reload.h"
#include "parent_state.h"
#include "requests.h"

#define MEMLOCK_BYTES (64u * 1024 * 1024) /* keypairs of an edge (crypto/secret.h) */
#define DESCRIPTORS 65536 /* as the unit file has it; a shell's soft limit is 1,024 */

static const struct supervisor_row rows[PARENT_CHILDREN] = {
	[ENGINE] = {.program = "engine",
		    .has_workers = true,
		    .hand = parent_hand_engine,
		    .requests = &requests_engine},
	[CONTROL] = {.program = "control",
		     .hand = parent_hand_control,
		     .requests = &requests_control},
};

static const struct supervisor_pair pairs[] = {{ENGINE, CONTROL}};

static int monitor_fd(const void *owner)
{
	const struct parent *parent = owner;

	return netlink_monitor_fd(parent->system.monitor);
}

static void on_monitor(void *owner)
{
	parent_look_at_links(owner);
}

static uint64_t network_due_ns(const void *owner)
{
	const struct parent *parent = owner;

	return pace_due(&parent->pace);
}

static void on_network_due(void *owner, uint64_t now_ns)
{
	parent_apply_network(owner, now_ns);
}

static uint64_t reload_due_ns(const void *owner)
{
	const struct parent *parent = owner;

	return reload_due(&parent->reload);
}

static void on_reload_due(void *owner, uint64_t now_ns)
{
	parent_reload_due(owner, now_ns);
}

static void on_hangup(void *owner)
{
	parent_reload(owner, false);
}

static void on_ended(void *owner, struct child *child)
{
	struct parent *parent = owner;

	if (child == &parent->supervisor.child[ENGINE])
		parent_reload_engine_ended(parent);
}

static const struct supervisor_watch watches[] = {{monitor_fd, POLLIN, on_monitor}};
static const struct supervisor_timer timers[] = {{network_due_ns, on_network_due},
					       {reload_due_ns, on_reload_due}};

static const struct supervisor_plan plan = {
	.row = rows,
	.row_count = PARENT_CHILDREN,
	.pair = pairs,
	.pair_count = sizeof pairs / sizeof *pairs,
	.watch = watches,
	.watch_count = sizeof watches / sizeof *watches,
	.timer = timers,
	.timer_count = sizeof timers / sizeof *timers,
	.is_service = true,
	.hangup = on_hangup,
	.ended = on_ended,
};

static enum exit_code load_first(struct parent *parent)
{
	char text[LOADER_TEXT_MAX] = "";
	int code = loader_load(parent->tunnel, &parent->loaded, text);

	parent->generation = 1;
	if (text[0]) /* several lines, each file:line: reason; not one message of ours */
		dprintf(STDERR_FILENO, "%s\n", text);
	return (enum exit_code)code;
}

static enum exit_code set_up_system(struct parent *parent)
{
	const struct config *config = parent->loaded.config;
	struct system *system = &parent->system;
	enum exit_code code = system_open(system, parent->tunnel);

	parent->system_open = true;
	queues_init(&system->queues, config->workers);
	parent->supervisor.home.journal = system->journal;
	supervisor_set_workers(&parent->supervisor, system->queues.workers);
	if (!code && config->role == ROLE_EDGE)
		code = system_listen(system, config);
	if (!code && config->role != ROLE_EDGE)
		code = system_create_tun(system, config, parent->user.uid);
	if (!code && config->role == ROLE_CONNECTOR)
		code = system_forward(system, config);
	if (!code)
		code = system_listen_command(system);
	if (!code)
		system_listen_uapi(system, config);
	return code;
}

static enum exit_code take_lock(struct parent *parent)
{
	int err = file_make_dir(TUND_RUNDIR, 0755, 0, 0);

	if (err) {
		log_error("cannot make %s: %s", TUND_RUNDIR, strerror(-err));
		return EXIT_SYSTEM;
	}
	return supervisor_lock(&parent->supervisor, parent->tunnel->lock);
}

/* Everything that can fail for a reason the user can do something about. */
static enum exit_code start(struct parent *parent)
{
	char why[WHY_MAX];
	enum exit_code code;

	if (privilege_check(why)) {
		log_error("%s", why);
		return EXIT_SYSTEM;
	}
	code = take_lock(parent);
	if (code)
		return code;
	undo_leftovers(parent->tunnel);
	if (privilege_find_user(PRIVILEGE_USER, &parent->user, why)) {
		log_error("%s", why);
		return EXIT_BAD_CONFIG;
	}
	privilege_raise_memlock(MEMLOCK_BYTES);
	privilege_raise_descriptors(DESCRIPTORS);
	code = supervisor_watch_signals(&parent->supervisor);
	if (!code)
		code = load_first(parent);
	if (!code)
		code = set_up_system(parent);
	if (!code)
		store_load(&parent->store, parent->tunnel);
	return code;
}

static void finish(struct parent *parent)
{
	if (parent->system_open) {
		supervisor_end_children(&parent->supervisor);
		system_close(&parent->system);
	} else if (parent->supervisor.lock >= 0) {
		undo_files(parent->tunnel);
	}
	loaded_clear(&parent->fresh);
	loaded_clear(&parent->loaded);
	supervisor_close(&parent->supervisor);
}

static struct parent *parent_new(const struct tunnel *tunnel, int started_fd)
{
	struct child_home home = {.directory = loader_libexecdir(), .tunnel = tunnel->name};
	struct parent *parent = calloc(1, sizeof *parent);

	if (!parent)
		return NULL;
	parent->tunnel = tunnel;
	supervisor_init(&parent->supervisor, &plan, parent, &home, started_fd);
	return parent;
}

enum exit_code parent_run(const struct tunnel *tunnel, const struct parent_options *options)
{
	struct parent *parent = parent_new(tunnel, options->started_fd);
	enum exit_code code;

	if (!parent) {
		log_error("out of memory");
		return EXIT_SYSTEM;
	}
	code = start(parent);
	if (!code && options->started_fd >= 0) {
		logger_open(&parent->supervisor.logger, "tund", tunnel->name);
		supervisor_tell_caller(&parent->supervisor);
	}
	if (!code)
		code = supervisor_run(&parent->supervisor);
	finish(parent);
	free(parent);
	return code;
}
