/* SPDX-License-Identifier: ISC */
/* Two nodes that are peers. */
#include "pair.h"

#include <check.h>
#include <errno.h>
#include <string.h>

struct sim sim;
struct log logs[SIM_NODES];
struct peer *a, *b;
unsigned packets[SIM_NODES];
uint8_t last_packet[2048];
unsigned drop_type;

const struct peer_config tund = {.pinned_suite = -1};
const struct peer_config wireguard = {.pinned_suite = -1, .wireguard = true};

static bool on_message(void *ctx, struct sim_node *from, uint8_t *msg, size_t len)
{
	struct log *log = &logs[from->id];
	unsigned type = msg[0];

	(void)ctx;
	if (type == MESSAGE_INITIATION && log->count[type] < MESSAGES_MAX)
		log->at_ns[log->count[type]] = sim.now_ns;
	log->count[type]++;
	memcpy(log->last[type], msg, len);
	log->len[type] = len;
	return type != drop_type;
}

static void on_packet(void *ctx, struct sim_node *at, const uint8_t *packet, size_t len)
{
	(void)ctx;
	packets[at->id]++;
	memcpy(last_packet, packet, len);
}

void pair_setup(void)
{
	memset(logs, 0, sizeof logs);
	memset(packets, 0, sizeof packets);
	drop_type = 0;
	sim_init(&sim, 7);
	sim.hooks = (struct sim_hooks){.message = on_message, .packet = on_packet};
	sim_start(&sim, 0, 64, false);
	sim_start(&sim, 1, 64, false);
}

void pair_teardown(void)
{
	sim_free(&sim);
}

void pair(struct peer_config ca, struct peer_config cb)
{
	struct path path = sim_udp_path(&sim, 0, 1);

	a = sim_add_peer(&sim, 0, 1, ca);
	b = sim_add_peer(&sim, 1, 0, cb);
	peer_path_use(a, sim.now_ns, &path);
}

int send_from(unsigned node)
{
	static const uint8_t packet[100] = {0x45};

	return sim_send(&sim, node, node == 0 ? a : b, SIM_NO_TAG, packet, sizeof packet);
}

void established(struct peer_config ca, struct peer_config cb)
{
	pair(ca, cb);
	ck_assert_int_eq(send_from(0), -EAGAIN);
	sim_run(&sim, SEC / 10);
	ck_assert_uint_eq(packets[1], 1);
	ck_assert_uint_eq(sim.nodes[0].events[PEER_UP], 1);
	ck_assert_uint_eq(sim.nodes[1].events[PEER_UP], 1);
}
