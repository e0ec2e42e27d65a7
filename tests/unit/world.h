/* SPDX-License-Identifier: ISC */
/*
 * The policy that the tests of layer policy share:
 *
 *   alice (eng)  laptop  100.80.0.11  fd74:756e:64::11     own: 100.80.0.1
 *   bob          phone   100.80.0.12  fd74:756e:64::12
 *   dc1  connector, devices a and b     dc2  connector, device c
 *
 *   10.77.0.0/24   via dc1       group:eng tcp 80 443; icmp of both; eng udp 53; drop bob
 *                                tcp 23
 *   10.77.0.128/25 via dc2       any
 *   fd77::/64      via dc1       group:eng tcp 80; group:eng icmp; group:eng udp 53
 *   10.99.0.0/16   via dc2 dc1   user:alice; connector:dc2
 *   100.80.0.0/16  (devices)     connector:dc1 tcp 22
 */
#ifndef TUND_TESTS_UNIT_WORLD_H
#define TUND_TESTS_UNIT_WORLD_H

#include <tund/policy/next_hops.h>
#include <tund/policy/registry_plan.h>

#define ALICE4 "100.80.0.11"
#define ALICE6 "fd74:756e:64::11"
#define BOB4 "100.80.0.12"
#define BOB6 "fd74:756e:64::12"
#define OWN4 "100.80.0.1"

/* First bytes of the devices' public keys. */
enum world_key { KEY_ALICE = 1, KEY_BOB, KEY_DC1A, KEY_DC1B, KEY_DC2C, KEY_MAYA };

struct ip_addr world_address(const char *text);

/* A spec with everything but what `without` (a route's prefix, or NULL) says. */
struct policy_spec *world_spec(const char *without);

/* Its rules; its devices are what the registry has from then on. Without `previous`, the registry is
 * a new one. */
struct policy *world_policy(const char *without, const struct policy *previous);

/* The same for any spec, which the policy owns. */
struct policy *world_take(struct policy_spec *spec, const struct policy *previous);

struct registry *world_registry(void);

/* The number of a device, or DEVICE_NONE; and what it is. */
uint32_t world_device(enum world_key key);
const struct registry_device *world_entry(enum world_key key);

/* The number of the device that holds this address, or DEVICE_NONE. */
uint32_t world_holder(const struct ip_addr *a);

/* All connectors are up and announce all their routes, or none. */
struct next_hops *world_next_hops(const struct policy *policy, bool up);

/* Building blocks. Texts as in a configuration; NULL-terminated lists. */
struct spec_device *world_add_device(struct policy_spec *spec, struct spec_principal *p,
				     const char *name, uint8_t key, const char *const *addresses);
struct spec_route *world_add_route(struct policy_spec *spec, const char *prefix,
				   const char *const *via);
struct spec_rule *world_add_rule(struct policy_spec *spec, struct spec_route *r, const char *name,
				 const char *from, uint16_t proto, uint16_t port);

#endif
