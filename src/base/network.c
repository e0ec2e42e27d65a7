/* SPDX-License-Identifier: ISC */
/* What a host's network inside the tunnel is. */
#include <tund/base/network.h>

bool network_is_valid(const struct network *n)
{
	if (n->address_count > NETWORK_ADDRESSES_MAX || n->route_count > NETWORK_ROUTES_MAX)
		return false;
	if (n->mtu && (n->mtu < NETWORK_MTU_MIN || n->mtu > NETWORK_MTU_MAX))
		return false;
	for (uint32_t i = 0; i < n->address_count; i++) {
		if (!ip_addr_is_valid(&n->address[i]))
			return false;
	}
	for (uint32_t i = 0; i < n->route_count; i++) {
		if (!ip_prefix_is_valid(&n->route[i]))
			return false;
	}
	return true;
}

bool network_addresses_equal(const struct network *a, const struct network *b)
{
	if (a->address_count != b->address_count)
		return false;
	for (uint32_t i = 0; i < a->address_count; i++) {
		if (!ip_addr_equal(&a->address[i], &b->address[i]))
			return false;
	}
	return true;
}

bool network_equal(const struct network *a, const struct network *b)
{
	if (a->mtu != b->mtu || a->route_count != b->route_count || !network_addresses_equal(a, b))
		return false;
	for (uint32_t i = 0; i < a->route_count; i++) {
		if (!ip_prefix_equal(&a->route[i], &b->route[i]))
			return false;
	}
	return true;
}

bool network_has_address(const struct network *n, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < n->address_count; i++) {
		if (ip_addr_equal(&n->address[i], a))
			return true;
	}
	return false;
}

bool network_has_route(const struct network *n, const struct ip_prefix *p)
{
	for (uint32_t i = 0; i < n->route_count; i++) {
		if (ip_prefix_equal(&n->route[i], p))
			return true;
	}
	return false;
}

bool network_add_address(struct network *n, const struct ip_addr *a)
{
	if (n->address_count == NETWORK_ADDRESSES_MAX)
		return false;
	n->address[n->address_count++] = *a;
	return true;
}

bool network_add_route(struct network *n, const struct ip_prefix *p)
{
	if (n->route_count == NETWORK_ROUTES_MAX)
		return false;
	n->route[n->route_count++] = *p;
	return true;
}
