/* SPDX-License-Identifier: ISC */
/*
 * The edge: every device of the policy is a peer. A packet that comes out of one session is judged
 * and, if accepted, goes into another, inside this process.
 */
#include "role.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/secret.h>
#include <tund/policy/explain.h>
#include <tund/policy/lpm.h>
#include <tund/policy/registry_plan.h>
#include <tund/policy/words.h>
#include <tund/sys/log.h>

#include "role_enforcer.h"
#include "uapi_tunnel.h"

#define EDGE_FLOWS (128 * 1024)
#define DENIED_INTERVAL_NS (100 * NS_PER_MS)

/* A device of the registry, whose `user` it is. Workers ask for its peer only. */
struct device {
	struct enforcer_device seen;
	struct retired retired;
	struct peer *_Atomic peer; /* NULL: its key cannot be used */
	struct peer *next;         /* prepared to be it; has not joined */
	uint32_t number;           /* in the registry */
	bool up;
	uint32_t announced_count;
	struct ip_prefix *announced;
};

/* A change of the configuration, with all that it needs: once it is made, it cannot fail. */
struct adoption {
	struct registry_plan plan;
	struct enforcer_view *view; /* NULL: that in force stays */
	uint32_t groups;            /* that the rules in force know */
};

/* The main thread's; what workers see is the registry and an enforcer_view. A peer's user is its
 * device's number, which is all that a worker asks of it. */
struct edge {
	struct enforcer enforcer;
	struct adoption next; /* prepared */
};

static uint32_t number_of(const struct peer *peer)
{
	return (uint32_t)(uintptr_t)peer_user(peer);
}

static struct device *device_at(const struct edge *edge, uint32_t number)
{
	const struct registry_device *d = registry_device(edge->enforcer.registry, number);

	return d ? d->user : NULL;
}

static struct device *device_of(const struct engine *engine, const struct peer *peer)
{
	return device_at(engine->state, number_of(peer));
}

static void remove_next_hop(const struct enforcer_view *view, const struct device *device,
			    const struct ip_prefix *prefix)
{
	uint32_t route = policy_route_at(view->policy, 0, prefix);

	if (route != LPM_NONE)
		next_hops_remove(view->next_hops, route, device->number);
}

static void add_next_hop(const struct edge *edge, const struct enforcer_view *view,
			 const struct device *device, const struct ip_prefix *prefix)
{
	const struct registry_device *d = registry_device(edge->enforcer.registry, device->number);
	uint32_t route = policy_route_at(view->policy, 0, prefix);

	if (d && route != LPM_NONE && next_hops_add(view->next_hops, route, d) == -ENOMEM)
		log_error("out of memory: %s/%s is not used for one of its routes", d->id,
			  d->spec->name);
}

static void remove_next_hops(const struct enforcer_view *view, const struct device *device)
{
	for (uint32_t i = 0; i < device->announced_count; i++)
		remove_next_hop(view, device, &device->announced[i]);
}

/* A connector's device reaches what it announces, while it is up. */
static void update_next_hops(const struct edge *edge, const struct enforcer_view *view,
			     const struct device *device)
{
	if (!device->up)
		remove_next_hops(view, device);
	for (uint32_t i = 0; device->up && i < device->announced_count; i++)
		add_next_hop(edge, view, device, &device->announced[i]);
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
			remove_next_hop(view, device, &before[i]);
	}
}

/* The peer of a device as it will be: it has not joined. -ENOMEM; a key that cannot be used is only
 * said. */
static int make_peer(struct engine *engine, const struct registry_device *d)
{
	struct peer_config config = {.pinned_suite = -1, .user = (void *)(uintptr_t)d->number};
	struct device *device = d->user;
	int err;

	config.wireguard = d->spec->wireguard;
	memcpy(config.public_key, d->spec->public_key, KEY_SIZE);
	if (d->spec->has_preshared_key)
		memcpy(config.preshared_key, d->spec->preshared_key, KEY_SIZE);
	err = peer_new(engine->node, &config, &device->next);
	explicit_bzero(&config, sizeof config);
	if (err == 0 || err == -ENOMEM)
		return err;
	log_error("%s:%u: the public key of device \"%s\" cannot be used: %s",
		  d->spec->place.file, d->spec->place.line, d->spec->name, strerror(-err));
	return 0;
}

/* All that is left to fail is a table of the node's that has to grow: then the process ends, and the
 * parent starts it with this configuration. */
static void join_peer(struct engine *engine, struct device *device)
{
	struct peer *peer = device->next;

	device->next = NULL;
	if (peer && peer_join(peer) < 0) {
		log_error("out of memory for another device: starting again");
		peer_discard(peer);
		peer = NULL;
		ev_break(engine->loop, EVBREAK_ALL);
	}
	device->peer = peer;
}

static void remove_peer(struct engine *engine, struct device *device)
{
	struct peer *peer = device->peer;

	device->peer = NULL;
	device->up = false;
	device->seen.mtu = 0;
	device->announced_count = 0;
	if (peer)
		control_link_remove_peer(&engine->control, peer);
}

static void device_free(void *arg)
{
	struct device *device = arg;

	free(device->announced);
	free(device);
}

static void remove_device(struct engine *engine, const struct enforcer_view *view, uint32_t number)
{
	struct edge *edge = engine->state;
	struct device *device = device_at(edge, number);

	if (!device)
		return;
	registry_remove(edge->enforcer.registry, number);
	remove_next_hops(view, device);
	remove_peer(engine, device);
	epoch_retire(node_epoch(engine->node), &device->retired, device_free, device);
}

/* The same keys and the same suite: the session may go on. */
static bool is_same_peer(const struct spec_device *a, const struct spec_device *b)
{
	return memcmp(a->public_key, b->public_key, KEY_SIZE) == 0 &&
	       a->wireguard == b->wireguard && a->has_preshared_key == b->has_preshared_key &&
	       secret_equal(a->preshared_key, b->preshared_key, KEY_SIZE);
}

static bool keeps_peer(const struct registry_entry *change)
{
	const struct registry_device *before = registry_before(change);

	return before && is_same_peer(before->spec, registry_after(change)->spec);
}

static void change_device(struct engine *engine, const struct enforcer_view *view,
			  struct registry_entry *change)
{
	struct edge *edge = engine->state;
	const struct registry_device *d = registry_after(change), *before = registry_before(change);
	bool same_peer = keeps_peer(change);
	bool same_place = same_peer && before->principal == d->principal &&
			  before->order == d->order;
	struct device *device = d->user;

	device->number = d->number;
	if (!same_place)
		remove_next_hops(view, device);
	if (!same_peer)
		remove_peer(engine, device);
	registry_commit(edge->enforcer.registry, change);
	if (!same_peer)
		join_peer(engine, device);
	update_next_hops(edge, view, device);
}

static int make_view(struct engine *engine, struct config *config, struct enforcer_view **out)
{
	const struct edge *edge = engine->state;
	const struct enforcer_view *before = enforcer_view(engine);
	struct policy *policy;
	int err;

	*out = NULL;
	if (before && before->mtu == config->mtu && policy_is_of(before->policy, config->policy))
		return 0;
	err = policy_new(config->policy, edge->enforcer.registry, before ? before->policy : NULL,
			 &policy);
	if (err < 0)
		return err;
	config->policy = NULL; /* the compiled policy owns it from now on */
	*out = enforcer_view_new(policy, node_epoch(engine->node), config->mtu);
	if (*out)
		return 0;
	policy_free(policy);
	return -ENOMEM;
}

/* New devices, and the peers of all that are new or other peers. */
static int make_devices(struct engine *engine, struct registry_plan *plan)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < plan->change_count; i++) {
		struct registry_entry *change = plan->changes[i];

		if (!registry_before(change)) {
			struct device *device = calloc(1, sizeof *device);

			if (!device)
				return -ENOMEM;
			registry_set_user(change, device);
		}
		if (!keeps_peer(change))
			err = make_peer(engine, registry_after(change));
	}
	return err;
}

static void discard(struct engine *engine)
{
	struct edge *edge = engine->state;
	struct adoption *a = &edge->next;

	for (size_t i = 0; i < a->plan.change_count; i++) {
		struct device *device = registry_after(a->plan.changes[i])->user;

		if (!device)
			continue;
		peer_discard(device->next);
		device->next = NULL;
		if (!registry_before(a->plan.changes[i]))
			free(device);
	}
	registry_plan_discard(edge->enforcer.registry, &a->plan);
	enforcer_view_free(a->view);
	*a = (struct adoption){0};
}

/* The rules come first: they say which groups are bits. Takes the policy out of `config` if its rules
 * are new. */
static int prepare(struct engine *engine, struct config *config, char why[WHY_MAX])
{
	struct edge *edge = engine->state;
	const struct policy_spec *spec = config->policy;
	struct adoption *a = &edge->next;
	int err;

	(void)why;
	a->groups = registry_group_count(edge->enforcer.registry);
	err = make_view(engine, config, &a->view);
	if (err == 0)
		err = registry_plan(edge->enforcer.registry, spec, &a->plan);
	if (err == 0)
		err = make_devices(engine, &a->plan);
	if (err < 0)
		discard(engine);
	return err;
}

static void publish(struct engine *engine, struct enforcer_view *view)
{
	const struct edge *edge = engine->state;

	for (uint32_t i = 0; i < registry_limit(edge->enforcer.registry); i++) {
		const struct device *device = device_at(edge, i);

		if (device)
			update_next_hops(edge, view, device);
	}
	enforcer_publish(engine, view);
}

/*
 * No packet may be judged by old rules with what a device is under the new ones, or the other way
 * round. Devices that are the same to the old rules change before the new ones are published; from
 * the others nothing comes until that is done.
 */
static void change_rules(struct engine *engine, struct adoption *a)
{
	struct edge *edge = engine->state;
	const struct enforcer_view *before = enforcer_view(engine);
	size_t later = 0;

	for (size_t i = 0; i < a->plan.change_count; i++) {
		struct registry_entry *change = a->plan.changes[i];

		if (before && registry_is_same_to(change, a->groups)) {
			change_device(engine, before, change);
			continue;
		}
		if (registry_before(change))
			registry_suspend(edge->enforcer.registry, registry_after(change)->number);
		a->plan.changes[later++] = change;
	}
	a->plan.change_count = later;
	publish(engine, a->view);
}

/* Devices that go are gone before others come, for an address may move from one to the other. */
static void commit(struct engine *engine, uint64_t now_ns, struct config *config)
{
	struct edge *edge = engine->state;
	struct adoption *a = &edge->next;

	(void)now_ns;
	(void)config;
	for (size_t i = 0; i < a->plan.removed_count; i++)
		remove_device(engine, enforcer_view(engine), a->plan.removed[i]);
	if (a->view)
		change_rules(engine, a);
	for (size_t i = 0; i < a->plan.change_count; i++)
		change_device(engine, enforcer_view(engine), a->plan.changes[i]);
	registry_plan_clear(&a->plan);
	*a = (struct adoption){0};
}

static int start(struct engine *engine, uint64_t now_ns)
{
	struct edge *edge = calloc(1, sizeof *edge);
	int err = edge ? enforcer_init(&edge->enforcer, node_epoch(engine->node), true, EDGE_FLOWS)
		       : -ENOMEM;
	char why[WHY_MAX];

	engine->state = edge;
	if (err == 0)
		err = enforcer_start_workers(engine, &edge->enforcer);
	if (err == 0)
		err = prepare(engine, engine->config, why);
	if (err == 0)
		commit(engine, now_ns, engine->config);
	return err;
}

static void stop(struct engine *engine)
{
	struct edge *edge = engine->state;
	uint32_t limit = edge->enforcer.registry ? registry_limit(edge->enforcer.registry) : 0;

	for (uint32_t i = 0; i < limit; i++) {
		struct device *device = device_at(edge, i);

		if (!device)
			continue;
		remove_peer(engine, device);
		device_free(device);
	}
	enforcer_stop_workers(engine);
	enforcer_clear(&edge->enforcer);
	free(edge);
	engine->state = NULL;
}

static void to_device(struct data_worker *dw, uint64_t now_ns, uint32_t number,
		      const struct inner_bytes *packet)
{
	const struct registry *registry = dw->judge->forward.registry;
	const struct registry_device *d = registry_device(registry, number);
	const struct device *device = d ? d->user : NULL;
	struct peer *peer = device ? device->peer : NULL;

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
	update_next_hops(engine->state, enforcer_view(engine), device);
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
	update_next_hops(engine->state, enforcer_view(engine), device);
	withdraw(enforcer_view(engine), device, before, count_before);
	free(before);
}

static void peer_mtu(struct engine *engine, struct peer *peer, uint16_t mtu)
{
	struct device *device = device_of(engine, peer);

	if (!device)
		return;
	device->seen.mtu = mtu;
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
	const struct edge *edge = engine->state;
	const struct policy *policy = enforcer_view(engine)->policy;
	struct explain_question question = {
		.principal = m->principal,
		.source = m->source,
		.dst = m->dst,
		.proto = m->proto,
		.port = m->port,
	};
	struct explain_answer said;
	int err = policy_explain(policy, edge->enforcer.registry, &question, &said);

	answer->error = -err;
	if (err == 0)
		say(policy, &said, answer);
}

/* Its own addresses, and what a connector announces. */
static void uapi_allowed(const struct engine *engine, const struct peer *peer,
			 struct uapi_text *text)
{
	const struct edge *edge = engine->state;
	const struct registry_device *d =
		registry_device(edge->enforcer.registry, number_of(peer));
	const struct spec_device *spec = d->spec;
	const struct device *device = d->user;

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
	.prepare = prepare,
	.commit = commit,
	.discard = discard,
	.packets = {.from_session = from_session},
	.peer_event = peer_event,
	.routes = routes,
	.peer_mtu = peer_mtu,
	.last_seen = last_seen,
	.explain = explain,
	.uapi = &uapi_of_tunnel,
	.uapi_allowed = uapi_allowed,
};
