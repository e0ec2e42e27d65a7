/* SPDX-License-Identifier: ISC */
/* The engine program: started by the parent with a channel on descriptor 3 and nothing else. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/aead.h>
#include <tund/crypto/random.h>
#include <tund/ipc/command.h>
#include <tund/sys/channel.h>
#include <tund/sys/log.h>
#include <tund/sys/privilege.h>
#include <tund/sys/sandbox.h>

#include "from_parent.h"
#include "main_thread.h"

/* The workers' threads are there before the filter, which then holds for them as well. */
static int confine(struct engine *engine, unsigned workers)
{
	struct sandbox_user user;
	char why[WHY_MAX];

	int err;

	if (privilege_find_user(PRIVILEGE_USER, &user, why) < 0 ||
	    sandbox_drop(SANDBOX_ENGINE, &user, why) < 0) {
		log_error("%s", why);
		return -EPERM;
	}
	err = dataplane_start(&engine->plane, workers, &tun_kernel);
	if (err < 0) {
		log_error("starting %u workers: %s", workers, strerror(-err));
		return err;
	}
	if (sandbox_filter(SANDBOX_ENGINE, why) < 0) {
		log_error("%s", why);
		return -EPERM;
	}
	return 0;
}

/* Nothing foreign has been read when the sandbox closes: what start-up brings comes from the
 * parent, and descriptors need no file system. */
static int prepare(struct engine *engine, unsigned workers)
{
	int err = crypto_init();

	if (err < 0) {
		log_error("the cryptographic self-test failed: %s", strerror(-err));
		return err;
	}
	(void)aead_thread_start(); /* without it packets are slower, and that is all */
#ifdef TUND_BENCHMARK_NULL_AEAD
	log_warning("built with --enable-benchmark-null-aead: packets and handshakes are NOT "
		    "ENCRYPTED; use it for benchmarks only");
#endif
	engine->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	engine->message = malloc(CHANNEL_BODY_MAX);
	if (!engine->loop || !engine->message)
		return -ENOMEM;
	err = main_thread_init(engine, transport_table);
	return err < 0 ? err : confine(engine, workers);
}

/* The parent says how many. */
static unsigned workers_wanted(int argc, char **argv)
{
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;

	return n < 1 ? 1 : n > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (unsigned)n;
}

/* engine NAME WORKERS */
int main(int argc, char **argv)
{
	static struct engine engine;
	int err;

	signal(SIGPIPE, SIG_IGN);
	/* Ctrl-C in the parent's terminal reaches all of the group: the parent decides when. */
	signal(SIGINT, SIG_IGN);
	log_init("engine");
	if (prepare(&engine, workers_wanted(argc, argv)) < 0)
		return EXIT_SYSTEM;
	err = from_parent_start(&engine, CHILD_CHANNEL_FD);
	if (err < 0) {
		log_error("start-up: %s", strerror(-err));
		return EXIT_SYSTEM;
	}
	ev_run(engine.loop, 0);
	main_thread_clear(&engine);
	free(engine.message);
	ev_loop_destroy(engine.loop);
	return EXIT_DONE;
}
