/* SPDX-License-Identifier: ISC */
/* Links and their addresses. */
#include <tund/sys/netlink.h>

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <string.h>

#include "netlink_request.h"

struct found_link {
	struct netlink_link link;
	int error;
};

static void take_link(void *ctx, const struct nlmsghdr *message)
{
	struct found_link *found = ctx;

	if (message->nlmsg_type == RTM_NEWLINK)
		found->error = link_parse(message, &found->link);
}

int netlink_link_get(struct netlink *nl, const char *name, struct netlink_link *out)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct found_link found = {.error = -ENODEV};
	struct request r;
	int err;

	if (!ifname_valid(name))
		return -EINVAL;
	request_init(&r, RTM_GETLINK, 0, &info, sizeof info);
	request_put(&r, IFLA_IFNAME, name, strlen(name) + 1);
	err = netlink_ask(nl, &r, take_link, &found);
	if (err == 0)
		err = found.error;
	if (err == 0)
		*out = found.link;
	return err;
}

int netlink_link_set_up(struct netlink *nl, uint32_t ifindex, bool up)
{
	struct ifinfomsg info = {.ifi_index = (int)ifindex, .ifi_flags = up ? IFF_UP : 0,
				 .ifi_change = IFF_UP};
	struct request r;

	request_init(&r, RTM_NEWLINK, 0, &info, sizeof info);
	return netlink_ask(nl, &r, NULL, NULL);
}

static int link_set(struct netlink *nl, uint32_t ifindex, uint16_t attribute, uint32_t value)
{
	struct ifinfomsg info = {.ifi_index = (int)ifindex};
	struct request r;

	request_init(&r, RTM_NEWLINK, 0, &info, sizeof info);
	request_put_u32(&r, attribute, value);
	return netlink_ask(nl, &r, NULL, NULL);
}

int netlink_link_set_mtu(struct netlink *nl, uint32_t ifindex, uint32_t mtu)
{
	return link_set(nl, ifindex, IFLA_MTU, mtu);
}

/* That of IPv4 follows as long as it is below 64 KiB (Linux 6.3). */
int netlink_link_set_gso_max(struct netlink *nl, uint32_t ifindex, uint32_t bytes)
{
	return link_set(nl, ifindex, IFLA_GSO_MAX_SIZE, bytes);
}

int netlink_link_set_queue(struct netlink *nl, uint32_t ifindex, uint32_t packets)
{
	return link_set(nl, ifindex, IFLA_TXQLEN, packets);
}

static void address_request(struct request *r, uint16_t type, uint16_t flags, uint32_t ifindex,
			    const struct ip_addr *addr)
{
	struct ifaddrmsg info = {
		.ifa_family = to_af(addr->family),
		.ifa_prefixlen = (uint8_t)(ip_addr_size(addr) * 8),
		.ifa_index = ifindex,
	};

	request_init(r, type, flags, &info, sizeof info);
	request_put_addr(r, IFA_LOCAL, addr);
	request_put_addr(r, IFA_ADDRESS, addr);
}

int netlink_address_add(struct netlink *nl, uint32_t ifindex, const struct ip_addr *addr)
{
	struct request r;
	int err;

	address_request(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, addr);
	if (addr->family == 6)
		request_put_u32(&r, IFA_FLAGS, IFA_F_NODAD);
	err = netlink_ask(nl, &r, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

int netlink_address_del(struct netlink *nl, uint32_t ifindex, const struct ip_addr *addr)
{
	struct request r;
	int err;

	address_request(&r, RTM_DELADDR, 0, ifindex, addr);
	err = netlink_ask(nl, &r, NULL, NULL);
	return err == -EADDRNOTAVAIL || err == -ENODEV ? 0 : err;
}

struct address_list {
	uint32_t only, except; /* interfaces; 0: any, none */
	bool connected;        /* the prefixes, not the addresses */
	struct ip_prefix *out;
	size_t count, max;
};

static void list_add(struct address_list *list, const struct ip_prefix *p)
{
	if (list->count < list->max)
		list->out[list->count] = *p;
	list->count++;
}

static bool is_link_local(const struct ip_addr *a)
{
	return a->family == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static bool is_wanted(const struct address_list *list, uint32_t ifindex, const struct ip_addr *a)
{
	if (a->family == 0 || (list->only != 0 && ifindex != list->only) ||
	    (list->except != 0 && ifindex == list->except))
		return false;
	return list->only != 0 || !is_link_local(a);
}

/* On a point-to-point link IFA_LOCAL is ours and IFA_ADDRESS the other side's; else both are the
 * same, and IPv6 gives IFA_ADDRESS alone. */
static void take_address(void *ctx, const struct nlmsghdr *message)
{
	const struct rtattr *a[IFA_MAX + 1];
	struct address_list *list = ctx;
	struct ip_prefix p;
	struct ip_addr local, remote;
	struct ifaddrmsg info;
	uint8_t family;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    message_attributes(message, sizeof info, a, IFA_MAX) < 0)
		return;
	memcpy(&info, NLMSG_DATA(message), sizeof info);
	family = from_af(info.ifa_family);
	if (family == 0)
		return;
	remote = attribute_addr(a[IFA_ADDRESS], family);
	local = a[IFA_LOCAL] ? attribute_addr(a[IFA_LOCAL], family) : remote;
	if (!is_wanted(list, info.ifa_index, &local))
		return;
	if (!list->connected) {
		p = (struct ip_prefix){.addr = local, .len = info.ifa_prefixlen};
		list_add(list, &p);
		return;
	}
	p = ip_prefix_of(&remote, info.ifa_prefixlen);
	list_add(list, &p);
	if (!ip_addr_equal(&local, &remote)) {
		p = ip_prefix_of(&local, 128);
		list_add(list, &p);
	}
}

static int dump_addresses(struct netlink *nl, struct address_list *list)
{
	struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};
	struct request r;
	int err;

	request_init(&r, RTM_GETADDR, NLM_F_DUMP, &info, sizeof info);
	do {
		list->count = 0;
		err = netlink_ask(nl, &r, take_address, list);
	} while (err == -EINTR);
	return err < 0 ? err : (int)list->count;
}

int netlink_address_list(struct netlink *nl, uint32_t ifindex, struct ip_prefix *out, size_t max)
{
	struct address_list list = {.only = ifindex, .out = out, .max = max};

	return dump_addresses(nl, &list);
}

int netlink_connected(struct netlink *nl, uint32_t except, struct ip_prefix *out, size_t max)
{
	struct address_list list = {.except = except, .connected = true, .out = out, .max = max};

	return dump_addresses(nl, &list);
}
