/* SPDX-License-Identifier: ISC */
/* nft(8) as a child. */

#include <tund/sys/nft.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/memfd.h>
#include <tund/sys/process.h>

#define NFT_TIMEOUT_MS 10000

/* Never by PATH: we are root, and whose PATH it is we do not know. */
static const char *const nft_paths[] = {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"};

static const char *const run_argv[] = {"nft", "-f", "-", NULL};
static const char *const check_argv[] = {"nft", "-c", "-f", "-", NULL};

static int start(const char *const *argv, int script, int output, struct process *child)
{
	const struct process_fd fds[] = {
		{script, STDIN_FILENO}, {output, STDOUT_FILENO}, {output, STDERR_FILENO},
	};
	struct process_plan plan = {.argv = argv, .fd = fds, .fd_count = 3};
	int err = -ENOENT;
	size_t i;

	for (i = 0; i < sizeof nft_paths / sizeof nft_paths[0] && err == -ENOENT; i++) {
		plan.path = nft_paths[i];
		err = process_spawn(&plan, child);
	}
	return err;
}

static int finish(struct process *child, int *status)
{
	enum process_end end;
	int code;
	int err = process_wait(child, NFT_TIMEOUT_MS, &end, &code);

	if (err == -ETIMEDOUT) {
		process_signal(child, SIGKILL);
		process_wait(child, -1, &end, &code);
		return -ETIMEDOUT;
	}
	if (err < 0)
		return err;
	*status = end == PROCESS_EXITED ? code : -code;
	return 0;
}

static int refused(int output, char why[WHY_MAX])
{
	char text[256] = "";
	ssize_t n = pread(output, text, sizeof text - 1, 0);

	if (n > 0)
		text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return why_set(why, -EIO, "nft refused our table: %s",
		       text[0] ? text : "(it did not say why)");
}

static int run(const char *const *argv, int script, int output, char why[WHY_MAX])
{
	struct process child;
	int status = 0, err;

	err = start(argv, script, output, &child);
	if (err == -ENOENT)
		return why_set(why, err, "nft is not installed. Run \"apt install nftables\"");
	if (err == 0)
		err = finish(&child, &status);
	if (err < 0)
		return why_set(why, err, "cannot run nft: %s", strerror(-err));
	return status == 0 ? 0 : refused(output, why);
}

static int hand(const char *const *argv, const char *script, char why[WHY_MAX])
{
	int in, out, err;

	/* Memory files, not pipes: nobody can wait for anybody. */
	err = memfd_from("tund-nft-script", script, strlen(script), &in);
	if (err < 0)
		return why_set(why, err, "cannot hand a script to nft: %s", strerror(-err));
	err = memfd_create_empty("tund-nft-output", &out);
	if (err < 0)
		why_set(why, err, "cannot hand a script to nft: %s", strerror(-err));
	else {
		err = run(argv, in, out, why);
		close(out);
	}
	close(in);
	return err;
}

int nft_run(const char *script, char why[WHY_MAX])
{
	return hand(run_argv, script, why);
}

int nft_check(const char *script, char why[WHY_MAX])
{
	return hand(check_argv, script, why);
}
