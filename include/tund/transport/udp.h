/* SPDX-License-Identifier: ISC */
/*
 * The UDP port of a WireGuard interface, which comes and goes behind one handle, so that paths stay
 * valid: it is UDP by its protocol, and its administrator changes the port while it runs. Main
 * thread.
 */
#ifndef TUND_TRANSPORT_UDP_H
#define TUND_TRANSPORT_UDP_H

#include <stdint.h>

#include <tund/transport/transport.h>

extern const struct transport_ops udp_transport;

/* Makes the handle; 0: no room. */
uint32_t udp_port_reserve(struct transports *t);

/* Keeps a bound socket of another worker than the first until the first's comes. Owns `fd`. */
void udp_port_keep(struct transports *t, int fd);

/* Gives the handle a bound socket, and those that were kept, in the place of the ones before; -1: none
 * for now. 0 or -errno, with the descriptors closed. */
int udp_port_replace(struct transports *t, uint32_t handle, int fd);

#endif
