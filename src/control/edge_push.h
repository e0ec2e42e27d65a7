/* SPDX-License-Identifier: ISC */
/* What the edge says to a peer, and to the engine about it: made from the configuration. */
#ifndef TUND_CONTROL_EDGE_PUSH_H
#define TUND_CONTROL_EDGE_PUSH_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/policy/model.h>

struct control;
struct known_peer;

/* Sends the peer, whose device is known, its full state. */
void edge_push(struct control *c, struct known_peer *peer);

/* Sends a connector the first, or the next, chunk of the list of holders. It asks for each next
 * one, so that never more than one is on its way. */
void edge_push_identities(struct control *c, struct known_peer *peer, bool first);

/* Tells the engine which of the peer's announced routes it is granted. */
void edge_take_routes(struct control *c, const struct known_peer *peer);

/* The device's addresses, as many as a message takes. */
void edge_fill_addresses(const struct spec_device *device, struct ip_addr *out, uint32_t *count);

#endif
