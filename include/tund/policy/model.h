/* SPDX-License-Identifier: ISC */
/*
 * What an administrator configured about principals, routes and rules, as plain data. The
 * configuration fills it, a sealed memory file carries it to the engine, policy.h compiles it.
 *
 * Strings and arrays live until policy_spec_free(). What an add function returns is valid until
 * the next add to the same list; it copies its texts, and returns NULL or -ENOMEM when memory is
 * out. One thread at a time.
 */
#ifndef TUND_POLICY_MODEL_H
#define TUND_POLICY_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/arena.h>
#include <tund/base/base64.h>
#include <tund/base/bytes.h>
#include <tund/base/network.h>

#define POLICY_MAX_TEXT 255 /* bytes of a name, a group, a file name */
#define POLICY_MAX_PRINCIPALS 65536
#define POLICY_MAX_GROUPS 200   /* of one principal */
#define POLICY_MAX_DEVICES 64   /* of one principal */
#define POLICY_MAX_ADDRESSES NETWORK_ADDRESSES_MAX /* of one device: what an edge can push to it */
#define POLICY_MAX_ROUTES 65536
#define POLICY_MAX_VIA 64     /* of one route */
#define POLICY_MAX_RULES 1024 /* of one route */
#define POLICY_MAX_FROM 256   /* of one rule */
#define POLICY_MAX_PORTS 256  /* ranges of one rule */

enum principal_kind { PRINCIPAL_USER, PRINCIPAL_CONNECTOR, PRINCIPAL_SERVICE };
enum policy_action { POLICY_ACCEPT, POLICY_REJECT, POLICY_DROP };

/* As a rule's protocol, beside the numbers 0..255. ICMP means ICMPv6 as well. */
enum { POLICY_PROTO_ANY = 256, POLICY_PROTO_ICMP = 257 };

/* Where a thing was written. */
struct spec_place {
	const char *file; /* NULL: in no file */
	uint32_t line;
};
struct spec_strings {
	const char **items;
	size_t count;
};

struct spec_device {
	const char *name;
	struct spec_place place;
	uint8_t public_key[KEY_SIZE];
	bool has_preshared_key;
	uint8_t preshared_key[KEY_SIZE];
	bool wireguard; /* a stock WireGuard peer: suite 0, no control frames */
	uint16_t zone;  /* in which its addresses mean something: 0, as nothing sets another yet */
	struct ip_addr *addresses; /* inner; none for most connectors */
	size_t address_count;
};

struct spec_principal {
	const char *id;
	enum principal_kind kind;
	struct spec_place place;
	struct spec_strings groups;
	struct spec_device *devices;
	size_t device_count;
};

struct spec_ports {
	uint16_t first, last; /* inclusive, host order */
};

struct spec_rule {
	const char *name;
	struct spec_place place;
	enum policy_action action;
	uint16_t proto; /* number, POLICY_PROTO_ANY or POLICY_PROTO_ICMP */
	/* "any" (not connectors), "group:G", "user:ID", "service:ID", "connector:ID" */
	struct spec_strings from;
	struct spec_ports *ports; /* none = every port; TCP and UDP only */
	size_t port_count;
};

struct spec_route {
	struct ip_prefix prefix;
	uint16_t zone; /* as of a device */
	bool to_all_devices; /* to every address that a device holds, whatever `prefix` says */
	struct spec_place place;
	/* ids of connectors, best first; none: it leads to the devices that have addresses in it */
	struct spec_strings via;
	struct spec_rule *rules; /* first match decides; nothing matched is rejected */
	size_t rule_count;
};

struct policy_spec {
	struct spec_principal *principals;
	size_t principal_count;
	struct spec_route *routes;
	size_t route_count;
	struct ip_addr *own; /* addresses of this host itself: nobody else's */
	size_t own_count;
	struct arena arena;
};

struct policy_spec *policy_spec_new(void);
/* Wipes and frees. NULL is allowed. */
void policy_spec_free(struct policy_spec *spec);
struct spec_principal *policy_spec_add_principal(struct policy_spec *spec, const char *id,
						 enum principal_kind kind, const char *file,
						 uint32_t line);
int policy_spec_add_group(struct policy_spec *spec, struct spec_principal *p, const char *group);
struct spec_device *policy_spec_add_device(struct policy_spec *spec, struct spec_principal *p,
					   const char *name, const char *file, uint32_t line);
int policy_spec_add_address(struct policy_spec *spec, struct spec_device *d,
			    const struct ip_addr *address);
struct spec_route *policy_spec_add_route(struct policy_spec *spec, const struct ip_prefix *prefix,
					 const char *file, uint32_t line);
int policy_spec_add_via(struct policy_spec *spec, struct spec_route *r, const char *connector);
/* The new rule accepts any protocol on every port from nobody: set action and proto, add from. */
struct spec_rule *policy_spec_add_rule(struct policy_spec *spec, struct spec_route *r,
				       const char *name, const char *file, uint32_t line);
int policy_spec_add_from(struct policy_spec *spec, struct spec_rule *rule, const char *from);
int policy_spec_add_ports(struct policy_spec *spec, struct spec_rule *rule, uint16_t first,
			  uint16_t last);
int policy_spec_add_own(struct policy_spec *spec, const struct ip_addr *address);
struct policy_error {
	struct spec_place place; /* file borrowed from the spec */
	char text[512];          /* what is wrong and what is expected */
};

/* The edge's whole policy, or a connector's own, whose principals are the edge's business. */
enum policy_scope { POLICY_OF_EDGE, POLICY_OF_CONNECTOR };

/*
 * Checks the whole: names, keys, prefixes unique; addresses neither special nor held twice; via
 * and from name what exists; ports only with TCP or UDP; no route that could not match; the limits
 * above. 0, or -EINVAL with `error` written (the first error found).
 */
int policy_spec_validate(const struct policy_spec *spec, enum policy_scope scope,
			 struct policy_error *error);

/* Bytes that policy_spec_encode() needs at most. */
size_t policy_spec_encoded_max(const struct policy_spec *spec);
/* Writes the spec; without `secrets`, preshared keys are left out. w->failed if it does not fit. */
void policy_spec_encode(const struct policy_spec *spec, bool secrets, struct writer *w);

/*
 * Reads what policy_spec_encode() wrote; the reader then stands behind it. The bytes are foreign:
 * -EBADMSG on any length, count or value out of range, -ENOMEM. The caller owns *out, and still
 * validates it.
 */
int policy_spec_decode(struct reader *r, struct policy_spec **out);

#endif
