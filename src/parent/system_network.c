/* SPDX-License-Identifier: ISC */
/* Addresses and kernel routes of the tunnel, as control asks for them and as far as allowed. */
#include "system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#include "verify.h"

#define CONNECTED_MAX 512

static bool bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8));
}

/* The first refusal is the text; the caller knows the others by their bits, the log all. */
static void refuse(struct system *system, const struct network *wanted, uint32_t i,
		   const char *reason, struct parent_reply *reply)
{
	char text[IP_PREFIX_STRLEN];

	ip_prefix_format(&wanted->route[i], text);
	if (!reply->text[0])
		snprintf(reply->text, sizeof reply->text, "route %s refused: %s", text, reason);
	set_bit(reply->refused, i);
	if (!bit(system->refused, i) || i >= system->wanted.route_count ||
	    !ip_prefix_equal(&system->wanted.route[i], &wanted->route[i]))
		log_warning("route %s from the edge refused: %s", text, reason);
}

static void judge_routes(struct system *system, const struct verify_bounds *bounds,
			 const struct network *wanted, struct parent_reply *reply)
{
	enum verdict verdict;

	for (uint32_t i = 0; i < wanted->route_count; i++) {
		verdict = verify_route(bounds, &wanted->route[i]);
		if (verdict != VERDICT_OK)
			refuse(system, wanted, i, verdict_text(verdict), reply);
	}
}

/* All addresses or none: with a part of them the host would speak from the wrong one. */
static int judge_addresses(const struct verify_bounds *bounds, const struct network *wanted,
			   struct parent_reply *reply)
{
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < wanted->address_count; i++) {
		enum verdict verdict = verify_address(bounds, &wanted->address[i]);

		if (verdict == VERDICT_OK)
			continue;
		snprintf(reply->text, sizeof reply->text, "address %s from the edge refused: %s",
			 ip_addr_format(&wanted->address[i], text), verdict_text(verdict));
		return -EACCES;
	}
	return 0;
}

static struct fib_route fib_route_to(const struct system *system, const struct ip_prefix *dst)
{
	return (struct fib_route){
		.dst = *dst,
		.ifindex = system->ifindex,
		.table = dst->len == 0 ? HOST_FULL_TABLE : NETLINK_TABLE_MAIN,
	};
}

static int add_rule(struct system *system, const struct fib_rule *rule)
{
	struct change change = {.kind = CHANGE_RULE, .rule = *rule};
	int err = journal_add(system->journal, &change);

	if (!err)
		err = netlink_rule_add(system->nl, rule);
	return err == -EEXIST ? 0 : err;
}

/* As wg-quick does it: what is not marked as ours looks into our table, but first into the main
 * one for anything more specific than its default route. */
static int add_full_rules(struct system *system, const struct config *config)
{
	int err = 0;

	if (system->full_rules)
		return 0;
	for (uint8_t family = 4; family <= 6 && !err; family = (uint8_t)(family + 2)) {
		struct fib_rule specific = {.family = family,
					    .priority = HOST_FULL_PRIORITY,
					    .table = NETLINK_TABLE_MAIN,
					    .suppress_prefix = 0};
		struct fib_rule others = {.family = family,
					  .invert = true,
					  .priority = HOST_FULL_PRIORITY + 1,
					  .mark = config->fwmark,
					  .table = HOST_FULL_TABLE,
					  .suppress_prefix = -1};

		err = add_rule(system, &specific);
		if (!err)
			err = add_rule(system, &others);
	}
	if (!err)
		err = system_set_sysctl(system, SYSCTL_IP4_SRC_VALID_MARK, NULL, 1);
	system->full_rules = !err;
	return err;
}

static int add_route(struct system *system, const struct config *config,
		     const struct ip_prefix *dst)
{
	struct fib_route route = fib_route_to(system, dst);
	int err = netlink_route_add(system->nl, &route);

	if (err == -EEXIST && netlink_route_del(system->nl, &route) == 0)
		err = netlink_route_add(system->nl, &route); /* it was ours */
	if (!err && dst->len == 0)
		err = add_full_rules(system, config);
	return err;
}

static void remove_gone(struct system *system, const struct network *wanted, const uint8_t *refused)
{
	struct network *applied = &system->applied;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < applied->route_count; i++) {
		struct fib_route route = fib_route_to(system, &applied->route[i]);
		bool stays = false;

		for (uint32_t k = 0; k < wanted->route_count && !stays; k++)
			stays = !bit(refused, k) && ip_prefix_equal(&wanted->route[k], &route.dst);
		if (stays)
			applied->route[kept++] = route.dst;
		else
			netlink_route_del(system->nl, &route);
	}
	applied->route_count = kept;
	kept = 0;
	for (uint32_t i = 0; i < applied->address_count; i++) {
		struct ip_addr address = applied->address[i];

		if (network_has_address(wanted, &address))
			applied->address[kept++] = address;
		else
			netlink_address_del(system->nl, system->ifindex, &address);
	}
	applied->address_count = kept;
}

static int add_addresses(struct system *system, const struct network *wanted,
			 struct parent_reply *reply)
{
	struct network *applied = &system->applied;
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < wanted->address_count; i++) {
		const struct ip_addr *a = &wanted->address[i];
		int err;

		if (network_has_address(applied, a))
			continue;
		err = netlink_address_add(system->nl, system->ifindex, a);
		if (err) {
			snprintf(reply->text, sizeof reply->text, "cannot set address %s: %s",
				 ip_addr_format(a, text), strerror(-err));
			return err;
		}
		network_add_address(applied, a);
	}
	return 0;
}

static void add_routes(struct system *system, const struct config *config,
		       const struct network *wanted, struct parent_reply *reply)
{
	struct network *applied = &system->applied;

	for (uint32_t i = 0; i < wanted->route_count; i++) {
		const struct ip_prefix *dst = &wanted->route[i];
		int err;

		if (bit(reply->refused, i) || network_has_route(applied, dst))
			continue;
		err = add_route(system, config, dst);
		if (err)
			refuse(system, wanted, i,
			       err == -EEXIST ? "another route to it is there; remove that one"
					      : strerror(-err),
			       reply);
		else
			network_add_route(applied, dst);
	}
}

static int apply(struct system *system, const struct config *config, const struct network *wanted,
		 struct parent_reply *reply)
{
	uint32_t addresses_before = system->applied.address_count;
	int err = 0;

	remove_gone(system, wanted, reply->refused);
	if (wanted->mtu != system->link.mtu)
		err = netlink_link_set_mtu(system->nl, system->ifindex, wanted->mtu);
	if (err) {
		snprintf(reply->text, sizeof reply->text, "cannot set the MTU to %u: %s",
			 wanted->mtu, strerror(-err));
		return err;
	}
	system->link.mtu = wanted->mtu;
	err = add_addresses(system, wanted, reply);
	/* The table drops packets to our addresses that come in from elsewhere. Without nft a
	 * client is only less well protected; a connector did not start. */
	if (!err && (addresses_before != system->applied.address_count || !system->nft_loaded ||
		     !network_addresses_equal(&system->wanted, wanted)))
		system_load_nft(system, config);
	if (!err)
		add_routes(system, config, wanted, reply);
	return err;
}

static int judge(struct system *system, const struct config *config, const struct network *wanted,
		 struct parent_reply *reply)
{
	struct ip_prefix *connected = calloc(CONNECTED_MAX, sizeof *connected);
	struct verify_bounds bounds = {
		.config = config,
		.connected = connected,
		.edges = system->edge,
		.edge_count =
			system->edge_count < HOST_EDGES_MAX ? system->edge_count : HOST_EDGES_MAX,
	};
	enum verdict verdict = verify_network(&bounds, wanted);
	int count, err = connected ? 0 : -ENOMEM;

	if (!err) {
		count = netlink_connected(system->nl, system->ifindex, connected, CONNECTED_MAX);
		err = count < 0 ? count : count > CONNECTED_MAX ? -E2BIG : 0;
		bounds.connected_count = err ? 0 : (size_t)count;
	}
	if (verdict != VERDICT_OK) {
		snprintf(reply->text, sizeof reply->text, "network refused: %s",
			 verdict_text(verdict));
		err = -EINVAL;
	} else if (err) {
		snprintf(reply->text, sizeof reply->text, "cannot list this host's networks: %s",
			 strerror(-err));
	} else {
		err = judge_addresses(&bounds, wanted, reply);
		if (!err)
			judge_routes(system, &bounds, wanted, reply);
	}
	free(connected);
	return err;
}

void system_apply_network(struct system *system, const struct config *config,
			  const struct network *wanted, struct parent_reply *reply)
{
	int err = judge(system, config, wanted, reply);

	if (!err)
		err = apply(system, config, wanted, reply);
	if (err) {
		log_error("%s", reply->text);
	} else {
		system->wanted = *wanted;
		memcpy(system->refused, reply->refused, sizeof system->refused);
	}
	reply->error = -err;
}
