/* SPDX-License-Identifier: ISC */
/* How a member has what the edge pushed applied on this host. */
#ifndef TUND_CONTROL_MEMBER_NETWORK_H
#define TUND_CONTROL_MEMBER_NETWORK_H

#include "control_message.h"

struct control;
struct known_peer;
struct member;

/* The edge pushed this: keeps it and asks the parent to apply it. */
void member_network_pushed(struct control *c, const struct known_peer *edge,
			   const struct network *config);

/* The same for what the configuration of a stock server's client says in its place. */
void member_network_configured(struct control *c);

/* Asks the parent to apply what was pushed last. */
void member_network_request(struct control *c);

/* Tells the engine what is applied, if anything is. */
void member_network_tell_engine(struct control *c);

/* A chunk of the list of holders, for the engine of a connector. */
void member_network_identities(struct control *c, const struct known_peer *edge,
			       const struct control_message *message);

/* Whether the tunnel works may have changed. */
void member_network_check(struct control *c);

void member_network_clear(struct member *m);

#endif
