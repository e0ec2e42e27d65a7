/* SPDX-License-Identifier: ISC */
/* The start, loop and end of a WireGuard interface's parent. */
#include <tund/parent/wireguard.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/privilege.h>
#include <tund/sys/unixsock.h>

#include "wireguard_state.h"

#define MEMLOCK_BYTES (256u * 1024 * 1024) /* peers and keypairs (crypto/secret.h) */
#define STOP_MS 500
/* Changes of routes are told at once, but not more often: there may be thousands a second. */
#define ROUTES_INTERVAL_NS (20 * NS_PER_MS)
/* For another one of this name whose device was just deleted to take its socket away. */
#define SOCKET_FREE_MS 2000

void wireguard_stop(struct wireguard *w, enum exit_code code)
{
	if (w->stopping)
		return;
	w->stopping = true;
	w->code = code;
	w->stop_deadline_ns = clock_now_ns() + STOP_MS * NS_PER_MS;
	child_send(&w->engine, PARENT_STOP, NULL, 0, -1);
}

static void detach(struct wireguard *w)
{
	if (w->started_fd < 0)
		return;
	if (write(w->started_fd, "s", 1) != 1)
		log_warning("nobody waits for this interface");
	close(w->started_fd);
	w->started_fd = -1;
	logger_detach(&w->logger);
}

void wireguard_ready(struct wireguard *w)
{
	log_info("interface %s is ready", w->options->interface);
	detach(w);
}

static enum exit_code watch_signals(struct wireguard *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->signals < 0) {
		log_error("signalfd: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

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

static enum exit_code start_engine(struct wireguard *w)
{
	struct parent_wireguard body = {.log_level = w->options->level};

	if (child_start(&w->engine, NULL, w->options->interface, clock_now_ns()) < 0)
		return EXIT_SYSTEM;
	child_send(&w->engine, PARENT_WIREGUARD, &body, sizeof body, -1);
	queues_hand_tun(&w->queues, &w->engine, w->options->interface, w->link.mtu);
	child_send(&w->engine, PARENT_UAPI, NULL, 0, w->sock.fd);
	child_send(&w->engine, PARENT_GO, NULL, 0, -1);
	wireguard_device_tell(w);
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
	code = watch_signals(w);
	if (!code)
		code = wireguard_device_create(w);
	if (!code)
		code = make_socket(w);
	if (!code && w->started_fd >= 0 && !w->options->keep_stderr)
		logger_open(&w->logger, "tund-wg", w->options->interface);
	return code ? code : start_engine(w);
}

static void on_signal(struct wireguard *w)
{
	struct signalfd_siginfo info;

	while (read(w->signals, &info, sizeof info) == sizeof info)
		wireguard_stop(w, EXIT_DONE);
}

static void on_link(struct wireguard *w)
{
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

static void on_socket_file(struct wireguard *w)
{
	char events[1024];

	while (read(w->sock_watch, events, sizeof events) > 0)
		continue;
	if (access(w->sock.path, F_OK) == 0 || w->stopping)
		return;
	log_info("%s was removed", w->sock.path);
	wireguard_stop(w, EXIT_DONE);
}

static void on_engine_end(struct wireguard *w)
{
	if (!child_reap(&w->engine, NULL, clock_now_ns(), w->stopping) || w->stopping)
		return;
	log_error("the engine of %s ended, and with it the interface; make and configure it again",
		  w->options->interface);
	wireguard_stop(w, EXIT_SYSTEM);
}

enum { POLL_SIGNALS, POLL_LOG, POLL_TUN, POLL_LINK, POLL_ROUTES, POLL_FILE, POLL_ENGINE,
       POLL_ENGINE_END, POLL_COUNT };

static void fill_poll(const struct wireguard *w, struct pollfd p[POLL_COUNT])
{
	bool serving = !w->stopping;

	p[POLL_SIGNALS] = (struct pollfd){w->signals, POLLIN, 0};
	p[POLL_LOG] = (struct pollfd){w->logger.pipe, POLLIN, 0};
	/* POLLERR says that the device was deleted. */
	p[POLL_TUN] = (struct pollfd){serving ? w->queues.tun[0] : -1, 0, 0};
	p[POLL_LINK] = (struct pollfd){netlink_monitor_fd(w->monitor), POLLIN, 0};
	p[POLL_ROUTES] = (struct pollfd){netlink_monitor_fd(w->routes), POLLIN, 0};
	p[POLL_FILE] = (struct pollfd){serving ? w->sock_watch : -1, POLLIN, 0};
	p[POLL_ENGINE] = (struct pollfd){w->engine.link.fd, POLLIN, 0};
	p[POLL_ENGINE_END] = (struct pollfd){w->engine.process.pidfd, POLLIN, 0};
}

static void handle(struct wireguard *w, const struct pollfd p[POLL_COUNT])
{
	if (p[POLL_LOG].revents)
		logger_drain(&w->logger);
	if (p[POLL_SIGNALS].revents)
		on_signal(w);
	if (p[POLL_TUN].revents)
		wireguard_device_look(w);
	if (p[POLL_LINK].revents)
		on_link(w);
	if (p[POLL_ROUTES].revents && netlink_monitor_drain(w->routes))
		w->routes_due_ns = w->routes_next_ns;
	if (p[POLL_FILE].revents)
		on_socket_file(w);
	if (p[POLL_ENGINE].revents)
		child_receive(&w->engine);
	if (p[POLL_ENGINE_END].revents)
		on_engine_end(w);
}

static void tell_routes(struct wireguard *w, uint64_t now_ns)
{
	if (now_ns < w->routes_due_ns)
		return;
	child_send(&w->engine, PARENT_ROUTES, NULL, 0, -1);
	w->routes_due_ns = TIME_NEVER;
	w->routes_next_ns = now_ns + ROUTES_INTERVAL_NS;
}

static void loop(struct wireguard *w)
{
	struct pollfd p[POLL_COUNT];
	uint64_t now_ns = clock_now_ns(), due_ns;

	while (!w->stopping || (w->engine.process.pid && now_ns < w->stop_deadline_ns)) {
		fill_poll(w, p);
		due_ns = w->stopping ? w->stop_deadline_ns : w->routes_due_ns;
		if (poll(p, POLL_COUNT, clock_timeout_ms(due_ns, now_ns)) < 0 && errno != EINTR)
			break;
		handle(w, p);
		now_ns = clock_now_ns();
		tell_routes(w, now_ns);
	}
}

static void finish(struct wireguard *w)
{
	child_end(&w->engine, NULL, 0);
	wireguard_device_close(w);
	/* Last: it says to the next one of this name that port and device are free. */
	wgsock_remove(&w->sock);
	logger_drain(&w->logger);
}

enum exit_code wireguard_run(const struct wireguard_options *options)
{
	struct wireguard *w = calloc(1, sizeof *w + CHANNEL_BODY_MAX);
	enum exit_code code;

	if (!w) {
		log_error("out of memory");
		return EXIT_SYSTEM;
	}
	w->options = options;
	w->started_fd = options->started_fd;
	w->signals = w->sock.fd = w->sock_watch = w->birthplace = w->netns = -1;
	w->routes_due_ns = TIME_NEVER;
	logger_none(&w->logger);
	child_init(&w->engine, "engine", &wireguard_requests, w, w->message);
	w->engine.once = true;
	queues_init(&w->queues, options->workers);
	w->engine.workers = w->queues.workers;
	code = start(w);
	if (!code) {
		loop(w);
		code = w->code;
	}
	finish(w);
	free(w);
	return code;
}
