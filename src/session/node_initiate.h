/* SPDX-License-Identifier: ISC */
/* The first message of a handshake, and what the others have in common with it. */
#ifndef TUND_SESSION_NODE_INITIATE_H
#define TUND_SESSION_NODE_INITIATE_H

#include "node_peer.h"
#include "noise.h"

/* Sends an initiation, unless the last one is younger than REKEY_TIMEOUT and not `forced`.
 * -EHOSTUNREACH: no path is known; -ENOKEY: no identity, or one of low order; -ENOMEM. */
int handshake_initiate(struct peer *peer, uint64_t now_ns, bool forced);
/* The initiation that waits for its response is forgotten, if there is one. */
void handshake_forget(struct peer *peer);
/* Both identities are there and go together: not without ours, not with a key of low order. */
bool handshake_is_possible(const struct peer *peer);

/* Whether the peer may use this suite. */
bool handshake_accepts(const struct peer *peer, enum suite suite);

/* The type word of a message. */
void handshake_put_header(uint8_t *msg, enum message_type type, enum suite suite);
/* Suites 1 and 2 authenticate the type word of each handshake message. */
void handshake_mix_header(struct noise *noise, enum suite suite, const uint8_t *msg);
/* The handshake state that a message to this responder begins with. */
void handshake_start(const struct node *node, enum suite suite,
		     const uint8_t responder_public[KEY_SIZE], struct noise *noise);

#endif
