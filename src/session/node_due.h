/* SPDX-License-Identifier: ISC */
/* What is done when a timer of a peer is due. */
#ifndef TUND_SESSION_NODE_DUE_H
#define TUND_SESSION_NODE_DUE_H

#include <stdint.h>

struct node;

/* Runs every timer of every peer that is due. */
void due_run(struct node *node, uint64_t now_ns);

#endif
