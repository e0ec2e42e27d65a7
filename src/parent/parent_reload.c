/* SPDX-License-Identifier: ISC */
/* The new configuration in the place of the old one, or nothing at all. */
#include "parent_reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/sys/log.h>

#include "parent_interface.h"
#include "verify.h"

static int take_configuration(struct parent *parent, struct loaded *fresh, char *text)
{
	struct parent_config body = {.generation = parent->generation + 1};
	const char *fixed = config_fixed_change(parent->loaded.config, fresh->config);

	if (fixed) {
		snprintf(text, LOADER_TEXT_MAX,
			 "`%s` cannot change while the tunnel runs; nothing was changed. Use "
			 "`tund down %s` and `tund up %s`",
			 fixed, parent->tunnel->name, parent->tunnel->name);
		loaded_clear(fresh);
		return -EINVAL;
	}
	loaded_clear(&parent->loaded);
	parent->loaded = *fresh;
	parent->generation = body.generation;
	parent_send(parent, ENGINE, PARENT_CONFIG, &body, sizeof body, parent->loaded.full_fd);
	parent_send(parent, CONTROL, PARENT_CONFIG, &body, sizeof body, parent->loaded.public_fd);
	return 0;
}

/* Each line of the loader's is a message of its own. */
static void log_lines(const char *text)
{
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		log_error("%.*s", (int)len, text);
	}
}

int parent_reload(struct parent *parent, char *text)
{
	struct loaded fresh;
	int err, code = loader_load(parent->tunnel, &fresh, text);

	if (code)
		err = code == EXIT_BAD_CONFIG ? -EINVAL : -EIO;
	else
		err = take_configuration(parent, &fresh, text);
	if (err) {
		log_error("%s: reload failed, the old configuration stays", parent->tunnel->name);
		log_lines(text);
		return err;
	}
	parent_reapply(parent);
	log_notice("%s: configuration reloaded", parent->tunnel->name);
	snprintf(text, LOADER_TEXT_MAX, "reloaded");
	return 0;
}
