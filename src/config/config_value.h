/* SPDX-License-Identifier: ISC */
/* From the text of one value to what it means. Each returns false after a report. */
#ifndef TUND_CONFIG_CONFIG_VALUE_H
#define TUND_CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "config_check.h"
#include "config_tree.h"

/* A decimal number, or with `hex` also 0x...; no sign, no leading zero. */
bool value_number(struct diag *diag, const struct setting *s, uint32_t min, uint32_t max, bool hex,
		  uint32_t *out);

/* "yes", "true", "on" or "no", "false", "off". */
bool value_bool(struct diag *diag, const struct setting *s, bool *out);

/* One of `names` (ended by NULL); *out is its index. */
bool value_choice(struct diag *diag, const struct setting *s, const char *const *names, int *out);

/* A key of 32 bytes in base64, not all zeros. A wrong one is never shown. */
bool value_key(struct diag *diag, const struct setting *s, uint8_t out[KEY_SIZE]);

/* The same for a peer's X25519 key: none of low order, with which no handshake can be made. */
bool value_public_key(struct diag *diag, const struct setting *s, uint8_t out[KEY_SIZE]);

/* An address that a host inside a tunnel may have. */
bool value_address(struct diag *diag, const struct setting *s, struct ip_addr *out);

/* A prefix as value, or as the title of a section in `line`. */
bool value_prefix(struct diag *diag, const struct setting *s, struct ip_prefix *out);
bool value_prefix_text(struct diag *diag, const char *what, unsigned line, const char *text,
		       struct ip_prefix *out);

/* All values of a list option, none twice; of addresses at most `max`, or what `at_most` says. */
bool value_prefixes(struct diag *diag, cfg_t *section, const char *name, struct prefix_list *out);
bool value_addresses(struct diag *diag, cfg_t *section, const char *name, uint32_t max,
		     const char *at_most, struct address_list *out);

/* A name or address with an optional port, as the edge's `endpoint`. */
bool value_endpoint(struct diag *diag, const struct setting *s, char host[CONFIG_HOST_MAX],
		    uint16_t *port);

/* The name of a network interface. */
bool value_interface(struct diag *diag, const struct setting *s, char out[INTERFACE_MAX]);

/* A port or a range of ports, "80" or "8000-8080". */
bool value_ports(struct diag *diag, const struct setting *s, uint16_t *first, uint16_t *last);

#endif
