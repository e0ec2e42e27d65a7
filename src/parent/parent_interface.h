/* SPDX-License-Identifier: ISC */
/* The TUN of a tunnel and what is set on it: by control, by a reload, by other programs. */
#ifndef TUND_PARENT_PARENT_INTERFACE_H
#define TUND_PARENT_PARENT_INTERFACE_H

#include "parent_state.h"

/* The kernel has something to say of interfaces: tells the engine if it is ours, or ends. */
void parent_look_at_links(struct parent *parent);

/* Applies what control asked for last, within the bounds of the configuration that is in force;
 * a connector's forwarding, too. */
void parent_reapply(struct parent *parent);

/* Applies what control asked for, when it is its time, and answers. */
void parent_apply_network(struct parent *parent, uint64_t now_ns);

#endif
