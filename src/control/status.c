/* SPDX-License-Identifier: ISC */
/* The status for people, in the manner of wg(8). */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tund/base/time.h>
#include <tund/policy/words.h>

static const char *suite_text(int suite)
{
	static const char *const names[] = {
		"0 (WireGuard, ChaCha20-Poly1305)", "1 (AES-256-GCM)", "2 (ChaCha20-Poly1305)"};

	if (suite < 0)
		return "none";
	return suite < 3 ? names[suite] : "unknown";
}

/* "2 minutes, 5 seconds ago" */
static void write_ago(FILE *f, uint64_t then_ns, uint64_t now_ns)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
	uint64_t s = now_ns > then_ns ? (now_ns - then_ns) / NS_PER_SEC : 0;
	const char *comma = "";

	if (s == 0) {
		fputs("now", f);
		return;
	}
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		uint64_t n = s / units[i].seconds;

		s %= units[i].seconds;
		if (n == 0)
			continue;
		fprintf(f, "%s%llu %s%s", comma, (unsigned long long)n, units[i].name,
			n == 1 ? "" : "s");
		comma = ", ";
	}
	fputs(" ago", f);
}

static void write_bytes_of(FILE *f, uint64_t n)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)n;
	int unit = -1;

	while (value >= 1024 && unit < 3) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		fprintf(f, "%llu B", (unsigned long long)n);
	else
		fprintf(f, "%.2f %s", value, units[unit]);
}

static void write_addresses(FILE *f, const char *label, const struct status_addresses *list)
{
	char text[IP_ADDR_STRLEN];

	if (list->count)
		fprintf(f, "  %s: ", label);
	for (size_t i = 0; i < list->count; i++)
		fprintf(f, "%s%s", ip_addr_format(&list->item[i], text),
			i + 1 < list->count ? ", " : "\n");
}

static void write_prefixes(FILE *f, const char *label, const struct status_prefixes *list)
{
	char text[IP_PREFIX_STRLEN];

	if (list->count)
		fprintf(f, "  %s: ", label);
	for (size_t i = 0; i < list->count; i++)
		fprintf(f, "%s%s", ip_prefix_format(&list->item[i], text),
			i + 1 < list->count ? ", " : "\n");
}

/* The local end is known only where the host has chosen it: port 0 says that only the address is. */
const char *status_local(const struct endpoint *local, char buf[ENDPOINT_STRLEN])
{
	return local->port ? endpoint_format(local, buf) : ip_addr_format(&local->addr, buf);
}

static void write_path(FILE *f, const struct engine_peer *p)
{
	char local[ENDPOINT_STRLEN], remote[ENDPOINT_STRLEN];

	if (p->endpoint.addr.family == 0)
		return;
	endpoint_format(&p->endpoint, remote);
	fprintf(f, "  endpoint: %s\n", remote);
	fprintf(f, "  transport: %s\n", p->transport);
	if (p->local.addr.family)
		fprintf(f, "  path: %s -> %s\n", status_local(&p->local, local), remote);
}

static void write_session(FILE *f, const struct engine_peer *p, uint64_t now_ns)
{
	fprintf(f, "  session: %s\n", p->up ? "up" : "none");
	if (p->up)
		fprintf(f, "  suite: %s\n", suite_text(p->suite));
	if (p->last_handshake_wall_ns) {
		fputs("  latest handshake: ", f);
		write_ago(f, p->last_handshake_wall_ns, now_ns);
		fputc('\n', f);
	}
	if (p->rx_bytes || p->tx_bytes) {
		fputs("  transfer: ", f);
		write_bytes_of(f, p->rx_bytes);
		fputs(" received, ", f);
		write_bytes_of(f, p->tx_bytes);
		fputs(" sent\n", f);
	}
}

const char *status_peer_name(const struct status *s, const struct status_peer *peer,
			     char buf[PEER_NAME_MAX])
{
	if (s->role != ROLE_EDGE)
		return "edge";
	return device_index_name(peer->identity, peer->session->public_key, buf);
}

/* edge: what a peer holds, or reaches */
static void write_holdings(FILE *f, const struct status_peer *peer)
{
	if (!peer->identity)
		return;
	write_addresses(f, "addresses", &peer->addresses);
	write_prefixes(f, "announced routes", &peer->announced);
	write_prefixes(f, "accepted routes", &peer->granted);
}

static void write_peer(FILE *f, const struct status *s, const struct status_peer *peer)
{
	char name[PEER_NAME_MAX], key[KEY_BASE64_LEN + 1];

	key_to_base64(peer->session->public_key, key);
	fprintf(f, "\npeer: %s\n  public key: %s\n", status_peer_name(s, peer, name), key);
	if (s->role != ROLE_EDGE)
		fprintf(f, "  configured as: %s port %u\n", s->edge_host, s->edge_port);
	write_path(f, peer->session);
	write_session(f, peer->session, s->now_wall_ns);
	write_holdings(f, peer);
}

static void write_member(FILE *f, const struct status *s)
{
	if (s->has_network) {
		write_addresses(f, "addresses", &s->addresses);
		write_prefixes(f, "routes", &s->routes);
		fprintf(f, "  mtu: %u\n", s->mtu);
	}
	write_prefixes(f, "routes not applied", &s->not_applied);
	write_prefixes(f, "announces", &s->announces);
	if (s->problem[0])
		fprintf(f, "  problem: %s\n", s->problem);
}

static void write_edge(FILE *f, const struct status *s)
{
	fprintf(f, "  listening port: %u\n", s->listen_port);
	write_addresses(f, "addresses", &s->addresses);
	write_prefixes(f, "pool", &s->pool);
	fprintf(f, "  mtu: %u\n", s->mtu);
}

static void write_since(FILE *f, const struct status *s)
{
	time_t seconds = (time_t)(s->works_since_wall_ns / NS_PER_SEC);
	struct tm tm;
	char text[32];

	if (!s->works) {
		fputs("  state: not up\n", f);
		return;
	}
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(f, "  up since: %s (", text);
	write_ago(f, s->works_since_wall_ns, s->now_wall_ns);
	fputs(")\n", f);
}

static void write_tunnel(FILE *f, const struct status *s)
{
	fprintf(f, "tunnel: %s\n  role: %s\n", s->tunnel[0] ? s->tunnel : "-",
		config_role_names[s->role]);
	if (s->interface[0])
		fprintf(f, "  interface: %s\n", s->interface);
	write_since(f, s);
	if (s->role == ROLE_EDGE)
		write_edge(f, s);
	else
		write_member(f, s);
}

static void write_denied(FILE *f, const struct status *s)
{
	char address[IP_ADDR_STRLEN], proto[WORD_PROTO_STRLEN];

	if (s->denied_count)
		fputs("\ndenied by the edge:\n", f);
	for (uint32_t i = 0; i < s->denied_count; i++) {
		const struct status_denied *d = &s->denied[i];

		fprintf(f, "  %s %s", ip_addr_format(&d->what.destination, address),
			word_proto_text(d->what.proto, proto));
		if (d->what.port)
			fprintf(f, " port %u", d->what.port);
		fputs(": ", f);
		write_ago(f, d->wall_ns, s->now_wall_ns);
		fputc('\n', f);
	}
}

static void write_drops(FILE *f, const struct status *s)
{
	if (s->drop_count)
		fputs("\ndropped:\n", f);
	for (size_t i = 0; i < s->drop_count; i++)
		fprintf(f, "  %s: %llu\n", s->drop[i].name, (unsigned long long)s->drop[i].count);
}

int status_text(const struct status *s, char **text, size_t *len)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);
	bool failed;

	if (!f)
		return -ENOMEM;
	write_tunnel(f, s);
	for (size_t i = 0; i < s->peer_count; i++)
		write_peer(f, s, &s->peer[i]);
	write_denied(f, s);
	write_drops(f, s);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(buf);
		return -ENOMEM;
	}
	*text = buf;
	*len = size;
	return 0;
}
