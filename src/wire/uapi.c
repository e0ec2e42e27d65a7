/* SPDX-License-Identifier: ISC */
/* The lines of WireGuard's configuration protocol. */
#include <tund/wire/uapi.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The text between '=' and LF. */
struct value {
	const char *text;
	size_t len;
};

typedef int value_reader(const struct value *v, struct uapi_line *out);

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int read_key(const struct value *v, struct uapi_line *out)
{
	if (v->len != 2 * KEY_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < KEY_SIZE; i++) {
		int high = hex_digit(v->text[2 * i]), low = hex_digit(v->text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int read_number(const struct value *v, int64_t max, struct uapi_line *out)
{
	int64_t n = 0;

	if (v->len == 0)
		return -EINVAL;
	for (size_t i = 0; i < v->len; i++) {
		if (v->text[i] < '0' || v->text[i] > '9')
			return -EINVAL;
		n = n * 10 + (v->text[i] - '0');
		if (n > max)
			return -EINVAL;
	}
	out->number = n;
	return 0;
}

static int read_u16(const struct value *v, struct uapi_line *out)
{
	return read_number(v, UINT16_MAX, out);
}

static int read_u32(const struct value *v, struct uapi_line *out)
{
	return read_number(v, UINT32_MAX, out);
}

static int read_true(const struct value *v, struct uapi_line *out)
{
	(void)out;
	return v->len == 4 && memcmp(v->text, "true", 4) == 0 ? 0 : -EINVAL;
}

static int read_version(const struct value *v, struct uapi_line *out)
{
	out->number = 1;
	return v->len == 1 && v->text[0] == '1' ? 0 : -EINVAL;
}

/* A copy that ends in NUL and has none in it. */
static int copy_text(const struct value *v, char *buf, size_t size)
{
	if (v->len >= size || memchr(v->text, '\0', v->len))
		return -EINVAL;
	memcpy(buf, v->text, v->len);
	buf[v->len] = '\0';
	return 0;
}

/* The number of an interface, or its name: what is not all digits. */
static int read_zone(const struct value *v, uint32_t *scope_id, char name[UAPI_ZONE_SIZE])
{
	struct uapi_line number = {.number = 0};

	for (size_t i = 0; i < v->len; i++)
		if (v->text[i] < '0' || v->text[i] > '9')
			return copy_text(v, name, UAPI_ZONE_SIZE);
	if (read_number(v, INT32_MAX, &number) < 0 || number.number == 0)
		return -EINVAL;
	*scope_id = (uint32_t)number.number;
	return 0;
}

/* Cuts "%ZONE" out of "[ADDRESS%ZONE]:PORT". */
static int take_zone(char *text, uint32_t *scope_id, char name[UAPI_ZONE_SIZE])
{
	char *zone = strchr(text, '%'), *end = strchr(text, ']');
	struct value value;
	int err;

	if (!zone)
		return 0;
	if (!end || end < zone)
		return -EINVAL;
	value = (struct value){zone + 1, (size_t)(end - zone - 1)};
	err = read_zone(&value, scope_id, name);
	if (err == 0)
		memmove(zone, end, strlen(end) + 1);
	return err;
}

static int read_endpoint(const struct value *v, struct uapi_line *out)
{
	char text[ENDPOINT_STRLEN];
	uint32_t scope_id = 0;
	int err = copy_text(v, text, sizeof text);

	if (err == 0)
		err = take_zone(text, &scope_id, out->zone);
	if (err == 0)
		err = endpoint_parse(text, &out->endpoint);
	if (err == 0)
		out->endpoint.scope_id = scope_id;
	return err;
}

/* As `wg` gives it: host bits are allowed and dropped, the length is not left out. */
static int read_allowed_ip(const struct value *v, struct uapi_line *out)
{
	char text[IP_PREFIX_STRLEN];
	bool sign = v->len > 0 && (v->text[0] == '-' || v->text[0] == '+');
	struct value prefix = {v->text + sign, v->len - sign}, digits;
	struct uapi_line len = {.number = 0};
	struct ip_addr addr;
	char *slash;

	if (copy_text(&prefix, text, sizeof text) < 0)
		return -EINVAL;
	slash = strchr(text, '/');
	if (!slash)
		return -EINVAL;
	*slash = '\0';
	digits = (struct value){slash + 1, strlen(slash + 1)};
	if (ip_addr_parse(text, &addr) < 0 ||
	    read_number(&digits, (int64_t)ip_addr_size(&addr) * 8, &len) < 0)
		return -EINVAL;
	out->prefix = ip_prefix_of(&addr, (uint8_t)len.number);
	out->take = sign && v->text[0] == '-';
	return 0;
}

enum place { IN_INTERFACE, IN_PEER, ANYWHERE, ANSWER_ONLY };

static const struct {
	const char *name;
	enum place place;
	value_reader *read;
} keys[UAPI_KEY_COUNT] = {
	[UAPI_PRIVATE_KEY] = {"private_key", IN_INTERFACE, read_key},
	[UAPI_LISTEN_PORT] = {"listen_port", IN_INTERFACE, read_u16},
	[UAPI_FWMARK] = {"fwmark", IN_INTERFACE, read_u32},
	[UAPI_REPLACE_PEERS] = {"replace_peers", IN_INTERFACE, read_true},
	[UAPI_PUBLIC_KEY] = {"public_key", ANYWHERE, read_key},
	[UAPI_REMOVE] = {"remove", IN_PEER, read_true},
	[UAPI_UPDATE_ONLY] = {"update_only", IN_PEER, read_true},
	[UAPI_PRESHARED_KEY] = {"preshared_key", IN_PEER, read_key},
	[UAPI_ENDPOINT] = {"endpoint", IN_PEER, read_endpoint},
	[UAPI_PERSISTENT_KEEPALIVE] = {"persistent_keepalive_interval", IN_PEER, read_u16},
	[UAPI_REPLACE_ALLOWED_IPS] = {"replace_allowed_ips", IN_PEER, read_true},
	[UAPI_ALLOWED_IP] = {"allowed_ip", IN_PEER, read_allowed_ip},
	[UAPI_PROTOCOL_VERSION] = {"protocol_version", IN_PEER, read_version},
	[UAPI_LAST_HANDSHAKE_SEC] = {"last_handshake_time_sec", ANSWER_ONLY, NULL},
	[UAPI_LAST_HANDSHAKE_NSEC] = {"last_handshake_time_nsec", ANSWER_ONLY, NULL},
	[UAPI_RX_BYTES] = {"rx_bytes", ANSWER_ONLY, NULL},
	[UAPI_TX_BYTES] = {"tx_bytes", ANSWER_ONLY, NULL},
	[UAPI_ERRNO] = {"errno", ANSWER_ONLY, NULL},
};

static bool is_at_its_place(enum place place, bool in_peer)
{
	return place == ANYWHERE || place == (in_peer ? IN_PEER : IN_INTERFACE);
}

int uapi_read_line(const char *line, size_t len, bool in_peer, struct uapi_line *out)
{
	const char *equals = memchr(line, '=', len);
	size_t name_len = equals ? (size_t)(equals - line) : 0;
	struct uapi_line read = {.number = 0};
	struct value value;
	int err = equals ? -EINVAL : -EPROTO;

	if (!equals)
		return err;
	value = (struct value){equals + 1, len - name_len - 1};
	for (int i = 0; i < UAPI_KEY_COUNT; i++) {
		if (strlen(keys[i].name) != name_len || memcmp(keys[i].name, line, name_len) != 0)
			continue;
		if (!is_at_its_place(keys[i].place, in_peer))
			break;
		read.key = (enum uapi_key)i;
		err = keys[i].read(&value, &read);
		break;
	}
	if (err == 0)
		*out = read;
	explicit_bzero(&read, sizeof read);
	return err;
}

static int write_key(const uint8_t key[KEY_SIZE], char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < KEY_SIZE; i++) {
		out[2 * i] = digits[key[i] >> 4];
		out[2 * i + 1] = digits[key[i] & 15];
	}
	return 2 * KEY_SIZE;
}

static int write_endpoint(const struct uapi_line *line, char *out, size_t size)
{
	const struct endpoint *e = &line->endpoint;
	char addr[IP_ADDR_STRLEN];

	ip_addr_format(&e->addr, addr);
	if (e->addr.family == 4)
		return snprintf(out, size, "%s:%u", addr, e->port);
	if (line->zone[0])
		return snprintf(out, size, "[%s%%%s]:%u", addr, line->zone, e->port);
	if (e->scope_id == 0)
		return snprintf(out, size, "[%s]:%u", addr, e->port);
	return snprintf(out, size, "[%s%%%" PRIu32 "]:%u", addr, e->scope_id, e->port);
}

static int write_prefix(const struct uapi_line *line, char *out, size_t size)
{
	char addr[IP_ADDR_STRLEN];

	return snprintf(out, size, "%s%s/%u", line->take ? "-" : "",
			ip_addr_format(&line->prefix.addr, addr), line->prefix.len);
}

static int write_value(const struct uapi_line *line, char *out, size_t size)
{
	switch (line->key) {
	case UAPI_PRIVATE_KEY:
	case UAPI_PUBLIC_KEY:
	case UAPI_PRESHARED_KEY:
		return write_key(line->bytes, out);
	case UAPI_REPLACE_PEERS:
	case UAPI_REMOVE:
	case UAPI_UPDATE_ONLY:
	case UAPI_REPLACE_ALLOWED_IPS:
		return snprintf(out, size, "true");
	case UAPI_ENDPOINT:
		return write_endpoint(line, out, size);
	case UAPI_ALLOWED_IP:
		return write_prefix(line, out, size);
	case UAPI_LISTEN_PORT:
	case UAPI_FWMARK:
	case UAPI_PERSISTENT_KEEPALIVE:
	case UAPI_PROTOCOL_VERSION:
	case UAPI_LAST_HANDSHAKE_SEC:
	case UAPI_LAST_HANDSHAKE_NSEC:
	case UAPI_RX_BYTES:
	case UAPI_TX_BYTES:
	case UAPI_ERRNO:
	case UAPI_KEY_COUNT:
		break;
	}
	return snprintf(out, size, "%" PRId64, line->number);
}

size_t uapi_write_line(const struct uapi_line *line, char *out)
{
	size_t n = strlen(keys[line->key].name);

	memcpy(out, keys[line->key].name, n);
	out[n++] = '=';
	n += (size_t)write_value(line, out + n, UAPI_LINE_MAX - n);
	out[n++] = '\n';
	return n;
}
