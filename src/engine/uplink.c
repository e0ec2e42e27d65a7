/* SPDX-License-Identifier: ISC */
/* A client's or connector's way to its edge. */
#include "uplink.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/crypto/secret.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>

#include "control_link.h"
#include "parent_link.h"

/* A new attempt begins at the earliest this long after the previous one. */
#define PAUSE_S 0.5
/* A handshake so young needs no other to prove that the edge still knows us; until then no other
 * begins (REKEY_TIMEOUT). */
#define FRESH_S 5

/* An edge that is away for long is worth a line, not one every few seconds. */
static enum log_level complaint_level(struct uplink *up)
{
	bool first = !up->complained;

	up->complained = true;
	return first ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG;
}

static bool may_use(const struct uplink *up, uint8_t transport)
{
	static const char *const only[] = {
		[TRANSPORT_UDP_ONLY] = "udp", [TRANSPORT_TCP_ONLY] = "tcp"};
	const struct transport_ops *ops = up->transports->table[transport];

	return ops->connect &&
	       (up->allowed == TRANSPORT_AUTO || strcmp(ops->name, only[up->allowed]) == 0);
}

static uint8_t first_transport(const struct uplink *up)
{
	uint8_t i = 0;

	while (i + 1u < up->transports->count && !may_use(up, i))
		i++;
	return i;
}

static const struct transport_ops *transport_of_way(const struct uplink *up)
{
	return up->transports->table[up->way[up->current].transport];
}

/* Makes the list anew; the way `keep` stays the current one if it is in it. Returns whether it is. */
static bool list_ways(struct uplink *up, const struct way *keep)
{
	bool kept = false;

	up->way_count = up->current = 0;
	for (uint32_t e = 0; e < up->endpoint_count; e++) {
		for (uint8_t t = 0; t < up->transports->count; t++) {
			struct way *way = &up->way[up->way_count];

			if (!may_use(up, t))
				continue;
			*way = (struct way){up->endpoint[e], t};
			if (!kept && way->transport == keep->transport &&
			    endpoint_equal(&way->remote, &keep->remote)) {
				up->current = up->way_count;
				kept = true;
			}
			up->way_count++;
		}
	}
	return kept;
}

/* Asks for the socket of the current way. */
static void attempt(struct uplink *up)
{
	char text[ENDPOINT_STRLEN];
	const struct way *way = &up->way[up->current];
	enum socket_kind kind;

	if (up->way_count == 0 || up->request != 0)
		return;
	kind = transport_of_way(up)->socket_type == SOCK_STREAM ? SOCKET_TCP : SOCKET_UDP;
	log_debug("trying %s over %s", endpoint_format(&way->remote, text),
		  transport_of_way(up)->title);
	up->request = parent_link_ask_socket(up->parent, kind, &way->remote);
}

static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	attempt(timer->data);
}

static void attempt_soon(struct uplink *up)
{
	if (ev_is_active(&up->retry) || up->request != 0)
		return;
	ev_timer_set(&up->retry, PAUSE_S, 0);
	ev_timer_start(up->loop, &up->retry);
}

/* A socket that is still to come is for the way before, and of no use. */
static void choose_next_way(struct uplink *up)
{
	up->request = 0;
	if (++up->current < up->way_count)
		return;
	up->current = 0;
	control_link_say(up->control, ENGINE_RESOLVE, NULL, 0);
}

static bool is_connecting(const struct uplink *up)
{
	for (unsigned t = 0; t < up->transports->count; t++) {
		if (up->socket[t].handle != 0 && !up->socket[t].ready)
			return true;
	}
	return false;
}

static void try_next_way(struct uplink *up)
{
	char text[ENDPOINT_STRLEN];

	/* Another way is being tried already. */
	if (up->request != 0 || ev_is_active(&up->retry) || is_connecting(up))
		return;
	if (up->way_count == 0) {
		control_link_say(up->control, ENGINE_RESOLVE, NULL, 0);
		return;
	}
	log_write(complaint_level(up), "no answer from %s over %s",
		  endpoint_format(&up->way[up->current].remote, text), transport_of_way(up)->title);
	choose_next_way(up);
	attempt(up);
}

static void close_socket(struct uplink *up, unsigned transport)
{
	struct uplink_socket *socket = &up->socket[transport];

	if (socket->handle != 0)
		up->transports->table[transport]->close(up->transports, socket->handle);
	*socket = (struct uplink_socket){0};
}

/* The edge of `config` as a peer that has not joined. */
static int make_edge(struct uplink *up, const struct config *config, struct peer **out)
{
	struct peer_config peer = {
		.wireguard = config->edge.suite == SUITE_WIREGUARD,
		.pinned_suite = config->edge.suite,
		.keepalive_s = config->keepalive_s,
		.connect = true,
	};
	int err;

	memcpy(peer.public_key, config->edge.public_key, KEY_SIZE);
	memcpy(peer.preshared_key, config->edge.preshared_key, KEY_SIZE);
	err = peer_new(up->node, &peer, out);
	explicit_bzero(&peer, sizeof peer);
	return err;
}

int uplink_start(struct uplink *up, const struct config *config)
{
	struct peer *edge;
	int err = make_edge(up, config, &edge);

	ev_init(&up->retry, on_retry);
	up->retry.data = up;
	up->allowed = config->transport;
	if (err < 0)
		return err;
	err = peer_join(edge);
	if (err < 0)
		peer_discard(edge);
	else
		up->peer = edge;
	return err;
}

static bool is_same_edge(const struct config *a, const struct config *b)
{
	return memcmp(a->edge.public_key, b->edge.public_key, KEY_SIZE) == 0 &&
	       secret_equal(a->edge.preshared_key, b->edge.preshared_key, KEY_SIZE) &&
	       a->edge.suite == b->edge.suite && a->keepalive_s == b->keepalive_s;
}

/* With another `transport` the ways are tried from the first again. The old one is left when the
 * new one is there, unless it was itself only on its way. */
static void change_transport(struct uplink *up, enum transport_choice allowed)
{
	struct way way = up->way[up->current];
	uint8_t before = way.transport;

	if (allowed == up->allowed)
		return;
	up->allowed = allowed;
	way.transport = first_transport(up);
	list_ways(up, &way);
	if (before == way.transport)
		return;
	up->request = 0; /* for the way before */
	ev_timer_stop(up->loop, &up->retry);
	for (unsigned other = 0; other < up->transports->count; other++) {
		if (!up->socket[other].ready)
			close_socket(up, other);
	}
	attempt(up);
}

int uplink_prepare(struct uplink *up, const struct config *before, const struct config *fresh)
{
	return is_same_edge(before, fresh) ? 0 : make_edge(up, fresh, &up->next);
}

void uplink_discard(struct uplink *up)
{
	peer_discard(up->next);
	up->next = NULL;
}

/* Another key, or other secrets: it is another peer, on the path of the one before. */
static void change_edge(struct uplink *up, uint64_t now_ns)
{
	struct path path;
	bool had_path = peer_path(up->peer, &path);

	control_link_remove_peer(up->control, atomic_exchange(&up->peer, NULL));
	if (peer_join(up->next) < 0) {
		log_error("out of memory for a table with one peer: starting again");
		ev_break(up->loop, EVBREAK_ALL);
		return;
	}
	up->peer = up->next;
	up->next = NULL;
	if (had_path)
		peer_path_use(up->peer, now_ns, &path);
}

void uplink_commit(struct uplink *up, uint64_t now_ns, const struct config *fresh)
{
	if (up->next)
		change_edge(up, now_ns);
	if (up->peer)
		change_transport(up, fresh->transport);
}

static void confirm(struct uplink *up)
{
	up->confirming = false;
	control_link_say(up->control, ENGINE_CONFIRMED, NULL, 0);
}

void uplink_confirm(struct uplink *up, uint64_t now_ns)
{
	struct peer *edge = up->peer;
	uint64_t wall_ns = clock_wall_ns();
	struct peer_stats stats;

	if (!edge)
		return;
	peer_get_stats(edge, &stats);
	if (stats.up && wall_ns >= stats.last_handshake_wall_ns &&
	    wall_ns - stats.last_handshake_wall_ns < FRESH_S * NS_PER_SEC) {
		confirm(up);
		return;
	}
	up->confirming = true;
	peer_handshake(edge, now_ns);
}

void uplink_peer_event(struct uplink *up, enum peer_event event)
{
	switch (event) {
	case PEER_PATH_SILENT:
		try_next_way(up);
		break;
	case PEER_UP:
	case PEER_REKEYED:
		up->complained = false;
		if (up->confirming)
			confirm(up);
		break;
	case PEER_DOWN:
	case PEER_MOVED:
	case PEER_CONTROL_RESET:
		break;
	}
}

void uplink_set_endpoints(struct uplink *up, const struct control_endpoints *list)
{
	struct way before = up->way[up->current];
	bool had_way = false;

	if (!up->peer || list->count == 0 || list->count > ENDPOINTS_MAX)
		return;
	for (unsigned t = 0; up->way_count > 0 && t < up->transports->count; t++)
		had_way |= up->socket[t].handle != 0;
	up->endpoint_count = list->count;
	memcpy(up->endpoint, list->endpoint, sizeof up->endpoint);
	if (list_ways(up, &before) && had_way)
		return;
	up->current = 0;
	up->request = 0; /* for an endpoint that is not listed any more */
	attempt(up);
}

/* The way is there: it is the session's path, and what `transport` excludes is not kept any longer. */
static void use(struct uplink *up, uint64_t now_ns, const struct path *path)
{
	up->socket[path->transport].ready = true;
	peer_path_use(up->peer, now_ns, path);
	for (uint8_t t = 0; t < up->transports->count; t++) {
		if (!may_use(up, t))
			close_socket(up, t);
	}
}

static void take_socket(struct uplink *up, int fd)
{
	const struct way *way = &up->way[up->current];
	struct path path = {.transport = way->transport, .remote = way->remote};
	bool ready;

	path.socket = transport_of_way(up)->connect(up->transports, fd, &way->remote, &ready);
	if (path.socket == 0) {
		attempt_soon(up);
		return;
	}
	close_socket(up, way->transport);
	up->socket[way->transport].handle = path.socket;
	if (ready)
		use(up, clock_now_ns(), &path);
}

void uplink_opened(struct uplink *up, const struct parent_reply *reply, int fd)
{
	if (reply->id != up->request || reply->id == 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	up->request = 0;
	if (fd >= 0) {
		take_socket(up, fd);
		return;
	}
	log_write(complaint_level(up), "no socket to the edge: %.400s", reply->text);
	choose_next_way(up);
	attempt_soon(up);
}

static void on_connected(struct uplink *up, uint64_t now_ns, const struct path *path)
{
	char text[ENDPOINT_STRLEN];

	log_info("using %s to %s", up->transports->table[path->transport]->title,
		 endpoint_format(&path->remote, text));
	use(up, now_ns, path);
}

/* An edge that ends a connection does not know our session any more. One that was left already takes
 * nothing away. */
static void on_ended(struct uplink *up, uint64_t now_ns, uint8_t transport)
{
	bool was_ready = up->socket[transport].ready;

	up->socket[transport] = (struct uplink_socket){0};
	if (up->way[up->current].transport != transport)
		return;
	choose_next_way(up);
	if (was_ready)
		peer_handshake(up->peer, now_ns);
	attempt_soon(up);
}

void uplink_transport_event(struct uplink *up, uint64_t now_ns, enum transport_event event,
			    const struct path *path)
{
	if (path->socket == 0 || !up->peer || up->socket[path->transport].handle != path->socket)
		return;
	switch (event) {
	case TRANSPORT_CONNECTED:
		on_connected(up, now_ns, path);
		break;
	case TRANSPORT_ENDED:
		on_ended(up, now_ns, path->transport);
		break;
	case TRANSPORT_BROKEN:
		if (up->way[up->current].transport == path->transport)
			attempt_soon(up);
		break;
	case TRANSPORT_SOURCE_LOST:
		break;
	}
}
