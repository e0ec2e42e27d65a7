/* SPDX-License-Identifier: ISC */
/* libconfuse: parsing, and its messages in our words. */
#include "config_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 40

/* libconfuse's error function has no argument of ours; only one parse runs at a time. */
static struct {
	struct diag *diag;
	bool no_memory;
} current;

int tree_store(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct setting *setting = malloc(sizeof *setting);

	if (setting)
		setting->text = strdup(value);
	if (!setting || !setting->text) {
		free(setting);
		current.no_memory = true;
		return -1;
	}
	setting->name = opt->name;
	setting->line = (unsigned)cfg->line;
	*(struct setting **)result = setting;
	return 0;
}

void tree_drop(void *value)
{
	struct setting *setting = value;

	explicit_bzero(setting->text, strlen(setting->text));
	free(setting->text);
	free(setting);
}

static void report_unknown(cfg_t *cfg, const char *name)
{
	const char *names[NAMES_MAX + 1] = {0};
	char list[256], shown[DIAG_SHOWN];
	const char *nearest;

	for (size_t i = 0; i < NAMES_MAX && cfg->opts[i].name; i++)
		names[i] = cfg->opts[i].name;
	diag_shown(name, strlen(name), shown);
	nearest = diag_nearest(name, names);
	if (nearest)
		diag_report(current.diag, (unsigned)cfg->line,
			    "unknown option \"%s\"; expected \"%s\"?", shown, nearest);
	else
		diag_report(current.diag, (unsigned)cfg->line,
			    "unknown option \"%s\"; expected one of: %s", shown,
			    diag_list(names, list, sizeof list));
}

/*
 * libconfuse's messages are a format and its arguments; the formats are its interface here, and
 * one that is not known goes out as it is.
 */
__attribute__((format(printf, 2, 0))) static void report_error(cfg_t *cfg, const char *format,
							       va_list args)
{
	static const struct {
		const char *format, *ours;
	} known[] = {
		{"missing equal sign after option '%s'",
		 "\"%s\" is an option with a value; expected \"=\" after its name"},
		{"missing opening brace for section '%s'",
		 "\"%s\" is a section; expected { after its name or title"},
	};
	char text[256], shown[DIAG_SHOWN];
	const char *name;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(format, known[i].format) != 0)
			continue;
		name = va_arg(args, const char *);
		diag_shown(name, strlen(name), shown);
		snprintf(text, sizeof text, "%.*s%s%s",
			 (int)(strstr(known[i].ours, "%s") - known[i].ours), known[i].ours, shown,
			 strstr(known[i].ours, "%s") + 2);
		diag_report(current.diag, (unsigned)cfg->line, "%s", text);
		return;
	}
	if (strcmp(format, "no such option '%s'") == 0) {
		report_unknown(cfg, va_arg(args, const char *));
		return;
	}
	vsnprintf(text, sizeof text, format, args);
	diag_report(current.diag, (unsigned)cfg->line,
		    "%s; expected an option of tund.conf(5) or "
		    "tund-policy(5)",
		    diag_shown(text, strlen(text), shown));
}

static int parse(cfg_t *cfg, const struct scan *scan, struct diag *diag)
{
	unsigned before = diag->count;
	FILE *fp = fmemopen(scan->text, scan->len, "r");
	int result;

	if (!fp)
		return -ENOMEM;
	current.diag = diag;
	current.no_memory = false;
	cfg_set_error_function(cfg, report_error);
	result = cfg_parse_fp(cfg, fp);
	fclose(fp);
	if (result == CFG_SUCCESS)
		return 0;
	if (current.no_memory || diag->count == before)
		return -ENOMEM;
	return -EINVAL;
}

int tree_parse(const struct scan *scan, cfg_opt_t *options, struct diag *diag, cfg_t **out)
{
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	int err = 0;

	if (!cfg)
		return -ENOMEM;
	/* Only where nothing can be written in quotes does "file" show up in its messages. */
	cfg->filename = strdup(diag->file);
	if (!cfg->filename)
		err = -ENOMEM;
	else if (scan->len > 0)
		err = parse(cfg, scan, diag);
	if (err) {
		cfg_free(cfg);
		return err;
	}
	*out = cfg;
	return 0;
}

const struct setting *tree_one(cfg_t *section, const char *name)
{
	return tree_count(section, name) ? tree_item(section, name, 0) : NULL;
}

bool tree_is_set(cfg_t *section, const char *name)
{
	return (cfg_getopt(section, name)->flags & CFGF_MODIFIED) != 0;
}

size_t tree_count(cfg_t *section, const char *name)
{
	return cfg_size(section, name);
}

const struct setting *tree_item(cfg_t *section, const char *name, size_t i)
{
	return cfg_getnptr(section, name, (unsigned)i);
}
