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
#include <tund/session/path.h>
#include <tund/sys/clock.h>

#include "control.h"

const char *status_suite_name(int suite)
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

static void write_addresses(FILE *f, const char *label, const struct ip_addr *list, size_t count)
{
	char text[IP_ADDR_STRLEN];

	if (count)
		fprintf(f, "  %s: ", label);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%s%s", ip_addr_format(&list[i], text), i + 1 < count ? ", " : "\n");
}

static void write_prefixes(FILE *f, const char *label, const struct ip_prefix *list, size_t count)
{
	char text[IP_PREFIX_STRLEN];

	if (count)
		fprintf(f, "  %s: ", label);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "%s%s", ip_prefix_format(&list[i], text), i + 1 < count ? ", " : "\n");
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
	fprintf(f, "  transport: %s\n", transport_word(p->transport));
	if (p->local.addr.family)
		fprintf(f, "  path: %s -> %s\n", status_local(&p->local, local), remote);
}

static void write_session(FILE *f, const struct engine_peer *p)
{
	fprintf(f, "  session: %s\n", p->up ? "up" : "none");
	if (p->up)
		fprintf(f, "  suite: %s\n", status_suite_name(p->suite));
	if (p->last_handshake_wall_ns) {
		fputs("  latest handshake: ", f);
		write_ago(f, p->last_handshake_wall_ns, clock_wall_ns());
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

/* edge: what a peer holds, or reaches */
static void write_holdings(FILE *f, const struct control *c, const struct engine_peer *p)
{
	const struct device_index_entry *e = device_index_find(&c->devices, p->public_key);
	const struct known_peer *known = peers_find_key(&c->peers, p->public_key);
	struct control_message_routes granted;

	if (!e)
		return;
	write_addresses(f, "addresses", e->device->addresses, e->device->address_count);
	if (!known || !known->announced)
		return;
	write_prefixes(f, "announced routes", known->announced->route,
		       known->announced->route_count);
	edge_grant(c->config->policy, e->principal->id, known->announced, &granted);
	write_prefixes(f, "accepted routes", granted.route, granted.route_count);
}

static void write_peer(FILE *f, const struct control *c, const struct engine_peer *p)
{
	char name[PEER_NAME_MAX], key[KEY_BASE64_LEN + 1];

	key_to_base64(p->public_key, key);
	fprintf(f, "\npeer: %s\n  public key: %s\n", control_peer_name(c, p->public_key, name),
		key);
	if (c->config->role != ROLE_EDGE)
		fprintf(f, "  configured as: %s port %u\n", c->config->edge.host,
			c->config->edge.port);
	write_path(f, p);
	write_session(f, p);
	if (c->config->role == ROLE_EDGE)
		write_holdings(f, c, p);
}

static void write_member(FILE *f, const struct control *c)
{
	const struct member *m = &c->member;

	if (m->network) {
		write_addresses(f, "addresses", m->network->address, m->network->address_count);
		write_prefixes(f, "routes", m->network->route, m->network->route_count);
		fprintf(f, "  mtu: %u\n", m->network->mtu);
	}
	if (m->refused)
		write_prefixes(f, "routes not applied", m->refused->route, m->refused->route_count);
	if (c->config->role == ROLE_CONNECTOR)
		write_prefixes(f, "announces", c->config->announce.prefix,
			       c->config->announce.count);
	if (m->error[0])
		fprintf(f, "  problem: %s\n", m->error);
}

static void write_edge(FILE *f, const struct control *c)
{
	fprintf(f, "  listening port: %u\n", c->config->listen_port);
	write_addresses(f, "addresses", c->config->address.addr, c->config->address.count);
	write_prefixes(f, "pool", c->config->pool.prefix, c->config->pool.count);
	fprintf(f, "  mtu: %u\n", c->config->mtu);
}

static void write_since(FILE *f, const struct control *c)
{
	time_t seconds = (time_t)(c->works_since_wall_ns / NS_PER_SEC);
	struct tm tm;
	char text[32];

	if (!c->works) {
		fputs("  state: not up\n", f);
		return;
	}
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &tm));
	fprintf(f, "  up since: %s (", text);
	write_ago(f, c->works_since_wall_ns, clock_wall_ns());
	fputs(")\n", f);
}

static void write_tunnel(FILE *f, const struct control *c)
{
	fprintf(f, "tunnel: %s\n  role: %s\n", c->name[0] ? c->name : "-",
		config_role_names[c->config->role]);
	if (c->config->interface[0])
		fprintf(f, "  interface: %s\n", c->config->interface);
	write_since(f, c);
	if (c->config->role == ROLE_EDGE)
		write_edge(f, c);
	else
		write_member(f, c);
}

static void write_denied(FILE *f, const struct member *m)
{
	uint32_t shown = m->denied_count < MEMBER_DENIED_MAX ? m->denied_count : MEMBER_DENIED_MAX;
	char address[IP_ADDR_STRLEN], proto[WORD_PROTO_STRLEN];

	if (shown)
		fputs("\ndenied by the edge:\n", f);
	for (uint32_t i = 1; i <= shown; i++) {
		const struct member_denied *d =
			&m->denied[(m->denied_count - i) % MEMBER_DENIED_MAX];

		fprintf(f, "  %s %s", ip_addr_format(&d->what.destination, address),
			word_proto_text(d->what.proto, proto));
		if (d->what.port)
			fprintf(f, " port %u", d->what.port);
		fputs(": ", f);
		write_ago(f, d->wall_ns, clock_wall_ns());
		fputc('\n', f);
	}
}

static void write_drops(FILE *f, const struct control *c, const struct ask *ask)
{
	bool any = c->malformed > 0;

	for (size_t i = 0; i < ask->counter_count; i++)
		any = any || ask->counter[i].count > 0;
	if (any)
		fputs("\ndropped:\n", f);
	for (size_t i = 0; i < ask->counter_count; i++) {
		if (ask->counter[i].count)
			fprintf(f, "  %s: %llu\n", ask->counter[i].name,
				(unsigned long long)ask->counter[i].count);
	}
	if (c->malformed)
		fprintf(f, "  malformed_notice: %llu\n", (unsigned long long)c->malformed);
}

static int render_text(const struct control *c, const struct ask *ask, char **text, size_t *len)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&buf, &size);
	bool failed;

	if (!f)
		return -ENOMEM;
	write_tunnel(f, c);
	for (size_t i = 0; i < ask->peer_count; i++)
		write_peer(f, c, &ask->peer[i]);
	write_denied(f, &c->member);
	write_drops(f, c, ask);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(buf);
		return -ENOMEM;
	}
	*text = buf;
	*len = size;
	return 0;
}

int status_render(const struct control *c, const struct ask *ask, char **text, size_t *len)
{
	return ask->json ? status_render_json(c, ask, text, len) : render_text(c, ask, text, len);
}
