/* SPDX-License-Identifier: ISC */
/* How a member has what the edge pushed applied on this host: by the parent, which may refuse. */
#include "member_network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tund/sys/log.h>

#include "member.h"

void member_network_clear(struct member *m)
{
	free(m->pushed);
	free(m->network);
	free(m->refused);
	m->pushed = NULL;
	m->network = NULL;
	m->refused = NULL;
}

void member_network_check(struct member *m)
{
	hub_set_works(m->hub, m->edge_up && m->network && !m->error[0]);
}

/* The smaller of what the edge pushed and what is configured here. */
static uint32_t effective_mtu(const struct member *m)
{
	uint32_t pushed = m->pushed->mtu, local = m->hub->config->mtu;

	if (pushed == 0 || (local && local < pushed))
		return local;
	return pushed;
}

void member_network_request(struct member *m)
{
	struct request_network *request;

	/* One at a time: an edge may push faster than the parent applies. */
	m->request_again = m->request_id != 0;
	if (m->request_again)
		return;
	request = calloc(1, sizeof *request);

	if (!request) {
		log_error("no memory to apply what the edge pushed");
		return;
	}
	request->id = m->request_id = hub_next_id(m->hub);
	request->network = *m->pushed;
	request->network.mtu = effective_mtu(m);
	link_send(&m->hub->parent.link, REQUEST_NETWORK, request, sizeof *request);
	free(request);
}

void member_network_configured(struct member *m)
{
	struct network *config = calloc(1, sizeof *config);

	if (!config) {
		log_error("no memory for the addresses and routes of the configuration");
		return;
	}
	config->mtu = m->hub->config->mtu;
	config->address_count = m->hub->config->address.count;
	memcpy(config->address, m->hub->config->address.addr, sizeof m->hub->config->address.addr);
	config->route_count = m->hub->config->routes.count;
	memcpy(config->route, m->hub->config->routes.prefix, sizeof m->hub->config->routes.prefix);
	free(m->pushed);
	m->pushed = config;
	member_network_request(m);
}

void member_network_pushed(struct member *m, const struct known_peer *edge,
			   const struct network *config)
{
	if (m->hub->config->role == ROLE_CLIENT && config->address_count == 0) {
		hub_malformed(m->hub, edge, "a configuration without an address");
		return;
	}
	if (!m->pushed)
		m->pushed = malloc(sizeof *m->pushed);
	if (!m->pushed) {
		log_error("no memory for what the edge pushed");
		return;
	}
	*m->pushed = *config;
	member_network_request(m);
}

void member_network_tell_edge(struct member *m)
{
	const uint8_t *key = m->hub->config->edge.public_key;
	const struct known_peer *edge = peers_find_key(&m->hub->peers, key);
	struct control_message message = {.type = CONTROL_MESSAGE_MTU};

	if (!m->network || m->network->mtu == 0 || !edge || !edge->up)
		return;
	message.mtu = m->said_mtu = m->network->mtu;
	hub_send(m->hub, edge, &message);
}

static bool is_refused(const struct parent_reply *reply, uint32_t i)
{
	return reply->refused[i / 8] & (1U << (i % 8));
}

/* Each is logged when it is new: the edge pushes the same again and again. */
static void note_refused(struct control_message_routes *now,
			 const struct control_message_routes *before, const struct ip_prefix *route)
{
	char text[IP_PREFIX_STRLEN];

	now->route[now->route_count++] = *route;
	for (uint32_t i = 0; before && i < before->route_count; i++) {
		if (ip_prefix_equal(&before->route[i], route))
			return;
	}
	log_warning("the route %s that the edge pushed is not applied: allow it by accept_routes, or "
		    "it would cover a network that this host is connected to",
		    ip_prefix_format(route, text));
}

/* Sorts what was pushed into applied and refused. */
static void sort_routes(struct member *m, const struct parent_reply *reply, struct network *network,
			struct control_message_routes *refused)
{
	const struct network *pushed = m->pushed;

	network->address_count = pushed->address_count;
	memcpy(network->address, pushed->address, sizeof network->address);
	for (uint32_t i = 0; i < pushed->route_count; i++) {
		if (is_refused(reply, i))
			note_refused(refused, m->refused, &pushed->route[i]);
		else
			network_add_route(network, &pushed->route[i]);
	}
}

static void applied(struct member *m, const struct parent_reply *reply)
{
	struct network *network = calloc(1, sizeof *network);
	struct control_message_routes *refused = calloc(1, sizeof *refused);
	if (!network || !refused) {
		log_error("no memory for what the parent applied");
		free(network);
		free(refused);
		return;
	}
	sort_routes(m, reply, network, refused);
	free(m->network);
	free(m->refused);
	m->network = network;
	m->refused = refused->route_count ? refused : NULL;
	if (!m->refused)
		free(refused);
	m->network->mtu = effective_mtu(m);
	m->error[0] = '\0';
	member_network_tell_engine(m);
	if (m->network->mtu != m->said_mtu)
		member_network_tell_edge(m);
}

static void failed(struct member *m, const struct parent_reply *reply)
{
	const char *why = reply->text[0] ? reply->text : strerror(reply->error);
	char text[sizeof m->error + 2];

	snprintf(m->error, sizeof m->error, "%s", why);
	log_error("what the edge pushed cannot be applied: %s", m->error);
	snprintf(text, sizeof text, "%s\n", m->error);
	commands_answer(&m->hub->commands, CLIENT_WAITS, EXIT_SYSTEM, text);
}

void member_network_replied(struct member *m, const struct parent_reply *reply)
{
	if (reply->id != m->request_id || !m->pushed)
		return;
	m->request_id = 0;
	if (m->request_again) { /* of one that a later push has replaced */
		member_network_request(m);
		return;
	}
	if (reply->error)
		failed(m, reply);
	else
		applied(m, reply);
	member_network_check(m);
}

void member_network_tell_engine(struct member *m)
{
	if (m->network)
		link_send(&m->hub->engine.link, CONTROL_NETWORK, m->network, sizeof *m->network);
}

static void send_identity(struct member *m, struct control_identity *out)
{
	link_send(&m->hub->engine.link, CONTROL_IDENTITY, out, sizeof *out);
	out->first = false;
}

static void send_addresses(struct member *m, const struct control_message_identity *identity,
			   struct control_identity *out)
{
	memcpy(out->principal, identity->principal, sizeof out->principal);
	memcpy(out->group, identity->group, sizeof out->group);
	out->group_count = identity->group_count;
	for (uint32_t i = 0; i < identity->address_count; i++) {
		out->address = identity->address[i];
		send_identity(m, out);
	}
}

/* An address of family 0 opens and closes the list, so that no chunk needs to know its first or
 * last address. */
void member_network_identities(struct member *m, const struct known_peer *edge,
			       const struct control_message *message)
{
	struct control_identity out = {.first = message->identities.first};
	struct control_message_identity identity;

	if (m->hub->config->role != ROLE_CONNECTOR) {
		hub_malformed(m->hub, edge, "a connector's to receive");
		return;
	}
	for (uint32_t i = 0; i < message->identities.count; i++) {
		control_message_identity(message, i, &identity);
		send_addresses(m, &identity, &out);
	}
	if (!message->identities.last)
		hub_send(m->hub, edge, &(struct control_message){.type = CONTROL_MESSAGE_MORE});
	if (!out.first && !message->identities.last)
		return;
	out = (struct control_identity){.first = out.first, .last = message->identities.last};
	send_identity(m, &out);
}
