/* SPDX-License-Identifier: ISC */
/* Starts the sandboxed parser and takes what it made. */
#include <tund/parent/loader.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/ipc/command.h>
#include <tund/sys/clock.h>
#include <tund/sys/file.h>
#include <tund/sys/memfd.h>
#include <tund/sys/process.h>

#include "environ.h"

#define LOADER_ARGUMENTS_MAX 16

/* What one run of the loader needs; -1 for a descriptor that is not there. */
struct job {
	int conf, policy;
	int out[3]; /* full, public, host */
	int standard_out; /* borrowed; -1: ours */
	int messages, text; /* pipe in the place of its standard error: write end, read end */
	struct process process;
};

const char *loader_libexecdir(void)
{
#ifdef TUND_TEST_HOOKS
	const char *dir = getenv("TUND_LIBEXECDIR");

	if (dir && dir[0] == '/')
		return dir;
#endif
	return TUND_LIBEXECDIR;
}

static int fail(char *text, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(char *text, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, LOADER_TEXT_MAX, format, args);
	va_end(args);
	return code;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void job_clear(struct job *job)
{
	close_fd(&job->conf);
	close_fd(&job->policy);
	for (int i = 0; i < 3; i++)
		close_fd(&job->out[i]);
	close_fd(&job->text);
}

static int open_inputs(const struct tunnel *tunnel, struct job *job, char *text)
{
	bool world; /* the loader looks itself: it alone knows whether there is a secret inside */
	int err = file_open_config(tunnel->conf, &job->conf, &world);

	if (err) {
		job->conf = -1;
		return fail(text, err == -EACCES ? EXIT_SYSTEM : EXIT_BAD_CONFIG,
			    "%s: %s; %s", tunnel->conf,
			    err == -EINVAL ? "not a regular file" : strerror(-err),
			    err == -EACCES ? "run it as root"
					   : "write one, see tund.conf(5)");
	}
	err = file_open_config(tunnel->policy, &job->policy, &world);
	if (err)
		job->policy = -1;
	if (err && err != -ENOENT)
		return fail(text, err == -EACCES ? EXIT_SYSTEM : EXIT_BAD_CONFIG, "%s: %s",
			    tunnel->policy,
			    err == -EINVAL ? "not a regular file" : strerror(-err));
	return 0;
}

static int open_outputs(struct job *job, char *text)
{
	static const char *const name[] = {"tund-full", "tund-public", "tund-host"};
	int err;

	for (int i = 0; i < 3; i++) {
		err = memfd_create_empty(name[i], &job->out[i]);
		if (err) {
			job->out[i] = -1;
			return fail(text, EXIT_SYSTEM, "cannot create a memory file: %s",
				    strerror(-err));
		}
	}
	return 0;
}

static const struct job no_job = {
	.conf = -1, .policy = -1, .out = {-1, -1, -1}, .standard_out = -1, .messages = -1, .text = -1};

static int spawn(const struct tunnel *tunnel, struct job *job, const char *verb,
		 const char *const *arguments, char *text)
{
	const char *argv[LOADER_ARGUMENTS_MAX] = {"loader", verb, tunnel->conf, tunnel->policy};
	struct process_fd fds[7];
	struct process_plan plan = {.argv = argv, .envp = environ_for_children(), .fd = fds};
	char path[PATH_MAX];
	int err;

	for (size_t n = 4; arguments && *arguments && n < LOADER_ARGUMENTS_MAX - 1; n++)
		argv[n] = *arguments++;
	fds[plan.fd_count++] = (struct process_fd){job->conf, LOADER_CONF_FD};
	if (job->policy >= 0)
		fds[plan.fd_count++] = (struct process_fd){job->policy, LOADER_POLICY_FD};
	for (int i = 0; i < 3; i++)
		if (job->out[i] >= 0)
			fds[plan.fd_count++] = (struct process_fd){job->out[i], LOADER_FULL_FD + i};
	if (job->standard_out >= 0)
		fds[plan.fd_count++] = (struct process_fd){job->standard_out, STDOUT_FILENO};
	if (job->messages >= 0)
		fds[plan.fd_count++] = (struct process_fd){job->messages, STDERR_FILENO};
	snprintf(path, sizeof path, "%s/loader", loader_libexecdir());
	plan.path = path;
	err = process_spawn(&plan, &job->process);
	if (err)
		return fail(text, EXIT_SYSTEM, "cannot start %s: %s; is tund installed completely?",
			    path, strerror(-err));
	return 0;
}

/* Its messages go to a pipe. */
static int spawn_captured(const struct tunnel *tunnel, struct job *job, char *text)
{
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(text, EXIT_SYSTEM, "cannot create a pipe: %s", strerror(errno));
	job->text = ends[0];
	job->messages = ends[1];
	code = spawn(tunnel, job, "load", NULL, text);
	close_fd(&job->messages);
	return code;
}

/* Reads its messages to the end, what does not fit is dropped; kills it when it takes too long. */
static void collect_text(struct job *job, char *text)
{
	uint64_t deadline = clock_now_ns() + LOADER_TIMEOUT_MS * NS_PER_MS;
	struct pollfd wait = {.fd = job->text, .events = POLLIN};
	char sink[512];
	size_t used = 0;
	ssize_t n;

	for (;;) {
		uint64_t now = clock_now_ns();
		size_t room = LOADER_TEXT_MAX - 1 - used;

		if (now >= deadline || poll(&wait, 1, clock_timeout_ms(deadline, now)) == 0)
			break;
		n = read(job->text, room ? text + used : sink, room ? room : sizeof sink);
		if (n == 0)
			break;
		if (n > 0 && room)
			used += (size_t)n;
	}
	while (used && text[used - 1] == '\n')
		used--;
	text[used] = '\0';
}

static int finish(struct job *job, char *text)
{
	enum process_end end;
	int code;

	if (process_wait(&job->process, 1000, &end, &code)) {
		process_signal(&job->process, SIGKILL);
		process_wait(&job->process, -1, &end, &code);
		return fail(text, EXIT_SYSTEM, "the configuration's parser did not end in time");
	}
	if (end == PROCESS_KILLED)
		return fail(text, EXIT_SYSTEM, "the configuration's parser was killed by signal %d",
			    code);
	if (code != EXIT_DONE && !text[0])
		fail(text, code, "the configuration's parser ended with %d and no word", code);
	return code == EXIT_DONE || code == EXIT_BAD_CONFIG ? code : EXIT_SYSTEM;
}

static int decode_host(int fd, struct config **out, char *text)
{
	const void *data;
	struct reader reader;
	size_t len;
	int err = memfd_map(fd, CONFIG_HOST_SIZE, &data, &len);

	if (!err) {
		reader = reader_init(data, len);
		err = config_decode(&reader, out);
		memfd_unmap(data, len);
	}
	return err ? fail(text, EXIT_SYSTEM, "the configuration's parser made nonsense: %s",
			  strerror(-err))
		   : EXIT_DONE;
}

static int take_outputs(struct job *job, struct loaded *out, char *text)
{
	int err = 0, code;

	for (int i = 0; i < 3 && !err; i++)
		err = memfd_seal(job->out[i]);
	if (err)
		return fail(text, EXIT_SYSTEM, "cannot seal the configuration: %s", strerror(-err));
	code = decode_host(job->out[2], &out->config, text);
	if (code)
		return code;
	out->full_fd = job->out[0];
	out->public_fd = job->out[1];
	job->out[0] = job->out[1] = -1;
	return EXIT_DONE;
}

int loader_load(const struct tunnel *tunnel, struct loaded *out, char *text)
{
	struct job job = no_job;
	int code = open_inputs(tunnel, &job, text);

	if (!code)
		code = open_outputs(&job, text);
	if (!code)
		code = spawn_captured(tunnel, &job, text);
	if (!code) {
		collect_text(&job, text);
		code = finish(&job, text);
	}
	if (!code)
		code = take_outputs(&job, out, text);
	job_clear(&job);
	return code;
}

void loaded_clear(struct loaded *loaded)
{
	if (!loaded->config)
		return;
	config_free(loaded->config);
	close(loaded->full_fd);
	close(loaded->public_fd);
	*loaded = (struct loaded){0};
}

int loader_run(const struct tunnel *tunnel, const char *verb, const char *const *arguments,
	       int stdout_fd)
{
	struct job job = no_job;
	char text[LOADER_TEXT_MAX] = "";
	enum process_end end;
	int status, code = open_inputs(tunnel, &job, text);

	job.standard_out = stdout_fd;
	if (!code)
		code = spawn(tunnel, &job, verb, arguments, text);
	if (!code) {
		process_wait(&job.process, -1, &end, &status);
		code = end == PROCESS_EXITED ? status
			: fail(text, EXIT_SYSTEM,
			       "the configuration's parser was killed by signal %d", status);
	}
	if (text[0])
		fprintf(stderr, "%s\n", text);
	job_clear(&job);
	return code;
}
