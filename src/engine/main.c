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

#include "engine.h"

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
	err = workers_start(engine, workers);
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
	outer_init(engine);
	err = engine_init(engine);
	if (err < 0)
		return err;
	control_link_init(engine);
	uapi_init(engine);
	return confine(engine, workers);
}

static void finish(struct engine *engine)
{
	workers_stop(engine);
	engine_unpublish(engine);
	uapi_close(engine);
	control_link_close(engine); /* that peers are removed is no news at the end */
	if (engine->role && engine->state)
		engine->role->stop(engine);
	node_free(engine->node);
	engine->node = NULL;
	outer_close(engine);
	workers_free(engine);
	config_free(engine->config);
	free(engine->message);
	ev_loop_destroy(engine->loop);
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
	err = parent_link_start(&engine, CHILD_CHANNEL_FD);
	if (err < 0) {
		log_error("start-up: %s", strerror(-err));
		return EXIT_SYSTEM;
	}
	ev_run(engine.loop, 0);
	finish(&engine);
	return EXIT_DONE;
}
