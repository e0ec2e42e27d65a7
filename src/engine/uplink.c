/* SPDX-License-Identifier: ISC */
/* A client's or connector's way to its edge. */
#include "uplink.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <tund/crypto/secret.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "engine.h"

static const char *transport_name(enum transport transport)
{
	return transport == TRANSPORT_UDP ? "UDP" : "TCP";
}

/* An edge that is away for long is worth a line, not one every few seconds. */
static enum log_level complaint_level(struct uplink *up)
{
	bool first = !up->complained;

	up->complained = true;
	return first ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG;
}

static bool may_use(const struct config *config, enum transport transport)
{
	switch (config->transport) {
	case TRANSPORT_AUTO:
		return true;
	case TRANSPORT_UDP_ONLY:
		return transport == TRANSPORT_UDP;
	case TRANSPORT_TCP_ONLY:
		return transport == TRANSPORT_TCP;
	}
	return false;
}

static enum transport first_transport(const struct config *config)
{
	return may_use(config, TRANSPORT_UDP) ? TRANSPORT_UDP : TRANSPORT_TCP;
}

/* Asks for the socket of the way that `current` and `transport` name. */
static void attempt(struct engine *engine)
{
	struct uplink *up = &engine->uplink;
	enum socket_kind kind = up->transport == TRANSPORT_UDP ? SOCKET_UDP : SOCKET_TCP;
	char text[ENDPOINT_STRLEN];

	if (up->count == 0 || up->request != 0)
		return;
	log_debug("trying %s over %s", endpoint_format(&up->endpoint[up->current], text),
		  transport_name(up->transport));
	up->request = parent_link_ask_socket(engine, kind, &up->endpoint[up->current]);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	attempt(timer->data);
}

static void attempt_soon(struct engine *engine)
{
	struct uplink *up = &engine->uplink;

	if (ev_is_active(&up->retry) || up->request != 0)
		return;
	ev_timer_set(&up->retry, UPLINK_PAUSE_S, 0);
	ev_timer_start(engine->loop, &up->retry);
}

/* UDP, TCP, next endpoint; after the last one the name is asked for again. A socket that is still
 * to come is for the way before, and of no use. */
static void choose_next_way(struct engine *engine)
{
	struct uplink *up = &engine->uplink;

	up->request = 0;
	if (up->transport == TRANSPORT_UDP && may_use(engine->config, TRANSPORT_TCP)) {
		up->transport = TRANSPORT_TCP;
		return;
	}
	up->transport = first_transport(engine->config);
	if (++up->current < up->count)
		return;
	up->current = 0;
	control_link_say(engine, ENGINE_RESOLVE, NULL, 0);
}

static void try_next_way(struct engine *engine)
{
	struct uplink *up = &engine->uplink;
	char text[ENDPOINT_STRLEN];

	/* Another way is being tried already. */
	if (up->request != 0 || ev_is_active(&up->retry) || (up->tcp != 0 && !up->tcp_ready))
		return;
	log_write(complaint_level(up), "no answer from %s over %s",
		 endpoint_format(&up->endpoint[up->current], text),
		 transport_name(up->transport));
	choose_next_way(engine);
	attempt(engine);
}

static int add_edge(struct engine *engine, uint64_t now_ns, const struct config *config)
{
	struct peer_config peer = {
		.wireguard = config->edge.suite == SUITE_WIREGUARD,
		.pinned_suite = config->edge.suite,
		.keepalive_s = config->keepalive_s,
		.connect = true,
	};
	struct peer *edge;
	int err;

	memcpy(peer.public_key, config->edge.public_key, KEY_SIZE);
	memcpy(peer.preshared_key, config->edge.preshared_key, KEY_SIZE);
	err = peer_add(engine->node, now_ns, &peer, &edge);
	explicit_bzero(&peer, sizeof peer);
	if (err == 0)
		engine->uplink.peer = edge;
	return err;
}

int uplink_start(struct engine *engine, uint64_t now_ns)
{
	struct uplink *up = &engine->uplink;

	ev_init(&up->retry, on_retry);
	up->retry.data = engine;
	up->transport = first_transport(engine->config);
	return add_edge(engine, now_ns, engine->config);
}

static bool is_same_edge(const struct config *a, const struct config *b)
{
	return memcmp(a->edge.public_key, b->edge.public_key, KEY_SIZE) == 0 &&
	       secret_equal(a->edge.preshared_key, b->edge.preshared_key, KEY_SIZE) &&
	       a->edge.suite == b->edge.suite && a->keepalive_s == b->keepalive_s;
}

/* With another `transport` the ways are tried from the first again. The old one is left when the
 * new one is there, unless it was itself only on its way. */
static void change_transport(struct engine *engine, const struct config *fresh)
{
	struct uplink *up = &engine->uplink;

	if (fresh->transport == engine->config->transport ||
	    up->transport == first_transport(fresh))
		return;
	up->transport = first_transport(fresh);
	up->request = 0; /* for the way before */
	ev_timer_stop(engine->loop, &up->retry);
	if (up->tcp != 0 && !up->tcp_ready) {
		outer_close_tcp(engine, up->tcp);
		up->tcp = 0;
	}
	attempt(engine);
}

int uplink_reload(struct engine *engine, uint64_t now_ns, struct config *fresh)
{
	struct uplink *up = &engine->uplink;
	struct path path;
	bool had_path;
	int err;

	change_transport(engine, fresh);
	if (is_same_edge(engine->config, fresh))
		return 0;
	had_path = peer_path(up->peer, &path);
	engine_remove_peer(engine, atomic_exchange(&up->peer, NULL));
	err = add_edge(engine, now_ns, fresh);
	if (err < 0) {
		add_edge(engine, now_ns, engine->config);
		log_error("the edge's public key cannot be used: %s", strerror(-err));
	}
	if (had_path && up->peer)
		peer_path_use(up->peer, now_ns, &path);
	return err;
}

static void confirm(struct engine *engine)
{
	engine->uplink.confirming = false;
	control_link_say(engine, ENGINE_CONFIRMED, NULL, 0);
}

void uplink_confirm(struct engine *engine, uint64_t now_ns)
{
	struct peer *edge = engine->uplink.peer;
	uint64_t wall_ns = clock_wall_ns();
	struct peer_stats stats;

	if (!edge)
		return;
	peer_get_stats(edge, &stats);
	if (stats.up && wall_ns >= stats.last_handshake_wall_ns &&
	    wall_ns - stats.last_handshake_wall_ns < UPLINK_FRESH_S * NS_PER_SEC) {
		confirm(engine);
		return;
	}
	engine->uplink.confirming = true;
	peer_handshake(edge, now_ns);
}

void uplink_peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event)
{
	(void)now_ns;
	(void)peer;
	switch (event) {
	case PEER_PATH_SILENT:
		try_next_way(engine);
		break;
	case PEER_UP:
	case PEER_REKEYED:
		engine->uplink.complained = false;
		if (engine->uplink.confirming)
			confirm(engine);
		break;
	case PEER_DOWN:
	case PEER_MOVED:
	case PEER_CONTROL_RESET:
		break;
	}
}

static bool is_listed(const struct uplink *up, const struct endpoint *e, uint32_t *index)
{
	for (uint32_t i = 0; i < up->count; i++) {
		if (!endpoint_equal(&up->endpoint[i], e))
			continue;
		*index = i;
		return true;
	}
	return false;
}

void uplink_set_endpoints(struct engine *engine, const struct control_endpoints *list)
{
	struct uplink *up = &engine->uplink;
	struct endpoint before = up->endpoint[up->current];
	bool had_way = up->count > 0 && (up->udp != 0 || up->tcp != 0);
	uint32_t index = 0;

	if (!up->peer || list->count == 0 || list->count > ENDPOINTS_MAX)
		return;
	up->count = list->count;
	memcpy(up->endpoint, list->endpoint, sizeof up->endpoint);
	if (had_way && is_listed(up, &before, &index)) {
		up->current = index;
		return;
	}
	up->current = 0;
	up->transport = first_transport(engine->config);
	up->request = 0; /* for an endpoint that is not listed any more */
	attempt(engine);
}

/* What `transport` excludes is kept only until another way is there. */
static void leave_excluded(struct engine *engine)
{
	struct uplink *up = &engine->uplink;

	if (up->tcp != 0 && !may_use(engine->config, TRANSPORT_TCP)) {
		outer_close_tcp(engine, up->tcp);
		up->tcp = 0;
		up->tcp_ready = false;
	}
	if (up->udp != 0 && !may_use(engine->config, TRANSPORT_UDP)) {
		outer_remove_udp(engine, up->udp);
		up->udp = 0;
	}
}

static void use_udp(struct engine *engine, int fd)
{
	struct uplink *up = &engine->uplink;
	struct path path = {.transport = TRANSPORT_UDP, .remote = up->endpoint[up->current]};
	uint32_t handle = outer_add_connected(engine, fd, &path.remote);

	if (handle == 0) {
		attempt_soon(engine);
		return;
	}
	if (up->udp != 0)
		outer_remove_udp(engine, up->udp);
	up->udp = handle;
	path.socket = handle;
	peer_path_use(up->peer, clock_now_ns(), &path);
	leave_excluded(engine);
}

static void use_tcp(struct engine *engine, int fd)
{
	struct uplink *up = &engine->uplink;
	uint32_t before = up->tcp;

	up->tcp_ready = false;
	up->tcp = outer_add_connecting(engine, fd, &up->endpoint[up->current]);
	if (before != 0)
		outer_close_tcp(engine, before);
	if (up->tcp == 0)
		attempt_soon(engine);
}

void uplink_opened(struct engine *engine, const struct parent_reply *reply, int fd)
{
	struct uplink *up = &engine->uplink;

	if (reply->id != up->request || reply->id == 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	up->request = 0;
	if (fd < 0) {
		log_write(complaint_level(up), "no socket to the edge: %.400s", reply->text);
		choose_next_way(engine);
		attempt_soon(engine);
	} else if (up->transport == TRANSPORT_UDP) {
		use_udp(engine, fd);
	} else {
		use_tcp(engine, fd);
	}
}

void uplink_send(struct worker *worker, uint64_t now_ns, const struct inner_bytes *packet)
{
	struct peer *edge = worker->engine->uplink.peer;

	if (edge)
		egress_send(worker, now_ns, edge, packet);
}

void uplink_connected(struct engine *engine, uint64_t now_ns, const struct path *path)
{
	struct uplink *up = &engine->uplink;
	char text[ENDPOINT_STRLEN];

	if (path->socket != up->tcp)
		return;
	log_info("using TCP to %s", endpoint_format(&path->remote, text));
	up->tcp_ready = true;
	peer_path_use(up->peer, now_ns, path);
	leave_excluded(engine);
}

void uplink_broken(struct engine *engine, uint64_t now_ns, uint32_t socket)
{
	struct uplink *up = &engine->uplink;

	if (socket == 0 || !up->peer)
		return;
	if (socket == up->tcp) {
		bool was_ready = up->tcp_ready;

		up->tcp = 0;
		up->tcp_ready = false;
		/* One that was left already takes nothing away. */
		if (up->transport != TRANSPORT_TCP)
			return;
		choose_next_way(engine);
		/* An edge that ends a connection does not know our session any more. */
		if (was_ready)
			peer_handshake(up->peer, now_ns);
	} else if (socket != up->udp || up->transport != TRANSPORT_UDP) {
		return;
	}
	attempt_soon(engine);
}
