/* SPDX-License-Identifier: ISC */
/*
 * The compiled policy: who holds which address, which route leads where, and what its rules say.
 * Immutable: a change compiles a new one with the next generation, published as a snapshot.
 * Everything but policy_new() and policy_free() may be called from any thread.
 */
#ifndef TUND_POLICY_POLICY_H
#define TUND_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/policy/model.h>
#include <tund/policy/reason.h>

#define DEVICE_NONE UINT32_MAX

struct policy;

/*
 * Compiles a validated spec, which the policy owns from then on (on error the caller still does).
 * Devices get small numbers; with `previous`, a device with the same public key keeps its number,
 * so that flows, sessions and snapshots may name devices across generations. `generation` is the
 * previous one plus 1, or 1. -EINVAL: not validated. -ENOMEM.
 */
int policy_new(struct policy_spec *spec, const struct policy *previous, struct policy **out);
void policy_free(struct policy *policy);

uint32_t policy_generation(const struct policy *policy);
const struct policy_spec *policy_spec(const struct policy *policy);

/* One more than the greatest device number in use (numbers of removed devices are holes). */
uint32_t policy_device_limit(const struct policy *policy);

/* The device with this number and its principal; NULL for a hole or a number out of range. */
const struct spec_device *policy_device(const struct policy *policy, uint32_t device);
const struct spec_principal *policy_principal(const struct policy *policy, uint32_t device);

/* The device with this public key (not secret: no constant time), or DEVICE_NONE. */
uint32_t policy_device_by_key(const struct policy *policy, const uint8_t key[KEY_SIZE]);

/* The device that holds this address as its own, or DEVICE_NONE. */
uint32_t policy_device_by_address(const struct policy *policy, const struct ip_addr *a);

/*
 * Whether a packet from `device` may have this source. A device owns its own addresses; a
 * connector's device owns an address that no device holds and that is not this host's, exactly
 * if the longest-prefix route of that address lists the connector in `via`.
 */
bool policy_owns(const struct policy *policy, uint32_t device, const struct ip_addr *src);

/* Number of the longest-prefix route (index into spec->routes), or LPM_NONE (UINT32_MAX). */
uint32_t policy_route_of(const struct policy *policy, const struct ip_addr *a);

/* Number of the route with exactly this prefix, or LPM_NONE. */
uint32_t policy_route_at(const struct policy *policy, const struct ip_prefix *prefix);

/* Devices of the connectors of a route, in the order of `via`; borrowed. */
const uint32_t *policy_route_devices(const struct policy *policy, uint32_t route, size_t *count);

/* What is asked: may this device start a flow to there? */
struct policy_query {
	uint32_t device;
	struct ip_addr dst;
	uint8_t proto;     /* IP protocol number */
	uint16_t dst_port; /* TCP and UDP, else 0 */
};

struct judgement {
	enum policy_action action;
	enum reason reason;           /* ACCEPTED, NO_ROUTE, DENIED, NO_RULE, UNKNOWN_DEVICE */
	uint32_t route;               /* number of the route, UINT32_MAX: none */
	uint32_t holder;              /* the device that holds dst; DEVICE_NONE: the route */
	const struct spec_rule *rule; /* that decided; NULL: none matched. Borrowed */
	struct spec_place place;      /* of the rule, else of the route, else no file. Borrowed */
};

/*
 * The judgement, for packets and for `policy explain` alike: the route by longest prefix, in it
 * the first rule that matches. No matching rule, no route, and a destination that only another
 * kind of route could reach, are rejected.
 */
void policy_judge(const struct policy *policy, const struct policy_query *query,
		  struct judgement *out);

#endif
