/* SPDX-License-Identifier: ISC */
/* A new configuration for a tunnel that runs: reload.h, carried out. None of these waits for a child. */
#ifndef TUND_PARENT_PARENT_RELOAD_H
#define TUND_PARENT_PARENT_RELOAD_H

#include <tund/ipc/parent.h>

#include "parent_state.h"

/* Begins one, or one more behind that which is under way. The outcome is logged; if it was control
 * who asked, it is told, too. */
void parent_reload(struct parent *parent, bool by_control);

/* What the engine says about a configuration that it was sent. */
void parent_reload_prepared(struct parent *parent, const struct request_prepared *said);

void parent_reload_engine_ended(struct parent *parent);

/* The engine has had its time. */
void parent_reload_due(struct parent *parent, uint64_t now_ns);

#endif
