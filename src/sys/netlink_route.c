/* SPDX-License-Identifier: ISC */
/* Kernel routes and rules. */
#include <tund/sys/netlink.h>

#include <errno.h>
#include <linux/fib_rules.h>
#include <string.h>

#include "netlink_request.h"

static void route_request(struct request *r, uint16_t type, uint16_t flags,
			  const struct fib_route *route)
{
	struct rtmsg info = {
		.rtm_family = to_af(route->dst.addr.family),
		.rtm_dst_len = route->dst.len,
		.rtm_table = RT_TABLE_UNSPEC, /* said by the attribute */
		.rtm_protocol = NETLINK_PROTOCOL,
		.rtm_scope = route->dst.addr.family == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};

	request_init(r, type, flags, &info, sizeof info);
	request_put_addr(r, RTA_DST, &route->dst.addr);
	request_put_u32(r, RTA_OIF, route->ifindex);
	request_put_u32(r, RTA_TABLE, route->table ? route->table : NETLINK_TABLE_MAIN);
	if (route->metric != 0)
		request_put_u32(r, RTA_PRIORITY, route->metric);
}

int netlink_route_add(struct netlink *nl, const struct fib_route *route)
{
	struct request r;

	route_request(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route);
	return netlink_ask(nl, &r, NULL, NULL);
}

int netlink_route_del(struct netlink *nl, const struct fib_route *route)
{
	struct request r;
	int err;

	route_request(&r, RTM_DELROUTE, 0, route);
	err = netlink_ask(nl, &r, NULL, NULL);
	return err == -ESRCH || err == -ENODEV ? 0 : err;
}

struct route_list {
	uint8_t protocol;
	uint32_t ifindex;
	struct fib_route *out;
	size_t count, max;
};

static int route_parse(const struct nlmsghdr *message, struct fib_route *out)
{
	const struct rtattr *a[RTA_MAX + 1];
	struct fib_route route = {0};
	struct rtmsg info;
	uint8_t family;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    message_attributes(message, sizeof info, a, RTA_MAX) < 0)
		return -EBADMSG;
	memcpy(&info, NLMSG_DATA(message), sizeof info);
	family = from_af(info.rtm_family);
	if (family == 0 || info.rtm_flags & RTM_F_CLONED)
		return -EBADMSG;
	route.dst.addr = attribute_addr(a[RTA_DST], family);
	route.dst.addr.family = family; /* a default route has no RTA_DST */
	route.dst.len = info.rtm_dst_len;
	route.ifindex = attribute_u32(a[RTA_OIF]);
	route.table = a[RTA_TABLE] ? attribute_u32(a[RTA_TABLE]) : info.rtm_table;
	route.metric = attribute_u32(a[RTA_PRIORITY]);
	route.protocol = info.rtm_protocol;
	*out = route;
	return 0;
}

static void take_route(void *ctx, const struct nlmsghdr *message)
{
	struct route_list *list = ctx;
	struct fib_route route;

	if (route_parse(message, &route) < 0 ||
	    (list->protocol != 0 && route.protocol != list->protocol) ||
	    (list->ifindex != 0 && route.ifindex != list->ifindex))
		return;
	if (list->count < list->max)
		list->out[list->count] = route;
	list->count++;
}

int netlink_route_list(struct netlink *nl, uint8_t protocol, uint32_t ifindex,
		       struct fib_route *out, size_t max)
{
	struct route_list list = {.protocol = protocol, .ifindex = ifindex, .out = out,
				  .max = max};
	struct rtmsg info = {.rtm_family = AF_UNSPEC};
	struct request r;
	int err;

	request_init(&r, RTM_GETROUTE, NLM_F_DUMP, &info, sizeof info);
	do {
		list.count = 0;
		err = netlink_ask(nl, &r, take_route, &list);
	} while (err == -EINTR);
	return err < 0 ? err : (int)list.count;
}

struct found_route {
	struct fib_lookup lookup;
	int error;
};

static void take_lookup(void *ctx, const struct nlmsghdr *message)
{
	const struct rtattr *a[RTA_MAX + 1];
	struct found_route *found = ctx;
	struct rtmsg info;
	uint8_t family;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    message_attributes(message, sizeof info, a, RTA_MAX) < 0)
		return;
	memcpy(&info, NLMSG_DATA(message), sizeof info);
	family = from_af(info.rtm_family);
	if (info.rtm_type != RTN_UNICAST && info.rtm_type != RTN_LOCAL)
		return; /* unreachable, prohibit, blackhole; or no host's address */
	found->lookup = (struct fib_lookup){
		.ifindex = attribute_u32(a[RTA_OIF]),
		.local = info.rtm_type == RTN_LOCAL,
		.source = attribute_addr(a[RTA_PREFSRC], family),
		.gateway = attribute_addr(a[RTA_GATEWAY], family),
	};
	found->error = 0;
}

int netlink_route_lookup(struct netlink *nl, const struct ip_addr *dst, uint32_t mark,
			 struct fib_lookup *out)
{
	struct rtmsg info = {.rtm_family = to_af(dst->family),
			     .rtm_dst_len = (uint8_t)(ip_addr_size(dst) * 8)};
	struct found_route found = {.error = -EHOSTUNREACH};
	struct request r;
	int err;

	request_init(&r, RTM_GETROUTE, 0, &info, sizeof info);
	request_put_addr(&r, RTA_DST, dst);
	if (mark != 0)
		request_put_u32(&r, RTA_MARK, mark);
	err = netlink_ask(nl, &r, take_lookup, &found);
	if (err == 0)
		err = found.error;
	if (err == 0)
		*out = found.lookup;
	return err;
}

static void rule_request(struct request *r, uint16_t type, uint16_t flags,
			 const struct fib_rule *rule)
{
	struct fib_rule_hdr info = {
		.family = to_af(rule->family),
		.action = FR_ACT_TO_TBL,
		.flags = rule->invert ? FIB_RULE_INVERT : 0,
	};
	uint8_t protocol = NETLINK_PROTOCOL;

	request_init(r, type, flags, &info, sizeof info);
	request_put_u32(r, FRA_PRIORITY, rule->priority);
	request_put_u32(r, FRA_TABLE, rule->table);
	request_put(r, FRA_PROTOCOL, &protocol, sizeof protocol);
	if (rule->mark != 0) {
		request_put_u32(r, FRA_FWMARK, rule->mark);
		request_put_u32(r, FRA_FWMASK, UINT32_MAX);
	}
	if (rule->suppress_prefix >= 0)
		request_put_u32(r, FRA_SUPPRESS_PREFIXLEN, (uint32_t)rule->suppress_prefix);
}

int netlink_rule_add(struct netlink *nl, const struct fib_rule *rule)
{
	struct request r;

	rule_request(&r, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule);
	return netlink_ask(nl, &r, NULL, NULL);
}

int netlink_rule_del(struct netlink *nl, const struct fib_rule *rule)
{
	struct request r;
	int err;

	rule_request(&r, RTM_DELRULE, 0, rule);
	err = netlink_ask(nl, &r, NULL, NULL);
	return err == -ENOENT ? 0 : err;
}

struct rule_list {
	struct fib_rule *out;
	size_t count, max;
};

static void take_rule(void *ctx, const struct nlmsghdr *message)
{
	const struct rtattr *a[FRA_PROTOCOL + 1];
	struct rule_list *list = ctx;
	struct fib_rule_hdr info;

	_Static_assert(FRA_SUPPRESS_PREFIXLEN < FRA_PROTOCOL, "the table holds both");
	if (message->nlmsg_type != RTM_NEWRULE ||
	    message_attributes(message, sizeof info, a, FRA_PROTOCOL) < 0 || !a[FRA_PROTOCOL] ||
	    *(const uint8_t *)RTA_DATA(a[FRA_PROTOCOL]) != NETLINK_PROTOCOL)
		return;
	memcpy(&info, NLMSG_DATA(message), sizeof info);
	if (list->count < list->max)
		list->out[list->count] = (struct fib_rule){
			.family = from_af(info.family),
			.invert = info.flags & FIB_RULE_INVERT,
			.priority = attribute_u32(a[FRA_PRIORITY]),
			.mark = attribute_u32(a[FRA_FWMARK]),
			.table = a[FRA_TABLE] ? attribute_u32(a[FRA_TABLE]) : info.table,
			.suppress_prefix = a[FRA_SUPPRESS_PREFIXLEN] ?
				(int)attribute_u32(a[FRA_SUPPRESS_PREFIXLEN]) : -1,
		};
	list->count++;
}

int netlink_rule_list(struct netlink *nl, uint8_t family, struct fib_rule *out, size_t max)
{
	struct rule_list list = {.out = out, .max = max};
	struct fib_rule_hdr info = {.family = to_af(family)};
	struct request r;
	int err;

	request_init(&r, RTM_GETRULE, NLM_F_DUMP, &info, sizeof info);
	do {
		list.count = 0;
		err = netlink_ask(nl, &r, take_rule, &list);
	} while (err == -EINTR);
	return err < 0 ? err : (int)list.count;
}
