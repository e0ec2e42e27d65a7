/* SPDX-License-Identifier: ISC */
/* The wg-quick file of a stock WireGuard device of an edge. */
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <tund/crypto/secret.h>
#include <tund/crypto/x25519.h>

#define TEXT_MAX (256 * 1024) /* AllowedIPs of the largest policy that anybody could use */
#define KEEPALIVE 25          /* seconds; below the usual 30 s of a NAT's UDP state */

/* In the order of the arguments. */
enum { PRINCIPAL, ENDPOINT, WORDS };

struct export {
	const struct config *config;
	const struct spec_principal *principal;
	const struct spec_device *device;
	char host[CONFIG_HOST_MAX]; /* "": not said */
	uint16_t port;
	bool generate, qr, colour;
	uint8_t private_key[X25519_SIZE]; /* of the device, if generated */
	FILE *out;
};

static int fail(int code, const char *what, const char *name, const char *expected)
{
	fprintf(stderr, "export: %s \"%s\"; expected %s\n", what, name, expected);
	return code;
}

static const struct spec_principal *find_principal(const struct policy_spec *spec, const char *id,
						   size_t len)
{
	for (size_t i = 0; i < spec->principal_count; i++)
		if (strlen(spec->principals[i].id) == len &&
		    memcmp(spec->principals[i].id, id, len) == 0)
			return &spec->principals[i];
	return NULL;
}

static const struct spec_device *find_device(const struct spec_principal *p, const char *name)
{
	for (size_t i = 0; i < p->device_count; i++)
		if (strcmp(p->devices[i].name, name) == 0)
			return &p->devices[i];
	return NULL;
}

/* The only stock WireGuard device, where none is named. */
static const struct spec_device *only_device(const struct spec_principal *p)
{
	const struct spec_device *found = NULL;

	for (size_t i = 0; i < p->device_count; i++) {
		if (!p->devices[i].wireguard)
			continue;
		if (found)
			return NULL;
		found = &p->devices[i];
	}
	return found;
}

static int select_device(struct export *e, const char *name)
{
	const struct policy_spec *spec = e->config->policy;
	const char *slash = strrchr(name, '/');

	e->principal = find_principal(spec, name, strlen(name));
	if (e->principal) {
		e->device = only_device(e->principal);
		if (!e->device)
			return fail(EXIT_NO, "none, or several, of the devices of", name,
				    "a device with suite = wireguard, named as PRINCIPAL/DEVICE");
		return 0;
	}
	if (slash)
		e->principal = find_principal(spec, name, (size_t)(slash - name));
	if (!e->principal)
		return fail(EXIT_NO, "no such principal", name, "one of the policy");
	e->device = find_device(e->principal, slash + 1);
	if (!e->device)
		return fail(EXIT_NO, "no such device", name, "one of that principal");
	if (!e->device->wireguard)
		return fail(EXIT_NO, "no stock WireGuard device", name,
			    "suite = wireguard in its section of the policy");
	return 0;
}

static int read_arguments(struct export *e, int argc, char **argv)
{
	if (e->config->role != ROLE_EDGE) {
		fprintf(stderr, "export: this is no edge's configuration; expected the edge's, which "
				"has the principals\n");
		return EXIT_USAGE;
	}
	e->port = e->config->listen_port;
	if (strcmp(argv[ENDPOINT], "-") != 0 &&
	    config_parse_endpoint(argv[ENDPOINT], e->host, &e->port) != 0)
		return fail(EXIT_USAGE, "no endpoint", argv[ENDPOINT],
			    "a name or address, and perhaps a port, as \"edge.example.com:51820\"");
	for (int i = WORDS; i < argc; i++) {
		e->generate |= strcmp(argv[i], "generate") == 0;
		e->qr |= strcmp(argv[i], "qr") == 0;
		e->colour |= strcmp(argv[i], "colour") == 0;
	}
	return select_device(e, argv[PRINCIPAL]);
}

static void write_key(FILE *out, const char *name, const uint8_t key[KEY_SIZE])
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(key, text);
	fprintf(out, "%s = %s\n", name, text);
	secret_wipe(text, sizeof text);
}

static void write_interface(const struct export *e)
{
	const struct spec_device *d = e->device;
	char text[IP_ADDR_STRLEN];

	fprintf(e->out, "# %s/%s\n[Interface]\n", e->principal->id, d->name);
	if (e->generate)
		write_key(e->out, "PrivateKey", e->private_key);
	else
		fprintf(e->out, "# PrivateKey = the private key of this device, which only it has\n");
	fprintf(e->out, "Address = ");
	for (size_t i = 0; i < d->address_count; i++)
		fprintf(e->out, "%s%s/%zu", i ? ", " : "", ip_addr_format(&d->addresses[i], text),
			ip_addr_size(&d->addresses[i]) * 8);
	fprintf(e->out, "\nMTU = %u\n\n", e->config->mtu);
}

static bool has_family(const struct spec_device *d, uint8_t family)
{
	for (size_t i = 0; i < d->address_count; i++)
		if (d->addresses[i].family == family)
			return true;
	return false;
}

/* What an edge would push: the routes of every family in which the device has an address. */
static void write_allowed(const struct export *e)
{
	const struct policy_spec *spec = e->config->policy;
	const char *comma = "AllowedIPs = ";
	char text[IP_PREFIX_STRLEN];

	for (size_t i = 0; i < spec->route_count; i++) {
		const struct ip_prefix *p = &spec->routes[i].prefix;

		if (!has_family(e->device, p->addr.family) ||
		    (p->len != 0 && ip_addr_is_special(&p->addr)))
			continue;
		fprintf(e->out, "%s%s", comma, ip_prefix_format(p, text));
		comma = ", ";
	}
	if (comma[0] == ',')
		fputc('\n', e->out);
	else
		fprintf(stderr, "export: warning: no route of the policy is of a family in which the "
				"device has an address\n");
}

static void write_peer(const struct export *e)
{
	uint8_t public_key[X25519_SIZE];
	bool v6 = strchr(e->host, ':') != NULL;

	x25519_public(e->config->private_key, public_key);
	fprintf(e->out, "[Peer]\n");
	write_key(e->out, "PublicKey", public_key);
	if (e->device->has_preshared_key)
		write_key(e->out, "PresharedKey", e->device->preshared_key);
	write_allowed(e);
	if (e->host[0])
		fprintf(e->out, "Endpoint = %s%s%s:%u\n", v6 ? "[" : "", e->host, v6 ? "]" : "",
			e->port);
	else
		fprintf(e->out, "# Endpoint = where the edge is, port %u\n", e->port);
	fprintf(e->out, "PersistentKeepalive = %d\n", KEEPALIVE);
}

static void fill(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	/* Never short up to 256 bytes: getrandom(2). */
	if (getrandom(out, n, 0) != (ssize_t)n)
		abort();
}

/* The public half goes into the policy, where the device has an old one. */
static void generate(struct export *e)
{
	const struct rng rng = {.fill = fill};
	uint8_t public_key[X25519_SIZE];
	char text[KEY_BASE64_LEN + 1];

	x25519_generate(&rng, e->private_key);
	x25519_public(e->private_key, public_key);
	key_to_base64(public_key, text);
	fprintf(stderr,
		"export: a new key pair: put this into device \"%s\" of \"%s\" (%s:%u), then "
		"\"tund reload\":\n\tpublic_key = \"%s\"\n",
		e->device->name, e->principal->id, e->device->place.file, e->device->place.line, text);
}

static int print(const struct export *e, const char *text)
{
	int err;

	if (!e->qr) {
		fputs(text, stdout);
		return fflush(stdout) == 0 ? EXIT_DONE : EXIT_SYSTEM;
	}
	err = loader_print_qr(text, e->colour);
	if (err == 0)
		return EXIT_DONE;
	fprintf(stderr, "export: this does not become a QR code: %s\n",
		err == -ERANGE ? "it is too long; the policy has too many routes" : strerror(-err));
	return EXIT_SYSTEM;
}

int loader_export(const struct config *config, int argc, char **argv)
{
	struct export e = {.config = config};
	int code = read_arguments(&e, argc, argv);
	char *text;

	if (code)
		return code;
	text = calloc(1, TEXT_MAX);
	e.out = text ? fmemopen(text, TEXT_MAX, "w") : NULL;
	if (!e.out) {
		free(text);
		fprintf(stderr, "export: out of memory\n");
		return EXIT_SYSTEM;
	}
	if (e.generate)
		generate(&e);
	write_interface(&e);
	write_peer(&e);
	if (fclose(e.out) == 0) {
		code = print(&e, text);
	} else {
		fprintf(stderr, "export: the policy has too many routes for one AllowedIPs\n");
		code = EXIT_SYSTEM;
	}
	secret_wipe(text, TEXT_MAX);
	secret_wipe(e.private_key, sizeof e.private_key);
	free(text);
	return code;
}
