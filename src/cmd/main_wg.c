/* SPDX-License-Identifier: ISC */
/* tund-wg: a WireGuard interface in user space, for wg(8) and wg-quick(8). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/config/config.h>
#include <tund/parent/wireguard.h>

#include "daemon.h"

static const char usage[] =
	"usage: tund-wg [-f | --foreground] INTERFACE\n\n"
	"Creates the WireGuard interface INTERFACE, to be configured by wg(8), and serves it in the\n"
	"background until it is deleted. See tund-wg(8).\n\n"
	"  -f, --foreground  stay in the foreground\n"
	"      --version     print the version\n"
	"      --help        print this\n";

static bool is_set(const char *variable, const char *value)
{
	const char *text = getenv(variable);

	return text && strcmp(text, value) == 0;
}

/* As BoringTun has it. 0: not said. False: it says something else. */
static bool workers_wanted(uint32_t *out)
{
	const char *text = getenv("WG_THREADS");
	char *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	if (text && (*end != '\0' || n < 1 || n > CONFIG_WORKERS_MAX)) {
		log_error("WG_THREADS: \"%s\" is no number from 1 to %d", text,
			  CONFIG_WORKERS_MAX);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* As WireGuard's own has it; without LOG_LEVEL errors are said. */
static enum log_level level_wanted(void)
{
	if (is_set("LOG_LEVEL", "verbose") || is_set("LOG_LEVEL", "debug"))
		return LOG_LEVEL_DEBUG;
	return is_set("LOG_LEVEL", "info") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR;
}

static void silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

static int run_daemon(void *ctx, int started_fd)
{
	struct wireguard_options *options = ctx;

	options->started_fd = started_fd;
	if (is_set("LOG_LEVEL", "silent"))
		silence();
	if (chdir("/") != 0)
		log_warning("cannot leave this directory: %s", strerror(errno));
	return (int)wireguard_run(options);
}

static int run_in_background(struct wireguard_options *options)
{
	const struct daemon_work work = {run_daemon, options};
	char why[WHY_MAX];
	int fd, code = daemon_start(&work, &fd, why);

	if (code && why[0])
		log_error("%s", why);
	return code;
}

static int bad_usage(void)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {{"foreground", no_argument, NULL, 'f'},
						     {"help", no_argument, NULL, 'h'},
						     {"version", no_argument, NULL, 'V'},
						     {0}};
	struct wireguard_options options = {.started_fd = -1, .level = level_wanted()};
	bool foreground = is_set("WG_PROCESS_FOREGROUND", "1");
	int option;

	while ((option = getopt_long(argc, argv, "fhV", long_options, NULL)) != -1) {
		if (option == 'V')
			return puts("tund-wg " PACKAGE_VERSION) < 0;
		if (option == 'h')
			return fputs(usage, stdout) < 0;
		if (option != 'f')
			return bad_usage();
		foreground = true;
	}
	if (optind != argc - 1)
		return bad_usage();
	options.interface = argv[optind];
	options.keep_stderr = foreground || getenv("LOG_LEVEL");
	umask(077);
	log_init("tund-wg");
	log_set_level(options.level);
	if (!workers_wanted(&options.workers))
		return EXIT_USAGE;
	if (foreground && is_set("LOG_LEVEL", "silent"))
		silence();
	return foreground ? (int)wireguard_run(&options) : run_in_background(&options);
}
