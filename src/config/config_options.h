/* SPDX-License-Identifier: ISC */
/*
 * The options of tund.conf(5) as a table: a row says all that there is to say of an option, and the
 * parser, both directions of the encoding, the checks, what a reload may change, and a test of the
 * manual page go through it. To add an option: a field of struct config, a row, its entry in
 * man/tund.conf.5. It is constant; any thread.
 */
#ifndef TUND_CONFIG_CONFIG_OPTIONS_H
#define TUND_CONFIG_CONFIG_OPTIONS_H

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

extern const struct option config_options[]; /* the first is `role` */
extern const size_t config_option_count;     /* at most OPTIONS_MAX */
#define OPTIONS_MAX 64

/* The role, one of OF_...; in the course of reading, that of what was read so far. */
unsigned options_role(const struct config *config);

/* Whether this configuration, as far as it was read, has the option. */
bool option_applies(const struct option *option, const struct config *config);

/* Sees the errors of checks. */
#define JUDGE_MISSING SIZE_MAX /* in place of an item: nothing is written */
struct judge {
	uint64_t unread; /* a bit for each row that could not be read: no checks of it */
	unsigned count;  /* of errors */
	/* `item` counts the values of a list; NULL where nobody is told. */
	void (*say)(struct judge *judge, const struct option *option, size_t item, const char *text);
};

/* For checks: counts an error, and says it. */
void judge_report(struct judge *judge, const struct option *option, size_t item,
		  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Everything that must be there in this view and all checks, in the order of the table. */
void options_check(const struct config *config, enum config_view view, struct judge *judge);

/* Another number for another table: names, kinds, roles, views and ranges. */
uint32_t options_fingerprint(void);

#endif
