/* SPDX-License-Identifier: ISC */
/* tund-wg: a WireGuard interface in user space, for wg(8) and wg-quick(8). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tund/config/config.h>
#include <tund/parent/wireguard.h>

#define STARTED_FD 3

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

static void silence(bool output_too)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	if (!output_too)
		return;
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
}

/* The child's part. */
_Noreturn static void become_daemon(struct wireguard_options *options, int started_fd)
{
	setsid();
	silence(is_set("LOG_LEVEL", "silent"));
	if (started_fd != STARTED_FD)
		dup3(started_fd, STARTED_FD, O_CLOEXEC);
	close_range(STARTED_FD + 1, ~0U, 0);
	options->started_fd = STARTED_FD;
	if (chdir("/") != 0)
		_exit(EXIT_SYSTEM);
	_exit((int)wireguard_run(options));
}

/* Waits until the interface can be used. EXIT_DONE, or what the daemon ended with. */
static int wait_started(pid_t daemon, int fd)
{
	char byte;
	int status;
	ssize_t n;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		return EXIT_DONE;
	while (waitpid(daemon, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	log_error("the daemon ended at its start");
	return EXIT_SYSTEM;
}

static int run_in_background(struct wireguard_options *options)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		log_error("cannot start a process: %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	if (pid == 0) {
		close(ends[0]);
		become_daemon(options, ends[1]);
	}
	close(ends[1]);
	return wait_started(pid, ends[0]);
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
		silence(true);
	return foreground ? (int)wireguard_run(&options) : run_in_background(&options);
}
