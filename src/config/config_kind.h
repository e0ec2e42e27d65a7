/* SPDX-License-Identifier: ISC */
/* What each kind of option does with its field. How its text is read is config_conf_kind.c's. */
#ifndef TUND_CONFIG_CONFIG_KIND_H
#define TUND_CONFIG_CONFIG_KIND_H

#include "config_option.h"

/* The field of an option. */
void *kind_field(const struct option *option, struct config *config);

/* Of numbers, flags and words, whose number is their position. */
uint32_t kind_number(const struct option *option, const struct config *config);
void kind_set_number(const struct option *option, struct config *config, uint32_t number);

/* The value of an option that is not written, but for what it computes. */
void kind_set_default(const struct option *option, struct config *config);

/* A key of zeros, an empty list or name; numbers, flags and words always have a value. */
bool kind_is_empty(const struct option *option, const struct config *config);

bool kind_equal(const struct option *option, const struct config *a, const struct config *b);

void kind_encode(const struct option *option, const struct config *config, struct writer *w);

/* Sets r->failed for whatever the parser would not have let through: the field is then undefined. */
void kind_decode(const struct option *option, struct config *config, struct reader *r);

#endif
