/* SPDX-License-Identifier: ISC */
/* What there is to say of one option of tund.conf(5): a row of the table in config_options.c. */
#ifndef TUND_CONFIG_CONFIG_OPTION_H
#define TUND_CONFIG_CONFIG_OPTION_H

#include <tund/config/config.h>

/* What a value is: how it is read, encoded and compared (config_kind.h). */
enum option_kind {
	KIND_NUMBER,     /* an unsigned integer of `size` bytes: `min` to `max`, or as `unset` */
	KIND_WORD,       /* one of `words`: an enum of their order, or an int8_t of `values` */
	KIND_FLAG,       /* bool; no if unset */
	KIND_SECRET,     /* KEY_SIZE bytes; zeros if unset */
	KIND_PUBLIC_KEY, /* KEY_SIZE bytes, an X25519 key of somebody; zeros if unset */
	KIND_INTERFACE,  /* char[INTERFACE_MAX], `text` if unset */
	KIND_ENDPOINT,   /* host and port of a struct config_edge; no host if unset */
	KIND_PREFIXES,   /* struct prefix_list, each once; `prefixes` if unset */
	KIND_ADDRESSES,  /* struct address_list, at most `max`, each once and of a host; none if unset */
};

#define OPTION_KINDS (KIND_ADDRESSES + 1)

/* Whose option it is. A client of a stock WireGuard server, to which nobody pushes anything, is a
 * role of its own here. */
#define OF_EDGE 1u
#define OF_CONNECTOR 2u
#define OF_CLIENT 4u /* of an edge */
#define OF_WIREGUARD_CLIENT 8u
#define OF_CLIENTS (OF_CLIENT | OF_WIREGUARD_CLIENT)
#define OF_INNER (OF_CONNECTOR | OF_CLIENTS) /* those with an edge and an interface */
#define OF_ALL (OF_EDGE | OF_INNER)

/* Whose view has it. */
#define SEEN_BY_ENGINE (1u << CONFIG_FULL)
#define SEEN_BY_CONTROL (1u << CONFIG_PUBLIC)
#define SEEN_BY_PARENT (1u << CONFIG_HOST)
#define SEEN_BY_ALL (SEEN_BY_ENGINE | SEEN_BY_CONTROL | SEEN_BY_PARENT)

struct judge;

struct option {
	const char *name;
	enum option_kind kind;
	uint8_t roles, views; /* OF_..., SEEN_BY_... */
	bool in_edge;         /* stands in the section of the edge */
	bool fixed;           /* cannot change while the tunnel runs; the parent sees it, then */
	bool derived;         /* not written: the loader computes it from the option of this name */
	uint16_t offset, size; /* in struct config, bytes */

	/* by kind; `unset` and what stands for it are what a field has where nothing is written */
	uint32_t min, max, unset; /* of words: `unset` is a position */
	bool hex;                 /* may be written as 0x... */
	const char *const *words; /* ended by NULL */
	const int8_t *values;     /* of `words`, in the same order */
	const char *const *prefixes;
	const char *text;

	/* The value where nothing is written, if it depends on options above this row. */
	void (*compute)(struct config *config);

	const char *missing; /* what is said where it has no value; NULL: it need not have one */
	const char *at_most; /* of addresses: what is expected where there are too many */

	/* What must hold between this value and other options. Runs where all of the view was read,
	 * after parsing and after decoding. */
	void (*check)(const struct option *option, const struct config *config, struct judge *judge);
};

#endif
