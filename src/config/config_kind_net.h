/* SPDX-License-Identifier: ISC */
/* Kinds of options for names, endpoints and lists; what each function is for says config_kind.h. */
#ifndef TUND_CONFIG_CONFIG_KIND_NET_H
#define TUND_CONFIG_CONFIG_KIND_NET_H

#include "config_option.h"

void kind_interface_set_default(const struct option *option, void *field);
bool kind_interface_is_empty(const struct option *option, const void *field);
void kind_interface_encode(const struct option *option, const void *field, struct writer *w);
void kind_interface_decode(const struct option *option, void *field, struct reader *r);

void kind_endpoint_set_default(const struct option *option, void *field);
bool kind_endpoint_is_empty(const struct option *option, const void *field);
bool kind_endpoint_equal(const struct option *option, const void *a, const void *b);
void kind_endpoint_encode(const struct option *option, const void *field, struct writer *w);
void kind_endpoint_decode(const struct option *option, void *field, struct reader *r);

void kind_prefixes_set_default(const struct option *option, void *field);
bool kind_prefixes_is_empty(const struct option *option, const void *field);
bool kind_prefixes_equal(const struct option *option, const void *a, const void *b);
void kind_prefixes_encode(const struct option *option, const void *field, struct writer *w);
void kind_prefixes_decode(const struct option *option, void *field, struct reader *r);

void kind_addresses_set_default(const struct option *option, void *field);
bool kind_addresses_is_empty(const struct option *option, const void *field);
bool kind_addresses_equal(const struct option *option, const void *a, const void *b);
void kind_addresses_encode(const struct option *option, const void *field, struct writer *w);
void kind_addresses_decode(const struct option *option, void *field, struct reader *r);

#endif
