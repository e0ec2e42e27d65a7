/* SPDX-License-Identifier: ISC */
/*
 * What a host's network inside the tunnel is: what an edge pushes, control asks the parent for, the
 * parent applies and the engine holds its packets to. A plain value; nothing here allocates, and
 * all functions may be called from any thread.
 */
#ifndef TUND_BASE_NETWORK_H
#define TUND_BASE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/addr.h>

#define NETWORK_ADDRESSES_MAX 8
#define NETWORK_ROUTES_MAX 512
#define NETWORK_MTU_MIN 1280 /* IPv6's least (RFC 8200 section 5) */
#define NETWORK_MTU_MAX 9000

struct network {
	uint32_t mtu; /* inner, bytes: NETWORK_MTU_MIN..MAX; 0: not said */
	uint32_t address_count, route_count;
	struct ip_addr address[NETWORK_ADDRESSES_MAX];
	struct ip_prefix route[NETWORK_ROUTES_MAX];
};

/*
 * Whether a network that did not come from here is one: counts within their limits, addresses and
 * prefixes well-formed, the MTU 0 or in its range. The other functions take it for granted.
 */
bool network_is_valid(const struct network *n);

/* The same MTU, addresses and routes, in the same order. */
bool network_equal(const struct network *a, const struct network *b);

/* The same addresses, in the same order. */
bool network_addresses_equal(const struct network *a, const struct network *b);

bool network_has_address(const struct network *n, const struct ip_addr *a);
bool network_has_route(const struct network *n, const struct ip_prefix *p);

/* False: there is no room. */
bool network_add_address(struct network *n, const struct ip_addr *a);
bool network_add_route(struct network *n, const struct ip_prefix *p);

#endif
