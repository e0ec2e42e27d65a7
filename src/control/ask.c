/* SPDX-License-Identifier: ISC */
/* Questions to the engine, and what becomes of the answers. */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static void answer(struct ask *ask, enum exit_code code, const char *text, size_t len)
{
	struct client *client = ask->client;

	ask->client = NULL; /* before the client, once answered, is dropped */
	if (client)
		client_answer(client, code, text, len);
}

/* The engine answers one CONTROL_STATUS at a time: the next is sent when the one before ended. */
static void send_next_status(struct asks *asks)
{
	struct ask *ask, *oldest = NULL;
	struct control_ask body;

	LIST_FOREACH(ask, &asks->list, entry) {
		if (ask->kind == ASK_EXPLAIN)
			continue;
		if (ask->is_sent)
			return;
		oldest = ask; /* they are inserted at the head */
	}
	if (!oldest)
		return;
	body = (struct control_ask){.id = oldest->id};
	oldest->is_sent =
		link_send(&asks->hub->engine.link, CONTROL_STATUS, &body, sizeof body) == 0;
}

static void ask_free(struct ask *ask)
{
	struct asks *asks = ask->asks;

	ev_timer_stop(asks->hub->loop, &ask->limit);
	LIST_REMOVE(ask, entry);
	free(ask->peer);
	free(ask->counter);
	free(ask);
	send_next_status(asks);
}

static void limit_reached(struct ev_loop *loop, ev_timer *w, int events)
{
	static const char text[] = "the engine does not answer; see the log, and try again\n";
	struct ask *ask = w->data;
	struct asks *asks = ask->asks;
	bool probe = ask->kind == ASK_PROBE;

	(void)loop, (void)events;
	answer(ask, EXIT_AGAIN, text, sizeof text - 1);
	ask_free(ask);
	if (probe)
		ask_probe(asks);
}

static struct ask *ask_new(struct asks *asks, enum ask_kind kind, struct client *client)
{
	struct ask *ask = calloc(1, sizeof *ask);

	if (!ask)
		return NULL;
	ask->asks = asks;
	ask->client = client;
	ask->kind = kind;
	ask->id = hub_next_id(asks->hub);
	ev_timer_init(&ask->limit, limit_reached, ASK_LIMIT_S, 0.);
	ask->limit.data = ask;
	ev_timer_start(asks->hub->loop, &ask->limit);
	LIST_INSERT_HEAD(&asks->list, ask, entry);
	return ask;
}

static void no_memory(struct client *client)
{
	static const char text[] = "out of memory\n";

	client_answer(client, EXIT_SYSTEM, text, sizeof text - 1);
}

/* Without an engine the limit answers: the parent may be restarting it just now. */
void ask_status(struct asks *asks, struct client *client, bool json)
{
	struct ask *ask = ask_new(asks, ASK_STATUS, client);

	if (!ask) {
		no_memory(client);
		return;
	}
	ask->json = json;
	send_next_status(asks);
}

void ask_explain(struct asks *asks, struct client *client, bool json,
		 const struct control_explain *question)
{
	struct ask *ask = ask_new(asks, ASK_EXPLAIN, client);
	struct control_explain explain = *question;

	if (!ask) {
		no_memory(client);
		return;
	}
	ask->json = json;
	explain.id = ask->id;
	link_send(&asks->hub->engine.link, CONTROL_EXPLAIN, &explain, sizeof explain);
}

void ask_probe(struct asks *asks)
{
	struct ask *ask;

	LIST_FOREACH(ask, &asks->list, entry) {
		if (ask->kind == ASK_PROBE) {
			ask_free(ask); /* of another engine or configuration */
			break;
		}
	}
	ask = ask_new(asks, ASK_PROBE, NULL);
	if (ask)
		send_next_status(asks);
}

void ask_restart(struct asks *asks)
{
	struct ask *ask;

	LIST_FOREACH(ask, &asks->list, entry) {
		ask->is_sent = false;
		ask->peer_count = 0;
		ask->counter_count = 0;
		if (ask->kind != ASK_EXPLAIN)
			ask->id = hub_next_id(asks->hub); /* what was under way is late now */
	}
	send_next_status(asks);
}

void ask_forget(struct asks *asks, const struct client *client)
{
	struct ask *ask;

	LIST_FOREACH(ask, &asks->list, entry) {
		if (ask->client == client) {
			ask_free(ask);
			return;
		}
	}
}

void ask_clear(struct asks *asks)
{
	link_close(&asks->hub->engine.link); /* nothing is asked any more */
	while (!LIST_EMPTY(&asks->list))
		ask_free(LIST_FIRST(&asks->list));
}

static struct ask *find(struct asks *asks, uint32_t id)
{
	struct ask *ask;

	LIST_FOREACH(ask, &asks->list, entry) {
		if (ask->id == id)
			return ask;
	}
	return NULL;
}

/* Makes room for one more item; NULL: there is none, and the list stays as it is. */
static void *grow(void *list, size_t count, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *bigger;

	if (count < *room)
		return list;
	bigger = reallocarray(list, wanted, size);
	if (bigger)
		*room = wanted;
	return bigger;
}

void ask_peer(struct asks *asks, const struct engine_peer *peer)
{
	struct ask *ask = find(asks, peer->id);
	struct engine_peer *list;

	if (!ask || ask->kind != ASK_STATUS || ask->peer_count == ASK_PEERS_MAX)
		return;
	list = grow(ask->peer, ask->peer_count, &ask->peer_room, sizeof *list);
	if (!list)
		return;
	ask->peer = list;
	list[ask->peer_count++] = *peer;
}

void ask_counter(struct asks *asks, const struct engine_counters *counter)
{
	struct ask *ask = find(asks, counter->id);
	struct engine_counters *list;

	if (!ask || ask->kind != ASK_STATUS || ask->counter_count == ASK_COUNTERS_MAX)
		return;
	list = grow(ask->counter, ask->counter_count, &ask->counter_room, sizeof *list);
	if (!list)
		return;
	ask->counter = list;
	list[ask->counter_count] = *counter;
	list[ask->counter_count].name[sizeof counter->name - 1] = '\0';
	ask->counter_count++;
}

static void answer_status(struct ask *ask)
{
	enum exit_code code = ask->asks->hub->works ? EXIT_DONE : EXIT_NO;
	char *text;
	size_t len;

	if (ask->asks->render(ask->asks->ctx, ask, &text, &len)) {
		answer(ask, EXIT_SYSTEM, "out of memory\n", strlen("out of memory\n"));
		return;
	}
	answer(ask, code, text, len);
	free(text);
}

void ask_end(struct asks *asks, uint32_t id)
{
	struct ask *ask = find(asks, id);

	if (!ask || ask->kind == ASK_EXPLAIN)
		return;
	if (ask->kind == ASK_STATUS)
		answer_status(ask);
	else
		hub_set_works(asks->hub, true);
	ask_free(ask);
}

static char *explained_json(const struct engine_explained *e)
{
	json_t *root = json_pack("{s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "schema", 1,
				 "accepted", e->accepted, "action", e->action, "reason", e->reason,
				 "route", e->route, "rule", e->rule, "file", e->file, "line",
				 (int)e->line, "text", e->text);
	char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL, *line = NULL;
	int n = text ? asprintf(&line, "%s\n", text) : -1;

	json_decref(root);
	free(text);
	return n < 0 ? NULL : line;
}

static const char *explained_error(const struct engine_explained *e)
{
	if (e->text[0])
		return e->text;
	if (e->error == ENOENT)
		return "no such principal or device; \"tund status\" lists them";
	return e->error == EOPNOTSUPP ? "only an edge has the policy to explain"
				      : strerror(e->error);
}

static void answer_explained(struct ask *ask, const struct engine_explained *e)
{
	enum exit_code code = e->accepted ? EXIT_DONE : EXIT_NO;
	char *json = ask->json ? explained_json(e) : NULL;
	char buf[sizeof e->text + 2];
	int len;

	if (e->error) {
		len = snprintf(buf, sizeof buf, "%s\n", explained_error(e));
		answer(ask, EXIT_USAGE, buf, (size_t)len);
	} else if (ask->json) {
		answer(ask, json ? code : EXIT_SYSTEM, json ? json : "", json ? strlen(json) : 0);
	} else {
		len = (int)strlen(e->text);
		len = snprintf(buf, sizeof buf, "%s%s", e->text,
			       len && e->text[len - 1] == '\n' ? "" : "\n");
		answer(ask, code, buf, (size_t)len);
	}
	free(json);
}

void ask_explained(struct asks *asks, const struct engine_explained *explained)
{
	struct ask *ask = find(asks, explained->id);
	struct engine_explained e = *explained;

	if (!ask || ask->kind != ASK_EXPLAIN)
		return;
	e.text[sizeof e.text - 1] = e.file[sizeof e.file - 1] = '\0';
	e.route[sizeof e.route - 1] = e.rule[sizeof e.rule - 1] = '\0';
	e.reason[sizeof e.reason - 1] = e.action[sizeof e.action - 1] = '\0';
	answer_explained(ask, &e);
	ask_free(ask);
}
