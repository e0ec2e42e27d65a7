/* SPDX-License-Identifier: ISC */
/* A WireGuard interface: its start and end, and what its supervisor is to watch. */
#include <tund/parent/wireguard.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/parent/loader.h>
#include <tund/sys/log.h>
#include <tund/sys/privilege.h>
#include <tund/sys/unixsock.h>

#include "wireguard_device.h"
#include "wireguard_requests.h"
#include "wireguard_state.h"

#define MEMLOCK_BYTES (256u * 1024 * 1024) /* peers and keypairs (crypto/secret.h) */
/* Changes of routes are told at once, but not more often: there may be thousands a second. */
#define ROUTES_INTERVAL_NS (20 * NS_PER_MS)
/* For another one of this name whose device was just deleted to take its socket away. */
#define SOCKET_FREE_MS 2000

static void hand_options(void *owner, struct child *engine)
{
	const struct wireguard *w = owner;
	struct parent_wireguard body = {.log_level = w->options->level};

	child_send(engine, PARENT_WIREGUARD, &body, sizeof body, -1);
}

static void hand_device(void *owner, struct child *engine)
{
	const struct wireguard *w = owner;

	queues_hand_tun(&w->queues, engine, w->options->interface, w->link.mtu);
}

static void hand_socket(void *owner, struct child *engine)
{
	const struct wireguard *w = owner;

	child_send(engine, PARENT_UAPI, NULL, 0, w->sock.fd);
}

static void tell_link(void *owner, struct child *engine)
{
	(void)engine;
	wireguard_device_tell(owner);
}

static supervisor_hand *const hands[] = {hand_options, hand_device, hand_socket, NULL};

static const struct supervisor_row rows[] = {{
	.program = "engine",
	.once = true,
	.has_workers = true,
	.hand = hands,
	.started = tell_link,
	.requests = &wireguard_requests,
}};

/* POLLERR says that the device was deleted. */
static int device_fd(const void *owner)
{
	const struct wireguard *w = owner;

	return w->supervisor.stopping ? -1 : w->queues.tun[0];
}

static void on_device(void *owner)
{
	wireguard_device_look(owner);
}

static int monitor_fd(const void *owner)
{
	const struct wireguard *w = owner;

	return netlink_monitor_fd(w->monitor);
}

static void on_monitor(void *owner)
{
	struct wireguard *w = owner;
	struct netlink_event event;
	bool any = false;
	int n;

	while ((n = netlink_monitor_next(w->monitor, &event)) != 0) {
		any |= n == -ENOBUFS || (n > 0 && event.link.index == w->link.index);
		if (n < 0 && n != -ENOBUFS)
			break;
	}
	if (any)
		wireguard_device_look(w);
}

static int routes_fd(const void *owner)
{
	const struct wireguard *w = owner;

	return netlink_monitor_fd(w->routes);
}

static void on_routes(void *owner)
{
	struct wireguard *w = owner;

	if (netlink_monitor_drain(w->routes))
		w->routes_due_ns = w->routes_next_ns;
}

static uint64_t routes_due_ns(const void *owner)
{
	const struct wireguard *w = owner;

	return w->routes_due_ns;
}

static void tell_routes(void *owner, uint64_t now_ns)
{
	struct wireguard *w = owner;

	wireguard_send(w, PARENT_ROUTES, NULL, 0, -1);
	w->routes_due_ns = TIME_NEVER;
	w->routes_next_ns = now_ns + ROUTES_INTERVAL_NS;
}

static int socket_file_fd(const void *owner)
{
	const struct wireguard *w = owner;

	return w->supervisor.stopping ? -1 : w->sock_watch;
}

static void on_socket_file(void *owner)
{
	struct wireguard *w = owner;
	char events[1024];

	while (read(w->sock_watch, events, sizeof events) > 0)
		continue;
	if (access(w->sock.path, F_OK) == 0 || w->supervisor.stopping)
		return;
	log_info("%s was removed", w->sock.path);
	supervisor_stop(&w->supervisor, EXIT_DONE);
}

static void on_engine_ended(void *owner, struct child *engine)
{
	const struct wireguard *w = owner;

	(void)engine;
	log_error("the engine of %s ended, and with it the interface; make and configure it again",
		  w->options->interface);
}

static const struct supervisor_watch watches[] = {
	{device_fd, 0, on_device},
	{monitor_fd, POLLIN, on_monitor},
	{routes_fd, POLLIN, on_routes},
	{socket_file_fd, POLLIN, on_socket_file},
};

static const struct supervisor_timer timers[] = {{routes_due_ns, tell_routes}};

static const struct supervisor_plan plan = {
	.row = rows,
	.row_count = sizeof rows / sizeof *rows,
	.watch = watches,
	.watch_count = sizeof watches / sizeof *watches,
	.timer = timers,
	.timer_count = sizeof timers / sizeof *timers,
	.ended = on_engine_ended,
};

static enum exit_code make_socket(struct wireguard *w)
{
	int err = wgsock_listen(w->options->interface, SOCKET_FREE_MS, &w->sock);

	if (err == 0)
		err = unixsock_watch(w->sock.path, &w->sock_watch);
	if (err < 0) {
		log_error("cannot listen on %s/%s.sock: %s%s", WGSOCK_DIR, w->options->interface,
			  strerror(-err),
			  err == -EADDRINUSE ? "; another process serves an interface of this name"
					     : "");
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

static enum exit_code start(struct wireguard *w)
{
	char why[WHY_MAX];
	enum exit_code code;

	if (privilege_check(why)) {
		log_error("%s", why);
		return EXIT_SYSTEM;
	}
	if (privilege_find_user(PRIVILEGE_USER, &w->user, why)) {
		log_error("%s", why);
		return EXIT_BAD_CONFIG;
	}
	privilege_raise_memlock(MEMLOCK_BYTES);
	code = supervisor_watch_signals(&w->supervisor);
	if (!code)
		code = wireguard_device_create(w);
	if (!code)
		code = make_socket(w);
	if (!code && w->options->started_fd >= 0 && !w->options->keep_stderr)
		logger_open(&w->supervisor.logger, "tund-wg", w->options->interface);
	return code;
}

static void finish(struct wireguard *w)
{
	supervisor_end_children(&w->supervisor);
	wireguard_device_close(w);
	/* Last: it says to the next one of this name that port and device are free. */
	wgsock_remove(&w->sock);
	supervisor_close(&w->supervisor);
}

static struct wireguard *wireguard_new(const struct wireguard_options *options)
{
	struct child_home home = {.directory = loader_libexecdir(), .tunnel = options->interface};
	struct wireguard *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	w->options = options;
	w->sock.fd = w->sock_watch = w->birthplace = w->netns = -1;
	w->routes_due_ns = TIME_NEVER;
	supervisor_init(&w->supervisor, &plan, w, &home, options->started_fd);
	queues_init(&w->queues, options->workers);
	supervisor_set_workers(&w->supervisor, w->queues.workers);
	return w;
}

enum exit_code wireguard_run(const struct wireguard_options *options)
{
	struct wireguard *w = wireguard_new(options);
	enum exit_code code;

	if (!w) {
		log_error("out of memory");
		return EXIT_SYSTEM;
	}
	code = start(w);
	if (!code)
		code = supervisor_run(&w->supervisor);
	finish(w);
	free(w);
	return code;
}
