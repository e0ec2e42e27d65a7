/* SPDX-License-Identifier: ISC */
/* Which principal holds which inner address, told to connectors. */
#include "edge_identities.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

/* -EMSGSIZE: its names are longer, or its groups more, than a connector can take. */
static int make_identity(const struct spec_principal *p, const struct spec_device *d,
			 struct control_message_identity *out)
{
	const size_t groups_max = sizeof out->group / sizeof *out->group;

	memset(out, 0, sizeof *out);
	if (strlen(p->id) >= sizeof out->principal || p->groups.count > groups_max)
		return -EMSGSIZE;
	strcpy(out->principal, p->id); /* fits: just measured */
	for (size_t i = 0; i < p->groups.count; i++) {
		if (strlen(p->groups.items[i]) >= sizeof out->group[i])
			return -EMSGSIZE;
		strcpy(out->group[i], p->groups.items[i]); /* fits: just measured */
	}
	out->group_count = (uint32_t)p->groups.count;
	device_addresses(d, out->address, &out->address_count);
	return 0;
}

/* One that cannot be told of is left out: the connector then refuses what its own policy judges.
 * -ENOSPC: it belongs into the next chunk. */
static int add_device(struct identities_chunk *chunk, const struct spec_principal *p,
		      const struct spec_device *d)
{
	struct control_message_identity identity;
	int r;

	if (d->address_count == 0)
		return 0;
	r = make_identity(p, d, &identity);
	if (!r)
		r = identities_chunk_add(chunk, &identity);
	if (r != -EMSGSIZE && r != -EINVAL)
		return r;
	log_warning(
		"%s/%s is unknown to connectors: its principal's name is longer than 127 bytes, or "
		"it has more than 16 groups, or one longer than 63",
		p->id, d->name);
	return 0;
}

/* Fills the chunk from where the last one ended. 1: there is more. */
static int fill_chunk(struct identities_chunk *chunk, const struct policy_spec *spec,
		      struct known_peer *peer)
{
	for (; peer->next_principal < spec->principal_count; peer->next_principal++) {
		const struct spec_principal *p = &spec->principals[peer->next_principal];

		for (; peer->next_device < p->device_count; peer->next_device++) {
			int r = add_device(chunk, p, &p->devices[peer->next_device]);

			if (r)
				return r == -ENOSPC ? 1 : r;
		}
		peer->next_device = 0;
	}
	return 0;
}

static int push_chunk(struct hub *hub, struct known_peer *peer, bool first)
{
	struct identities_chunk chunk;
	char *text;
	int more, r = identities_chunk_init(&chunk);

	if (r)
		return r;
	more = fill_chunk(&chunk, hub->config->policy, peer);
	if (more < 0) {
		identities_chunk_clear(&chunk);
		return more;
	}
	r = identities_chunk_encode(&chunk, first, !more, &text);
	if (r)
		return r;
	hub_send_text(hub, peer, text);
	free(text);
	peer->has_more = more;
	return 0;
}

void edge_push_identities(struct hub *hub, struct known_peer *peer, bool first)
{
	int r;

	if (first)
		peer->next_principal = peer->next_device = 0;
	else if (!peer->has_more)
		return;
	peer->has_more = false;
	r = push_chunk(hub, peer, first);
	if (r)
		log_error("cannot tell a connector who holds which address: %s", strerror(-r));
}
