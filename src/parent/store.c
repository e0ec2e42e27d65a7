/* SPDX-License-Identifier: ISC */
/* The state on disk, as one line of hexadecimal digits. */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <tund/sys/file.h>
#include <tund/sys/log.h>

#define LINE_PREFIX "tai64n "
#define LINE_LEN (sizeof LINE_PREFIX - 1 + 2 * TAI64N_SIZE + 1)

static void format(const struct parent_state *state, char line[LINE_LEN + 1])
{
	size_t used = sizeof LINE_PREFIX - 1;

	memcpy(line, LINE_PREFIX, used);
	for (size_t i = 0; i < TAI64N_SIZE; i++)
		used += (size_t)sprintf(line + used, "%02x", state->tai64n[i]);
	memcpy(line + used, "\n", 2);
}

static int parse(const char *line, struct parent_state *out)
{
	struct parent_state state;
	char again[LINE_LEN + 1];

	if (strncmp(line, LINE_PREFIX, sizeof LINE_PREFIX - 1) != 0)
		return -EINVAL;
	for (size_t i = 0; i < TAI64N_SIZE; i++)
		if (sscanf(line + sizeof LINE_PREFIX - 1 + 2 * i, "%2hhx", &state.tai64n[i]) != 1)
			return -EINVAL;
	format(&state, again);
	if (strcmp(line, again) != 0)
		return -EINVAL;
	*out = state;
	return 0;
}

void store_load(struct store *store, const struct tunnel *tunnel)
{
	char line[LINE_LEN + 1];
	size_t len = 0;
	int err;

	*store = (struct store){.tunnel = tunnel};
	err = file_read(tunnel->store, line, LINE_LEN, &len);
	if (err == -ENOENT)
		return;
	line[err ? 0 : len] = '\0';
	if (err || parse(line, &store->state))
		log_warning("%s cannot be read (%s): if the clock was set back the edge may "
			    "refuse us until it has caught up",
			    tunnel->store, err ? strerror(-err) : "damaged");
}

void store_put(struct store *store, const struct parent_state *state)
{
	char line[LINE_LEN + 1];
	int err;

	store->state = *state;
	format(state, line);
	err = file_make_dir(TUND_STATEDIR, 0700, 0, 0);
	if (!err)
		err = file_store(store->tunnel->store, line, LINE_LEN);
	if (err && !store->failing)
		log_error("cannot write %s: %s; going on without%s", store->tunnel->store,
			  strerror(-err),
			  err == -ENOSPC || err == -EDQUOT ? "; make room there" : "");
	store->failing = err != 0;
}
