/* SPDX-License-Identifier: ISC */
/*
 * A spec as bytes and back. Counts are 32 bits, texts a 16-bit length and the bytes; a place with
 * no file has an empty one. The reader is strict: it meets bytes from another process.
 */
#include <tund/policy/model.h>

#include <errno.h>
#include <string.h>

#define CODEC_VERSION 1
#define ADDRESS_BYTES 17
#define TEXT_BYTES (2 + POLICY_MAX_TEXT)
#define PLACE_BYTES (TEXT_BYTES + 4)

static size_t strings_max(const struct spec_strings *list)
{
	return 4 + list->count * TEXT_BYTES;
}

static size_t principal_max(const struct spec_principal *p)
{
	size_t n = TEXT_BYTES + 1 + PLACE_BYTES + strings_max(&p->groups) + 4;

	for (size_t i = 0; i < p->device_count; i++)
		n += TEXT_BYTES + PLACE_BYTES + KEY_SIZE + 1 + KEY_SIZE + 4 +
		     p->devices[i].address_count * ADDRESS_BYTES;
	return n;
}

static size_t route_max(const struct spec_route *r)
{
	size_t n = ADDRESS_BYTES + 1 + PLACE_BYTES + strings_max(&r->via) + 4;

	for (size_t i = 0; i < r->rule_count; i++)
		n += TEXT_BYTES + PLACE_BYTES + 1 + 2 + strings_max(&r->rules[i].from) + 4 +
		     r->rules[i].port_count * 4;
	return n;
}

size_t policy_spec_encoded_max(const struct policy_spec *spec)
{
	size_t n = 1 + 3 * 4 + spec->own_count * ADDRESS_BYTES;

	for (size_t i = 0; i < spec->principal_count; i++)
		n += principal_max(&spec->principals[i]);
	for (size_t i = 0; i < spec->route_count; i++)
		n += route_max(&spec->routes[i]);
	return n;
}

static void write_count(struct writer *w, size_t n)
{
	if (n > UINT32_MAX)
		w->failed = true;
	write_u32(w, (uint32_t)n);
}

static void write_text(struct writer *w, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n > POLICY_MAX_TEXT)
		w->failed = true;
	write_u16(w, (uint16_t)n);
	write_bytes(w, text ? text : "", n);
}

static void write_place(struct writer *w, const struct spec_place *place)
{
	write_text(w, place->file);
	write_u32(w, place->line);
}

static void write_strings(struct writer *w, const struct spec_strings *list)
{
	write_count(w, list->count);
	for (size_t i = 0; i < list->count; i++)
		write_text(w, list->items[i]);
}

static void write_address(struct writer *w, const struct ip_addr *a)
{
	write_u8(w, a->family);
	write_bytes(w, a->bytes, ip_addr_size(a));
}

static void write_addresses(struct writer *w, const struct ip_addr *a, size_t n)
{
	write_count(w, n);
	for (size_t i = 0; i < n; i++)
		write_address(w, &a[i]);
}

static void write_device(struct writer *w, bool secrets, const struct spec_device *d)
{
	bool psk = secrets && d->has_preshared_key;

	write_text(w, d->name);
	write_place(w, &d->place);
	write_bytes(w, d->public_key, KEY_SIZE);
	write_u8(w, (uint8_t)(psk | d->wireguard << 1));
	if (psk)
		write_bytes(w, d->preshared_key, KEY_SIZE);
	write_addresses(w, d->addresses, d->address_count);
}

static void write_principal(struct writer *w, bool secrets, const struct spec_principal *p)
{
	write_text(w, p->id);
	write_u8(w, (uint8_t)p->kind);
	write_place(w, &p->place);
	write_strings(w, &p->groups);
	write_count(w, p->device_count);
	for (size_t i = 0; i < p->device_count; i++)
		write_device(w, secrets, &p->devices[i]);
}

static void write_rule(struct writer *w, const struct spec_rule *rule)
{
	write_text(w, rule->name);
	write_place(w, &rule->place);
	write_u8(w, (uint8_t)rule->action);
	write_u16(w, rule->proto);
	write_strings(w, &rule->from);
	write_count(w, rule->port_count);
	for (size_t i = 0; i < rule->port_count; i++) {
		write_u16(w, rule->ports[i].first);
		write_u16(w, rule->ports[i].last);
	}
}

static void write_route(struct writer *w, const struct spec_route *r)
{
	write_address(w, &r->prefix.addr);
	write_u8(w, r->prefix.len);
	write_place(w, &r->place);
	write_strings(w, &r->via);
	write_count(w, r->rule_count);
	for (size_t i = 0; i < r->rule_count; i++)
		write_rule(w, &r->rules[i]);
}

void policy_spec_encode(const struct policy_spec *spec, bool secrets, struct writer *w)
{
	write_u8(w, CODEC_VERSION);
	write_addresses(w, spec->own, spec->own_count);
	write_count(w, spec->principal_count);
	for (size_t i = 0; i < spec->principal_count; i++)
		write_principal(w, secrets, &spec->principals[i]);
	write_count(w, spec->route_count);
	for (size_t i = 0; i < spec->route_count; i++)
		write_route(w, &spec->routes[i]);
}

/* What a decoder works on; `error` is sticky, as the reader's `failed` is. */
struct decoder {
	struct reader *r;
	struct policy_spec *spec;
	int error;
};

static bool ok(struct decoder *d)
{
	if (!d->error && d->r->failed)
		d->error = -EBADMSG;
	return !d->error;
}

static void fail(struct decoder *d, int error)
{
	if (!d->error)
		d->error = error;
}

/* A count of things of at least `min_bytes` each; 0 after an error, so that loops end. */
static uint32_t decode_count(struct decoder *d, uint32_t max, size_t min_bytes)
{
	uint32_t n = read_u32(d->r);

	if (ok(d) && (n > max || n > (d->r->len - d->r->pos) / min_bytes))
		fail(d, -EBADMSG);
	return ok(d) ? n : 0;
}

/* A value of an enum or a flag. */
static uint8_t decode_u8(struct decoder *d, uint8_t max)
{
	uint8_t v = read_u8(d->r);

	if (v > max)
		fail(d, -EBADMSG);
	return v;
}

/* A text without NUL inside, into `buf`; empty after an error. */
static const char *decode_text(struct decoder *d, char buf[POLICY_MAX_TEXT + 1])
{
	size_t n = read_u16(d->r);
	const uint8_t *p = n <= POLICY_MAX_TEXT ? read_bytes(d->r, n) : NULL;

	if (!p || memchr(p, 0, n)) {
		fail(d, -EBADMSG);
		n = 0;
	} else {
		memcpy(buf, p, n);
	}
	buf[n] = '\0';
	return buf;
}

/* The file's name into `buf`, NULL for none. */
static const char *decode_place(struct decoder *d, char buf[POLICY_MAX_TEXT + 1], uint32_t *line)
{
	decode_text(d, buf);
	*line = read_u32(d->r);
	return buf[0] ? buf : NULL;
}

static struct ip_addr decode_address(struct decoder *d)
{
	uint8_t family = read_u8(d->r);
	const uint8_t *p;

	if (family != 4 && family != 6) {
		fail(d, -EBADMSG);
		return (struct ip_addr){0};
	}
	p = read_bytes(d->r, family == 4 ? 4 : 16);
	return p ? ip_addr_from_bytes(family, p) : (struct ip_addr){0};
}

static void decode_device(struct decoder *d, struct spec_principal *p)
{
	char name[POLICY_MAX_TEXT + 1], file[POLICY_MAX_TEXT + 1];
	struct spec_device *device;
	const char *where;
	uint32_t line, n;
	uint8_t flags;

	decode_text(d, name);
	where = decode_place(d, file, &line);
	device = ok(d) ? policy_spec_add_device(d->spec, p, name, where, line) : NULL;
	if (!device) {
		fail(d, -ENOMEM);
		return;
	}
	read_copy(d->r, device->public_key, KEY_SIZE);
	flags = decode_u8(d, 3);
	device->has_preshared_key = flags & 1;
	device->wireguard = flags & 2;
	if (device->has_preshared_key)
		read_copy(d->r, device->preshared_key, KEY_SIZE);
	n = decode_count(d, POLICY_MAX_ADDRESSES, 5);
	for (uint32_t i = 0; i < n && ok(d); i++) {
		struct ip_addr a = decode_address(d);

		if (ok(d))
			fail(d, policy_spec_add_address(d->spec, device, &a));
	}
}

static void decode_principal(struct decoder *d)
{
	char id[POLICY_MAX_TEXT + 1], text[POLICY_MAX_TEXT + 1];
	struct spec_principal *p;
	const char *where;
	uint32_t line, n;
	uint8_t kind;

	decode_text(d, id);
	kind = decode_u8(d, PRINCIPAL_SERVICE);
	where = decode_place(d, text, &line);
	p = ok(d) ? policy_spec_add_principal(d->spec, id, kind, where, line) : NULL;
	if (!p) {
		fail(d, -ENOMEM);
		return;
	}
	n = decode_count(d, POLICY_MAX_GROUPS, 2);
	for (uint32_t i = 0; i < n && ok(d); i++)
		fail(d, policy_spec_add_group(d->spec, p, decode_text(d, text)));
	n = decode_count(d, POLICY_MAX_DEVICES, 1);
	for (uint32_t i = 0; i < n && ok(d); i++)
		decode_device(d, p);
}

static void decode_ports(struct decoder *d, struct spec_rule *rule)
{
	uint32_t n = decode_count(d, POLICY_MAX_PORTS, 4);

	for (uint32_t i = 0; i < n && ok(d); i++) {
		uint16_t first = read_u16(d->r), last = read_u16(d->r);

		if (first > last)
			fail(d, -EBADMSG);
		if (ok(d))
			fail(d, policy_spec_add_ports(d->spec, rule, first, last));
	}
}

static void decode_rule(struct decoder *d, struct spec_route *r)
{
	char name[POLICY_MAX_TEXT + 1], text[POLICY_MAX_TEXT + 1];
	struct spec_rule *rule;
	const char *where;
	uint32_t line, n;

	decode_text(d, name);
	where = decode_place(d, text, &line);
	rule = ok(d) ? policy_spec_add_rule(d->spec, r, name, where, line) : NULL;
	if (!rule) {
		fail(d, -ENOMEM);
		return;
	}
	rule->action = decode_u8(d, POLICY_DROP);
	rule->proto = read_u16(d->r);
	if (rule->proto > POLICY_PROTO_ICMP)
		fail(d, -EBADMSG);
	n = decode_count(d, POLICY_MAX_FROM, 2);
	for (uint32_t i = 0; i < n && ok(d); i++)
		fail(d, policy_spec_add_from(d->spec, rule, decode_text(d, text)));
	decode_ports(d, rule);
}

static struct ip_prefix decode_prefix(struct decoder *d)
{
	struct ip_prefix p = {.addr = decode_address(d), .len = read_u8(d->r)}, canonical;

	canonical = ip_prefix_of(&p.addr, p.len);
	if (!ip_prefix_equal(&p, &canonical))
		fail(d, -EBADMSG);
	return p;
}

static void decode_route(struct decoder *d)
{
	struct ip_prefix prefix = decode_prefix(d);
	char text[POLICY_MAX_TEXT + 1];
	struct spec_route *r;
	const char *where;
	uint32_t line, n;

	where = decode_place(d, text, &line);
	r = ok(d) ? policy_spec_add_route(d->spec, &prefix, where, line) : NULL;
	if (!r) {
		fail(d, -ENOMEM);
		return;
	}
	n = decode_count(d, POLICY_MAX_VIA, 2);
	for (uint32_t i = 0; i < n && ok(d); i++)
		fail(d, policy_spec_add_via(d->spec, r, decode_text(d, text)));
	n = decode_count(d, POLICY_MAX_RULES, 1);
	for (uint32_t i = 0; i < n && ok(d); i++)
		decode_rule(d, r);
}

static void decode_spec(struct decoder *d)
{
	uint32_t n;

	if (read_u8(d->r) != CODEC_VERSION)
		fail(d, -EBADMSG);
	n = decode_count(d, POLICY_MAX_PRINCIPALS, 5);
	for (uint32_t i = 0; i < n && ok(d); i++) {
		struct ip_addr a = decode_address(d);

		if (ok(d))
			fail(d, policy_spec_add_own(d->spec, &a));
	}
	n = decode_count(d, POLICY_MAX_PRINCIPALS, 1);
	for (uint32_t i = 0; i < n && ok(d); i++)
		decode_principal(d);
	n = decode_count(d, POLICY_MAX_ROUTES, 1);
	for (uint32_t i = 0; i < n && ok(d); i++)
		decode_route(d);
}

int policy_spec_decode(struct reader *r, struct policy_spec **out)
{
	struct decoder d = {.r = r, .spec = policy_spec_new()};

	if (!d.spec)
		return -ENOMEM;
	decode_spec(&d);
	if (!ok(&d)) {
		policy_spec_free(d.spec);
		return d.error;
	}
	*out = d.spec;
	return 0;
}
