/* SPDX-License-Identifier: ISC */
/*
 * An encoded configuration back, trusting nothing: the parser that wrote it has read foreign
 * bytes. Whatever the parser would not have let through is refused here as well.
 */
#include <tund/config/config.h>

#include <errno.h>
#include <string.h>

#include "config_check.h"
#include "config_codec.h"

/* Like the reader: a wrong value sets `failed`, which is looked at once, at the end. */
static uint8_t read_below(struct reader *r, uint8_t limit)
{
	uint8_t v = read_u8(r);

	if (v >= limit)
		r->failed = true;
	return v < limit ? v : 0;
}

static void read_addr(struct reader *r, struct ip_addr *out)
{
	uint8_t family = read_u8(r);

	*out = (struct ip_addr){.family = family};
	if (family != 4 && family != 6)
		r->failed = true;
	read_copy(r, out->bytes, ip_addr_size(out));
}

static void read_prefix(struct reader *r, struct ip_prefix *out)
{
	struct ip_prefix p, canonical;

	read_addr(r, &p.addr);
	p.len = read_u8(r);
	canonical = ip_prefix_of(&p.addr, p.len);
	if (!ip_prefix_equal(&p, &canonical))
		r->failed = true;
	*out = canonical;
}

static void read_prefixes(struct reader *r, struct prefix_list *out)
{
	uint32_t count = read_u32(r);

	if (count > CONFIG_PREFIXES_MAX)
		r->failed = true;
	for (uint32_t i = 0; i < count && !r->failed; i++)
		read_prefix(r, &out->prefix[i]);
	out->count = r->failed ? 0 : count;
}

/* A text of fewer than `size` bytes, without a NUL in it. */
static void read_text(struct reader *r, char *out, size_t size)
{
	uint8_t len = read_below(r, (uint8_t)size);

	read_copy(r, out, len);
	out[len] = '\0';
	if (strlen(out) != len)
		r->failed = true;
}

static void read_edge(struct reader *r, enum config_view view, struct config_edge *edge)
{
	if (view != CONFIG_HOST)
		read_copy(r, edge->public_key, KEY_SIZE);
	if (view == CONFIG_FULL)
		read_copy(r, edge->preshared_key, KEY_SIZE);
	read_text(r, edge->host, sizeof edge->host);
	edge->port = read_u16(r);
	edge->suite = (int8_t)read_u8(r);
}

static void read_fields(struct reader *r, enum config_view view, struct config *c)
{
	c->role = (enum role)read_below(r, ROLE_EDGE + 1);
	if (view == CONFIG_FULL)
		read_copy(r, c->private_key, KEY_SIZE);
	if (view == CONFIG_HOST)
		read_copy(r, c->public_key, KEY_SIZE);
	read_text(r, c->interface, sizeof c->interface);
	c->mtu = read_u16(r);
	c->keepalive_s = read_u16(r);
	c->workers = read_below(r, CONFIG_WORKERS_MAX + 1);
	c->aead = (enum aead_choice)read_below(r, AEAD_LIBSODIUM + 1);
	c->listen_port = read_u16(r);
	c->address.count = read_below(r, CONFIG_ADDRESSES_MAX + 1);
	for (uint32_t i = 0; i < c->address.count; i++)
		read_addr(r, &c->address.addr[i]);
	read_prefixes(r, &c->pool);
	read_edge(r, view, &c->edge);
	c->transport = (enum transport_choice)read_below(r, TRANSPORT_TCP_ONLY + 1);
	read_prefixes(r, &c->accept_routes);
	read_prefixes(r, &c->routes);
	c->full_tunnel = read_below(r, 2);
	c->accept_dns = read_below(r, 2);
	c->fwmark = read_u32(r);
	read_prefixes(r, &c->announce);
	c->source = (enum source_mode)read_below(r, SOURCE_PRESERVE + 1);
}

static bool is_zero(const uint8_t key[KEY_SIZE])
{
	uint8_t any = 0;

	for (size_t i = 0; i < KEY_SIZE; i++)
		any |= key[i];
	return any == 0;
}

/* Every view that has keys has all that must be there. */
static bool keys_are_valid(const struct config *c, enum config_view view)
{
	if (view == CONFIG_FULL && is_zero(c->private_key))
		return false;
	return view == CONFIG_HOST || is_zero(c->edge.public_key) == (c->role == ROLE_EDGE);
}

static bool edge_is_valid(const struct config *c)
{
	for (uint32_t i = 0; i < c->address.count; i++)
		if (ip_addr_is_special(&c->address.addr[i]) ||
		    !prefix_list_holds(&c->pool, &c->address.addr[i]))
			return false;
	if (c->address.count > 2 ||
	    (c->address.count == 2 && c->address.addr[0].family == c->address.addr[1].family))
		return false;
	return c->listen_port != 0 && c->interface[0] == '\0' && c->edge.host[0] == '\0' &&
	       c->routes.count == 0;
}

/* What an edge would push is written where there is none, and only there. */
static bool suite_is_valid(const struct config *c)
{
	switch (c->edge.suite) {
	case -1:
	case 1:
	case 2:
		return c->address.count == 0 && c->routes.count == 0;
	case 0:
		break;
	default:
		return false;
	}
	for (uint32_t i = 0; i < c->address.count; i++)
		if (ip_addr_is_special(&c->address.addr[i]) || address_is_listed(c, i, &c->address.addr[i]))
			return false;
	return c->role == ROLE_CLIENT && c->transport == TRANSPORT_UDP_ONLY &&
	       c->address.count > 0 && c->routes.count > 0;
}

static bool inner_is_valid(const struct config *c)
{
	return suite_is_valid(c) && config_interface_is_valid(c->interface) &&
	       host_is_valid(c->edge.host) && c->edge.port != 0 && c->fwmark != 0 &&
	       c->pool.count == 0;
}

static bool is_valid(const struct config *c)
{
	if (c->mtu < CONFIG_MTU_MIN || c->mtu > CONFIG_MTU_MAX)
		return false;
	switch (c->role) {
	case ROLE_EDGE:
		return edge_is_valid(c);
	case ROLE_CONNECTOR:
		return inner_is_valid(c) && c->announce.count > 0 &&
		       c->policy->principal_count == 0;
	case ROLE_CLIENT:
		return inner_is_valid(c) && c->announce.count == 0 && c->policy->route_count == 0 &&
		       c->policy->principal_count == 0;
	}
	return false;
}

static int read_policy(struct reader *r, struct config *c)
{
	struct policy_spec *policy;
	struct policy_error error;
	int err = policy_spec_decode(r, &policy);

	if (err)
		return err;
	policy_spec_free(c->policy);
	c->policy = policy;
	return policy_spec_validate(
		       policy, c->role == ROLE_CONNECTOR ? POLICY_OF_CONNECTOR : POLICY_OF_EDGE,
		       &error) == 0
		       ? 0
		       : -EBADMSG;
}

static int read_all(struct reader *r, struct config *c)
{
	const uint8_t *magic = read_bytes(r, CODEC_MAGIC_SIZE);
	uint16_t version = read_u16(r);
	enum config_view view = (enum config_view)read_below(r, CONFIG_HOST + 1);
	int err;

	if (r->failed || memcmp(magic, CODEC_MAGIC, CODEC_MAGIC_SIZE) != 0 ||
	    version != CODEC_VERSION)
		return -EBADMSG;
	read_fields(r, view, c);
	if (r->failed)
		return -EBADMSG;
	if (view != CONFIG_HOST) {
		err = read_policy(r, c);
		if (err)
			return err;
	}
	return reader_done(r) && is_valid(c) && keys_are_valid(c, view) ? 0 : -EBADMSG;
}

int config_decode(struct reader *r, struct config **out)
{
	struct config *config = config_new();
	int err;

	if (!config)
		return -ENOMEM;
	err = read_all(r, config);
	if (err) {
		config_free(config);
		return err;
	}
	*out = config;
	return 0;
}
