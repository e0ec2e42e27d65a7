/* SPDX-License-Identifier: ISC */
/* Receiver indices: finding is for all threads, the rest for main. */
#ifndef TUND_SESSION_NODE_INDEX_H
#define TUND_SESSION_NODE_INDEX_H

#include <stdatomic.h>
#include <stdint.h>

#include <tund/base/epoch.h>

struct keypair;
struct node;
struct peer;

/* What an index names: a keypair, or the pending handshake of a peer. */
struct index_entry {
	uint32_t index;
	struct peer *peer;
	_Atomic(struct keypair *) keypair; /* shared; NULL: the pending handshake */
	struct retired retired;
};

int session_index_init(struct node *node);
void session_index_clear(struct node *node);
/* Draws an index, which goes to *index and into the keypair, if there is one. -ENOMEM. */
int session_index_insert(struct node *node, struct peer *peer, struct keypair *keypair,
			 uint32_t *index);
/* The same under an index that was drawn elsewhere. -EEXIST: it is in use; -ENOMEM. */
int session_index_insert_as(struct node *node, struct peer *peer, struct keypair *keypair,
			    uint32_t index);
struct index_entry *session_index_find(const struct node *node, uint32_t index);
void session_index_remove(struct node *node, uint32_t index);

#endif
