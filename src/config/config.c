/* SPDX-License-Identifier: ISC */
/* A configuration in memory, as every process holds it. */
#include <tund/config/config.h>

#include <stdlib.h>
#include <string.h>

#include "config_check.h"

const char *const config_role_names[] = {
	[ROLE_CLIENT] = "client", [ROLE_CONNECTOR] = "connector", [ROLE_EDGE] = "edge", NULL};

void config_free(struct config *config)
{
	if (!config)
		return;
	policy_spec_free(config->policy);
	explicit_bzero(config, sizeof *config);
	free(config);
}

struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof *config);

	if (!config)
		return NULL;
	config->policy = policy_spec_new();
	if (!config->policy) {
		config_free(config);
		return NULL;
	}
	return config;
}
