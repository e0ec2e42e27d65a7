/* SPDX-License-Identifier: ISC */
/*
 * What changes about a node and its peers while they run, as WireGuard's configuration protocol
 * changes it: identity, preshared keys, keepalives, endpoints. Nothing is sent by setting something
 * unless it says so. For the node's one thread.
 */
#ifndef TUND_SESSION_SETTING_H
#define TUND_SESSION_SETTING_H

#include <tund/session/node.h>

/*
 * Replaces the identity; zeros take it away, and no handshake is begun or answered then. Erases
 * every session (PEER_DOWN). Peers stay; one whose key is of low order stays unusable.
 * -EEXIST: the new public key is that of a peer, nothing was changed. -ENOMEM: likewise.
 */
int node_set_private_key(struct node *node, uint64_t now_ns, const uint8_t key[KEY_SIZE]);

/* The private key; zeros without one. The caller wipes it. */
void node_private_key(const struct node *node, uint8_t key[KEY_SIZE]);

/* Inner packets are padded up to this many bytes and no further, on every path. */
void node_set_mtu(struct node *node, uint16_t mtu);

/* A local address, or the route from it, is gone: every path from it on this socket lets the
 * kernel choose from now on. NULL: every path from whichever address. */
void node_source_lost(struct node *node, uint32_t socket, const struct endpoint *local);

/* For the next handshake. Zeros: none. */
void peer_set_preshared_key(struct peer *peer, const uint8_t key[KEY_SIZE]);
void peer_preshared_key(const struct peer *peer, uint8_t key[KEY_SIZE]);

/* Seconds; 0: off. */
void peer_set_keepalive(struct peer *peer, uint64_t now_ns, uint16_t keepalive_s);

/* Sends a keepalive now, or begins the handshake that it needs. Nothing without a path. */
void peer_send_keepalive(struct peer *peer, uint64_t now_ns);

/* Makes `path` the active one; as soon as there is something to send it goes there. */
void peer_set_path(struct peer *peer, const struct path *path);

#endif
