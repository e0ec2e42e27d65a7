/* SPDX-License-Identifier: ISC */
/* Our nft table, and on a connector forwarding between the tunnel and the announced networks. */
#include "system.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>
#include <tund/sys/nft.h>

#define CONCERNED_MAX 32 /* interfaces behind which announced networks lie */

struct concerned {
	size_t count;
	char name[CONCERNED_MAX][IFNAME_SIZE];
};

/* Hands the table of `config` with the addresses of now to nft_run() or nft_check(). */
static int hand_table(const struct system *system, const struct config *config,
		      int (*hand)(const char *script, char why[WHY_MAX]), char why[WHY_MAX])
{
	struct nft_table table = {
		.address = system->applied.address,
		.address_count = system->applied.address_count,
		.forward = config->role == ROLE_CONNECTOR,
		.snat = config->role == ROLE_CONNECTOR && config->source == SOURCE_SNAT,
		.announced = config->announce.prefix,
		.announced_count = config->announce.count,
	};
	char *script = malloc(NFT_SCRIPT_MAX);
	int len, err;

	if (!script)
		return why_set(why, -ENOMEM, "out of memory");
	memcpy(table.interface, config->interface, sizeof table.interface);
	len = nft_build(&table, script, NFT_SCRIPT_MAX);
	err = len < 0 ? why_set(why, len, "cannot write our nft table: %s", strerror(-len))
		      : hand(script, why);
	free(script);
	return err;
}

int system_check_nft(const struct system *system, const struct config *config, char *text,
		     size_t size)
{
	char why[WHY_MAX] = "";
	int err = hand_table(system, config, nft_check, why);

	snprintf(text, size, "%s", why);
	return err;
}

int system_load_nft(struct system *system, const struct config *config)
{
	struct change change = {.kind = CHANGE_NFT};
	char why[WHY_MAX] = "";
	int err = 0;

	memcpy(change.interface, config->interface, sizeof change.interface);
	if (!system->nft_loaded)
		err = journal_add(system->journal, &change);
	if (err) {
		log_error("cannot write %s: %s", system->tunnel->journal, strerror(-err));
		return err;
	}
	system->nft_loaded = true;
	err = hand_table(system, config, nft_run, why);
	if (err)
		log_error("%s", why);
	return err;
}

int system_set_sysctl(struct system *system, enum sysctl_key key, const char *interface, int value)
{
	struct change change = {.kind = CHANGE_SYSCTL, .key = key, .after = value};
	char path[SYSCTL_PATH_MAX] = "";
	int err = sysctl_get(key, interface, &change.before);

	if (err == -ENOENT || (!err && change.before == value))
		return 0;
	if (interface)
		strncpy(change.interface, interface, sizeof change.interface - 1);
	if (!err)
		err = journal_add(system->journal, &change);
	if (!err)
		err = sysctl_set(key, interface, value);
	if (err && !sysctl_path(key, interface, path))
		log_error("cannot set %s to %d: %s%s", path, value, strerror(-err),
			  err == -EROFS || err == -EPERM
				  ? "; the container must allow it, or its host must set it"
				  : "");
	return err;
}

static void concern(struct concerned *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->name[i], name) == 0)
			return;
	if (list->count < CONCERNED_MAX)
		strcpy(list->name[list->count++], name);
}

/* The n-th address of a prefix. */
static struct ip_addr nth(const struct ip_prefix *prefix, uint8_t n)
{
	struct ip_addr a = prefix->addr;

	a.bytes[ip_addr_size(&a) - 1] = (uint8_t)(a.bytes[ip_addr_size(&a) - 1] + n);
	return a;
}

/* Where an announced network is reached: one of its first addresses that is not our own. */
static int find_interface(struct system *system, const struct ip_prefix *prefix,
			  char name[IFNAME_SIZE])
{
	struct fib_lookup found;

	for (uint8_t n = 0; n < 3; n++) {
		struct ip_addr a = nth(prefix, n);

		if (ip_prefix_contains(prefix, &a) &&
		    netlink_route_lookup(system->nl, &a, 0, &found) == 0 && !found.local &&
		    found.ifindex != system->ifindex && if_indextoname(found.ifindex, name))
			return 0;
	}
	return -ENETUNREACH;
}

static bool find_concerned(struct system *system, const struct config *config, uint8_t family,
			   struct concerned *out)
{
	char name[IFNAME_SIZE], text[IP_PREFIX_STRLEN];
	bool any = false;

	for (uint32_t i = 0; i < config->announce.count; i++) {
		const struct ip_prefix *prefix = &config->announce.prefix[i];

		if (prefix->addr.family != family)
			continue;
		any = true;
		if (find_interface(system, prefix, name) == 0)
			concern(out, name);
		else
			log_warning("this host has no route to the announced network %s; nothing "
				    "behind it can be reached until it has, and `tund reload`",
				    ip_prefix_format(prefix, text));
	}
	return any;
}

static int forward4(struct system *system, const struct config *config)
{
	struct concerned list = {0};
	int err;

	if (!find_concerned(system, config, 4, &list))
		return 0;
	err = system_set_sysctl(system, SYSCTL_IP4_FORWARDING, config->interface, 1);
	for (size_t i = 0; i < list.count && !err; i++)
		err = system_set_sysctl(system, SYSCTL_IP4_FORWARDING, list.name[i], 1);
	return err;
}

/* A router ignores router advertisements unless accept_ra is 2: where the host used them it
 * must go on to. */
static int keep_accepting_ra(struct system *system)
{
	struct if_nameindex *all = if_nameindex();
	int value, err = 0;

	for (struct if_nameindex *i = all; i && i->if_index && !err; i++)
		if (ifname_valid(i->if_name) &&
		    sysctl_get(SYSCTL_IP6_ACCEPT_RA, i->if_name, &value) == 0 && value == 1)
			err = system_set_sysctl(system, SYSCTL_IP6_ACCEPT_RA, i->if_name, 2);
	if (all)
		if_freenameindex(all);
	return err;
}

static int forward6(struct system *system, const struct config *config)
{
	struct concerned list = {0};
	int value, err;

	if (!find_concerned(system, config, 6, &list))
		return 0;
	if (sysctl_get(SYSCTL_IP6_FORCE_FORWARDING, config->interface, &value)) {
		err = keep_accepting_ra(system); /* before Linux 6.17: all or nothing */
		return err ? err : system_set_sysctl(system, SYSCTL_IP6_ALL_FORWARDING, NULL, 1);
	}
	err = system_set_sysctl(system, SYSCTL_IP6_FORCE_FORWARDING, config->interface, 1);
	for (size_t i = 0; i < list.count && !err; i++)
		err = system_set_sysctl(system, SYSCTL_IP6_FORCE_FORWARDING, list.name[i], 1);
	return err;
}

enum exit_code system_forward(struct system *system, const struct config *config)
{
	/* The filter comes first: at no moment may forwarding be on without it. */
	if (system_load_nft(system, config) || forward4(system, config) || forward6(system, config))
		return EXIT_SYSTEM;
	return EXIT_DONE;
}
