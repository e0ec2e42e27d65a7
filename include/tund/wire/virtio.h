/* SPDX-License-Identifier: ISC */
/*
 * The virtio header in front of each packet of a TUN device with IFF_VNET_HDR: 10 bytes in the
 * host's byte order (virtio specification 1.2, 5.1.6, legacy layout). The kernel writes it and
 * reads it; nothing of it ever leaves this host. Pure; any thread.
 */
#ifndef TUND_WIRE_VIRTIO_H
#define TUND_WIRE_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/wire/gso.h>

#define VIRTIO_HEADER 10

/*
 * Takes the header off what was read: *packet and *len become those of the packet behind it.
 * *partial: the TCP or UDP checksum is to be completed; one of anything else, or behind IPv6
 * extension headers, is completed here. *gso: what is to be cut; its lengths are in the packet.
 * -EBADMSG: too short, or the kernel says something that we do not understand.
 */
int virtio_take(uint8_t **packet, size_t *len, bool *partial, struct gso *gso);

/*
 * Writes the header for a packet that begins with `headers`, whose upper-layer header is at `l4`.
 * `proto` (PROTO_TCP or PROTO_UDP) and `l4` matter only if it is partial; its checksum field must
 * hold the sum over the pseudo-header. `gso`: NULL, or what it is; if not GSO_NONE, it is partial.
 */
void virtio_put(uint8_t header[VIRTIO_HEADER], const uint8_t *headers, bool partial, uint8_t proto,
		const struct gso *gso, uint16_t l4);

#endif
