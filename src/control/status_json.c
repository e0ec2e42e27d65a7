/* SPDX-License-Identifier: ISC */
/* The status as JSON. Times are seconds since 1970, absent values null. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <tund/policy/words.h>
#include <tund/session/path.h>

#include "control.h"

/* A failed json_ function gives NULL, which the next one refuses: the outermost object then lacks
 * it, which render_json() sees by `failed`. */
struct builder {
	bool failed;
};

static void set(struct builder *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		b->failed = true;
}

static void append(struct builder *b, json_t *list, json_t *value)
{
	if (json_array_append_new(list, value))
		b->failed = true;
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *seconds_or_null(uint64_t ns)
{
	return ns ? json_real((double)ns / 1e9) : json_null();
}

static json_t *endpoint_or_null(const struct endpoint *e)
{
	char text[ENDPOINT_STRLEN];

	return e->addr.family ? json_string(endpoint_format(e, text)) : json_null();
}

static json_t *address_list(struct builder *b, const struct ip_addr *list, size_t count)
{
	json_t *out = json_array();
	char text[IP_ADDR_STRLEN];

	for (size_t i = 0; i < count; i++)
		append(b, out, json_string(ip_addr_format(&list[i], text)));
	return out;
}

static json_t *prefix_list(struct builder *b, const struct ip_prefix *list, size_t count)
{
	json_t *out = json_array();
	char text[IP_PREFIX_STRLEN];

	for (size_t i = 0; i < count; i++)
		append(b, out, json_string(ip_prefix_format(&list[i], text)));
	return out;
}

/* edge: who the peer is, and what it holds or reaches */
static void set_identity(struct builder *b, json_t *out, const struct control *c,
			 const struct engine_peer *p)
{
	const struct device_index_entry *e = device_index_find(&c->devices, p->public_key);
	const struct known_peer *known = peers_find_key(&c->peers, p->public_key);
	struct control_message_routes granted;

	if (!e)
		return;
	set(b, out, "principal", json_string(e->principal->id));
	set(b, out, "device", json_string(e->device->name));
	set(b, out, "kind", json_string(word_kinds[e->principal->kind]));
	set(b, out, "addresses",
	    address_list(b, e->device->addresses, e->device->address_count));
	if (!known || !known->announced)
		return;
	edge_grant(c->config->policy, e->principal->id, known->announced, &granted);
	set(b, out, "announced",
	    prefix_list(b, known->announced->route, known->announced->route_count));
	set(b, out, "routes", prefix_list(b, granted.route, granted.route_count));
}

static json_t *peer_object(struct builder *b, const struct control *c, const struct engine_peer *p)
{
	char name[PEER_NAME_MAX], key[KEY_BASE64_LEN + 1], local[ENDPOINT_STRLEN];
	json_t *out = json_object();

	key_to_base64(p->public_key, key);
	set(b, out, "name", json_string(control_peer_name(c, p->public_key, name)));
	set(b, out, "public_key", json_string(key));
	set(b, out, "up", json_boolean(p->up));
	set(b, out, "endpoint", endpoint_or_null(&p->endpoint));
	set(b, out, "local",
	    p->local.addr.family ? json_string(status_local(&p->local, local)) : json_null());
	set(b, out, "transport",
	    p->endpoint.addr.family
		    ? json_string(transport_word(p->transport))
		    : json_null());
	set(b, out, "suite", p->suite >= 0 ? json_integer(p->suite) : json_null());
	set(b, out, "last_handshake", seconds_or_null(p->last_handshake_wall_ns));
	set(b, out, "rx_bytes", json_integer((json_int_t)p->rx_bytes));
	set(b, out, "tx_bytes", json_integer((json_int_t)p->tx_bytes));
	set(b, out, "rx_packets", json_integer((json_int_t)p->rx_packets));
	set(b, out, "tx_packets", json_integer((json_int_t)p->tx_packets));
	if (c->config->role == ROLE_EDGE)
		set_identity(b, out, c, p);
	return out;
}

static json_t *denied_list(struct builder *b, const struct member *m)
{
	uint32_t shown = m->denied_count < MEMBER_DENIED_MAX ? m->denied_count : MEMBER_DENIED_MAX;
	char address[IP_ADDR_STRLEN];
	json_t *out = json_array();

	for (uint32_t i = 1; i <= shown; i++) {
		const struct member_denied *d =
			&m->denied[(m->denied_count - i) % MEMBER_DENIED_MAX];
		json_t *item = json_object();

		set(b, item, "destination",
		    json_string(ip_addr_format(&d->what.destination, address)));
		set(b, item, "proto", json_integer(d->what.proto));
		set(b, item, "port", json_integer(d->what.port));
		set(b, item, "at", seconds_or_null(d->wall_ns));
		append(b, out, item);
	}
	return out;
}

static void set_member(struct builder *b, json_t *out, const struct control *c)
{
	const struct member *m = &c->member;
	const struct network *n = m->network;

	set(b, out, "addresses", address_list(b, n ? n->address : NULL, n ? n->address_count : 0));
	set(b, out, "routes", prefix_list(b, n ? n->route : NULL, n ? n->route_count : 0));
	set(b, out, "routes_not_applied",
	    prefix_list(b, m->refused ? m->refused->route : NULL,
			m->refused ? m->refused->route_count : 0));
	set(b, out, "mtu", n ? json_integer(n->mtu) : json_null());
	set(b, out, "problem", text_or_null(m->error));
	set(b, out, "denied", denied_list(b, m));
	if (c->config->role == ROLE_CONNECTOR)
		set(b, out, "announces",
		    prefix_list(b, c->config->announce.prefix, c->config->announce.count));
}

static void set_edge(struct builder *b, json_t *out, const struct control *c)
{
	set(b, out, "listen_port", json_integer(c->config->listen_port));
	set(b, out, "addresses", address_list(b, c->config->address.addr, c->config->address.count));
	set(b, out, "pool", prefix_list(b, c->config->pool.prefix, c->config->pool.count));
	set(b, out, "mtu", json_integer(c->config->mtu));
}

static json_t *counters_object(struct builder *b, const struct control *c, const struct ask *ask)
{
	json_t *out = json_object();

	for (size_t i = 0; i < ask->counter_count; i++) {
		const struct engine_counters *n = &ask->counter[i];

		if (n->count)
			set(b, out, n->name, json_integer((json_int_t)n->count));
	}
	if (c->malformed)
		set(b, out, "malformed_notice", json_integer((json_int_t)c->malformed));
	return out;
}

static void set_all(struct builder *b, json_t *root, const struct control *c,
		    const struct ask *ask)
{
	json_t *peers = json_array();

	set(b, root, "schema", json_integer(STATUS_SCHEMA));
	set(b, root, "tunnel", text_or_null(c->name));
	set(b, root, "role", json_string(config_role_names[c->config->role]));
	set(b, root, "interface", text_or_null(c->config->interface));
	set(b, root, "up", json_boolean(c->works));
	set(b, root, "up_since", seconds_or_null(c->works ? c->works_since_wall_ns : 0));
	if (c->config->role == ROLE_EDGE)
		set_edge(b, root, c);
	else
		set_member(b, root, c);
	for (size_t i = 0; i < ask->peer_count; i++)
		append(b, peers, peer_object(b, c, &ask->peer[i]));
	set(b, root, "peers", peers);
	set(b, root, "dropped", counters_object(b, c, ask));
}

int status_render_json(const struct control *c, const struct ask *ask, char **text, size_t *len)
{
	json_t *root = json_object();
	struct builder b = {.failed = !root};
	char *s, *line = NULL;
	int n = -1;

	set_all(&b, root, c, ask);
	s = b.failed ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(13));
	json_decref(root);
	if (s)
		n = asprintf(&line, "%s\n", s);
	free(s);
	if (n < 0)
		return -ENOMEM;
	*text = line;
	*len = (size_t)n;
	return 0;
}
