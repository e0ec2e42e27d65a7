/* SPDX-License-Identifier: ISC */
/*
 * Cutting, of what a peer's frame says is a whole TSO packet and of what a TUN device says of a
 * packet: an oracle that does what the kernel does must come to the same pieces, and each piece of
 * a peer's must be a packet of its flow that fits the MTU.
 *
 * Input: a byte, even for a frame (segment size, packet), odd for a TUN device (virtio header,
 * packet).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>
#include <tund/wire/inner.h>
#include <tund/wire/segment.h>
#include <tund/wire/virtio.h>

#include "../unit/gso_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct oracle_pieces oracle;

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* A copy in its exact size, so that AddressSanitizer sees what is beyond. */
static uint8_t *copy_of(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	expect(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

/* The virtio header and the packet, its checksum as the kernel leaves it, cut by the oracle. */
static void cut_by_oracle(const uint8_t *packet, size_t len, const struct gso *gso)
{
	bool v6 = packet[0] >> 4 == 6, tcp = gso->kind == GSO_TCP;
	uint8_t *frame = malloc(VIRTIO_HEADER + len), proto = tcp ? PROTO_TCP : PROTO_UDP;
	uint64_t sum = checksum_add_pseudo(0, packet + (v6 ? 8 : 12), v6 ? 16 : 4, proto,
					   (uint32_t)(len - gso->l4));

	expect(frame != NULL);
	memcpy(frame + VIRTIO_HEADER, packet, len);
	put_be16(frame + VIRTIO_HEADER + gso->l4 + (tcp ? 16 : 6), (uint16_t)~checksum_fold(sum));
	virtio_put(frame, packet, true, proto, gso, gso->l4);
	expect(oracle_cut(frame, VIRTIO_HEADER + len, &oracle));
	free(frame);
}

/* Cuts it, and holds every piece against the oracle's. */
static void cut(uint8_t *packet, size_t len, const struct gso *gso)
{
	struct segmenter cut;
	size_t n, expected_len, i;
	uint8_t *piece;

	if (segment_begin(&cut, packet, len, gso, true, true) < 0)
		return;
	cut_by_oracle(packet, len, gso);
	for (i = 0; segment_next(&cut, &piece, &n); i++) {
		const uint8_t *expected = oracle_piece(&oracle, i, &expected_len);

		expect(i < oracle.count && n == expected_len);
		expect(memcmp(piece, expected, n) == 0);
		memset(piece, 0xee, n);
	}
	expect(i == oracle.count);
}

/* What a peer says: the pieces are what the packet was, each fit to be sent. */
static void from_peer(const uint8_t *data, size_t len, uint32_t mtu)
{
	struct inner_packet whole, part;
	struct gso gso;
	uint8_t *packet;
	size_t n;

	if (len < GSO_PREFIX)
		return;
	n = len - GSO_PREFIX;
	packet = copy_of(data + GSO_PREFIX, n);
	if (gso_of_frame(data, packet, &n, mtu, &gso) < 0) {
		free(packet);
		return;
	}
	expect(inner_parse(packet, n, &whole) == INNER_OK && whole.len == n);
	cut(packet, n, &gso);
	expect(oracle.count >= 1 && oracle.count <= GSO_PIECES_MAX);
	for (size_t i = 0; i < oracle.count; i++) {
		const uint8_t *piece = oracle_piece(&oracle, i, &n);

		expect(n <= mtu && inner_parse(piece, n, &part) == INNER_OK && part.len == n);
		expect(ip_addr_equal(&part.src, &whole.src) && ip_addr_equal(&part.dst, &whole.dst));
		expect(part.src_port == whole.src_port && part.dst_port == whole.dst_port);
	}
	free(packet);
}

/* A whole packet whose checksum is to be completed: either it is, or it is refused. */
static void complete(uint8_t *packet, size_t len, bool partial)
{
	static const struct gso none = {.kind = GSO_NONE};
	uint8_t *expected = copy_of(packet, len);
	struct segmenter cut;

	if (segment_begin(&cut, packet, len, &none, partial, true) == 0) {
		expect(!partial || oracle_complete(expected, len));
		expect(memcmp(packet, expected, len) == 0);
	}
	free(expected);
}

static void from_device(const uint8_t *data, size_t len)
{
	uint8_t *frame = copy_of(data, len), *packet = frame;
	struct gso gso;
	bool partial;

	if (virtio_take(&packet, &len, &partial, &gso) == 0) {
		expect(packet == frame + VIRTIO_HEADER);
		if (gso.kind == GSO_NONE)
			complete(packet, len, partial);
		else
			cut(packet, len, &gso);
	}
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len == 0 || len > 70000)
		return 0;
	oracle.count = 0;
	if (data[0] & 1)
		from_device(data + 1, len - 1);
	else
		from_peer(data + 1, len - 1, 576 + data[0] * 8u);
	return 0;
}
