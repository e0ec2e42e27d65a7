/* SPDX-License-Identifier: ISC */
/* Virtio headers: what the kernel may say, what we refuse, and there and back. */
#include <linux/virtio_net.h>
#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/virtio.h>

#include "gso_packets.h"
#include "tap.h"

static uint8_t bytes[VIRTIO_HEADER + 70000];

static const struct {
	uint8_t flags, type;
	uint16_t size, start, offset;
	bool udp, v6;
	int result;
	enum gso_kind kind;
	bool partial;
} cases[] = {
	{0, 0, 0, 0, 0, false, false, 0, GSO_NONE, false},
	{1, 0, 0, 20, 16, false, false, 0, GSO_NONE, true},
	{1, 0, 0, 20, 6, true, false, 0, GSO_NONE, true},
	{1, 0, 0, 40, 16, false, true, 0, GSO_NONE, true},
	{1, 1, 1000, 20, 16, false, false, 0, GSO_TCP, true},
	{1, 0x81, 1000, 20, 16, false, false, 0, GSO_TCP, true},
	{1, 4, 1000, 40, 16, false, true, 0, GSO_TCP, true},
	{1, 5, 1000, 20, 6, true, false, 0, GSO_UDP, true},
	/* what no kernel says */
	{0, 1, 1000, 20, 16, false, false, -1, 0, false},
	{1, 1, 0, 20, 16, false, false, -1, 0, false},
	{1, 1, 1000, 20, 6, false, false, -1, 0, false},
	{1, 5, 1000, 20, 16, false, false, -1, 0, false},
	{1, 3, 1000, 20, 6, true, false, -1, 0, false}, /* UFO */
	{1, 1, 1000, 5000, 16, false, false, -1, 0, false},
	{1, 0, 0, 5000, 16, false, false, -1, 0, false},
};

START_TEST(taken)
{
	struct virtio_net_hdr h = {.flags = cases[_i].flags,
				   .gso_type = cases[_i].type,
				   .gso_size = cases[_i].size,
				   .csum_start = cases[_i].start,
				   .csum_offset = cases[_i].offset};
	struct shape s = {.ttl = 64, .flags = 0x10, .payload = 3000,
			  .udp = cases[_i].udp, .v6 = cases[_i].v6};
	uint8_t *packet = bytes;
	struct gso gso;
	bool partial;
	size_t n = shape_write(&s, bytes + VIRTIO_HEADER), len = n + VIRTIO_HEADER;
	int err;

	memcpy(bytes, &h, sizeof h);
	err = virtio_take(&packet, &len, &partial, &gso);
	ck_assert_int_eq(err < 0, cases[_i].result < 0);
	if (err < 0)
		return;
	ck_assert_ptr_eq(packet, bytes + VIRTIO_HEADER);
	ck_assert_uint_eq(len, n);
	ck_assert_int_eq(partial, cases[_i].partial);
	ck_assert_int_eq(gso.kind, cases[_i].kind);
	if (gso.kind != GSO_NONE)
		ck_assert_uint_eq(gso.header_len, shape_header_len(&s));
}
END_TEST

/* A checksum somewhere else than in TCP or UDP is completed here. */
START_TEST(foreign_checksum)
{
	struct virtio_net_hdr h = {.flags = 1, .csum_start = 20, .csum_offset = 2};
	uint8_t *packet = bytes;
	size_t len = VIRTIO_HEADER + 40;
	struct gso gso;
	bool partial;

	memset(bytes, 0, len);
	memcpy(bytes, &h, sizeof h);
	packet[VIRTIO_HEADER] = 0x45;
	packet[VIRTIO_HEADER + 9] = 47;
	packet[VIRTIO_HEADER + 30] = 0x12;
	ck_assert_int_eq(virtio_take(&packet, &len, &partial, &gso), 0);
	ck_assert(!partial);
	ck_assert_uint_eq(plain_sum(0, packet + 20, 20), 0);
}
END_TEST

START_TEST(short_reads)
{
	for (size_t n = 0; n < VIRTIO_HEADER + 20; n++) {
		uint8_t *packet = bytes;
		struct gso gso;
		bool partial;
		size_t len = n;

		memset(bytes, 0, sizeof bytes);
		ck_assert_int_lt(virtio_take(&packet, &len, &partial, &gso), 0);
	}
}
END_TEST

START_TEST(put_is_what_the_kernel_reads)
{
	struct gso gso = {.kind = GSO_TCP, .size = 1380, .l4 = 40, .header_len = 72};
	struct virtio_net_hdr h;
	uint8_t header[VIRTIO_HEADER], headers[72] = {0x60};

	virtio_put(header, headers, true, 6, &gso, 40);
	memcpy(&h, header, sizeof h);
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_TCPV6);
	ck_assert_uint_eq(h.gso_size, 1380);
	ck_assert_uint_eq(h.hdr_len, 72);
	ck_assert_uint_eq(h.csum_start, 40);
	ck_assert_uint_eq(h.csum_offset, 16);
	headers[40 + 13] = 0x80;
	virtio_put(header, headers, true, 6, &gso, 40);
	ck_assert_uint_eq(header[1], VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN);
	virtio_put(header, headers, false, 17, NULL, 20);
	memcpy(&h, header, sizeof h);
	ck_assert_uint_eq(h.flags, 0);
	ck_assert_uint_eq(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("virtio");
	TCase *tc = tcase_create("virtio");

	tcase_add_loop_test(tc, taken, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, foreign_checksum);
	tcase_add_test(tc, short_reads);
	tcase_add_test(tc, put_is_what_the_kernel_reads);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
