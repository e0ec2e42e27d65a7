/* SPDX-License-Identifier: ISC */
/* A wg-quick(8) file with one peer, as data. */
#ifndef TUND_LOADER_LOADER_WGQUICK_H
#define TUND_LOADER_LOADER_WGQUICK_H

#include <tund/config/config.h>

struct wgquick {
	uint8_t private_key[KEY_SIZE], public_key[KEY_SIZE], preshared_key[KEY_SIZE];
	bool has_private_key, has_public_key, has_preshared_key;
	char host[CONFIG_HOST_MAX]; /* "": no Endpoint */
	uint16_t port;
	uint32_t address_count;
	struct ip_addr address[CONFIG_ADDRESSES_MAX];
	struct prefix_list allowed; /* AllowedIPs; joined where they are too many */
	uint16_t mtu;               /* 0: not said */
	uint16_t keepalive_s;
	uint32_t fwmark;            /* 0: not said */
};

/*
 * Reads a text, which is cut up. What is wrong or cannot be carried over goes to standard error as
 * "name:line: ...". 0, or -EINVAL when it cannot become a client.
 */
int wgquick_parse(const char *name, char *text, struct wgquick *out);

#endif
