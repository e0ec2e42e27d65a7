/* SPDX-License-Identifier: ISC */
/* What the parent of a tunnel knows. */
#ifndef TUND_PARENT_PARENT_STATE_H
#define TUND_PARENT_PARENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/parent/loader.h>
#include <tund/parent/tunnel.h>
#include <tund/sys/sandbox.h>

#include "pace.h"
#include "reload.h"
#include "store.h"
#include "supervisor.h"
#include "system.h"

/* Its children: rows of its plan. */
enum parent_child { ENGINE, CONTROL, PARENT_CHILDREN };

struct parent {
	const struct tunnel *tunnel; /* borrowed */
	struct supervisor supervisor;
	struct sandbox_user user;
	struct loaded loaded;
	uint32_t generation; /* of the configuration that is in force */
	struct reload reload;
	struct loaded fresh;        /* what is being reloaded; cleared: nothing */
	bool control_awaits_reload; /* its outcome */
	struct system system;
	bool system_open;
	struct store store;
	struct pace pace; /* of the networks that control asks for */
};

/* Sends a child a message, as child_send(). */
static inline void parent_send(struct parent *parent, enum parent_child to, uint32_t kind,
			       const void *body, size_t len, int fd)
{
	child_send(&parent->supervisor.child[to], kind, body, len, fd);
}

#endif
