/* SPDX-License-Identifier: ISC */
/* Paths in a snapshot: transport 1 byte, socket 4; ends: family 1, bytes 16, port 2, scope 4. */
#include "snapshot.h"

#include <errno.h>
#include <string.h>

#include "snapshot_part.h"

static void write_end(struct writer *w, const struct endpoint *end)
{
	write_u8(w, end->addr.family);
	write_bytes(w, end->addr.bytes, sizeof end->addr.bytes);
	write_u16(w, end->port);
	write_u32(w, end->scope_id);
}

static struct endpoint read_end(struct reader *r)
{
	struct endpoint end = {.addr.family = read_u8(r)};

	read_copy(r, end.addr.bytes, sizeof end.addr.bytes);
	end.port = read_u16(r);
	end.scope_id = read_u32(r);
	return end;
}

/* A family, and zeros behind an address that is shorter than another. */
static bool is_address(const struct ip_addr *addr)
{
	static const uint8_t zeros[sizeof addr->bytes];
	size_t size = ip_addr_size(addr);

	return (addr->family == 4 || addr->family == 6 || addr->family == 0) &&
	       memcmp(addr->bytes + size, zeros, sizeof zeros - size) == 0;
}

void snapshot_write_path(struct writer *w, const struct path *path)
{
	write_u8(w, path->transport);
	write_u32(w, path->socket);
	write_end(w, &path->local);
	write_end(w, &path->remote);
}

int snapshot_read_path(struct reader *r, struct path *out)
{
	uint8_t transport = read_u8(r);

	if (transport >= PATH_TRANSPORTS_MAX)
		return -EBADMSG;
	*out = (struct path){.transport = transport, .socket = read_u32(r)};
	out->local = read_end(r);
	out->remote = read_end(r);
	return !r->failed && is_address(&out->local.addr) && is_address(&out->remote.addr)
		       ? 0
		       : -EBADMSG;
}

void snapshot_write_known(struct writer *w, const struct known_path known[PATHS_MAX])
{
	unsigned count = 0;

	for (int i = 0; i < PATHS_MAX; i++)
		count += known[i].heard_ns != 0;
	write_u8(w, (uint8_t)count);
	for (int i = 0; i < PATHS_MAX; i++) {
		if (known[i].heard_ns == 0)
			continue;
		snapshot_write_path(w, &known[i].path);
		write_u64(w, known[i].heard_ns);
		write_u64(w, known[i].rtt_ns);
		write_u16(w, known[i].mtu);
	}
}

int snapshot_read_known(struct reader *r, uint64_t now_ns, struct known_path known[PATHS_MAX])
{
	uint8_t count = read_u8(r);

	if (count > PATHS_MAX)
		return -EBADMSG;
	for (int i = 0; i < count; i++) {
		int err = snapshot_read_path(r, &known[i].path);

		known[i].heard_ns = snapshot_read_instant(r, now_ns);
		known[i].rtt_ns = snapshot_read_instant(r, now_ns);
		known[i].mtu = read_u16(r);
		if (err < 0 || known[i].heard_ns == 0)
			return -EBADMSG;
		for (int k = 0; k < i; k++) {
			if (path_equal(&known[k].path, &known[i].path))
				return -EBADMSG;
		}
	}
	return 0;
}
