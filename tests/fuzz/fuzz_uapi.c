/* SPDX-License-Identifier: ISC */
/*
 * Lines of WireGuard's configuration protocol: whatever is taken is written as a line that is taken
 * again and says the same, and what belongs to a peer is never the interface's. Input: 1 byte,
 * whether a peer has begun; the line.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <tund/wire/uapi.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static bool is_same(const struct uapi_line *a, const struct uapi_line *b)
{
	return a->key == b->key && memcmp(a->bytes, b->bytes, KEY_SIZE) == 0 &&
	       a->number == b->number && endpoint_equal(&a->endpoint, &b->endpoint) &&
	       a->endpoint.scope_id == b->endpoint.scope_id && strcmp(a->zone, b->zone) == 0 &&
	       ip_prefix_equal(&a->prefix, &b->prefix) && a->take == b->take;
}

/* In memory of its own, so that a byte too many is noticed. */
static int read_exactly(const uint8_t *line, size_t len, bool in_peer, struct uapi_line *out)
{
	char *held = malloc(len + !len);
	int err;

	expect(held != NULL);
	memcpy(held, line, len);
	err = uapi_read_line(held, len, in_peer, out);
	free(held);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct uapi_line line, again, elsewhere;
	char text[UAPI_LINE_MAX];
	bool in_peer;
	size_t n;
	int err;

	if (len < 1)
		return 0;
	in_peer = data[0] & 1;
	err = read_exactly(data + 1, len - 1, in_peer, &line);
	expect(err == 0 || err == -EINVAL || err == -EPROTO);
	expect((err == -EPROTO) == !memchr(data + 1, '=', len - 1));
	if (err < 0)
		return 0;
	expect(line.key < UAPI_LAST_HANDSHAKE_SEC);
	expect((read_exactly(data + 1, len - 1, !in_peer, &elsewhere) == 0) ==
	       (line.key == UAPI_PUBLIC_KEY));
	n = uapi_write_line(&line, text);
	expect(n > 1 && n <= UAPI_LINE_MAX && text[n - 1] == '\n');
	expect(read_exactly((const uint8_t *)text, n - 1, in_peer, &again) == 0);
	expect(is_same(&line, &again));
	return 0;
}
