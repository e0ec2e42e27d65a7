/* SPDX-License-Identifier: ISC */
/* tund.conf(5), by the table of its options. */
#include "config_conf.h"

#include <string.h>

#include "config_conf_kind.h"
#include "config_kind.h"
#include "config_options.h"

#define EDGE_SECTION "edge"

/* A file on its way. The judge is part of it, so that what it says finds its line. */
struct reading {
	struct judge judge; /* first */
	struct diag *diag;
	cfg_t *root, *edge; /* edge: NULL if there is no valid one */
	const struct scan *scan;
	unsigned edge_line;
};

static bool is_declared(const cfg_opt_t *options, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(options[i].name, name) == 0)
			return true;
	return false;
}

static void declare(cfg_opt_t *options, size_t *count, cfg_opt_t option)
{
	if (!is_declared(options, *count, option.name))
		options[(*count)++] = option;
}

cfg_opt_t *conf_options(void)
{
	static cfg_opt_t root[OPTIONS_MAX + 2], edge[OPTIONS_MAX + 1]; /* what libconfuse wants */
	size_t in_root = 0, in_edge = 0;

	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (option->in_edge) {
			declare(edge, &in_edge, conf_kind_option(option));
			declare(root, &in_root, (cfg_opt_t)TREE_SECTION(EDGE_SECTION, edge));
		} else if (!option->derived) {
			declare(root, &in_root, conf_kind_option(option));
		}
	}
	edge[in_edge] = root[in_root] = (cfg_opt_t)CFG_END();
	return root;
}

bool conf_has_secret(cfg_t *root)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (option->kind != KIND_SECRET)
			continue;
		if (!option->in_edge && tree_one(root, option->name))
			return true;
		for (unsigned n = 0; option->in_edge && n < cfg_size(root, EDGE_SECTION); n++)
			if (tree_one(cfg_getnsec(root, EDGE_SECTION, n), option->name))
				return true;
	}
	return false;
}

static cfg_t *section_of(const struct reading *r, const struct option *option)
{
	return option->in_edge ? r->edge : r->root;
}

/* What only a client of a stock WireGuard server has is missing because of what it says there. */
static unsigned line_of_missing(const struct reading *r, const struct option *option)
{
	return option->in_edge || option->roles == OF_WIREGUARD_CLIENT ? r->edge_line : 0;
}

static void say(struct judge *judge, const struct option *option, size_t item, const char *text)
{
	struct reading *r = (struct reading *)judge;
	cfg_t *section = section_of(r, option);
	unsigned line = 0;

	if (item == JUDGE_MISSING)
		line = line_of_missing(r, option);
	else if (item < tree_count(section, option->name))
		line = tree_item(section, option->name, item)->line;
	diag_report(r->diag, line, "%s", text);
}

static void open_edge(struct reading *r)
{
	size_t next = 0;
	const struct scan_section *first = scan_next_section(r->scan, EDGE_SECTION, &next);
	const struct scan_section *second = scan_next_section(r->scan, EDGE_SECTION, &next);

	if (!first) {
		diag_report(r->diag, 0,
			    "there is no edge; expected edge { public_key = \"...\" "
			    "endpoint = \"host:port\" }");
		return;
	}
	r->edge_line = first->line;
	if (second)
		diag_report(r->diag, second->line,
			    "\"edge\" occurs a second time; expected one (line %u has it)",
			    first->line);
	else if (first->title)
		diag_report(r->diag, first->line,
			    "\"edge\" is a section without a title; expected { after its name");
	else
		r->edge = cfg_getnsec(r->root, EDGE_SECTION, 0);
}

/* The value that is written, or what stands for it; false after a report. */
static bool read_option(struct reading *r, const struct option *option, struct config *config)
{
	cfg_t *section = section_of(r, option);

	kind_set_default(option, config);
	if (!section)
		return false;
	if (tree_is_set(section, option->name))
		return conf_kind_read(option, r->diag, section, config);
	if (option->compute)
		option->compute(config);
	return true;
}

static bool is_same(const struct option *a, const struct option *b)
{
	return a->in_edge == b->in_edge && strcmp(a->name, b->name) == 0;
}

/* Those of all its rows. Of several the first speaks for them. */
static unsigned roles_of(const struct option *option, bool *is_first)
{
	unsigned roles = 0;

	*is_first = true;
	for (size_t i = 0; i < config_option_count; i++) {
		if (!is_same(&config_options[i], option))
			continue;
		*is_first &= &config_options[i] >= option;
		roles |= config_options[i].roles;
	}
	return roles;
}

static void report_role(struct reading *r, const char *name, unsigned line, unsigned roles,
			const struct config *config)
{
	static const unsigned bits[] = {
		[ROLE_CLIENT] = OF_CLIENTS, [ROLE_CONNECTOR] = OF_CONNECTOR, [ROLE_EDGE] = OF_EDGE};
	const char *names[sizeof bits / sizeof *bits + 1];
	char list[40];
	size_t n = 0;

	if (roles & bits[config->role]) {
		diag_report(
			r->diag, line,
			"%s is what the edge pushes; expected it only with suite = wireguard in "
			"the edge section",
			name);
		return;
	}
	for (size_t role = 0; role < sizeof bits / sizeof *bits; role++)
		if (roles & bits[role])
			names[n++] = config_role_names[role];
	names[n] = NULL;
	diag_report(r->diag, line, "\"%s\" is no option of role %s; expected only with: %s", name,
		    config_role_names[config->role], diag_list(names, list, sizeof list));
}

/* Reports what is written and the role does not have. */
static void refuse_others(struct reading *r, const struct config *config)
{
	for (size_t i = 0; i < config_option_count; i++) {
		const struct option *option = &config_options[i];
		cfg_t *section = section_of(r, option);
		bool is_first;
		unsigned roles = roles_of(option, &is_first);

		if (section && is_first && !(roles & options_role(config)) &&
		    tree_count(section, option->name) > 0)
			report_role(r, option->name, tree_item(section, option->name, 0)->line,
				    roles, config);
	}
}

/* The section as a whole. */
static void refuse_edge(struct reading *r, const struct config *config)
{
	size_t next = 0;
	const struct scan_section *edge = scan_next_section(r->scan, EDGE_SECTION, &next);

	if (edge)
		report_role(r, EDGE_SECTION, edge->line, OF_INNER, config);
}

static bool read_role(struct reading *r, struct config *config)
{
	const struct option *role = &config_options[0];

	if (tree_is_set(r->root, role->name))
		return conf_kind_read(role, r->diag, r->root, config);
	diag_report(r->diag, 0, "%s", role->missing);
	return false;
}

bool conf_read(struct diag *diag, cfg_t *root, const struct scan *scan, struct config *config)
{
	struct reading r = {.judge = {.say = say}, .diag = diag, .root = root, .scan = scan};
	unsigned before = diag->count;

	if (!read_role(&r, config))
		return false;
	if (config->role == ROLE_EDGE)
		refuse_edge(&r, config);
	else
		open_edge(&r);
	for (size_t i = 1; i < config_option_count; i++) {
		const struct option *option = &config_options[i];

		if (!option->derived && option_applies(option, config) &&
		    !read_option(&r, option, config))
			r.judge.unread |= UINT64_C(1) << i;
	}
	refuse_others(&r, config);
	options_check(config, CONFIG_FULL, &r.judge);
	return diag->count == before;
}
