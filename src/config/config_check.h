/* SPDX-License-Identifier: ISC */
/* What must hold of a configuration, however it came into this process. */
#ifndef TUND_CONFIG_CONFIG_CHECK_H
#define TUND_CONFIG_CONFIG_CHECK_H

#include <tund/config/config.h>

/* Zeroed, with an empty policy. NULL when memory is out. */
struct config *config_new(void);

/* The same questions that the parser asks with a message, asked again after decoding. */
bool host_is_valid(const char *host);
bool address_is_listed(const struct address_list *list, const struct ip_addr *a);
bool prefix_is_listed(const struct prefix_list *list, const struct ip_prefix *p);
bool prefix_list_holds(const struct prefix_list *list, const struct ip_addr *a);

/*
 * Whether it is a point of order 1, 2, 4 or 8 of Curve25519 or its twist: whatever the secret, what
 * is shared with one of them is zero (RFC 7748 section 6.1).
 */
bool key_is_low_order(const uint8_t key[KEY_SIZE]);

#define CONFIG_PORT_DEFAULT 51820 /* of `listen` and of an endpoint */

#endif
