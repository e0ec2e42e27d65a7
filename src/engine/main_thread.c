/* SPDX-License-Identifier: ISC */
/* The core wrapped in one libev loop: what every role shares. */
#include "main_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/session/lane.h>
#include <tund/session/setting.h>
#include <tund/sys/clock.h>
#include <tund/sys/hook.h>
#include <tund/sys/log.h>

#include "from_control.h"
#include "report.h"
#include "role.h"

/* Handshake messages handled before packets have their turn again: about 0.5 ms. */
#define HANDSHAKES_PER_TURN 2
#define FAREWELL_S 0.2
#define HANDSHAKE_TOS 0x88 /* AF41, as WireGuard's */

static void on_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	bool handshake = msg[0] == MESSAGE_INITIATION || msg[0] == MESSAGE_RESPONSE;
	struct engine *engine = ctx;

	transports_send(&engine->plane.transports, path, msg, len, handshake ? HANDSHAKE_TOS : 0);
}

static bool is_reportable(enum peer_event event)
{
	switch (event) {
	case PEER_UP:
	case PEER_REKEYED:
	case PEER_DOWN:
	case PEER_MOVED:
		return true;
	case PEER_PATH_SILENT:
	case PEER_CONTROL_RESET:
		return false;
	}
	return false;
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	struct engine *engine = ctx;
	const struct control_peer reset = {.peer = peer_id(peer)};

	engine->role->peer_event(engine, clock_now_ns(), peer, event);
	/* A peer may move with every packet. Where it is is worth telling, not every step. */
	if (is_reportable(event) && (event != PEER_MOVED || control_link_is_idle(&engine->control)))
		report_peer(engine, peer, 0);
	if (event == PEER_CONTROL_RESET)
		control_link_say(&engine->control, ENGINE_RESET, &reset, sizeof reset);
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	struct engine *engine = ctx;
	const struct control_frame frame = {.peer = peer_id(peer), .len = (uint32_t)len};

	control_link_say_frame(&engine->control, &frame, msg);
}

/* A peer has as many connections as it has paths. What a client opens itself is its uplink's. */
static void on_forgotten(void *ctx, const struct path *path)
{
	struct engine *engine = ctx;
	const struct transport_ops *ops = transport_of(&engine->plane.transports, path);

	if (engine->role->accepts && ops->hang_up)
		ops->hang_up(&engine->plane.transports, path->socket);
}

static uint64_t on_wall(void *ctx)
{
	(void)ctx;
	return clock_wall_ns();
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	struct engine *engine = ctx;

	if (engine->config) /* a WireGuard interface has no state of its own */
		parent_link_store(&engine->parent, stamp);
}

static void set_deadline(struct engine *engine)
{
	uint64_t deadline_ns = node_next_deadline(engine->node);
	uint64_t now_ns = clock_now_ns();
	double wait;

	ev_timer_stop(engine->loop, &engine->deadline);
	if (deadline_ns == TIME_NEVER)
		return;
	wait = deadline_ns <= now_ns ? 0 : (double)(deadline_ns - now_ns) / NS_PER_SEC;
	/* libev counts from its own time, which may be older than this turn of the loop. */
	ev_now_update(engine->loop);
	ev_timer_set(&engine->deadline, wait, 0);
	ev_timer_start(engine->loop, &engine->deadline);
}

static void on_before_wait(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct engine *engine = prepare->data;

	(void)events;
	if (node_work(engine->node, clock_now_ns(), HANDSHAKES_PER_TURN) > 0)
		ev_idle_start(loop, &engine->busy);
	else
		ev_idle_stop(loop, &engine->busy);
	set_deadline(engine);
}

static bool on_drain(void *owner)
{
	struct engine *engine = owner;

	return node_drain(engine->node, clock_now_ns());
}

static void on_transport(void *owner, enum transport_event event, const struct path *path)
{
	struct engine *engine = owner;
	uint64_t now_ns = clock_now_ns();

	if (event == TRANSPORT_SOURCE_LOST)
		node_source_lost(engine->node, path->socket, &path->local);
	if (event == TRANSPORT_ENDED)
		node_path_closed(engine->node, now_ns, path->socket);
	uplink_transport_event(&engine->uplink, now_ns, event, path);
}

static void on_denied(void *owner, struct engine_denied *denied)
{
	struct engine *engine = owner;

	control_link_say(&engine->control, ENGINE_DENIED, denied, sizeof *denied);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct engine *engine = timer->data;

	(void)loop;
	(void)events;
	node_tick(engine->node, clock_now_ns());
}

static void on_busy(struct ev_loop *loop, ev_idle *idle, int events)
{
	(void)loop;
	(void)idle;
	(void)events;
}

static void on_farewell(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

void main_thread_farewell(struct engine *engine)
{
	if (!engine->node || !engine->config) { /* WireGuard says no goodbye */
		ev_break(engine->loop, EVBREAK_ALL);
		return;
	}
	ev_timer_init(&engine->farewell, on_farewell, FAREWELL_S, 0);
	ev_timer_start(engine->loop, &engine->farewell);
}

static const struct role_ops *role_of(const struct config *config)
{
	switch (config->role) {
	case ROLE_CLIENT:
		return &client_role;
	case ROLE_CONNECTOR:
		return &connector_role;
	case ROLE_EDGE:
		return &edge_role;
	}
	return NULL;
}

/* What the transports do otherwise by a configuration that is in force from now on. */
static void set_transports(struct engine *engine)
{
	engine->plane.transports.one_by_one = engine->config->outer_gso == OUTER_GSO_OFF;
}

void main_thread_configure(struct engine *engine, struct config *config)
{
	config_free(engine->config);
	engine->config = config;
	engine->role = role_of(config);
	set_transports(engine);
}

static void discard(struct engine *engine)
{
	if (engine->next)
		engine->role->discard(engine);
	config_free(engine->next);
	engine->next = NULL;
}

int main_thread_prepare(struct engine *engine, struct config *config, uint32_t generation,
			char why[WHY_MAX])
{
	int err;

	discard(engine);
	explicit_bzero(config->private_key, KEY_SIZE); /* the node has the same */
	err = engine->role->prepare(engine, config, why);
	if (err < 0) {
		config_free(config);
		return err;
	}
	engine->next = config;
	engine->next_generation = generation;
	return 0;
}

int main_thread_commit(struct engine *engine, uint32_t generation)
{
	struct config *before = engine->config;

	if (!engine->next || engine->next_generation != generation)
		return -EBADMSG;
	engine->role->commit(engine, clock_now_ns(), engine->next);
	engine->config = engine->next;
	engine->next = NULL;
	engine->plane.shared.frame_mtu = engine->config->mtu;
	set_transports(engine);
	config_free(before);
	return 0;
}

/* Tests that want to see rekeys do not wait for two minutes. */
static uint64_t rekey_after(void)
{
	const char *seconds = hook_value("TUND_TEST_REKEY_S");

	return seconds ? strtoul(seconds, NULL, 10) * NS_PER_SEC : 0;
}

static const char *aead_name(enum aead_choice choice)
{
	switch (choice) {
	case AEAD_IPSEC_MB:
		return "ipsec-mb";
	case AEAD_LIBCRYPTO:
		return "libcrypto";
	case AEAD_LIBSODIUM:
		return "libsodium";
	case AEAD_AUTO:
		break;
	}
	return NULL;
}

static int make_node(struct engine *engine, uint64_t now_ns)
{
	struct node_config config = {
		.ops = {engine, on_send, on_event, on_control, on_wall, on_store, on_forgotten},
		.rng = rng_system(),
		.rekey_after_ns = rekey_after(),
		.handshake_queue = engine->role->handshake_queue,
		.lanes = (uint8_t)engine->plane.count,
		.mtu = WIREGUARD_MTU,
		.whole_tso = transports_whole_tso(&engine->plane.transports),
		.prefer_aes = aead_in_hardware(AEAD_AES256GCM),
	};
	int err;

	if (engine->config) {
		config.mtu = engine->config->mtu;
		config.aead = aead_name(engine->config->aead);
		engine->plane.shared.frame_mtu = config.mtu;
		memcpy(config.private_key, engine->config->private_key, KEY_SIZE);
		explicit_bzero(engine->config->private_key, KEY_SIZE);
	}
	memcpy(config.last_tai64n, engine->last_tai64n, TAI64N_SIZE);
	err = node_new(&config, now_ns, &engine->node);
	explicit_bzero(config.private_key, KEY_SIZE);
	if (err == -EOPNOTSUPP)
		log_error("aead = %s: this build or this processor cannot do it; expected another "
			  "library, or auto",
			  config.aead ? config.aead : "auto");
	return err;
}

static void start_watchers(struct engine *engine)
{
	ev_prepare_init(&engine->before_wait, on_before_wait);
	ev_timer_init(&engine->deadline, on_deadline, 0, 0);
	ev_idle_init(&engine->busy, on_busy);
	engine->before_wait.data = engine;
	engine->deadline.data = engine;
	ev_prepare_start(engine->loop, &engine->before_wait);
	ev_set_priority(&engine->busy, EV_MINPRI);
	uapi_serve(&engine->uapi, engine->role->uapi, engine);
	dataplane_go(&engine->plane, engine->node, engine->role->tun_waits);
}

static const struct dataplane_ops dataplane_ops = {on_drain, on_transport, on_denied};

int main_thread_init(struct engine *engine, const struct transport_ops *const *transports)
{
	uapi_init(&engine->uapi, engine->loop);
	from_control_init(engine);
	return dataplane_init(&engine->plane, engine->loop, transports, &dataplane_ops, engine);
}

int main_thread_start(struct engine *engine)
{
	uint64_t now_ns = clock_now_ns();
	int err;

	if (!engine->role)
		return -EBADMSG;
	err = make_node(engine, now_ns);
	if (err < 0)
		return err;
	dataplane_set_role(&engine->plane, &engine->role->packets, engine);
	engine->uplink.node = engine->node;
	engine->uplink.loop = engine->loop;
	engine->uplink.transports = &engine->plane.transports;
	engine->uplink.parent = &engine->parent;
	engine->uplink.control = &engine->control;
	err = engine->role->start(engine, now_ns);
	if (err == 0)
		start_watchers(engine);
	return err;
}

void main_thread_clear(struct engine *engine)
{
	discard(engine);
	dataplane_stop(&engine->plane);
	dataplane_unpublish(&engine->plane);
	uapi_close(&engine->uapi);
	control_link_close(&engine->control); /* that peers are removed is no news at the end */
	if (engine->role && engine->state)
		engine->role->stop(engine);
	node_free(engine->node);
	engine->node = NULL;
	dataplane_clear(&engine->plane);
	config_free(engine->config);
	engine->config = NULL;
}
