/* SPDX-License-Identifier: ISC */
/*
 * Links, addresses, kernel routes and rules of this network namespace. What tund adds carries the
 * protocol number NETLINK_PROTOCOL, so that it is known as ours after a crash. All calls block
 * until the kernel has answered; for the parent. Errors are -errno as the kernel gave it.
 */
#ifndef TUND_SYS_NETLINK_H
#define TUND_SYS_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/sys/ifname.h>

#define NETLINK_PROTOCOL 116 /* RTA_PROTOCOL of our kernel routes and rules ('t') */
#define NETLINK_TABLE_MAIN 254

struct netlink;
struct netlink_monitor;

struct netlink_link {
	uint32_t index;
	uint32_t mtu;  /* bytes */
	bool up;       /* IFF_UP: it was set up */
	bool running;  /* operational: a carrier is there, too */
	char name[IFNAME_SIZE];
};

/* A kernel route through a device. */
struct fib_route {
	struct ip_prefix dst;
	uint32_t ifindex;
	uint32_t table;    /* 0: main */
	uint32_t metric;   /* 0: the kernel's default */
	uint8_t protocol;  /* when listed; netlink_route_add() always sets NETLINK_PROTOCOL */
};

/* A kernel rule "[not] from all [fwmark MARK] lookup TABLE [suppress_prefixlength N]". */
struct fib_rule {
	uint8_t family;        /* 4 or 6 */
	bool invert;           /* "not" */
	uint32_t priority;     /* must be given: our rules are found and removed by it */
	uint32_t mark;         /* 0: any */
	uint32_t table;
	int suppress_prefix;   /* ignore a result of this many bits or fewer; -1: off */
};

/* What the kernel would do with a packet to an address. */
struct fib_lookup {
	uint32_t ifindex;       /* where it leaves; the loopback's for a local address */
	bool local;             /* the address is this host's own */
	struct ip_addr source;  /* which address it would carry; family 0: not said */
	struct ip_addr gateway; /* family 0: on the link */
};

int netlink_open(struct netlink **out);
void netlink_close(struct netlink *nl); /* NULL is allowed */

/* -ENODEV: no such interface. */
int netlink_link_get(struct netlink *nl, const char *name, struct netlink_link *out);

/* Sets the interface up or down. */
int netlink_link_set_up(struct netlink *nl, uint32_t ifindex, bool up);

/* -EINVAL: outside what the device takes. */
int netlink_link_set_mtu(struct netlink *nl, uint32_t ifindex, uint32_t mtu);

/* The largest packet that the device is given before it is cut (TSO), and how many packets wait in
 * its queue. -errno also where the kernel knows no such thing. */
int netlink_link_set_gso_max(struct netlink *nl, uint32_t ifindex, uint32_t bytes);
int netlink_link_set_queue(struct netlink *nl, uint32_t ifindex, uint32_t packets);

/* Adds a host address (/32, /128; without duplicate address detection). 0 also if it is there. */
int netlink_address_add(struct netlink *nl, uint32_t ifindex, const struct ip_addr *addr);

/* 0 also if it is not there. */
int netlink_address_del(struct netlink *nl, uint32_t ifindex, const struct ip_addr *addr);

/* The addresses of one interface, or (ifindex 0) of all but link-local ones; each with the length
 * of its subnet and the host bits kept. Returns how many there are, of which the first `max` were
 * written; -errno. */
int netlink_address_list(struct netlink *nl, uint32_t ifindex, struct ip_prefix *out, size_t max);

/* The prefixes on which this host has neighbours or addresses itself (connected prefixes), except
 * through the interface `except` (0: none); a pushed route must never cover one. Returns how many
 * there are, of which the first `max` were written; -errno. */
int netlink_connected(struct netlink *nl, uint32_t except, struct ip_prefix *out, size_t max);

/* -EEXIST: a route to this prefix with this metric is there, ours or not. */
int netlink_route_add(struct netlink *nl, const struct fib_route *route);

/* Removes a route of ours; 0 also if it is not there. */
int netlink_route_del(struct netlink *nl, const struct fib_route *route);

/* Routes of one protocol (0: any) through one interface (0: any). Returns how many there are, of
 * which the first `max` were written; -errno. */
int netlink_route_list(struct netlink *nl, uint8_t protocol, uint32_t ifindex,
		       struct fib_route *out, size_t max);

/* Where a packet to `dst` with this mark would go. -ENETUNREACH, -EHOSTUNREACH: nowhere. */
int netlink_route_lookup(struct netlink *nl, const struct ip_addr *dst, uint32_t mark,
			 struct fib_lookup *out);

/* -EEXIST: exactly this rule is there. */
int netlink_rule_add(struct netlink *nl, const struct fib_rule *rule);

/* Removes a rule of ours; 0 also if it is not there. */
int netlink_rule_del(struct netlink *nl, const struct fib_rule *rule);

/* Our rules (by protocol). Returns how many there are, of which the first `max` were written. */
int netlink_rule_list(struct netlink *nl, uint8_t family, struct fib_rule *out, size_t max);

struct netlink_event {
	bool present; /* false: deleted, or moved to another namespace */
	struct netlink_link link;
};

/* Watches this namespace's interfaces for changes. */
int netlink_monitor_open(struct netlink_monitor **out);

/* Watches local addresses, kernel routes and rules: for netlink_monitor_drain(). */
int netlink_monitor_open_routes(struct netlink_monitor **out);

/* Reads whatever there is. True: something has changed. */
bool netlink_monitor_drain(struct netlink_monitor *m);
void netlink_monitor_close(struct netlink_monitor *m); /* NULL is allowed */

/* The descriptor to poll for reading; owned by the monitor. */
int netlink_monitor_fd(const struct netlink_monitor *m);

/* The next change. 1: one; 0: none for now; -ENOBUFS: some were lost, look again with
 * netlink_link_get(); -errno. */
int netlink_monitor_next(struct netlink_monitor *m, struct netlink_event *out);

#endif
