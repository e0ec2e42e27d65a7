/* SPDX-License-Identifier: ISC */
/*
 * The whole configuration of one tunnel as data: NAME.conf (tund.conf(5)) and, beside it,
 * NAME.policy (tund-policy(5)). It is parsed only in the short-lived sandboxed process and crosses
 * to the others encoded, each in the view that it may see.
 */
#ifndef TUND_CONFIG_CONFIG_H
#define TUND_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/base64.h>
#include <tund/base/bytes.h>
#include <tund/base/network.h>
#include <tund/policy/model.h>

enum role {
	ROLE_CLIENT,
	ROLE_CONNECTOR,
	ROLE_EDGE,
};

/* "client", "connector", "edge", by their enum; ended by NULL. */
extern const char *const config_role_names[];

enum transport_choice {
	TRANSPORT_AUTO, /* UDP first, TCP when UDP is silent for 3 s */
	TRANSPORT_UDP_ONLY,
	TRANSPORT_TCP_ONLY,
};

enum source_mode {
	SOURCE_SNAT,     /* the origin sees the connector's own address */
	SOURCE_PRESERVE, /* the origin sees the client's tunnel address */
};

/* Which library encrypts. */
enum aead_choice {
	AEAD_AUTO, /* the fastest that works here */
	AEAD_IPSEC_MB,
	AEAD_LIBCRYPTO,
	AEAD_LIBSODIUM,
};

/* Whether the kernel or the device cuts outer datagrams (UDP_SEGMENT). */
enum outer_gso {
	OUTER_GSO_AUTO, /* where they say that they can */
	OUTER_GSO_OFF,
};

#define CONFIG_PREFIXES_MAX 256 /* in one list: accept_routes, announce */
#define CONFIG_ADDRESSES_MAX NETWORK_ADDRESSES_MAX /* inner ones, of this host */
#define CONFIG_HOST_MAX 254     /* bytes of a host name */
#define INTERFACE_MAX 16        /* IFNAMSIZ, with the NUL */
#define CONFIG_WORKERS_MAX 64

struct prefix_list {
	uint32_t count;
	struct ip_prefix prefix[CONFIG_PREFIXES_MAX];
};

struct address_list {
	uint32_t count;
	struct ip_addr addr[CONFIG_ADDRESSES_MAX];
};

/* The edge, as a client or connector names it. */
struct config_edge {
	uint8_t public_key[KEY_SIZE];
	uint8_t preshared_key[KEY_SIZE]; /* zeros: none */
	char host[CONFIG_HOST_MAX];      /* name or numeric address, NUL-terminated */
	uint16_t port;
	int8_t suite;                    /* 1, 2, or -1: chosen by the hardware; 0: the edge is a
					  * stock WireGuard server, which pushes nothing */
};

/* Each option has a row in config_options.c, and what no option of the role set is zero. */
struct config {
	enum role role;
	uint8_t private_key[KEY_SIZE]; /* zeros in the public views */
	uint8_t public_key[KEY_SIZE];  /* that belongs to it: the loader's to fill, for CONFIG_HOST
					* alone; else zeros */
	char interface[INTERFACE_MAX]; /* client, connector: the TUN device; "" on an edge */
	uint16_t mtu;                  /* inner, bytes: 1280..9000; on an edge what it pushes */
	uint16_t keepalive_s;          /* persistent keepalive; 0: off */
	uint8_t workers;               /* threads that carry packets: 1..CONFIG_WORKERS_MAX; 0: as the
					* parent chooses */
	enum aead_choice aead;
	enum outer_gso outer_gso;

	/* Own inner addresses. Edge: the source of ICMP errors, at most one of a family. Client of a
	 * stock WireGuard server: what the edge would push; else none. */
	struct address_list address;

	/* edge */
	uint16_t listen_port;          /* UDP and TCP */
	struct prefix_list pool;       /* what its clients' addresses are taken from; pushed to
					* connectors as routes */

	/* client, connector */
	struct config_edge edge;
	enum transport_choice transport;
	struct prefix_list accept_routes;
	struct prefix_list routes;     /* client of a stock WireGuard server: what it reaches */
	bool full_tunnel, accept_dns;
	uint32_t fwmark;               /* of outer sockets */

	/* connector */
	struct prefix_list announce;
	enum source_mode source;

	struct policy_spec *policy;    /* edge: principals and routes; connector: what narrows; owned;
					* never NULL after config_parse() or config_decode() */
};

/* Where a configuration is wrong and what to write instead. */
struct config_error {
	char file[128];
	unsigned line;  /* 0: the file as a whole */
	char text[384]; /* "unknown option \"prot\"; expected one of: proto, ports, from, action" */
};

/* A sink for errors: the parser goes on where it can and reports all it finds. */
struct config_errors {
	void *ctx;
	void (*report)(void *ctx, const struct config_error *error);
};

/* One opened file. */
struct config_file {
	int fd;            /* -1: absent (only the policy file may be) */
	const char *name;  /* for messages */
	bool world_access; /* other users may read it: an error if it holds a secret */
};

/*
 * Parses and checks both files. Only the config process calls it (libconfuse has global state).
 * Returns 0, or -EINVAL after at least one report, -ENOMEM. Owned by the caller: config_free().
 */
int config_parse(const struct config_file *conf, const struct config_file *policy,
		 const struct config_errors *errors, struct config **out);

/*
 * Reads where an edge is: "HOST" or "HOST:PORT", HOST a name, an IPv4 address or an IPv6 address in
 * brackets. *port stays as it was where none is written. -EINVAL.
 */
int config_parse_endpoint(const char *text, char host[CONFIG_HOST_MAX], uint16_t *port);

/* Whether an interface may have this name. */
bool config_interface_is_valid(const char *name);

/* The prefixes that accept_routes has where it is not written; ended by NULL. */
extern const char *const config_default_routes[];

#define CONFIG_MTU_MIN NETWORK_MTU_MIN
#define CONFIG_MTU_MAX NETWORK_MTU_MAX

/* Wipes and frees. NULL is allowed. */
void config_free(struct config *config);

enum config_view {
	CONFIG_FULL,   /* engine: everything */
	CONFIG_PUBLIC, /* control: no private or preshared key */
	CONFIG_HOST,   /* parent: of keys its own public one, and no policy; fixed size CONFIG_HOST_SIZE at most */
};

/* Encodes a view; test w->failed for lack of room. */
void config_encode(const struct config *config, enum config_view view, struct writer *w);

/* Decodes and validates every field again; -EBADMSG for anything unexpected, -ENOMEM. */
int config_decode(struct reader *r, struct config **out);

/*
 * The first option in which `now` differs from `before` and that cannot change while the tunnel
 * runs, by its name in tund.conf(5); NULL when the new configuration may be taken. Both in the view
 * CONFIG_HOST.
 */
const char *config_fixed_change(const struct config *before, const struct config *now);

#define CONFIG_HOST_SIZE (64 * 1024)
#define CONFIG_IMAGE_MAX (64 * 1024 * 1024)

#endif
