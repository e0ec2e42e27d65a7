/* SPDX-License-Identifier: ISC */
/*
 * A configuration as bytes, and back: what stands before the options, the options in the order of
 * their table, the policy. The decoder trusts nothing, for the parser that wrote it has read foreign
 * bytes: whatever that would not have let through is refused here as well.
 */
#include <tund/config/config.h>

#include <errno.h>
#include <string.h>

#include "config_check.h"
#include "config_kind.h"
#include "config_options.h"

#define CODEC_MAGIC "tundconf"
#define CODEC_MAGIC_SIZE 8
#define CODEC_VERSION \
	5 /* of all but the options; another one, or other options: a mixed installation */

static bool is_encoded(const struct option *option, const struct config *config,
		       enum config_view view)
{
	return option_applies(option, config) && option->views & 1u << view;
}

void config_encode(const struct config *config, enum config_view view, struct writer *w)
{
	write_bytes(w, CODEC_MAGIC, CODEC_MAGIC_SIZE);
	write_u8(w, (uint8_t)view);
	write_u16(w, CODEC_VERSION);
	write_u32(w, options_fingerprint());
	for (size_t i = 0; i < config_option_count; i++)
		if (is_encoded(&config_options[i], config, view))
			kind_encode(&config_options[i], config, w);
	if (view != CONFIG_HOST)
		policy_spec_encode(config->policy, view == CONFIG_FULL, w);
}

static int read_start(struct reader *r, enum config_view *view)
{
	const uint8_t *magic = read_bytes(r, CODEC_MAGIC_SIZE);
	uint8_t number = read_u8(r);
	uint16_t version = read_u16(r);
	uint32_t fingerprint = read_u32(r);

	if (r->failed || memcmp(magic, CODEC_MAGIC, CODEC_MAGIC_SIZE) != 0 ||
	    version != CODEC_VERSION || fingerprint != options_fingerprint() ||
	    number > CONFIG_HOST)
		return -EBADMSG;
	*view = (enum config_view)number;
	return 0;
}

static int read_options(struct reader *r, enum config_view view, struct config *config)
{
	struct judge judge = {0};

	for (size_t i = 0; i < config_option_count && !r->failed; i++)
		if (is_encoded(&config_options[i], config, view))
			kind_decode(&config_options[i], config, r);
	if (r->failed)
		return -EBADMSG;
	options_check(config, view, &judge);
	return judge.count == 0 ? 0 : -EBADMSG;
}

static bool policy_suits_role(const struct config *config)
{
	switch (config->role) {
	case ROLE_EDGE:
		return true;
	case ROLE_CONNECTOR:
		return config->policy->principal_count == 0;
	case ROLE_CLIENT:
		return config->policy->principal_count == 0 && config->policy->route_count == 0;
	}
	return false;
}

static int read_policy(struct reader *r, struct config *config)
{
	enum policy_scope scope =
		config->role == ROLE_CONNECTOR ? POLICY_OF_CONNECTOR : POLICY_OF_EDGE;
	struct policy_spec *policy;
	struct policy_error error;
	int err = policy_spec_decode(r, &policy);

	if (err)
		return err;
	policy_spec_free(config->policy);
	config->policy = policy;
	if (!policy_suits_role(config) || policy_spec_validate(policy, scope, &error) != 0)
		return -EBADMSG;
	return 0;
}

int config_decode(struct reader *r, struct config **out)
{
	struct config *config = config_new();
	enum config_view view;
	int err = config ? read_start(r, &view) : -ENOMEM;

	if (!err)
		err = read_options(r, view, config);
	if (!err && view != CONFIG_HOST)
		err = read_policy(r, config);
	if (!err && !reader_done(r))
		err = -EBADMSG;
	if (err) {
		config_free(config);
		return err;
	}
	*out = config;
	return 0;
}
