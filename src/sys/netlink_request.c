/* SPDX-License-Identifier: ISC */
/* Building requests and reading answers. */

#include "netlink_request.h"

#include <assert.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <string.h>

void request_init(struct request *r, uint16_t type, uint16_t flags, const void *fixed, size_t len)
{
	assert(NLMSG_SPACE(len) <= sizeof r->bytes);
	memset(r, 0, sizeof *r);
	r->header.nlmsg_type = type;
	r->header.nlmsg_flags = flags;
	memcpy(NLMSG_DATA(&r->header), fixed, len);
	r->header.nlmsg_len = (uint32_t)NLMSG_SPACE(len);
}

void request_put(struct request *r, uint16_t attribute, const void *value, size_t len)
{
	struct rtattr a = {.rta_type = attribute, .rta_len = (uint16_t)RTA_LENGTH(len)};
	uint8_t *at = r->bytes + r->header.nlmsg_len;

	assert(r->header.nlmsg_len + RTA_SPACE(len) <= sizeof r->bytes);
	memcpy(at, &a, sizeof a);
	memcpy(at + RTA_LENGTH(0), value, len);
	r->header.nlmsg_len += (uint32_t)RTA_SPACE(len);
}

void request_put_u32(struct request *r, uint16_t attribute, uint32_t value)
{
	request_put(r, attribute, &value, sizeof value);
}

void request_put_addr(struct request *r, uint16_t attribute, const struct ip_addr *addr)
{
	request_put(r, attribute, addr->bytes, ip_addr_size(addr));
}

int message_attributes(const struct nlmsghdr *message, size_t fixed, const struct rtattr **out,
		       unsigned max)
{
	const struct rtattr *a;
	size_t left;

	if (message->nlmsg_len < NLMSG_SPACE(fixed))
		return -EBADMSG;
	memset(out, 0, (max + 1) * sizeof *out);
	left = message->nlmsg_len - NLMSG_SPACE(fixed);
	a = (const void *)((const char *)message + NLMSG_SPACE(fixed));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) <= max)
			out[a->rta_type & NLA_TYPE_MASK] = a;
	return 0;
}

uint32_t attribute_u32(const struct rtattr *a)
{
	uint32_t value = 0;

	if (a && RTA_PAYLOAD(a) == sizeof value)
		memcpy(&value, RTA_DATA(a), sizeof value);
	return value;
}

struct ip_addr attribute_addr(const struct rtattr *a, uint8_t family)
{
	struct ip_addr none = {0};
	size_t size = family == 4 ? 4 : 16;

	if (!a || RTA_PAYLOAD(a) != size)
		return none;
	return ip_addr_from_bytes(family, RTA_DATA(a));
}

uint8_t to_af(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

uint8_t from_af(uint8_t af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

int link_parse(const struct nlmsghdr *message, struct netlink_link *out)
{
	const struct rtattr *a[IFLA_MTU + 1];
	struct netlink_link link = {0};
	struct ifinfomsg info;

	_Static_assert(IFLA_IFNAME < IFLA_MTU, "the table holds both");
	if (message_attributes(message, sizeof info, a, IFLA_MTU) < 0 || !a[IFLA_IFNAME] ||
	    RTA_PAYLOAD(a[IFLA_IFNAME]) > sizeof link.name)
		return -EBADMSG;
	memcpy(&info, NLMSG_DATA(message), sizeof info);
	memcpy(link.name, RTA_DATA(a[IFLA_IFNAME]), RTA_PAYLOAD(a[IFLA_IFNAME]));
	link.name[sizeof link.name - 1] = '\0';
	link.index = (uint32_t)info.ifi_index;
	link.mtu = attribute_u32(a[IFLA_MTU]);
	link.up = info.ifi_flags & IFF_UP;
	link.running = info.ifi_flags & IFF_LOWER_UP && info.ifi_flags & IFF_RUNNING;
	*out = link;
	return 0;
}
