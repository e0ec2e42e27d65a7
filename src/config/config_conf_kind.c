/* SPDX-License-Identifier: ISC */
/* From the text of an option to its field, for each kind. */
#include "config_conf_kind.h"

#include "config_kind.h"
#include "config_value.h"

/* What a reader has: of a list, `setting` is the first value, if there is any. */
struct written {
	struct diag *diag;
	cfg_t *section;
	const struct setting *setting;
	struct config *config;
	void *field;
};

static bool read_number(const struct option *option, const struct written *w)
{
	uint32_t number;

	if (!value_number(w->diag, w->setting, option->min, option->max, option->hex, &number))
		return false;
	kind_set_number(option, w->config, number);
	return true;
}

static bool read_word(const struct option *option, const struct written *w)
{
	int position;

	if (!value_choice(w->diag, w->setting, option->words, &position))
		return false;
	kind_set_number(option, w->config, (uint32_t)position);
	return true;
}

static bool read_flag(const struct option *option, const struct written *w)
{
	(void)option;
	return value_bool(w->diag, w->setting, w->field);
}

static bool read_secret(const struct option *option, const struct written *w)
{
	(void)option;
	return value_key(w->diag, w->setting, w->field);
}

static bool read_public_key(const struct option *option, const struct written *w)
{
	(void)option;
	return value_public_key(w->diag, w->setting, w->field);
}

static bool read_interface(const struct option *option, const struct written *w)
{
	(void)option;
	return value_interface(w->diag, w->setting, w->field);
}

static bool read_endpoint(const struct option *option, const struct written *w)
{
	struct config_edge *edge = w->field;

	(void)option;
	return value_endpoint(w->diag, w->setting, edge->host, &edge->port);
}

static bool read_prefixes(const struct option *option, const struct written *w)
{
	struct prefix_list *list = w->field;
	bool ok = value_prefixes(w->diag, w->section, option->name, list);

	if (!ok)
		list->count = 0;
	return ok;
}

static bool read_addresses(const struct option *option, const struct written *w)
{
	struct address_list *list = w->field;
	bool ok = value_addresses(w->diag, w->section, option->name, option->max, option->at_most,
				  list);

	if (!ok)
		list->count = 0;
	return ok;
}

static const struct {
	bool is_list;
	bool (*read)(const struct option *option, const struct written *w);
} kinds[OPTION_KINDS] = {
	[KIND_NUMBER] = {false, read_number},
	[KIND_WORD] = {false, read_word},
	[KIND_FLAG] = {false, read_flag},
	[KIND_SECRET] = {false, read_secret},
	[KIND_PUBLIC_KEY] = {false, read_public_key},
	[KIND_INTERFACE] = {false, read_interface},
	[KIND_ENDPOINT] = {false, read_endpoint},
	[KIND_PREFIXES] = {true, read_prefixes},
	[KIND_ADDRESSES] = {true, read_addresses},
};

cfg_opt_t conf_kind_option(const struct option *option)
{
	if (kinds[option->kind].is_list)
		return (cfg_opt_t)TREE_LIST(option->name);
	return (cfg_opt_t)TREE_ONE(option->name);
}

bool conf_kind_read(const struct option *option, struct diag *diag, cfg_t *section,
		    struct config *config)
{
	struct written w = {.diag = diag,
			    .section = section,
			    .setting = tree_one(section, option->name),
			    .config = config,
			    .field = kind_field(option, config)};

	return kinds[option->kind].read(option, &w);
}
