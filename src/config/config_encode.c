/* SPDX-License-Identifier: ISC */
/* A configuration as bytes: what config_decode.c reads, field by field in the same order. */
#include <tund/config/config.h>

#include <string.h>

#include "config_codec.h"

static void write_addr(struct writer *w, const struct ip_addr *a)
{
	write_u8(w, a->family);
	write_bytes(w, a->bytes, ip_addr_size(a));
}

static void write_prefixes(struct writer *w, const struct prefix_list *list)
{
	write_u32(w, list->count);
	for (uint32_t i = 0; i < list->count; i++) {
		write_addr(w, &list->prefix[i].addr);
		write_u8(w, list->prefix[i].len);
	}
}

static void write_text(struct writer *w, const char *text)
{
	size_t len = strlen(text);

	write_u8(w, (uint8_t)len);
	write_bytes(w, text, len);
}

static void write_edge(struct writer *w, const struct config_edge *edge, enum config_view view)
{
	if (view != CONFIG_HOST)
		write_bytes(w, edge->public_key, KEY_SIZE);
	if (view == CONFIG_FULL)
		write_bytes(w, edge->preshared_key, KEY_SIZE);
	write_text(w, edge->host);
	write_u16(w, edge->port);
	write_u8(w, (uint8_t)edge->suite);
}

void config_encode(const struct config *config, enum config_view view, struct writer *w)
{
	write_bytes(w, CODEC_MAGIC, CODEC_MAGIC_SIZE);
	write_u16(w, CODEC_VERSION);
	write_u8(w, (uint8_t)view);
	write_u8(w, (uint8_t)config->role);
	if (view == CONFIG_FULL)
		write_bytes(w, config->private_key, KEY_SIZE);
	if (view == CONFIG_HOST)
		write_bytes(w, config->public_key, KEY_SIZE);
	write_text(w, config->interface);
	write_u16(w, config->mtu);
	write_u16(w, config->keepalive_s);
	write_u8(w, config->workers);
	write_u8(w, (uint8_t)config->aead);
	write_u16(w, config->listen_port);
	write_u8(w, (uint8_t)config->address.count);
	for (uint32_t i = 0; i < config->address.count; i++)
		write_addr(w, &config->address.addr[i]);
	write_prefixes(w, &config->pool);
	write_edge(w, &config->edge, view);
	write_u8(w, (uint8_t)config->transport);
	write_prefixes(w, &config->accept_routes);
	write_prefixes(w, &config->routes);
	write_u8(w, config->full_tunnel);
	write_u8(w, config->accept_dns);
	write_u32(w, config->fwmark);
	write_prefixes(w, &config->announce);
	write_u8(w, (uint8_t)config->source);
	if (view != CONFIG_HOST)
		policy_spec_encode(config->policy, view == CONFIG_FULL, w);
}
