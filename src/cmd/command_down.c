/* SPDX-License-Identifier: ISC */
/* down: stop a tunnel, or clean up after one that was killed. */
#include "command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <tund/base/time.h>
#include <tund/parent/undo.h>
#include <tund/sys/clock.h>
#include <tund/sys/file.h>
#include <tund/sys/log.h>
#include <tund/sys/privilege.h>

#include "ask.h"
#include "say.h"

#define ASK_MS 2000  /* control is alive and answers at once, or it is not */
#define STOP_MS 5000 /* 500 ms for goodbyes, and undoing */
#define KILL_MS 2000

static bool wait_gone(const struct tunnel *tunnel, unsigned timeout_ms)
{
	uint64_t deadline_ns = clock_now_ns() + timeout_ms * NS_PER_MS;

	while (tunnel_is_running(tunnel)) {
		if (clock_now_ns() >= deadline_ns)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

/* For a daemon that no longer listens to its socket. */
static bool signal_parent(const struct tunnel *tunnel, int sig, unsigned timeout_ms)
{
	pid_t pid = tunnel_parent(tunnel);

	if (pid <= 1 || (kill(pid, sig) != 0 && errno != ESRCH)) /* it may just have ended by itself */
		return false;
	return wait_gone(tunnel, timeout_ms);
}

static bool stop(const struct tunnel *tunnel)
{
	int code;

	if (ask(tunnel, "down", ASK_MS, &code) == 0 && code == EXIT_DONE &&
	    wait_gone(tunnel, STOP_MS))
		return true;
	if (signal_parent(tunnel, SIGTERM, STOP_MS))
		return true;
	say("the daemon does not end when asked: killing it");
	return signal_parent(tunnel, SIGKILL, KILL_MS);
}

/* Under the lock, so that nobody starts meanwhile. */
static int clean_up(const struct tunnel *tunnel, bool was_running)
{
	int lock, err = access(TUND_RUNDIR, F_OK) == 0 ? file_lock(tunnel->lock, &lock) : -ENOENT;
	bool found = false;

	if (!err) {
		found = undo_leftovers(tunnel);
		undo_files(tunnel);
		close(lock);
	} else if (err != -ENOENT) {
		return say_error(EXIT_SYSTEM, "cannot take %s: %s", tunnel->lock, strerror(-err));
	}
	if (!was_running)
		say(found ? "%s was not up; what it had left behind is undone" : "%s is not up",
		    tunnel->name);
	return EXIT_DONE;
}

int command_down(const struct command *command, int argc, char **argv)
{
	struct tunnel tunnel;
	char why[WHY_MAX];
	bool running;

	command_only_tunnel(command, argc, argv, &tunnel);
	log_init("");
	if (privilege_check(why))
		return say_error(EXIT_SYSTEM, "%s", why);
	running = tunnel_is_running(&tunnel);
	if (running && !stop(&tunnel))
		return say_error(EXIT_SYSTEM, "process %d holds %s and cannot be ended",
				 (int)tunnel_parent(&tunnel), tunnel.lock);
	return clean_up(&tunnel, running);
}
