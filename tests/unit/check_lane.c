/* SPDX-License-Identifier: ISC */
/* Lanes: what they open, seal and post, and that main makes of it what host_receive() would. */
#include <errno.h>
#include <string.h>

#include <tund/session/lane.h>

#include "../../src/session/host_state.h"
#include "../sim/pair.h"
#include "tap.h"

static const uint8_t packet[100] = {0x45};

static struct lane *lane_of(unsigned node, unsigned i)
{
	return host_lane(sim.nodes[node].host, i);
}

/* Seals one packet of node 0's in a lane of its. Returns the message's length. */
static size_t seal_one(uint8_t out[2048], struct sealing *s)
{
	uint8_t buffer[sizeof packet + PADDING];
	ssize_t n;

	memcpy(buffer, packet, sizeof packet);
	memset(buffer + sizeof packet, 0xa5, PADDING);
	lane_enter(lane_of(0, 0));
	ck_assert_int_eq(lane_send_begin(lane_of(0, 0), sim.now_ns, a, 1, s), 0);
	n = lane_seal(s, 0, buffer, sizeof packet, out);
	ck_assert_int_eq(lane_seal(s, 0, buffer, sizeof packet, out), -ENOBUFS);
	lane_send_end(s);
	lane_leave(lane_of(0, 0));
	ck_assert_int_eq(n, 112 + DATA_OVERHEAD);
	for (unsigned i = 0; i < PADDING; i++)
		ck_assert_uint_eq(buffer[sizeof packet + i], 0xa5);
	return (size_t)n;
}

START_TEST(a_packet_from_lane_to_lane)
{
	struct path from = sim_udp_path(&sim, 1, 0);
	struct received r;
	struct sealing s;
	uint8_t msg[2048];
	size_t n;

	established(_i == 0 ? wireguard : tund, _i == 0 ? wireguard : tund);
	n = seal_one(msg, &s);
	ck_assert(endpoint_equal(&s.path.remote, &sim.nodes[1].udp));
	ck_assert_uint_eq(s.suite, _i);
	lane_enter(lane_of(1, 3));
	ck_assert_int_eq(lane_receive(lane_of(1, 3), sim.now_ns, &from, msg, n, &r),
			 RECEIVED_PACKET);
	ck_assert_ptr_eq(r.peer, b);
	ck_assert_uint_eq(r.len, 112);
	ck_assert_mem_eq(r.packet, packet, sizeof packet);
	lane_leave(lane_of(1, 3));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lane");
	TCase *tc = tcase_create("lane");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(tc, pair_setup, pair_teardown);
	tcase_add_loop_test(tc, a_packet_from_lane_to_lane, 0, 2);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
