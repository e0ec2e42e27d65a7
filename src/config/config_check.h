/* SPDX-License-Identifier: ISC */
/* What must hold of a configuration, however it came into this process. */
#ifndef TUND_CONFIG_CONFIG_CHECK_H
#define TUND_CONFIG_CONFIG_CHECK_H

#include <tund/config/config.h>

/* Zeroed, with an empty policy. NULL when memory is out. */
struct config *config_new(void);

/* The same questions that the parser asks with a message, asked again after decoding. */
bool host_is_valid(const char *host);
/* Whether `a` is among the first `count` own addresses. */
bool address_is_listed(const struct config *config, uint32_t count, const struct ip_addr *a);
bool prefix_list_holds(const struct prefix_list *list, const struct ip_addr *a);

#endif
