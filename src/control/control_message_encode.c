/* SPDX-License-Identifier: ISC */
/* Encoding of control messages: our structs into JSON. Decoding: control_message.c. */
#include "control_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control_message_names.h"

#define IDENTITIES_OVERHEAD 128 /* bytes around the list: type, schema, first, last */

static json_t *address_list(const struct ip_addr *address, uint32_t count)
{
	json_t *list = json_array();
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < count; i++) {
		json_t *item = json_string(ip_addr_format(&address[i], text));

		if (json_array_append_new(list, item)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *prefix_list(const struct ip_prefix *prefix, uint32_t count)
{
	json_t *list = json_array();
	char text[IP_PREFIX_STRLEN];

	for (uint32_t i = 0; i < count; i++) {
		json_t *item = json_string(ip_prefix_format(&prefix[i], text));

		if (json_array_append_new(list, item)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* json_object_set_new() consumes the value and refuses NULL, so one test at the end is enough. */
static int set(json_t *root, const char *key, json_t *value)
{
	return json_object_set_new(root, key, value) ? -EINVAL : 0;
}

static int encode_hello(json_t *root, const struct control_message_hello *hello)
{
	return set(root, "schema", json_integer(CONTROL_MESSAGE_SCHEMA)) |
	       set(root, "role", json_string(hello->role)) |
	       set(root, "software", json_string(hello->software));
}

static int encode_config(json_t *root, const struct network *config)
{
	int r = config->mtu ? set(root, "mtu", json_integer(config->mtu)) : 0;

	return r | set(root, "addresses", address_list(config->address, config->address_count)) |
	       set(root, "routes", prefix_list(config->route, config->route_count));
}

static int encode_denied(json_t *root, const struct control_message_denied *denied)
{
	char text[IP_ADDR_STRLEN];

	return set(root, "destination", json_string(ip_addr_format(&denied->destination, text))) |
	       set(root, "proto", json_integer(denied->proto)) |
	       (denied->port ? set(root, "port", json_integer(denied->port)) : 0);
}

static int encode_body(json_t *root, const struct control_message *message)
{
	switch (message->type) {
	case CONTROL_MESSAGE_HELLO:
		return encode_hello(root, &message->hello);
	case CONTROL_MESSAGE_CONFIG:
		return encode_config(root, &message->config);
	case CONTROL_MESSAGE_ROUTES:
		return set(root, "routes",
			   prefix_list(message->routes.route, message->routes.route_count));
	case CONTROL_MESSAGE_DENIED:
		return encode_denied(root, &message->denied);
	case CONTROL_MESSAGE_MTU:
		return set(root, "mtu", json_integer(message->mtu));
	case CONTROL_MESSAGE_MORE:
	case CONTROL_MESSAGE_GOODBYE:
		return 0;
	case CONTROL_MESSAGE_IDENTITIES:
	case CONTROL_MESSAGE_OTHER:
		return -EINVAL;
	}
	return -EINVAL;
}

static int dump(const json_t *root, char **text)
{
	char *s = json_dumps(root, JSON_COMPACT);

	if (!s)
		return -ENOMEM;
	if (strlen(s) > CONTROL_MESSAGE_BYTES_MAX) {
		free(s);
		return -EMSGSIZE;
	}
	*text = s;
	return 0;
}

int control_message_encode(const struct control_message *message, char **text)
{
	json_t *root = json_object();
	int r;

	if (!root)
		return -ENOMEM;
	r = message->type < CONTROL_MESSAGE_OTHER
		    ? set(root, "type", json_string(control_message_type_names[message->type]))
		    : -EINVAL;
	if (!r && encode_body(root, message))
		r = -EINVAL;
	if (!r)
		r = dump(root, text);
	json_decref(root);
	return r;
}

int identities_chunk_init(struct identities_chunk *chunk)
{
	json_t *list = json_array();

	if (!list)
		return -ENOMEM;
	*chunk = (struct identities_chunk){.list = list, .bytes = IDENTITIES_OVERHEAD};
	return 0;
}

void identities_chunk_clear(struct identities_chunk *chunk)
{
	json_decref(chunk->list);
	*chunk = (struct identities_chunk){0};
}

static json_t *identity_object(const struct control_message_identity *identity)
{
	json_t *root = json_object(), *groups = json_array();
	int r = 0;

	for (uint32_t i = 0; i < identity->group_count; i++)
		r |= json_array_append_new(groups, json_string(identity->group[i]));
	r |= set(root, "principal", json_string(identity->principal));
	r |= set(root, "groups", groups);
	r |= set(root, "addresses", address_list(identity->address, identity->address_count));
	if (r) {
		json_decref(root);
		return NULL;
	}
	return root;
}

/* As many bytes as its compact text will have. */
static size_t text_size(const json_t *value)
{
	return json_dumpb(value, NULL, 0, JSON_COMPACT);
}

int identities_chunk_add(struct identities_chunk *chunk,
			 const struct control_message_identity *identity)
{
	json_t *object = identity_object(identity);
	size_t bytes;

	if (!object)
		return -EINVAL;
	bytes = text_size(object) + 1;
	if (json_array_size(chunk->list) == CONTROL_MESSAGE_IDENTITIES_MAX ||
	    (json_array_size(chunk->list) > 0 &&
	     chunk->bytes + bytes > CONTROL_MESSAGE_CHUNK_MAX)) {
		json_decref(object);
		return -ENOSPC;
	}
	if (json_array_append_new(chunk->list, object))
		return -ENOMEM;
	chunk->bytes += bytes;
	return 0;
}

int identities_chunk_encode(struct identities_chunk *chunk, bool first, bool last, char **text)
{
	json_t *root = json_object();
	int r = set(root, "type",
		    json_string(control_message_type_names[CONTROL_MESSAGE_IDENTITIES]));

	r |= set(root, "first", json_boolean(first));
	r |= set(root, "last", json_boolean(last));
	r |= set(root, "holders", chunk->list); /* consumed, also on error */
	*chunk = (struct identities_chunk){0};
	if (!r)
		r = dump(root, text);
	json_decref(root);
	return r;
}
