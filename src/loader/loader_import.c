/* SPDX-License-Identifier: ISC */
/* A wg-quick file as the tund.conf of a client. */
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader_wgquick.h"

#define FILE_MAX (1024 * 1024) /* lists of prefixes that leave a country out are long */

/* The whole file, with a NUL behind it; a NUL in it ends it early. -EFBIG, -errno. */
static int read_file(int fd, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buf + used, size - 1 - used)) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			used += (size_t)n;
		if (used == size - 1)
			return -EFBIG;
	}
	buf[used] = '\0';
	return strlen(buf) == used ? 0 : -EINVAL;
}

/* wg-quick files that route everything often do it in halves, which are longer than any default
 * route; here the whole is what full_tunnel routes around the server. */
static bool merge_halves(struct prefix_list *list, uint8_t family)
{
	uint32_t half[2] = {UINT32_MAX, UINT32_MAX};

	for (uint32_t i = 0; i < list->count; i++)
		if (list->prefix[i].addr.family == family && list->prefix[i].len == 1)
			half[list->prefix[i].addr.bytes[0] >> 7] = i;
	if (half[0] == UINT32_MAX || half[1] == UINT32_MAX)
		return false;
	list->prefix[half[0]] = ip_prefix_of(&list->prefix[half[0]].addr, 0);
	list->prefix[half[1]] = list->prefix[--list->count];
	return true;
}

static bool is_accepted(const struct ip_prefix *prefix)
{
	struct ip_prefix accepted;

	for (size_t i = 0; config_default_routes[i]; i++)
		if (ip_prefix_parse(config_default_routes[i], &accepted) == 0 &&
		    ip_prefix_covers(&accepted, prefix))
			return true;
	return false;
}

struct needs {
	bool full_tunnel, accept_routes;
};

/* What the bounds of a client have to let through. */
static struct needs needs_of(const struct wgquick *wg)
{
	struct needs needs = {0};

	for (uint32_t i = 0; i < wg->allowed.count; i++) {
		if (wg->allowed.prefix[i].len == 0)
			needs.full_tunnel = true;
		else if (!is_accepted(&wg->allowed.prefix[i]))
			needs.accept_routes = true;
	}
	for (uint32_t i = 0; i < wg->address_count; i++) {
		struct ip_prefix host = ip_prefix_of(&wg->address[i], 128);

		needs.accept_routes |= !is_accepted(&host);
	}
	return needs;
}

static void print_key(const char *name, const uint8_t key[KEY_SIZE])
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(key, text);
	printf("%s = \"%s\"\n", name, text);
	explicit_bzero(text, sizeof text);
}

static void print_addresses(const struct wgquick *wg)
{
	char text[IP_ADDR_STRLEN];

	printf("address = {");
	for (uint32_t i = 0; i < wg->address_count; i++)
		printf("%s\"%s\"", i ? ", " : "", ip_addr_format(&wg->address[i], text));
	printf("}\n");
}

static void print_routes(const char *name, const struct wgquick *wg, bool with_all)
{
	const char *comma = "";
	char text[IP_PREFIX_STRLEN];

	printf("%s = {", name);
	for (uint32_t i = 0; i < wg->allowed.count; i++) {
		if (wg->allowed.prefix[i].len == 0 && !with_all)
			continue;
		printf("%s\"%s\"", comma, ip_prefix_format(&wg->allowed.prefix[i], text));
		comma = ", ";
	}
	for (uint32_t i = 0; i < wg->address_count && !with_all; i++) {
		struct ip_prefix host = ip_prefix_of(&wg->address[i], 128);

		printf("%s\"%s\"", comma, ip_prefix_format(&host, text));
		comma = ", ";
	}
	printf("}\n");
}

static void print_edge(const struct wgquick *wg)
{
	bool v6 = strchr(wg->host, ':') != NULL;

	printf("\nedge {\n\t");
	print_key("public_key", wg->public_key);
	if (wg->has_preshared_key) {
		printf("\t");
		print_key("preshared_key", wg->preshared_key);
	}
	printf("\tendpoint = \"%s%s%s:%u\"\n\tsuite = wireguard\n}\n", v6 ? "[" : "", wg->host,
	       v6 ? "]" : "", wg->port);
}

static void print_conf(const char *name, const char *interface, const struct wgquick *wg)
{
	struct needs needs = needs_of(wg);

	printf("# Made by \"tund import\" of %s: a client of a WireGuard server. chmod 600.\n", name);
	printf("role = client\n");
	print_key("private_key", wg->private_key);
	if (interface[0])
		printf("interface = \"%s\"\n", interface);
	print_addresses(wg);
	print_routes("routes", wg, true);
	if (needs.accept_routes)
		print_routes("accept_routes", wg, false);
	if (needs.full_tunnel)
		printf("full_tunnel = yes\n");
	if (wg->mtu)
		printf("mtu = %u\n", wg->mtu);
	printf("keepalive = %u\n", wg->keepalive_s);
	if (wg->fwmark)
		printf("fwmark = 0x%x\n", wg->fwmark);
	print_edge(wg);
}

/* For the comment: a name may have anything in it. */
static const char *base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	return config_interface_is_valid(name) ? name : "a wg-quick file";
}

static int import(const char *name, const char *interface, char *text, struct wgquick *wg)
{
	bool merged;

	if (wgquick_parse(name, text, wg) != 0)
		return EXIT_BAD_CONFIG;
	merged = merge_halves(&wg->allowed, 4);
	merged = merge_halves(&wg->allowed, 6) || merged;
	if (merged)
		fprintf(stderr, "%s: warning: both halves of everything are written as the whole\n",
			name);
	print_conf(base_name(name), config_interface_is_valid(interface) ? interface : "", wg);
	return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
}

int loader_import(const char *name, const char *interface)
{
	char *text = malloc(FILE_MAX);
	struct wgquick wg = {0};
	int err = text ? read_file(LOADER_CONF_FD, text, FILE_MAX) : -ENOMEM;
	int code = EXIT_BAD_CONFIG;

	if (err)
		fprintf(stderr, "%s: %s\n", name,
			err == -EINVAL ? "this is no text" : strerror(-err));
	else
		code = import(name, interface, text, &wg);
	if (text)
		explicit_bzero(text, FILE_MAX);
	explicit_bzero(&wg, sizeof wg);
	free(text);
	return code;
}
