/* SPDX-License-Identifier: ISC */
/* The values of a wg-quick file, for loader_wgquick.c. What is wrong is told with its line. */
#ifndef TUND_LOADER_LOADER_WGQUICK_VALUE_H
#define TUND_LOADER_LOADER_WGQUICK_VALUE_H

#include "loader_wgquick.h"

#define WG_QUICK "; wg-quick with tund-wg takes such a file as it is"

enum section { NONE, INTERFACE, PEER };

struct parse {
	const char *name;
	unsigned line;
	enum section section;
	unsigned interfaces, peers;
	bool failed;
	unsigned table_line; /* where Table says that routes are not set as usual; 0: nowhere */
	struct ip_prefix *allowed; /* owned */
	size_t allowed_count, allowed_cap;
	struct wgquick *out;
};

/* To standard error; an error ends with no configuration. */
__attribute__((format(printf, 3, 4))) void wgquick_tell(struct parse *p, bool is_error,
							const char *format, ...);

void wgquick_read_key(struct parse *p, const char *key, const char *value, uint8_t *out, bool *has);
void wgquick_read_preshared_key(struct parse *p, const char *value);

/* A number up to `max`, or "off" for 0; 0 with an error told. */
unsigned long wgquick_read_number(struct parse *p, const char *key, const char *value,
				  unsigned long max);

/* Each item between commas, the empty ones left out; cuts `value`. */
void wgquick_read_list(struct parse *p, char *value, void (*read)(struct parse *, const char *));

void wgquick_read_address(struct parse *p, const char *text);
void wgquick_read_allowed(struct parse *p, const char *text);
void wgquick_read_mtu(struct parse *p, const char *value);
void wgquick_read_endpoint(struct parse *p, const char *value);
void wgquick_read_table(struct parse *p, const char *value);

/* When all has been read: the prefixes into the result, and whether Table suits them. */
void wgquick_finish_allowed(struct parse *p);
void wgquick_check_table(struct parse *p);

#endif
