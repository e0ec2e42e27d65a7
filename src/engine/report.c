/* SPDX-License-Identifier: ISC */
/* What the engine tells control of its peers and counters. */
#include "report.h"

#include <string.h>

#include <tund/sys/clock.h>

#include "engine.h"

void report_peer(struct engine *engine, struct peer *peer, uint32_t id)
{
	struct engine_peer report = {.peer = peer_id(peer), .id = id, .suite = -1};
	struct peer_stats stats;
	struct path path;
	uint64_t now_ns = clock_now_ns();

	if (!control_link_is_open(&engine->control))
		return;
	peer_get_stats(peer, &stats);
	peer_public_key(peer, report.public_key);
	report.up = stats.up;
	report.suite = (int8_t)stats.suite;
	report.last_handshake_wall_ns = stats.last_handshake_wall_ns;
	if (stats.last_heard_ns != 0)
		report.last_heard_ago_ns = now_ns - stats.last_heard_ns;
	report.rx_bytes = stats.rx_bytes;
	report.tx_bytes = stats.tx_bytes;
	report.rx_packets = stats.rx_packets;
	report.tx_packets = stats.tx_packets;
	if (peer_path(peer, &path)) {
		const struct transport_ops *ops = transport_of(&engine->plane.transports, &path);

		strncpy(report.transport, ops->name, sizeof report.transport - 1);
		report.by_connection = ops->is_stream;
		report.endpoint = path.remote;
		report.local = path.local;
	}
	control_link_say(&engine->control, ENGINE_PEER, &report, sizeof report);
}

/* A status, a few peers at a time, as long as control keeps up. */

static void say_counter(struct engine *engine, const char *name, uint64_t count)
{
	struct engine_counters body = {.id = engine->control.status_id, .count = count};

	if (count == 0)
		return;
	strncpy(body.name, name, sizeof body.name - 1);
	control_link_say(&engine->control, ENGINE_COUNTERS, &body, sizeof body);
}

static void say_transport_counters(struct engine *engine)
{
	const struct transports *t = &engine->plane.transports;

	for (unsigned i = 0; i < t->count; i++) {
		for (unsigned k = 0; t->table[i]->counters && t->table[i]->counters[k]; k++)
			say_counter(engine, t->table[i]->counters[k], t->table[i]->count(t, k));
	}
	say_counter(engine, "tun_write_errors", dataplane_tun_errors(&engine->plane));
}

static void say_counters(struct engine *engine)
{
	struct control_ask end = {.id = engine->control.status_id};

	for (int r = SESSION_OK + 1; r < SESSION_REASON_COUNT; r++)
		say_counter(engine, session_reason_name((enum session_reason)r),
			    node_counter(engine->node, (enum session_reason)r));
	for (int r = REASON_ACCEPTED + 1; r < REASON_COUNT; r++)
		say_counter(engine, reason_name((enum reason)r),
			    dataplane_count(&engine->plane, (enum reason)r));
	say_transport_counters(engine);
	control_link_say(&engine->control, ENGINE_END, &end, sizeof end);
	engine->control.status_id = 0;
}

static void continue_status(struct engine *engine)
{
	struct control_link *link = &engine->control;

	while (link->status_id != 0 && control_link_is_idle(link)) {
		struct peer *peer = peer_after(engine->node, link->status_after);

		if (!peer) {
			say_counters(engine);
			return;
		}
		link->status_after = peer_id(peer);
		report_peer(engine, peer, link->status_id);
	}
}

/* The same for who is up: each one's control frames begin anew, and then control is told of it. */
static void continue_greeting(struct engine *engine)
{
	struct control_link *link = &engine->control;

	while (link->is_greeting && control_link_is_idle(link)) {
		struct peer *peer = peer_after(engine->node, link->greeted);
		struct peer_stats stats;

		if (!peer) {
			link->is_greeting = false;
			return;
		}
		link->greeted = peer_id(peer);
		peer_get_stats(peer, &stats);
		if (!stats.up)
			continue;
		peer_control_restart(peer, clock_now_ns());
		report_peer(engine, peer, 0);
	}
}

void report_continue(struct engine *engine)
{
	continue_greeting(engine);
	if (!engine->control.is_greeting)
		continue_status(engine);
}

void report_greet(struct engine *engine)
{
	engine->control.is_greeting = true;
	engine->control.greeted = 0;
	report_continue(engine);
}

void report_status(struct engine *engine, uint32_t id)
{
	engine->control.status_id = id;
	engine->control.status_after = 0;
	report_continue(engine);
}
