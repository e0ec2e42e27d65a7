/* SPDX-License-Identifier: ISC */
/*
 * libexec/tund/control: command socket, status, and the JSON of control frames. Started by the
 * parent with a channel to it as descriptor 3; the tunnel's name is the first argument.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include <tund/sys/log.h>
#include <tund/sys/privilege.h>
#include <tund/sys/sandbox.h>

#include "control.h"

/* The memory of an idle daemon counts: one arena also for the resolver's thread, and large blocks
 * go back to the system. */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 64 * 1024);
}

/* What opens files, before none may be opened any more. */
static void load_what_files_hold(void)
{
	json_object_seed(0);
	tzset();
}

/* Ctrl-C and a closed terminal are meant for the parent, which then tells us to stop. */
static void ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

static int enter_sandbox(void)
{
	struct sandbox_user user;
	char why[WHY_MAX];

	if (privilege_find_user(PRIVILEGE_USER, &user, why)) {
		log_error("%s", why);
		return EXIT_BAD_CONFIG;
	}
	if (sandbox_drop(SANDBOX_CONTROL, &user, why) || sandbox_filter(SANDBOX_CONTROL, why)) {
		log_error("%s", why);
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	static struct control control;
	int r;

	log_init("control");
	tune_memory();
	ignore_signals();
	load_what_files_hold();
	r = enter_sandbox(); /* whatever it needs comes through the channel */
	if (r != EXIT_DONE)
		return r;
	r = control_start(&control, argc > 1 ? argv[1] : "", CHILD_CHANNEL_FD);
	if (r)
		log_error("cannot start: %s", r == -EPIPE ? "the parent is gone" : strerror(-r));
	else
		control_run(&control);
	control_clear(&control);
	return r ? EXIT_SYSTEM : EXIT_DONE;
}
