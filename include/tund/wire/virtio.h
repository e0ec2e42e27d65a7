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
 * Takes the header off what was read. *partial: the TCP or UDP checksum is to be completed; one of
 * anything else is completed here. -EBADMSG: the kernel says something that we do not understand.
 */
int virtio_take(uint8_t **packet, size_t *len, bool *partial, struct gso *gso);

/* Writes the header for a packet whose upper-layer header is at `l4`. */
void virtio_put(uint8_t header[VIRTIO_HEADER], bool ipv6, bool partial, uint8_t proto,
		const struct gso *gso, uint16_t l4);

#endif
