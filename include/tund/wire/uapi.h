/* SPDX-License-Identifier: ISC */
/*
 * Lines of WireGuard's cross-platform configuration protocol ("key=value"), read and written as
 * plain values. Which line may follow which, and what it does, is the server's business. Nothing
 * allocates; any thread. Source: WireGuard's "Cross-platform Userspace Implementation".
 */
#ifndef TUND_WIRE_UAPI_H
#define TUND_WIRE_UAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/base64.h>

#define UAPI_LINE_MAX 256 /* bytes; every line that is right is shorter */
#define UAPI_ZONE_SIZE 16 /* an interface's name with its NUL */

enum uapi_key {
	/* of the interface */
	UAPI_PRIVATE_KEY,
	UAPI_LISTEN_PORT,
	UAPI_FWMARK,
	UAPI_REPLACE_PEERS,
	/* begins a peer */
	UAPI_PUBLIC_KEY,
	/* of the peer */
	UAPI_REMOVE,
	UAPI_UPDATE_ONLY,
	UAPI_PRESHARED_KEY,
	UAPI_ENDPOINT,
	UAPI_PERSISTENT_KEEPALIVE,
	UAPI_REPLACE_ALLOWED_IPS,
	UAPI_ALLOWED_IP,
	UAPI_PROTOCOL_VERSION,
	/* only in answers */
	UAPI_LAST_HANDSHAKE_SEC,
	UAPI_LAST_HANDSHAKE_NSEC,
	UAPI_RX_BYTES,
	UAPI_TX_BYTES,
	UAPI_ERRNO,
	UAPI_KEY_COUNT,
};

struct uapi_line {
	enum uapi_key key;
	uint8_t bytes[KEY_SIZE];  /* *_KEY */
	int64_t number;           /* ports, marks, counts; errno is negative or 0 */
	struct endpoint endpoint; /* ENDPOINT */
	/* ENDPOINT: the name of the interface whose number the endpoint's scope is to be; "": known */
	char zone[UAPI_ZONE_SIZE];
	struct ip_prefix prefix;  /* ALLOWED_IP; host bits cleared */
	bool take;                /* ALLOWED_IP with '-': take it away */
};

/*
 * Reads one line of a "set" (without its LF). `in_peer`: a public_key came before it, so that keys
 * of the interface are none. 0; -EPROTO: no "key=value"; -EINVAL: not a key at this place, or not
 * a value of it. `out` may hold a secret.
 */
int uapi_read_line(const char *line, size_t len, bool in_peer, struct uapi_line *out);

/* Writes the line, LF included, into out[UAPI_LINE_MAX], not terminated; returns its length. */
size_t uapi_write_line(const struct uapi_line *line, char *out);

#endif
