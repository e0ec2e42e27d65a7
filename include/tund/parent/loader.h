/* SPDX-License-Identifier: ISC */
/*
 * The configuration as a short-lived sandboxed process reads it (libexec/tund/loader): the parent
 * opens the files and never parses them; of the outcome it decodes only the view without keys and
 * policy.
 */
#ifndef TUND_PARENT_LOADER_H
#define TUND_PARENT_LOADER_H

#include <stddef.h>

#include <tund/config/config.h>
#include <tund/parent/tunnel.h>

/* The loader's descriptors. */
#define LOADER_CONF_FD 3
#define LOADER_POLICY_FD 4 /* closed when there is no policy file */
#define LOADER_FULL_FD 5
#define LOADER_PUBLIC_FD 6
#define LOADER_HOST_FD 7

#define LOADER_TIMEOUT_MS 10000
#define LOADER_TEXT_MAX 4096

struct loaded {
	struct config *config; /* CONFIG_HOST view */
	int full_fd;           /* sealed memfd for the engine */
	int public_fd;         /* sealed memfd without secrets, for control */
};

/* The directory of our other programs: compiled in; with test hooks $TUND_LIBEXECDIR. */
const char *loader_libexecdir(void);

/*
 * Reads and checks the tunnel's configuration. EXIT_DONE, or EXIT_BAD_CONFIG, EXIT_SYSTEM with
 * lines for people in text[LOADER_TEXT_MAX]. Freed by loaded_clear().
 */
int loader_load(const struct tunnel *tunnel, struct loaded *out, char *text);

/* Closes and frees; a cleared or zeroed one is allowed and is cleared afterwards. */
void loaded_clear(struct loaded *loaded);

/*
 * Runs the loader for people: `verb` ("check", "explain") with the arguments behind the files,
 * which may be NULL or end with NULL; output, which goes to `stdout_fd` (-1: ours), and messages are
 * its own. Returns its exit code.
 */
int loader_run(const struct tunnel *tunnel, const char *verb, const char *const *arguments,
	       int stdout_fd);

#endif
