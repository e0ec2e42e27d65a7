/* SPDX-License-Identifier: ISC */
/* The status as JSON. Times are seconds since 1970, absent values null. */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <tund/policy/words.h>

/* A failed json_ function gives NULL, which the next one refuses: the outermost object then lacks
 * it, which status_json() sees by `failed`. */
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

static json_t *address_list(struct builder *b, const struct status_addresses *list)
{
	json_t *out = json_array();
	char text[IP_ADDR_STRLEN];

	for (size_t i = 0; i < list->count; i++)
		append(b, out, json_string(ip_addr_format(&list->item[i], text)));
	return out;
}

static json_t *prefix_list(struct builder *b, const struct status_prefixes *list)
{
	json_t *out = json_array();
	char text[IP_PREFIX_STRLEN];

	for (size_t i = 0; i < list->count; i++)
		append(b, out, json_string(ip_prefix_format(&list->item[i], text)));
	return out;
}

/* edge: who the peer is, and what it holds or reaches */
static void set_identity(struct builder *b, json_t *out, const struct status_peer *peer)
{
	const struct device_index_entry *e = peer->identity;

	if (!e)
		return;
	set(b, out, "principal", json_string(e->principal->id));
	set(b, out, "device", json_string(e->device->name));
	set(b, out, "kind", json_string(word_kinds[e->principal->kind]));
	set(b, out, "addresses", address_list(b, &peer->addresses));
	set(b, out, "mtu", peer->mtu ? json_integer(peer->mtu) : json_null());
	if (!peer->has_announced)
		return;
	set(b, out, "announced", prefix_list(b, &peer->announced));
	set(b, out, "routes", prefix_list(b, &peer->granted));
}

static void set_path(struct builder *b, json_t *out, const struct engine_peer *p)
{
	char local[ENDPOINT_STRLEN];

	set(b, out, "endpoint", endpoint_or_null(&p->endpoint));
	set(b, out, "local",
	    p->local.addr.family ? json_string(status_local(&p->local, local)) : json_null());
	set(b, out, "transport", p->endpoint.addr.family ? json_string(p->transport) : json_null());
}

static json_t *peer_object(struct builder *b, const struct status *s,
			   const struct status_peer *peer)
{
	const struct engine_peer *p = peer->session;
	char name[PEER_NAME_MAX], key[KEY_BASE64_LEN + 1];
	json_t *out = json_object();

	key_to_base64(p->public_key, key);
	set(b, out, "name", json_string(status_peer_name(s, peer, name)));
	set(b, out, "public_key", json_string(key));
	set(b, out, "up", json_boolean(p->up));
	set_path(b, out, p);
	set(b, out, "suite", p->suite >= 0 ? json_integer(p->suite) : json_null());
	set(b, out, "last_handshake", seconds_or_null(p->last_handshake_wall_ns));
	set(b, out, "rx_bytes", json_integer((json_int_t)p->rx_bytes));
	set(b, out, "tx_bytes", json_integer((json_int_t)p->tx_bytes));
	set(b, out, "rx_packets", json_integer((json_int_t)p->rx_packets));
	set(b, out, "tx_packets", json_integer((json_int_t)p->tx_packets));
	set_identity(b, out, peer);
	return out;
}

static json_t *denied_list(struct builder *b, const struct status *s)
{
	char address[IP_ADDR_STRLEN];
	json_t *out = json_array();

	for (uint32_t i = 0; i < s->denied_count; i++) {
		const struct status_denied *d = &s->denied[i];
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

static void set_member(struct builder *b, json_t *out, const struct status *s)
{
	set(b, out, "addresses", address_list(b, &s->addresses));
	set(b, out, "routes", prefix_list(b, &s->routes));
	set(b, out, "routes_not_applied", prefix_list(b, &s->not_applied));
	set(b, out, "mtu", s->has_network ? json_integer(s->mtu) : json_null());
	set(b, out, "problem", text_or_null(s->problem));
	set(b, out, "denied", denied_list(b, s));
	if (s->role == ROLE_CONNECTOR)
		set(b, out, "announces", prefix_list(b, &s->announces));
}

static void set_edge(struct builder *b, json_t *out, const struct status *s)
{
	set(b, out, "listen_port", json_integer(s->listen_port));
	set(b, out, "addresses", address_list(b, &s->addresses));
	set(b, out, "pool", prefix_list(b, &s->pool));
	set(b, out, "mtu", json_integer(s->mtu));
}

static json_t *drops_object(struct builder *b, const struct status *s)
{
	json_t *out = json_object();

	for (size_t i = 0; i < s->drop_count; i++)
		set(b, out, s->drop[i].name, json_integer((json_int_t)s->drop[i].count));
	return out;
}

static void set_all(struct builder *b, json_t *root, const struct status *s)
{
	json_t *peers = json_array();

	set(b, root, "schema", json_integer(STATUS_SCHEMA));
	set(b, root, "tunnel", text_or_null(s->tunnel));
	set(b, root, "role", json_string(config_role_names[s->role]));
	set(b, root, "interface", text_or_null(s->interface));
	set(b, root, "up", json_boolean(s->works));
	set(b, root, "up_since", seconds_or_null(s->works ? s->works_since_wall_ns : 0));
	if (s->role == ROLE_EDGE)
		set_edge(b, root, s);
	else
		set_member(b, root, s);
	for (size_t i = 0; i < s->peer_count; i++)
		append(b, peers, peer_object(b, s, &s->peer[i]));
	set(b, root, "peers", peers);
	set(b, root, "dropped", drops_object(b, s));
}

int status_json(const struct status *s, char **text, size_t *len)
{
	json_t *root = json_object();
	struct builder b = {.failed = !root};
	char *dump, *line = NULL;
	int n = -1;

	set_all(&b, root, s);
	dump = b.failed ? NULL : json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(13));
	json_decref(root);
	if (dump)
		n = asprintf(&line, "%s\n", dump);
	free(dump);
	if (n < 0)
		return -ENOMEM;
	*text = line;
	*len = (size_t)n;
	return 0;
}
