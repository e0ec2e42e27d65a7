/* SPDX-License-Identifier: ISC */
/*
 * The edge: every device of the policy is a peer. A packet that comes out of one session is judged
 * and, if accepted, goes into another, inside this process.
 */
#include "role.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/policy/explain.h>
#include <tund/policy/lpm.h>
#include <tund/policy/words.h>
#include <tund/sys/log.h>

#include "report.h"
#include "role_enforcer.h"
#include "uapi_tunnel.h"

#define EDGE_FLOWS (128 * 1024)
#define DENIED_INTERVAL_NS (100 * NS_PER_MS)

struct device {
	struct peer *peer;      /* NULL: its key cannot be used */
	uint32_t number;        /* in the policy */
	bool up;
	uint16_t mtu; /* its own, as it said; 0: not said */
	uint32_t announced_count;
	struct ip_prefix *announced;
};

/* The main thread's; what workers see is a enforcer_view. A peer's user is its device's number, which
 * is all that a worker asks of it. */
struct edge {
	struct enforcer enforcer;
	struct device **by_number; /* holes are NULL */
	uint32_t limit;
};

static uint32_t number_of(const struct peer *peer)
{
	return (uint32_t)(uintptr_t)peer_user(peer);
}

static struct device *device_at(const struct edge *edge, uint32_t number)
{
	return number < edge->limit ? edge->by_number[number] : NULL;
}

static struct device *device_of(const struct engine *engine, const struct peer *peer)
{
	return device_at(engine->state, number_of(peer));
}

static void set_next_hops(const struct enforcer_view *view, const struct device *device,
			  const struct ip_prefix *prefix, bool available)
{
	uint32_t route = policy_route_at(view->policy, prefix);

	if (route != LPM_NONE)
		next_hops_set(view->next_hops, route, device->number, available);
}

/* A connector's device reaches what it announces, while it is up. */
static void update_next_hops(const struct enforcer_view *view, const struct device *device)
{
	for (uint32_t i = 0; i < device->announced_count; i++)
		set_next_hops(view, device, &device->announced[i], device->up);
}

/* What it announced before and does not any more. */
static void withdraw(const struct enforcer_view *view, const struct device *device,
		     const struct ip_prefix *before, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t k = 0;

		while (k < device->announced_count &&
		       !ip_prefix_equal(&before[i], &device->announced[k]))
			k++;
		if (k == device->announced_count)
			set_next_hops(view, device, &before[i], false);
	}
}

static void remove_device(struct engine *engine, struct device *device)
{
	if (device->peer)
		report_remove_peer(engine, device->peer);
	free(device->announced);
	free(device);
}

static struct device *add_device(struct engine *engine, uint64_t now_ns,
				 const struct spec_device *spec, uint32_t number)
{
	struct device *device = calloc(1, sizeof *device);
	struct peer_config config = {.pinned_suite = -1, .user = (void *)(uintptr_t)number};
	int err;

	if (!device)
		return NULL;
	device->number = number;
	config.wireguard = spec->wireguard;
	memcpy(config.public_key, spec->public_key, KEY_SIZE);
	if (spec->has_preshared_key)
		memcpy(config.preshared_key, spec->preshared_key, KEY_SIZE);
	err = peer_add(engine->node, now_ns, &config, &device->peer);
	explicit_bzero(&config, sizeof config);
	if (err < 0) {
		log_error("%s:%u: the public key of device \"%s\" cannot be used: %s",
			  spec->place.file, spec->place.line, spec->name, strerror(-err));
		device->peer = NULL;
	}
	return device;
}

/* The same keys and the same suite: the session may go on under the new policy. */
static bool is_same_device(const struct spec_device *a, const struct spec_device *b)
{
	return a && b && memcmp(a->public_key, b->public_key, KEY_SIZE) == 0 &&
	       a->wireguard == b->wireguard && a->has_preshared_key == b->has_preshared_key &&
	       secret_equal(a->preshared_key, b->preshared_key, KEY_SIZE);
}

/* Takes away the devices that `policy` does not have, or not as they were. Their sessions end, so
 * that a key may move to another device; packets to them are lost from now on. */
static void remove_gone_devices(struct engine *engine, const struct policy *policy)
{
	struct edge *edge = engine->state;
	struct enforcer_view *view = enforcer_view(engine);

	for (uint32_t i = 0; i < edge->limit; i++) {
		if (!edge->by_number[i] ||
		    is_same_device(policy_device(view->policy, i), policy_device(policy, i)))
			continue;
		view->peer[i] = NULL;
		remove_device(engine, edge->by_number[i]);
		edge->by_number[i] = NULL;
	}
}

/* The devices of the policy: kept where they are there, else new. -ENOMEM. */
static int collect_devices(struct engine *engine, uint64_t now_ns, const struct policy *policy,
			   struct device **fresh, uint32_t limit)
{
	struct edge *edge = engine->state;

	for (uint32_t i = 0; i < limit; i++) {
		const struct spec_device *spec = policy_device(policy, i);

		if (!spec)
			continue;
		fresh[i] = device_at(edge, i);
		if (!fresh[i])
			fresh[i] = add_device(engine, now_ns, spec, i);
		if (!fresh[i])
			return -ENOMEM;
	}
	return 0;
}

/* What a policy change cannot survive half done is memory running out: then the process ends and
 * the parent starts it with the new configuration. */
static int change_devices(struct engine *engine, uint64_t now_ns, struct enforcer_view *view)
{
	struct edge *edge = engine->state;
	struct device **fresh = calloc(view->limit + 1, sizeof(struct device *));
	int err = fresh ? 0 : -ENOMEM;

	if (enforcer_view(engine))
		remove_gone_devices(engine, view->policy);
	if (err == 0)
		err = collect_devices(engine, now_ns, view->policy, fresh, view->limit);
	free(edge->by_number);
	edge->by_number = fresh;
	edge->limit = fresh ? view->limit : 0;
	if (err < 0)
		ev_break(engine->loop, EVBREAK_ALL);
	return err;
}

/* Puts the configuration's policy in force; takes it out of `config`. */
static int adopt(struct engine *engine, uint64_t now_ns, struct config *config)
{
	const struct enforcer_view *before = enforcer_view(engine);
	struct edge *edge = engine->state;
	struct enforcer_view *view;
	struct policy *policy;
	int err = policy_new(config->policy, before ? before->policy : NULL, &policy);

	if (err < 0)
		return err;
	config->policy = NULL; /* the compiled policy owns it from now on */
	view = enforcer_view_new(policy, config->mtu);
	if (!view) {
		policy_free(policy);
		return -ENOMEM;
	}
	err = change_devices(engine, now_ns, view);
	for (uint32_t i = 0; err == 0 && i < edge->limit; i++) {
		if (!edge->by_number[i])
			continue;
		view->peer[i] = edge->by_number[i]->peer;
		view->mtu_to[i] = edge->by_number[i]->mtu;
		update_next_hops(view, edge->by_number[i]);
	}
	enforcer_publish(engine, view);
	return err;
}

static int start(struct engine *engine, uint64_t now_ns)
{
	struct edge *edge = calloc(1, sizeof *edge);
	int err = edge ? enforcer_init(&edge->enforcer, true, EDGE_FLOWS) : -ENOMEM;

	engine->state = edge;
	if (err == 0)
		err = enforcer_start_workers(engine, &edge->enforcer);
	return err < 0 ? err : adopt(engine, now_ns, engine->config);
}

static void stop(struct engine *engine)
{
	struct edge *edge = engine->state;

	for (uint32_t i = 0; i < edge->limit; i++) {
		if (edge->by_number[i])
			remove_device(engine, edge->by_number[i]);
	}
	free(edge->by_number);
	enforcer_stop_workers(engine);
	enforcer_clear(&edge->enforcer);
	free(edge);
	engine->state = NULL;
}

static void to_device(struct data_worker *dw, uint64_t now_ns, uint32_t number,
		      const struct inner_bytes *packet)
{
	const struct enforcer_view *view = dw->view;
	struct peer *peer = number < view->limit ? view->peer[number] : NULL;

	if (peer)
		egress_send(&dw->egress, now_ns, peer, packet);
}

static void refuse(struct data_worker *dw, uint64_t now_ns, struct peer *from,
		   const struct inner_bytes *refusal)
{
	egress_send(&dw->egress, now_ns, from, refusal);
}

static bool is_denial(enum reason reason)
{
	return reason == REASON_NO_ROUTE || reason == REASON_DENIED || reason == REASON_NO_RULE;
}

/* For control, at most ten a second. */
static void report(struct data_worker *dw, uint64_t now_ns, const struct peer *peer,
		   const struct inner_bytes *packet, enum reason reason)
{
	struct data_record record = {.says = DATA_DENIED};
	struct engine_denied *denied = &record.denied;
	struct inner_packet parsed;

	if (now_ns < dw->next_denied_ns ||
	    inner_parse(packet->data, packet->len, &parsed) != INNER_OK)
		return;
	dw->next_denied_ns = now_ns + DENIED_INTERVAL_NS;
	denied->peer = peer_id(peer);
	denied->src = parsed.src;
	denied->dst = parsed.dst;
	denied->proto = parsed.proto;
	denied->port = parsed.dst_port;
	strncpy(denied->reason, reason_name(reason), sizeof denied->reason - 1);
	data_worker_tell(dw, &record);
}

static void from_session(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	static const struct enforcer_exits exits = {to_device, refuse};
	enum reason reason = enforcer_packet(dw, now_ns, number_of(peer), peer, packet, &exits);

	if (is_denial(reason))
		report(dw, now_ns, peer, packet, reason);
}

static void peer_event(struct engine *engine, uint64_t now_ns, struct peer *peer,
		       enum peer_event event)
{
	struct device *device = device_of(engine, peer);

	(void)now_ns;
	if (!device || (event != PEER_UP && event != PEER_DOWN))
		return;
	device->up = event == PEER_UP;
	update_next_hops(enforcer_view(engine), device);
}

static void routes(struct engine *engine, struct peer *peer, const struct control_routes *m)
{
	struct device *device = device_of(engine, peer);
	size_t bytes = m->route_count * sizeof m->route[0];
	struct ip_prefix *announced = malloc(bytes + 1), *before;
	uint32_t count_before;

	if (!device || !announced) {
		free(announced);
		return;
	}
	memcpy(announced, m->route, bytes);
	before = device->announced;
	count_before = device->announced_count;
	device->announced = announced;
	device->announced_count = m->route_count;
	update_next_hops(enforcer_view(engine), device);
	withdraw(enforcer_view(engine), device, before, count_before);
	free(before);
}

static void peer_mtu(struct engine *engine, struct peer *peer, uint16_t mtu)
{
	struct device *device = device_of(engine, peer);

	if (!device)
		return;
	device->mtu = mtu;
	enforcer_view(engine)->mtu_to[device->number] = mtu;
}

/* A peer that was reached without a connection can be reached again so. */
static void last_seen(struct engine *engine, uint64_t now_ns, const struct control_last_seen *m)
{
	struct peer *peer = peer_find(engine->node, m->public_key);
	struct path path = {.local = m->local, .remote = m->remote};
	struct path known;

	if (!peer || peer_path(peer, &known) || !transports_bound(&engine->plane.transports, &path))
		return;
	peer_path_use(peer, now_ns, &path);
	peer_handshake(peer, now_ns);
}

static void say(const struct policy *policy, const struct explain_answer *from,
		struct engine_explained *to)
{
	const struct judgement *j = &from->judgement;
	const struct policy_spec *spec = policy_spec(policy);

	to->error = 0;
	to->accepted = from->accepted;
	memcpy(to->text, from->text, sizeof to->text);
	strncpy(to->file, j->place.file ? j->place.file : "", sizeof to->file - 1);
	to->line = j->place.line;
	if (j->route != UINT32_MAX)
		ip_prefix_format(&spec->routes[j->route].prefix, to->route);
	strncpy(to->rule, j->rule ? j->rule->name : "", sizeof to->rule - 1);
	strncpy(to->reason, reason_name(j->reason), sizeof to->reason - 1);
	strncpy(to->action, word_actions[j->action], sizeof to->action - 1);
}

static void explain(struct engine *engine, const struct control_explain *m,
		    struct engine_explained *answer)
{
	const struct policy *policy = enforcer_view(engine)->policy;
	struct explain_question question = {
		.principal = m->principal,
		.source = m->source,
		.dst = m->dst,
		.proto = m->proto,
		.port = m->port,
	};
	struct explain_answer said;
	int err = policy_explain(policy, &question, &said);

	answer->error = -err;
	if (err == 0)
		say(policy, &said, answer);
}

/* Its own addresses, and what a connector announces. */
static void uapi_allowed(const struct engine *engine, const struct peer *peer,
			 struct uapi_text *text)
{
	const struct device *device = device_of(engine, peer);
	const struct spec_device *spec =
		policy_device(enforcer_view(engine)->policy, device->number);

	for (size_t i = 0; i < spec->address_count; i++)
		uapi_put_address(text, &spec->addresses[i]);
	for (uint32_t i = 0; i < device->announced_count; i++)
		uapi_put_prefix(text, &device->announced[i]);
}

const struct role_ops edge_role = {
	.accepts = true,
	.handshake_queue = 4096,
	.start = start,
	.stop = stop,
	.reload = adopt,
	.packets = {.from_session = from_session},
	.peer_event = peer_event,
	.routes = routes,
	.peer_mtu = peer_mtu,
	.last_seen = last_seen,
	.explain = explain,
	.uapi = &uapi_of_tunnel,
	.uapi_allowed = uapi_allowed,
};
