/* SPDX-License-Identifier: ISC */
/* Both files of a tunnel, from descriptors to one checked configuration. */
#include <tund/config/config.h>

#include <errno.h>
#include <string.h>

#include "config_check.h"
#include "config_conf.h"
#include "config_policy.h"

/* One file on its way: its bytes, its tree, its errors. */
struct source {
	struct diag diag;
	struct scan scan;
	cfg_t *tree;
};

/* The end of a file: what was wrong is reported, and the rest forgotten. */
static void source_close(struct source *source)
{
	diag_flush(&source->diag);
	if (source->tree)
		cfg_free(source->tree);
	scan_clear(&source->scan);
}

static int source_open(struct source *source, const struct config_file *file, cfg_opt_t *options)
{
	int err = scan_read(&source->scan, file->fd, &source->diag);

	if (!err)
		err = scan_run(&source->scan, &source->diag);
	if (!err)
		err = tree_parse(&source->scan, options, &source->diag, &source->tree);
	return err;
}

static int check_access(struct source *source, const struct config_file *file, bool has_secret)
{
	if (!file->world_access || !has_secret)
		return 0;
	diag_report(&source->diag, 0,
		    "other users may read this file, and it holds a secret key; "
		    "expected: chmod 600 %s",
		    file->name);
	return -EINVAL;
}

static int parse_conf(const struct config_file *file, const struct config_errors *errors,
		      struct config *config)
{
	struct source source = {.diag = {.sink = errors, .file = file->name}};
	int err = source_open(&source, file, conf_options());

	if (!err) {
		err = check_access(&source, file, conf_has_secret(source.tree));
		if (!conf_read(&source.diag, source.tree, &source.scan, config))
			err = -EINVAL;
	}
	source_close(&source);
	return err;
}

/* The edge's own addresses are nobody else's. */
static int add_own(struct config *config)
{
	for (uint32_t i = 0; i < config->address.count; i++)
		if (policy_spec_add_own(config->policy, &config->address.addr[i]) != 0)
			return -ENOMEM;
	return 0;
}

static int validate(struct diag *diag, const struct config *config)
{
	enum policy_scope scope =
		config->role == ROLE_CONNECTOR ? POLICY_OF_CONNECTOR : POLICY_OF_EDGE;
	struct policy_error error = {0};
	int err = policy_spec_validate(config->policy, scope, &error);

	if (err == -EINVAL)
		diag_report(diag, error.place.line, "%s", error.text);
	return err;
}

static int parse_policy(const struct config_file *file, const struct config_errors *errors,
			struct config *config)
{
	struct source source = {.diag = {.sink = errors, .file = file->name}};
	int err;

	if (config->role == ROLE_CLIENT) {
		diag_report(&source.diag, 0,
			    "a client has no policy, the edge has; expected no such "
			    "file beside its configuration");
		diag_flush(&source.diag);
		return -EINVAL;
	}
	err = source_open(&source, file, policy_options());
	if (!err) {
		int access = check_access(&source, file, policy_has_secret(source.tree));

		err = policy_read(&source.diag, source.tree, &source.scan, config);
		if (!err)
			err = validate(&source.diag, config);
		if (!err)
			err = access;
	}
	source_close(&source);
	return err;
}

static int missing_policy(const struct config_file *file, const struct config_errors *errors)
{
	struct diag diag = {.sink = errors, .file = file->name};

	diag_report(&diag, 0,
		    "there is no such file, and an edge without principals and routes "
		    "forwards nothing; expected tund-policy(5)");
	diag_flush(&diag);
	return -EINVAL;
}

int config_parse(const struct config_file *conf, const struct config_file *policy,
		 const struct config_errors *errors, struct config **out)
{
	struct config *config = config_new();
	int err;

	if (!config)
		return -ENOMEM;
	err = parse_conf(conf, errors, config);
	if (!err && config->role == ROLE_EDGE)
		err = add_own(config);
	if (!err && policy->fd >= 0)
		err = parse_policy(policy, errors, config);
	else if (!err && config->role == ROLE_EDGE)
		err = missing_policy(policy, errors);
	if (err) {
		config_free(config);
		return err;
	}
	*out = config;
	return 0;
}
