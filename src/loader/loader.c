/* SPDX-License-Identifier: ISC */
/* What the loader does around the parser: confinement before it, the views after it. */
#include "loader.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tund/crypto/x25519.h>
#include <tund/sys/privilege.h>
#include <tund/sys/sandbox.h>

#define CPU_SECONDS 20

struct config_file loader_file(int fd, const char *name)
{
	struct config_file file = {.fd = fd, .name = name};
	struct stat st;

	if (fstat(fd, &st) < 0)
		file.fd = -1;
	else
		file.world_access = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	return file;
}

static int limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit(resource, &limit);
}

/* Bounds for a parser that something led astray; the image it writes is the largest file. */
static int set_limits(void)
{
	if (limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_CPU, CPU_SECONDS) != 0 ||
	    limit(RLIMIT_FSIZE, CONFIG_IMAGE_MAX) != 0)
		return -errno;
	return 0;
}

/* Root becomes the user tund. Whoever else runs "tund check" stays who he is, and cannot give up
 * the groups that he is in; the filter then is what holds. */
static int drop(char why[WHY_MAX])
{
	struct sandbox_user user;

	if (geteuid() != 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
			return why_set(why, -errno, "cannot set no_new_privs: %s", strerror(errno));
		return 0;
	}
	if (privilege_find_user(PRIVILEGE_USER, &user, why) != 0)
		return -ENOENT;
	return sandbox_drop(SANDBOX_LOADER, &user, why);
}

int loader_confine(void)
{
	char why[WHY_MAX];
	int err;

	/* libconfuse frees its copies of keys as they are: have them overwritten. */
	mallopt(M_PERTURB, 0xa5);
	err = set_limits();
	if (err)
		why_set(why, err, "cannot limit the configuration's parser: %s", strerror(-err));
	if (!err)
		err = drop(why);
	if (!err)
		err = sandbox_filter(SANDBOX_LOADER, why);
	if (!err)
		return EXIT_DONE;
	fprintf(stderr, "%s\n", why);
	return err == -ENOENT ? EXIT_BAD_CONFIG : EXIT_SYSTEM;
}

static int check_device_keys(const struct policy_spec *policy, const uint8_t own[KEY_SIZE])
{
	int code = EXIT_DONE;

	for (size_t p = 0; p < policy->principal_count; p++) {
		const struct spec_principal *principal = &policy->principals[p];

		for (size_t d = 0; d < principal->device_count; d++) {
			const struct spec_device *device = &principal->devices[d];

			if (memcmp(device->public_key, own, KEY_SIZE) != 0)
				continue;
			fprintf(stderr,
				"%s:%u: device \"%s\" has the edge's own public_key; expected what "
				"\"tund pubkey\" prints on the device\n",
				device->place.file, device->place.line, device->name);
			code = EXIT_BAD_CONFIG;
		}
	}
	return code;
}

int loader_check_keys(struct config *config, const char *path)
{
	x25519_public(config->private_key, config->public_key);
	if (config->role == ROLE_EDGE)
		return check_device_keys(config->policy, config->public_key);
	if (memcmp(config->edge.public_key, config->public_key, KEY_SIZE) != 0)
		return EXIT_DONE;
	fprintf(stderr,
		"%s: the edge's public_key is this host's own; expected what \"tund "
		"pubkey\" prints on the edge\n",
		path);
	return EXIT_BAD_CONFIG;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_view(const struct config *config, enum config_view view, int fd, uint8_t *buf,
		      size_t size)
{
	struct writer w = writer_init(buf, size);

	config_encode(config, view, &w);
	if (w.failed || w.len > CONFIG_IMAGE_MAX ||
	    (view == CONFIG_HOST && w.len > CONFIG_HOST_SIZE))
		return -EFBIG;
	return write_all(fd, w.data, w.len);
}

int loader_load(const struct config *config)
{
	size_t size = policy_spec_encoded_max(config->policy) + CONFIG_HOST_SIZE;
	uint8_t *buf = malloc(size);
	int err = buf ? 0 : -ENOMEM;

	if (!err)
		err = write_view(config, CONFIG_FULL, LOADER_FULL_FD, buf, size);
	if (!err)
		err = write_view(config, CONFIG_PUBLIC, LOADER_PUBLIC_FD, buf, size);
	if (!err)
		err = write_view(config, CONFIG_HOST, LOADER_HOST_FD, buf, size);
	if (buf)
		explicit_bzero(buf, size);
	free(buf);
	if (err) {
		fprintf(stderr, "the configuration cannot be handed on: %s\n", strerror(-err));
		return EXIT_SYSTEM;
	}
	return EXIT_DONE;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_policy(const struct policy_spec *policy)
{
	size_t devices = 0, rules = 0;

	for (size_t i = 0; i < policy->principal_count; i++)
		devices += policy->principals[i].device_count;
	for (size_t i = 0; i < policy->route_count; i++)
		rules += policy->routes[i].rule_count;
	printf("%zu principal%s, %zu device%s, %zu route%s, %zu rule%s\n", policy->principal_count,
	       plural(policy->principal_count), devices, plural(devices), policy->route_count,
	       plural(policy->route_count), rules, plural(rules));
}

int loader_check(const struct config *config)
{
	bool bare_v6 = strchr(config->edge.host, ':') != NULL;

	switch (config->role) {
	case ROLE_EDGE:
		printf("edge on port %u: ", config->listen_port);
		print_policy(config->policy);
		break;
	case ROLE_CONNECTOR:
	case ROLE_CLIENT:
		printf("%s %s to %s%s%s:%u", config_role_names[config->role],
		       config->interface, bare_v6 ? "[" : "", config->edge.host, bare_v6 ? "]" : "",
		       config->edge.port);
		if (config->role == ROLE_CONNECTOR)
			printf(": %u prefix%s announced", config->announce.count,
			       config->announce.count == 1 ? "" : "es");
		printf("\n");
		break;
	}
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}
