/* SPDX-License-Identifier: ISC */
/* What outlives a tunnel, in /var/lib/tund/NAME.state: the last TAI64N timestamp that was sent. */
#ifndef TUND_PARENT_STORE_H
#define TUND_PARENT_STORE_H

#include <stdbool.h>

#include <tund/ipc/parent.h>
#include <tund/parent/tunnel.h>

struct store {
	const struct tunnel *tunnel; /* borrowed */
	struct parent_state state;   /* zeros: none yet */
	bool failing;                /* the last write failed, and that was said */
};

/* Reads what is there; anything else than a whole state is as none, and said. */
void store_load(struct store *store, const struct tunnel *tunnel);

/* Keeps the state, and writes it; a failure (disk full) is logged once and tried again with the
 * next one. */
void store_put(struct store *store, const struct parent_state *state);

#endif
