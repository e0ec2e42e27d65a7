/* SPDX-License-Identifier: ISC */
/* What happens to an inner packet: parse, source, fragments; then forward_flow.c judges it. */
#include <tund/policy/forward.h>

#include <string.h>

#include <tund/base/bytes.h>
#include <tund/wire/checksum.h>

#include "forward_context.h"

/* Against -ftrivial-auto-var-init=zero, for what is initialised by hand. */
#define UNINITIALIZED __attribute__((uninitialized))

static bool parse(struct context *x, size_t len)
{
	enum inner_error error = inner_parse(x->data, len, &x->p);

	if (error)
		return context_drop(x, reason_of_inner(error));
	x->v->len = x->p.len;
	if (x->partial_checksum &&
	    (x->p.fragment != INNER_WHOLE || (x->p.proto != PROTO_TCP && x->p.proto != PROTO_UDP)))
		return context_drop(x, reason_of_inner(INNER_BAD_L4));
	return true;
}

/* Identity before everything else. A router behind a connector may report an error from an address
 * of its own: that is decided by what the error quotes. */
static bool check_source(struct context *x)
{
	x->sender = registry_device(x->f->registry, x->device);
	if (!x->sender)
		return context_drop(x, REASON_UNKNOWN_DEVICE);
	if (ip_addr_is_special(&x->p.src))
		return context_drop(x, REASON_SOURCE_SPECIAL);
	if (!policy_owns(x->f->policy, x->f->registry, x->sender, &x->p.src)) {
		x->foreign_source =
			context_from_connector(x) && context_is_icmp_error(&x->p) &&
			!registry_by_address(x->f->registry, x->sender->zone, &x->p.src);
		if (!x->foreign_source)
			return context_drop(x, REASON_SOURCE_NOT_OWNED);
	}
	if (ip_addr_is_special(&x->p.dst))
		return context_drop(x, REASON_DESTINATION_SPECIAL);
	return true;
}

/* The first fragment's verdict is the datagram's; what waited for it goes along. */
static bool judge_first(struct context *x)
{
	bool going_on = context_judge(x);
	struct verdict *v = x->v;
	struct fragment_piece pieces[FRAGMENT_PIECES];
	size_t n = fragment_decide(x->f->fragments, x->now_ns, going_on ? v->device : DEVICE_NONE,
				   pieces);

	for (size_t i = 0; i < n; i++) {
		if (!x->f->router || inner_ttl_decrement(pieces[i].data))
			v->pieces[v->piece_count++] = pieces[i];
	}
	return going_on;
}

static bool judge_fragment(struct context *x)
{
	struct fragment_origin from = {
		.device = x->device,
		.generation = policy_generation(x->f->policy),
		.device_generation = x->sender->generation,
	};
	struct fragment_outcome outcome;

	fragment_take(x->f->fragments, x->now_ns, &from, x->data, &x->p, &outcome);
	switch (outcome.result) {
	case FRAGMENT_FORWARD:
		return context_send(x, outcome.next_hop, false);
	case FRAGMENT_JUDGE:
		return judge_first(x);
	case FRAGMENT_HELD:
		x->v->kind = VERDICT_HELD;
		x->v->reason = REASON_ACCEPTED;
		return false;
	case FRAGMENT_DROP:
		return context_drop(x, outcome.reason);
	}
	return false;
}

static void verdict_init(struct verdict *v)
{
	v->kind = VERDICT_DROP;
	v->device = DEVICE_NONE;
	v->len = 0;
	v->rule = NULL;
	v->place = (struct spec_place){0};
	v->refusal_len = 0;
	v->piece_count = 0;
}

/* What each packet starts with. The rest is written before it is read; that it would be zeroed
 * first took a fifth of the time that a verdict takes. */
static void context_init(struct context *x, struct forward *f, uint64_t now_ns, uint32_t device,
			 struct verdict *v)
{
	x->f = f;
	x->now_ns = now_ns;
	x->device = device;
	x->sender = NULL;
	x->foreign_source = false;
	x->v = v;
	verdict_init(v);
}

void forward_judge(struct forward *f, uint64_t now_ns, uint32_t device, uint8_t *data, size_t len,
		   bool partial_checksum, struct verdict *out)
{
	struct context x UNINITIALIZED;

	context_init(&x, f, now_ns, device, out);
	x.data = data;
	x.partial_checksum = partial_checksum;
	if (!parse(&x, len) || context_recall(&x) || !check_source(&x))
		return;
	if (x.p.fragment == INNER_WHOLE)
		context_judge(&x);
	else
		judge_fragment(&x);
}

/* The lengths of a packet, made those of its first `len` bytes; `p` is the parse of a quote. */
static void shorten(uint8_t *data, const struct inner_packet *p, size_t len)
{
	if (p->proto == PROTO_UDP)
		put_be16(data + p->l4 + 4, (uint16_t)(len - p->l4));
	if (p->src.family == 6) {
		put_be16(data + 4, (uint16_t)(len - 40));
		return;
	}
	put_be16(data + 10, checksum_update(get_be16(data + 10), get_be16(data + 2), (uint16_t)len));
	put_be16(data + 2, (uint16_t)len);
}

void forward_too_big(struct forward *f, uint64_t now_ns, uint32_t device, uint8_t *data, size_t len,
		     bool partial_checksum, uint32_t mtu, struct verdict *out)
{
	struct context x UNINITIALIZED;

	context_init(&x, f, now_ns, device, out);
	x.data = data;
	x.partial_checksum = partial_checksum;
	if (inner_parse_quote(data, len, &x.p) == INNER_OK && x.p.len > len)
		shorten(data, &x.p, len);
	if (parse(&x, len))
		context_refuse(&x, REASON_TOO_BIG, REFUSAL_TOO_BIG, mtu);
}
