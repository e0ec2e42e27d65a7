/* SPDX-License-Identifier: ISC */
/* The text of our nft table. */

#include <tund/sys/nft.h>

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

struct text {
	char *buf;
	size_t size, len;
	bool failed;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->len)
		t->failed = true;
	else
		t->len += (size_t)n;
}

static int finish(const struct text *t)
{
	return t->failed ? -ENOSPC : (int)t->len;
}

/* A set without elements must not say "elements". */
static void put_set(struct text *t, const char *name, uint8_t family, const struct ip_prefix *p,
		    size_t count)
{
	char buf[IP_PREFIX_STRLEN];
	bool first = true;
	size_t i;

	put(t, "\tset %s%u {\n\t\ttype ipv%u_addr; flags interval; auto-merge\n", name, family,
	    family);
	for (i = 0; i < count; i++) {
		if (p[i].addr.family != family)
			continue;
		put(t, "%s%s", first ? "\t\telements = { " : ", ", ip_prefix_format(&p[i], buf));
		first = false;
	}
	put(t, first ? "\t}\n" : " }\n\t}\n");
}

static void put_addresses(struct text *t, uint8_t family, const struct ip_addr *a, size_t count)
{
	char buf[IP_ADDR_STRLEN];
	bool first = true;
	size_t i;

	put(t, "\tset own%u {\n\t\ttype ipv%u_addr\n", family, family);
	for (i = 0; i < count; i++) {
		if (a[i].family != family)
			continue;
		put(t, "%s%s", first ? "\t\telements = { " : ", ", ip_addr_format(&a[i], buf));
		first = false;
	}
	put(t, first ? "\t}\n" : " }\n\t}\n");
}

static void put_guard(struct text *t, const struct nft_table *table)
{
	put_addresses(t, 4, table->address, table->address_count);
	put_addresses(t, 6, table->address, table->address_count);
	put(t,
	    "\tchain guard {\n"
	    "\t\ttype filter hook prerouting priority raw; policy accept;\n"
	    "\t\tiifname { \"%s\", \"lo\" } accept\n"
	    "\t\tip daddr @own4 drop\n"
	    "\t\tip6 daddr @own6 drop\n"
	    "\t}\n",
	    table->interface);
}

/* What comes out of the tunnel comes from where the routes lead into it: the edge cannot speak as a
 * host of the private network, whatever it says who holds which address. "Accept" ends our chains
 * only: the host's own firewall still has its say. */
static void put_forward(struct text *t, const struct nft_table *table)
{
	put_set(t, "announced", 4, table->announced, table->announced_count);
	put_set(t, "announced", 6, table->announced, table->announced_count);
	put(t,
	    "\tchain from_tunnel {\n"
	    "\t\tfib saddr . iif oif missing drop\n"
	    "\t\tip daddr @announced4 accept\n"
	    "\t\tip6 daddr @announced6 accept\n"
	    "\t\tct state established,related accept\n"
	    "\t\tdrop\n"
	    "\t}\n"
	    "\tchain into_tunnel {\n"
	    "\t\tct state established,related accept\n"
	    "\t\tdrop\n"
	    "\t}\n"
	    "\tchain input {\n"
	    "\t\ttype filter hook input priority filter; policy accept;\n"
	    "\t\tiifname \"%s\" goto from_tunnel\n"
	    "\t}\n"
	    "\tchain forward {\n"
	    "\t\ttype filter hook forward priority filter; policy accept;\n"
	    "\t\toifname \"%s\" goto into_tunnel\n"
	    "\t\tiifname \"%s\" goto from_tunnel\n"
	    "\t}\n",
	    table->interface, table->interface, table->interface);
}

static void put_snat(struct text *t, const struct nft_table *table)
{
	put(t,
	    "\tchain postrouting {\n"
	    "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
	    "\t\tiifname \"%s\" masquerade\n"
	    "\t}\n",
	    table->interface);
}

static void put_delete(struct text *t, const char *interface)
{
	/* "delete" of what is not there would fail the whole transaction. */
	put(t, "add table inet tund_%s\ndelete table inet tund_%s\n", interface, interface);
}

int nft_build(const struct nft_table *table, char *script, size_t size)
{
	struct text t = {.buf = script, .size = size};

	if (!ifname_valid(table->interface))
		return -EINVAL;
	put_delete(&t, table->interface);
	put(&t, "table inet tund_%s {\n", table->interface);
	put_guard(&t, table);
	if (table->forward)
		put_forward(&t, table);
	if (table->forward && table->snat)
		put_snat(&t, table);
	put(&t, "}\n");
	return finish(&t);
}

int nft_build_delete(const char *interface, char *script, size_t size)
{
	struct text t = {.buf = script, .size = size};

	if (!ifname_valid(interface))
		return -EINVAL;
	put_delete(&t, interface);
	return finish(&t);
}
