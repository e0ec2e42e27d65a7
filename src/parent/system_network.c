/* SPDX-License-Identifier: ISC */
/* Addresses and kernel routes of the tunnel, as control asks for them and as far as allowed. */
#include <tund/parent/system.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/parent/verify.h>
#include <tund/sys/log.h>

#define CONNECTED_MAX 512

static bool bit(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8));
}

static bool has_route(const struct ip_prefix *list, uint32_t count, const struct ip_prefix *p)
{
	for (uint32_t i = 0; i < count; i++)
		if (ip_prefix_equal(&list[i], p))
			return true;
	return false;
}

static bool has_address(const struct ip_addr *list, uint32_t count, const struct ip_addr *a)
{
	for (uint32_t i = 0; i < count; i++)
		if (ip_addr_equal(&list[i], a))
			return true;
	return false;
}

/* The first refusal is the text; the caller knows the others by their bits, the log all. */
static void refuse(struct system *system, const struct request_network *request, uint32_t i,
		   const char *reason, struct parent_reply *reply)
{
	char text[IP_PREFIX_STRLEN];

	ip_prefix_format(&request->route[i], text);
	if (!reply->text[0])
		snprintf(reply->text, sizeof reply->text, "route %s refused: %s", text, reason);
	set_bit(reply->refused, i);
	if (!bit(system->refused, i) || i >= system->wanted.route_count ||
	    !ip_prefix_equal(&system->wanted.route[i], &request->route[i]))
		log_warning("route %s from the edge refused: %s", text, reason);
}

static void judge_routes(struct system *system, const struct verify_bounds *bounds,
			 const struct request_network *request, struct parent_reply *reply)
{
	enum verdict verdict;

	for (uint32_t i = 0; i < request->route_count; i++) {
		verdict = verify_route(bounds, &request->route[i]);
		if (verdict != VERDICT_OK)
			refuse(system, request, i, verdict_text(verdict), reply);
	}
}

/* All addresses or none: with a part of them the host would speak from the wrong one. */
static int judge_addresses(const struct verify_bounds *bounds,
			   const struct request_network *request, struct parent_reply *reply)
{
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < request->address_count; i++) {
		enum verdict verdict = verify_address(bounds, &request->address[i]);

		if (verdict == VERDICT_OK)
			continue;
		snprintf(reply->text, sizeof reply->text, "address %s from the edge refused: %s",
			 ip_addr_format(&request->address[i], text), verdict_text(verdict));
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

static void remove_gone(struct system *system, const struct request_network *request,
			const uint8_t *refused)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < system->route_count; i++) {
		struct fib_route route = fib_route_to(system, &system->route[i]);
		bool stays = false;

		for (uint32_t k = 0; k < request->route_count && !stays; k++)
			stays = !bit(refused, k) && ip_prefix_equal(&request->route[k], &route.dst);
		if (stays)
			system->route[kept++] = route.dst;
		else
			netlink_route_del(system->nl, &route);
	}
	system->route_count = kept;
	kept = 0;
	for (uint32_t i = 0; i < system->address_count; i++) {
		struct ip_addr address = system->address[i];

		if (has_address(request->address, request->address_count, &address))
			system->address[kept++] = address;
		else
			netlink_address_del(system->nl, system->ifindex, &address);
	}
	system->address_count = kept;
}

static int add_addresses(struct system *system, const struct request_network *request,
			 struct parent_reply *reply)
{
	char text[IP_ADDR_STRLEN];

	for (uint32_t i = 0; i < request->address_count; i++) {
		const struct ip_addr *a = &request->address[i];
		int err;

		if (has_address(system->address, system->address_count, a))
			continue;
		err = netlink_address_add(system->nl, system->ifindex, a);
		if (err) {
			snprintf(reply->text, sizeof reply->text, "cannot set address %s: %s",
				 ip_addr_format(a, text), strerror(-err));
			return err;
		}
		system->address[system->address_count++] = *a;
	}
	return 0;
}

static void add_routes(struct system *system, const struct config *config,
		       const struct request_network *request, struct parent_reply *reply)
{
	for (uint32_t i = 0; i < request->route_count; i++) {
		const struct ip_prefix *dst = &request->route[i];
		int err;

		if (bit(reply->refused, i) || has_route(system->route, system->route_count, dst))
			continue;
		err = add_route(system, config, dst);
		if (err)
			refuse(system, request, i,
			       err == -EEXIST ? "another route to it is there; remove that one"
					      : strerror(-err),
			       reply);
		else
			system->route[system->route_count++] = *dst;
	}
}

static int apply(struct system *system, const struct config *config,
		 const struct request_network *request, struct parent_reply *reply)
{
	uint32_t addresses_before = system->address_count;
	int err = 0;

	remove_gone(system, request, reply->refused);
	if (request->mtu != system->link.mtu)
		err = netlink_link_set_mtu(system->nl, system->ifindex, request->mtu);
	if (err) {
		snprintf(reply->text, sizeof reply->text, "cannot set the MTU to %u: %s",
			 request->mtu, strerror(-err));
		return err;
	}
	system->link.mtu = request->mtu;
	err = add_addresses(system, request, reply);
	/* The table drops packets to our addresses that come in from elsewhere. Without nft a
	 * client is only less well protected; a connector did not start. */
	if (!err &&
	    (addresses_before != system->address_count || !system->nft_loaded ||
	     memcmp(system->wanted.address, request->address, sizeof request->address) != 0))
		system_load_nft(system, config);
	if (!err)
		add_routes(system, config, request, reply);
	return err;
}

static int judge(struct system *system, const struct config *config,
		 const struct request_network *request, struct parent_reply *reply)
{
	struct ip_prefix *connected = calloc(CONNECTED_MAX, sizeof *connected);
	struct verify_bounds bounds = {
		.config = config,
		.connected = connected,
		.edges = system->edge,
		.edge_count =
			system->edge_count < HOST_EDGES_MAX ? system->edge_count : HOST_EDGES_MAX,
	};
	enum verdict verdict = verify_network(&bounds, request);
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
		err = judge_addresses(&bounds, request, reply);
		if (!err)
			judge_routes(system, &bounds, request, reply);
	}
	free(connected);
	return err;
}

void system_apply_network(struct system *system, const struct config *config,
			  const struct request_network *request, struct parent_reply *reply)
{
	int err = judge(system, config, request, reply);

	if (!err)
		err = apply(system, config, request, reply);
	if (err) {
		log_error("%s", reply->text);
	} else {
		system->wanted = *request;
		memcpy(system->refused, reply->refused, sizeof system->refused);
	}
	reply->error = -err;
}
