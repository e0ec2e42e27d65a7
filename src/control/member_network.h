/* SPDX-License-Identifier: ISC */
/* How a member has what the edge pushed applied on this host. */
#ifndef TUND_CONTROL_MEMBER_NETWORK_H
#define TUND_CONTROL_MEMBER_NETWORK_H

#include <tund/ipc/parent.h>

#include "control_message.h"

struct known_peer;
struct member;

/* The edge pushed this: keeps it and asks the parent to apply it. */
void member_network_pushed(struct member *m, const struct known_peer *edge,
			   const struct network *config);

/* The same for what the configuration of a stock server's client says in its place. */
void member_network_configured(struct member *m);

/* Asks the parent to apply what was pushed last. */
void member_network_request(struct member *m);

/* The parent's answer to that. */
void member_network_replied(struct member *m, const struct parent_reply *reply);

/* Tells the edge the MTU that is applied, if it is up and anything is applied. */
void member_network_tell_edge(struct member *m);

/* Tells the engine what is applied, if anything is. */
void member_network_tell_engine(struct member *m);

/* A chunk of the list of holders, for the engine of a connector. */
void member_network_identities(struct member *m, const struct known_peer *edge,
			       const struct control_message *message);

/* Whether the tunnel works may have changed. */
void member_network_check(struct member *m);

void member_network_clear(struct member *m);

#endif
