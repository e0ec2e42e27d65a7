/* SPDX-License-Identifier: ISC */
/* Which principal holds which inner address, told to connectors. */
#ifndef TUND_CONTROL_EDGE_IDENTITIES_H
#define TUND_CONTROL_EDGE_IDENTITIES_H

#include <stdbool.h>

#include "hub.h"

/* Sends a connector the first, or the next, chunk of the list of holders. It asks for each next
 * one, so that never more than one is on its way. */
void edge_push_identities(struct hub *hub, struct known_peer *peer, bool first);

#endif
