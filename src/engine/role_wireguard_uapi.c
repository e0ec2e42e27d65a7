/* SPDX-License-Identifier: ISC */
/* What the lines of the configuration protocol do, and what they say of an interface. */
#include "role_wireguard.h"

#include <tund/transport/udp.h>

#include <errno.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>
#include <tund/session/setting.h>

static void get_interface(const struct engine *engine, struct uapi_text *text)
{
	const struct wireguard *wg = engine->state;
	uint8_t key[KEY_SIZE];

	node_private_key(engine->node, key);
	if (!secret_is_zero(key, KEY_SIZE))
		uapi_put_key(text, UAPI_PRIVATE_KEY, key);
	secret_wipe(key, sizeof key);
	if (wg->listen.wanted.port != 0)
		uapi_put_number(text, UAPI_LISTEN_PORT, wg->listen.wanted.port);
	if (wg->listen.wanted.mark != 0)
		uapi_put_number(text, UAPI_FWMARK, wg->listen.wanted.mark);
}

static void get_peer(const struct wg_peer *peer, struct uapi_text *text)
{
	struct allowed_ip *ip;
	uint8_t key[KEY_SIZE];

	uapi_put_peer(text, peer->peer);
	peer_preshared_key(peer->peer, key);
	uapi_put_key(text, UAPI_PRESHARED_KEY, key);
	secret_wipe(key, sizeof key);
	uapi_put_number(text, UAPI_PERSISTENT_KEEPALIVE, peer->keepalive_s);
	TAILQ_FOREACH(ip, &peer->allowed, next)
		uapi_put_prefix(text, &ip->prefix);
}

static void get(void *owner, struct uapi_text *text)
{
	const struct engine *engine = owner;
	const struct wireguard *wg = engine->state;
	struct wg_peer *peer;

	get_interface(engine, text);
	TAILQ_FOREACH(peer, &wg->peers, next)
		get_peer(peer, text);
}

static bool is_identity(struct engine *engine, const uint8_t key[KEY_SIZE])
{
	uint8_t now[KEY_SIZE];
	bool same;

	node_private_key(engine->node, now);
	same = secret_equal(now, key, KEY_SIZE);
	secret_wipe(now, sizeof now);
	return same;
}

/* A peer with our own key is not talked to: it goes. */
static int adopt(struct engine *engine, uint64_t now_ns, const uint8_t key[KEY_SIZE])
{
	uint8_t public_key[KEY_SIZE];
	struct wg_peer *ourselves;
	int err;

	x25519_public(key, public_key);
	ourselves = secret_is_zero(key, KEY_SIZE) ? NULL : wg_peer_find(engine, public_key);
	if (ourselves)
		wg_peer_free(engine, ourselves);
	err = node_set_private_key(engine->node, now_ns, key);
	if (err == 0)
		wg_begin(engine, now_ns);
	return err;
}

/* Shown as it is used, clamped. */
static int set_private_key(struct engine *engine, uint64_t now_ns, const uint8_t key[KEY_SIZE])
{
	uint8_t clamped[KEY_SIZE];
	int err = 0;

	memcpy(clamped, key, KEY_SIZE);
	if (!secret_is_zero(key, KEY_SIZE))
		x25519_clamp(clamped);
	if (!is_identity(engine, clamped)) /* with the same one, live sessions go on */
		err = adopt(engine, now_ns, clamped);
	secret_wipe(clamped, sizeof clamped);
	return err;
}

static int set_listen(struct engine *engine, const struct uapi_line *line)
{
	struct wireguard *wg = engine->state;

	if (wg->listen.asked.id)
		return UAPI_BUSY;
	if (line->key == UAPI_FWMARK)
		wg->listen.wanted.mark = (uint32_t)line->number;
	else
		wg->listen.wanted.port = (uint16_t)line->number;
	return wg_listen_apply(engine);
}

/* The peer that the lines were about is complete. */
static int leave_peer(struct engine *engine, uint64_t now_ns, struct uapi_cursor *cursor)
{
	struct wireguard *wg = engine->state;
	struct wg_peer *peer = wg_peer_find(engine, cursor->public_key);
	int err = 0;

	/* Another client may have made or removed it meanwhile. */
	if (cursor->at == CURSOR_NEW && !peer)
		err = wg_peer_new(engine, now_ns, cursor->public_key, &peer);
	else if (cursor->at == CURSOR_PEER && cursor->keepalive && wg->up && peer)
		peer_send_keepalive(peer->peer, now_ns);
	cursor->at = CURSOR_IGNORED;
	cursor->keepalive = false;
	return err;
}

static int enter_peer(struct engine *engine, uint64_t now_ns, struct uapi_cursor *cursor,
		      const uint8_t public_key[KEY_SIZE])
{
	int err = leave_peer(engine, now_ns, cursor);
	uint8_t own[KEY_SIZE];

	if (err < 0)
		return err;
	node_public_key(engine->node, own);
	memcpy(cursor->public_key, public_key, KEY_SIZE);
	if (!secret_is_zero(own, KEY_SIZE) && memcmp(own, public_key, KEY_SIZE) == 0)
		cursor->at = CURSOR_IGNORED;
	else
		cursor->at = wg_peer_find(engine, public_key) ? CURSOR_PEER : CURSOR_NEW;
	return 0;
}

static void set_keepalive(struct wg_peer *peer, uint64_t now_ns, struct uapi_cursor *cursor,
			  uint16_t seconds)
{
	cursor->keepalive |= peer->keepalive_s == 0 && seconds != 0;
	peer->keepalive_s = seconds;
	peer_set_keepalive(peer->peer, now_ns, seconds);
}

static int set_endpoint(struct engine *engine, struct wg_peer *peer, const struct uapi_line *line)
{
	const struct wireguard *wg = engine->state;
	struct path path = {.transport =
				    transport_number(&engine->plane.transports, &udp_transport),
			    .socket = wg->socket,
			    .remote = line->endpoint};
	int result = 0;

	if (line->zone[0])
		result = wg_zone_find(engine, line->zone, &path.remote.scope_id);
	if (result == 0)
		peer_set_path(peer->peer, &path);
	return result;
}

/* A line about a peer that is there. */
static int set_peer(struct engine *engine, uint64_t now_ns, struct uapi_cursor *cursor,
		    struct wg_peer *peer, const struct uapi_line *line)
{
	struct wireguard *wg = engine->state;

	switch (line->key) {
	case UAPI_REMOVE:
		wg_peer_free(engine, peer);
		cursor->at = CURSOR_IGNORED;
		return 0;
	case UAPI_PRESHARED_KEY:
		peer_set_preshared_key(peer->peer, line->bytes);
		return 0;
	case UAPI_ENDPOINT:
		return set_endpoint(engine, peer, line);
	case UAPI_PERSISTENT_KEEPALIVE:
		set_keepalive(peer, now_ns, cursor, (uint16_t)line->number);
		return 0;
	case UAPI_REPLACE_ALLOWED_IPS:
		wg_disallow_all(wg, peer);
		return 0;
	case UAPI_ALLOWED_IP:
		if (!line->take)
			return wg_allow(wg, peer, &line->prefix);
		wg_disallow(wg, peer, &line->prefix);
		return 0;
	case UAPI_UPDATE_ONLY:
	case UAPI_PROTOCOL_VERSION:
		return 0;
	case UAPI_PRIVATE_KEY:
	case UAPI_LISTEN_PORT:
	case UAPI_FWMARK:
	case UAPI_REPLACE_PEERS:
	case UAPI_PUBLIC_KEY:
	case UAPI_LAST_HANDSHAKE_SEC:
	case UAPI_LAST_HANDSHAKE_NSEC:
	case UAPI_RX_BYTES:
	case UAPI_TX_BYTES:
	case UAPI_ERRNO:
	case UAPI_KEY_COUNT:
		break;
	}
	return -EINVAL;
}

static int peer_line(struct engine *engine, uint64_t now_ns, struct uapi_cursor *cursor,
		     const struct uapi_line *line)
{
	struct wg_peer *peer = wg_peer_find(engine, cursor->public_key);
	int err = 0;

	if (cursor->at == CURSOR_NEW &&
	    (line->key == UAPI_REMOVE || line->key == UAPI_UPDATE_ONLY))
		cursor->at = CURSOR_IGNORED;
	/* Another client may have made or removed it meanwhile. */
	if (cursor->at == CURSOR_NEW && !peer)
		err = wg_peer_new(engine, now_ns, cursor->public_key, &peer);
	if (err < 0 || cursor->at == CURSOR_IGNORED || !peer)
		return err;
	cursor->at = CURSOR_PEER;
	return set_peer(engine, now_ns, cursor, peer, line);
}

static int set(void *owner, uint64_t now_ns, struct uapi_client *client,
	       const struct uapi_line *line)
{
	struct engine *engine = owner;
	struct uapi_cursor *cursor = uapi_cursor(client);
	int err;

	if (!line) {
		err = leave_peer(engine, now_ns, cursor);
		return err < 0 ? err : wg_publish(engine);
	}
	if (line->key == UAPI_PUBLIC_KEY)
		return enter_peer(engine, now_ns, cursor, line->bytes);
	if (cursor->at != CURSOR_INTERFACE)
		return peer_line(engine, now_ns, cursor, line);
	if (line->key == UAPI_PRIVATE_KEY)
		return set_private_key(engine, now_ns, line->bytes);
	if (line->key != UAPI_REPLACE_PEERS)
		return set_listen(engine, line);
	wg_peers_clear(engine);
	return 0;
}

const struct uapi_ops wg_uapi = {get, set};
