/* SPDX-License-Identifier: ISC */
/* The parent's start, its loop, and its end. */
#include <tund/parent/parent.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <tund/parent/undo.h>
#include <tund/parent/verify.h>
#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/file.h>
#include <tund/sys/log.h>
#include <tund/sys/notify.h>
#include <tund/sys/privilege.h>

#include "requests.h"

#define MEMLOCK_BYTES (64u * 1024 * 1024) /* keypairs of an edge (crypto/secret.h) */
#define DESCRIPTORS 65536 /* as the unit file has it; a shell's soft limit is 1,024 */

void parent_stop(struct parent *parent, enum exit_code code)
{
	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->code = code;
	parent->stop_deadline_ns = clock_now_ns() + PARENT_STOP_MS * NS_PER_MS;
	notify_send("STOPPING=1");
	child_send(&parent->engine, PARENT_STOP, NULL, 0, -1);
	child_send(&parent->control, PARENT_STOP, NULL, 0, -1);
}

void parent_tell_interface(struct parent *parent, bool present)
{
	struct parent_interface body = {
		.present = present,
		.up = present && parent->system.link.up,
		.mtu = parent->system.link.mtu,
	};

	child_send(&parent->engine, PARENT_INTERFACE, &body, sizeof body, -1);
}

static void hand_engine(struct parent *parent, int sibling)
{
	const struct config *config = parent->loaded.config;
	struct parent_config generation = {.generation = parent->generation};
	struct child *engine = &parent->engine;

	child_send(engine, PARENT_CONFIG, &generation, sizeof generation, parent->loaded.full_fd);
	queues_hand_tun(&parent->system.queues, engine, config->interface, parent->system.link.mtu);
	if (parent->system.uapi.fd >= 0)
		child_send(engine, PARENT_UAPI, NULL, 0, parent->system.uapi.fd);
	queues_hand_udp(&parent->system.queues, engine, 0);
	if (parent->system.tcp >= 0)
		child_send(engine, PARENT_TCP, NULL, 0, parent->system.tcp);
	if (sibling >= 0)
		child_send(engine, PARENT_SIBLING, NULL, 0, sibling);
	child_send(engine, PARENT_STATE, &parent->store.state, sizeof parent->store.state, -1);
	child_send(engine, PARENT_GO, NULL, 0, -1);
}

static void hand_control(struct parent *parent, int sibling)
{
	struct parent_config generation = {.generation = parent->generation};
	struct child *control = &parent->control;

	pace_forget(&parent->pace);
	child_send(control, PARENT_CONFIG, &generation, sizeof generation,
		   parent->loaded.public_fd);
	child_send(control, PARENT_COMMAND, NULL, 0, parent->system.command);
	if (sibling >= 0)
		child_send(control, PARENT_SIBLING, NULL, 0, sibling);
	child_send(control, PARENT_GO, NULL, 0, -1);
}

/* Starts those that are due and introduces the two to each other. */
static void start_children(struct parent *parent, uint64_t now_ns)
{
	struct child *engine = &parent->engine, *control = &parent->control;
	bool new_engine = engine->restart_ns <= now_ns, new_control = control->restart_ns <= now_ns;
	int pair[2] = {-1, -1};

	if (new_engine)
		new_engine = child_start(engine, parent->system.journal, parent->tunnel->name,
					 now_ns) == 0;
	if (new_control)
		new_control = child_start(control, parent->system.journal, parent->tunnel->name,
					  now_ns) == 0;
	if (!new_engine && !new_control)
		return;
	if (engine->link.fd >= 0 && control->link.fd >= 0 && channel_pair(pair))
		log_error("cannot create a channel between engine and control");
	if (new_engine)
		hand_engine(parent, pair[0]);
	else if (pair[0] >= 0)
		child_send(engine, PARENT_SIBLING, NULL, 0, pair[0]);
	if (new_control)
		hand_control(parent, pair[1]);
	else if (pair[1] >= 0)
		child_send(control, PARENT_SIBLING, NULL, 0, pair[1]);
	if (pair[0] >= 0) {
		close(pair[0]);
		close(pair[1]);
	}
}

static int take_configuration(struct parent *parent, struct loaded *fresh, char *text)
{
	struct parent_config body = {.generation = parent->generation + 1};
	const char *fixed = config_fixed_change(parent->loaded.config, fresh->config);

	if (fixed) {
		snprintf(text, LOADER_TEXT_MAX,
			 "`%s` cannot change while the tunnel runs; nothing was changed. Use "
			 "`tund down %s` and `tund up %s`",
			 fixed, parent->tunnel->name, parent->tunnel->name);
		loaded_clear(fresh);
		return -EINVAL;
	}
	loaded_clear(&parent->loaded);
	parent->loaded = *fresh;
	parent->generation = body.generation;
	child_send(&parent->engine, PARENT_CONFIG, &body, sizeof body, parent->loaded.full_fd);
	child_send(&parent->control, PARENT_CONFIG, &body, sizeof body, parent->loaded.public_fd);
	return 0;
}

/* What is applied must lie within the new bounds, too. */
static void reapply(struct parent *parent)
{
	struct parent_reply reply = {0};
	const struct network wanted = parent->system.wanted;

	if (parent->loaded.config->role == ROLE_CONNECTOR)
		system_forward(&parent->system, parent->loaded.config);
	if (wanted.mtu)
		system_apply_network(&parent->system, parent->loaded.config, &wanted, &reply);
}

/* What control asked for, when it is its time. */
static void apply_network(struct parent *parent, uint64_t now_ns)
{
	const struct request_network *request = pace_take(&parent->pace, now_ns);
	uint32_t mtu = parent->system.link.mtu;
	struct parent_reply reply = {0};

	if (!request)
		return;
	reply.id = request->id;
	system_apply_network(&parent->system, parent->loaded.config, &request->network, &reply);
	child_send(&parent->control, PARENT_REPLY, &reply, sizeof reply, -1);
	if (parent->system.link.mtu != mtu)
		parent_tell_interface(parent, true);
}

/* Each line of the loader's is a message of its own. */
static void log_lines(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		log_error("%.*s", (int)len, text);
	}
}

int parent_reload(struct parent *parent, char *text)
{
	struct loaded fresh;
	int err, code = loader_load(parent->tunnel, &fresh, text);

	if (code)
		err = code == EXIT_BAD_CONFIG ? -EINVAL : -EIO;
	else
		err = take_configuration(parent, &fresh, text);
	if (err) {
		log_error("%s: reload failed, the old configuration stays", parent->tunnel->name);
		log_lines(text);
		return err;
	}
	reapply(parent);
	log_notice("%s: configuration reloaded", parent->tunnel->name);
	snprintf(text, LOADER_TEXT_MAX, "reloaded");
	return 0;
}

static void on_signal(struct parent *parent)
{
	char text[LOADER_TEXT_MAX] = "";
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo != SIGHUP)
			parent_stop(parent, EXIT_DONE);
		else if (!parent->stopping)
			parent_reload(parent, text);
	}
}

static void interface_lost(struct parent *parent)
{
	log_error("interface %s was deleted by another program: stopping; start the tunnel again "
		  "with `tund up %s`",
		  parent->loaded.config->interface, parent->tunnel->name);
	parent_tell_interface(parent, false);
	parent_stop(parent, EXIT_SYSTEM);
}

/* The kernel dropped routes and IPv6 addresses when the interface went down. */
static void interface_back(struct parent *parent)
{
	parent->system.applied.route_count = 0;
	parent->system.applied.address_count = 0;
	reapply(parent);
}

static void look_at_interface(struct parent *parent)
{
	struct netlink_link link;
	bool was_up = parent->system.link.up;

	if (parent->stopping)
		return;
	if (netlink_link_get(parent->system.nl, parent->loaded.config->interface, &link) ||
	    link.index != parent->system.ifindex) {
		interface_lost(parent);
		return;
	}
	if (link.up == was_up && link.mtu == parent->system.link.mtu)
		return;
	parent->system.link = link;
	if (link.up && !was_up)
		interface_back(parent);
	else if (!link.up && was_up)
		log_warning("interface %s was set down by another program; nothing passes until "
			    "`ip link set %s up`",
			    link.name, link.name);
	parent_tell_interface(parent, true);
}

static void on_monitor(struct parent *parent)
{
	struct netlink_event event;
	bool ours = false;
	int n;

	while ((n = netlink_monitor_next(parent->system.monitor, &event)) != 0) {
		if (n == -ENOBUFS || (n > 0 && event.link.index == parent->system.ifindex))
			ours = true;
		else if (n < 0)
			break;
	}
	if (ours && parent->system.queues.tun_count > 0)
		look_at_interface(parent);
}

enum { POLL_SIGNALS, POLL_LOG, POLL_CALLER, POLL_MONITOR, POLL_ENGINE, POLL_ENGINE_END,
       POLL_CONTROL, POLL_CONTROL_END, POLL_COUNT };

static void fill_poll(const struct parent *parent, struct pollfd p[POLL_COUNT])
{
	const struct child *engine = &parent->engine, *control = &parent->control;

	p[POLL_SIGNALS] = (struct pollfd){parent->signals, POLLIN, 0};
	p[POLL_LOG] = (struct pollfd){parent->logger.pipe, POLLIN, 0};
	p[POLL_CALLER] = (struct pollfd){parent->started_fd, 0, 0};
	p[POLL_MONITOR] = (struct pollfd){netlink_monitor_fd(parent->system.monitor), POLLIN, 0};
	p[POLL_ENGINE] = (struct pollfd){engine->link.fd, POLLIN, 0};
	p[POLL_ENGINE_END] = (struct pollfd){engine->process.pidfd, POLLIN, 0};
	p[POLL_CONTROL] = (struct pollfd){control->link.fd, POLLIN, 0};
	p[POLL_CONTROL_END] = (struct pollfd){control->process.pidfd, POLLIN, 0};
}

static uint64_t next_due_ns(const struct parent *parent)
{
	uint64_t due_ns = parent->engine.restart_ns, pace_ns = pace_due(&parent->pace);

	if (parent->stopping)
		return parent->stop_deadline_ns;
	if (parent->control.restart_ns < due_ns)
		due_ns = parent->control.restart_ns;
	return pace_ns < due_ns ? pace_ns : due_ns;
}

static void let_caller_go(struct parent *parent)
{
	logger_detach(&parent->logger);
	close(parent->started_fd);
	parent->started_fd = -1;
}

static void handle_child(struct parent *parent, struct child *child, short said, short ended)
{
	if (said)
		child_receive(child);
	if (ended)
		child_reap(child, parent->system.journal, clock_now_ns(), parent->stopping);
}

static bool is_over(const struct parent *parent, uint64_t now_ns)
{
	return parent->stopping && ((!parent->engine.process.pid && !parent->control.process.pid) ||
				    now_ns >= parent->stop_deadline_ns);
}

static void loop(struct parent *parent)
{
	struct pollfd p[POLL_COUNT];
	uint64_t now_ns = clock_now_ns(), due_ns;

	while (!is_over(parent, now_ns)) {
		fill_poll(parent, p);
		due_ns = next_due_ns(parent);
		if (poll(p, POLL_COUNT, clock_timeout_ms(due_ns, now_ns)) < 0 && errno != EINTR)
			break;
		if (p[POLL_LOG].revents)
			logger_drain(&parent->logger);
		if (p[POLL_CALLER].revents)
			let_caller_go(parent);
		if (p[POLL_SIGNALS].revents)
			on_signal(parent);
		if (p[POLL_MONITOR].revents)
			on_monitor(parent);
		handle_child(parent, &parent->engine, p[POLL_ENGINE].revents,
			     p[POLL_ENGINE_END].revents);
		handle_child(parent, &parent->control, p[POLL_CONTROL].revents,
			     p[POLL_CONTROL_END].revents);
		now_ns = clock_now_ns();
		if (parent->stopping)
			continue;
		apply_network(parent, now_ns);
		start_children(parent, now_ns);
	}
}

static enum exit_code take_lock(struct parent *parent)
{
	const struct tunnel *tunnel = parent->tunnel;
	int err = file_make_dir(TUND_RUNDIR, 0755, 0, 0);

	if (!err)
		err = file_lock(tunnel->lock, &parent->lock);
	if (err == -EWOULDBLOCK) {
		log_error("%s runs already; see `tund status %s`", tunnel->name, tunnel->name);
		return EXIT_AGAIN;
	}
	if (err) {
		log_error("cannot take %s: %s", tunnel->lock, strerror(-err));
		return EXIT_SYSTEM;
	}
	/* For `tund down`, should the children no longer answer. */
	if (ftruncate(parent->lock, 0) == 0)
		dprintf(parent->lock, "%d\n", (int)getpid());
	return EXIT_DONE;
}

static enum exit_code watch_signals(struct parent *parent)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	parent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (parent->signals < 0) {
		log_error("signalfd: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

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
	parent->engine.workers = system->queues.workers;
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
	code = watch_signals(parent);
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
		child_end(&parent->engine, parent->system.journal, 0);
		child_end(&parent->control, parent->system.journal, 0);
		system_close(&parent->system);
	} else if (parent->lock >= 0) {
		undo_files(parent->tunnel);
	}
	loaded_clear(&parent->loaded);
	logger_drain(&parent->logger);
}

static struct parent *parent_new(const struct tunnel *tunnel, int started_fd)
{
	struct parent *parent = calloc(1, sizeof *parent + CHANNEL_BODY_MAX);

	if (!parent)
		return NULL;
	parent->tunnel = tunnel;
	parent->started_fd = started_fd;
	parent->lock = parent->signals = -1;
	logger_none(&parent->logger);
	child_init(&parent->engine, "engine", &requests_engine, parent, parent->message);
	child_init(&parent->control, "control", &requests_control, parent, parent->message);
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
	if (!code && parent->started_fd >= 0) {
		logger_open(&parent->logger, "tund", tunnel->name);
		if (write(parent->started_fd, "s", 1) != 1)
			let_caller_go(parent);
	}
	if (!code) {
		parent->engine.restart_ns = parent->control.restart_ns = 0;
		start_children(parent, clock_now_ns());
		loop(parent);
		code = parent->code;
	}
	finish(parent);
	free(parent);
	return code;
}
