/* SPDX-License-Identifier: ISC */
/*
 * The whole control process in a child, driven from three sides; without its sandbox, unless
 * tests/system/control.sh runs this.
 *
 *     test as parent ==channel== control ==channel== test as engine
 *                                   |
 *                            command socket ==== test as command line
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include <tund/base/time.h>
#include "control/control.h"
#include <tund/sys/channel.h>
#include <tund/sys/memfd.h>
#include <tund/sys/unixsock.h>

#include "tap.h"

#define WAIT_MS 5000 /* before a test gives up on an answer that does not come */
#define IMAGE_MAX (256 * 1024)

#define EDGE UINT64_C(0x100000001) /* the edge's id with a client or connector's engine */

static const uint8_t edge_key[KEY_SIZE] = {9}, alice_key[KEY_SIZE] = {1}, dc1_key[KEY_SIZE] = {2};

static int parent, engine;
static pid_t child;
static char socket_path[64];
static uint8_t buffer[CHANNEL_BODY_MAX] __attribute__((aligned(8)));
static struct channel_message got;

/* The world around control */

static void receive(int channel, uint32_t kind, size_t size)
{
	struct pollfd p = {.fd = channel, .events = POLLIN};

	ck_assert_msg(poll(&p, 1, WAIT_MS) == 1, "message %u did not come", kind);
	ck_assert_int_eq(channel_receive(channel, buffer, sizeof buffer, &got), 1);
	ck_assert_uint_eq(got.kind, kind);
	ck_assert_uint_ge(got.len, size);
	ck_assert_int_eq(got.fd, -1);
}

static void expect_silence(int channel, int ms)
{
	struct pollfd p = {.fd = channel, .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, ms), 0);
}

static void say(int channel, uint32_t kind, const void *body, size_t len)
{
	ck_assert_int_eq(channel_send(channel, kind, body, len, -1), 0);
}

static void give(uint32_t kind, const void *body, size_t len, int fd)
{
	ck_assert_int_eq(channel_send(parent, kind, body, len, fd), 0);
	close(fd);
}

static void give_config(const struct config *config, uint32_t generation)
{
	struct parent_config body = {.generation = generation};
	uint8_t *image = malloc(IMAGE_MAX);
	struct writer w = writer_init(image, IMAGE_MAX);
	int fd;

	config_encode(config, CONFIG_PUBLIC, &w);
	ck_assert(!w.failed);
	ck_assert_int_eq(memfd_from("test", image, w.len, &fd), 0);
	free(image);
	give(PARENT_CONFIG, &body, sizeof body, fd);
}

static void give_engine(void)
{
	int fds[2];

	ck_assert_int_eq(channel_pair(fds), 0);
	engine = fds[0];
	give(PARENT_SIBLING, NULL, 0, fds[1]);
}

/* The installed program, sandbox and all, where the environment names it: tests/system/control.sh */
static void run_program(int channel)
{
	const char *program = getenv("TUND_TEST_CONTROL");

	if (!program)
		return;
	dup2(channel, CHILD_CHANNEL_FD);
	execl(program, "control", "test", NULL);
	_exit(127);
}

static void run_child(int channel)
{
	struct control c;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_program(channel);
	signal(SIGPIPE, SIG_IGN);
	r = control_start(&c, "test", channel);
	if (!r)
		control_run(&c);
	control_clear(&c);
	_exit(r ? 1 : 0);
}

static void start(const struct config *config)
{
	int fds[2], listener;

	ck_assert_int_eq(channel_pair(fds), 0);
	parent = fds[0];
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		close(fds[0]);
		run_child(fds[1]);
	}
	close(fds[1]);
	snprintf(socket_path, sizeof socket_path, "/tmp/check_control.%d.sock", getpid());
	ck_assert_int_eq(unixsock_listen(socket_path, 0600, &listener), 0);
	give_config(config, 1);
	give(PARENT_COMMAND, NULL, 0, listener);
	give_engine();
	say(parent, PARENT_GO, NULL, 0);
	receive(parent, REQUEST_SERVES, 0);
}

/* control must end by itself, without an error */
static void expect_end(void)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void stop(void)
{
	close(parent);
	expect_end();
	close(engine);
	unlink(socket_path);
}

/* Configurations */

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	ck_assert_int_eq(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct ip_addr address(const char *text)
{
	struct ip_addr a;

	ck_assert_int_eq(ip_addr_parse(text, &a), 0);
	return a;
}

static struct config *new_config(enum role role)
{
	struct config *config = calloc(1, sizeof *config);

	config->role = role;
	config->mtu = 1420;
	config->policy = policy_spec_new();
	return config;
}

static struct config *member_config(enum role role, const char *host)
{
	struct config *config = new_config(role);

	strcpy(config->interface, "tund0");
	memcpy(config->edge.public_key, edge_key, KEY_SIZE);
	strcpy(config->edge.host, host);
	config->edge.port = 51820;
	config->edge.suite = -1;
	config->fwmark = 51820;
	if (role == ROLE_CONNECTOR) {
		config->announce.count = 1;
		config->announce.prefix[0] = prefix("10.77.0.0/16");
	}
	return config;
}

static void add_device(struct config *config, const char *id, enum principal_kind kind,
		       const uint8_t key[KEY_SIZE], const char *addr)
{
	struct policy_spec *spec = config->policy;
	struct spec_principal *p = policy_spec_add_principal(spec, id, kind, "test", 1);
	struct spec_device *d = policy_spec_add_device(spec, p, "d", "test", 2);
	struct ip_addr a;

	memcpy(d->public_key, key, KEY_SIZE);
	if (kind == PRINCIPAL_USER)
		ck_assert_int_eq(policy_spec_add_group(spec, p, "eng"), 0);
	if (!addr)
		return;
	a = address(addr);
	ck_assert_int_eq(policy_spec_add_address(spec, d, &a), 0);
}

static void add_route(struct config *config, const char *text)
{
	struct ip_prefix p = prefix(text);
	struct spec_route *r = policy_spec_add_route(config->policy, &p, "test", 3);

	ck_assert_int_eq(policy_spec_add_via(config->policy, r, "dc1"), 0);
}

static struct config *edge_config(void)
{
	struct config *config = new_config(ROLE_EDGE);

	config->listen_port = 51820;
	config->address.count = 1;
	config->address.addr[0] = address("100.80.0.1");
	config->pool.count = 1;
	config->pool.prefix[0] = prefix("100.80.0.0/16");
	add_device(config, "alice@example.com", PRINCIPAL_USER, alice_key, "100.80.0.11");
	add_device(config, "dc1", PRINCIPAL_CONNECTOR, dc1_key, NULL);
	add_route(config, "10.77.0.0/24");
	return config;
}

/* The engine's words */

static void say_peer(uint32_t id, uint64_t peer, const uint8_t *key, bool up)
{
	struct engine_peer p = {.peer = peer,
				.id = id,
				.up = up,
				.suite = up ? 1 : -1,
				.transport = "udp",
				.rx_bytes = 123456,
				.last_handshake_wall_ns = up ? NS_PER_SEC : 0};

	memcpy(p.public_key, key, KEY_SIZE);
	if (up)
		ck_assert_int_eq(endpoint_parse("198.51.100.7:51820", &p.endpoint), 0);
	say(engine, ENGINE_PEER, &p, sizeof p);
}

static void say_frame(uint64_t peer, const char *text)
{
	struct {
		struct control_frame head;
		char text[4000];
	} m = {.head = {peer, (uint32_t)strlen(text)}};

	memcpy(m.text, text, strlen(text));
	say(engine, ENGINE_FRAME, &m, sizeof m.head + strlen(text));
}

static void say_gone(uint64_t peer)
{
	say(engine, ENGINE_GONE, &(struct control_peer){peer}, sizeof(struct control_peer));
}

static void expect_consumed(uint64_t peer)
{
	receive(engine, CONTROL_CONSUMED, sizeof(struct control_peer));
	ck_assert_uint_eq(((const struct control_peer *)(const void *)got.body)->peer, peer);
}

/* The next frame that control sends to `peer`, of the wanted type; freed by the caller. */
static struct control_message *expect_message(uint64_t peer, enum control_message_type type)
{
	const struct control_frame *frame;
	struct control_message *n;

	receive(engine, CONTROL_FRAME, sizeof *frame);
	frame = (const void *)got.body;
	ck_assert_uint_eq(frame->peer, peer);
	ck_assert_uint_eq(frame->len, got.len - sizeof *frame);
	ck_assert_int_eq(control_message_decode(got.body + sizeof *frame, frame->len, &n), 0);
	ck_assert_int_eq(n->type, type);
	return n;
}

static void skip_message(uint64_t peer, enum control_message_type type)
{
	control_message_free(expect_message(peer, type));
}

static void expect_hello(void)
{
	receive(engine, CONTROL_HELLO, 0);
}

static uint32_t expect_status(void)
{
	receive(engine, CONTROL_STATUS, sizeof(struct control_ask));
	return ((const struct control_ask *)(const void *)got.body)->id;
}

static void say_end(uint32_t id)
{
	say(engine, ENGINE_END, &(struct control_ask){id}, sizeof(struct control_ask));
}

/* The command line's words */

static int command(const char *line)
{
	int fd;

	ck_assert_int_eq(unixsock_connect(socket_path, &fd), 0);
	/* one who is refused may find nobody to say it to */
	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		ck_assert_int_eq(errno, EPIPE);
	return fd;
}

/* Reads the whole answer and closes. */
static const char *answer(int fd)
{
	static char text[64 * 1024];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	do {
		ck_assert_msg(poll(&p, 1, WAIT_MS) == 1, "no answer");
		n = recv(fd, text + len, sizeof text - 1 - len, 0);
		ck_assert(n >= 0 || errno == ECONNRESET);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[len] = '\0';
	close(fd);
	return text;
}

static void expect_starts(const char *text, const char *start)
{
	ck_assert_msg(strncmp(text, start, strlen(start)) == 0, "\"%s\" does not start with \"%s\"",
		      text, start);
}

static void expect_in(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

/* Client and connector */

#define CONFIG_TEXT \
	"{\"type\":\"config\",\"addresses\":[\"100.80.0.11\"]," \
	"\"routes\":[\"10.77.0.0/24\",\"10.78.0.0/24\"],\"mtu\":1400}"

static void start_member(enum role role, const char *host)
{
	struct config *config = member_config(role, host);

	start(config);
	config_free(config);
}

static void expect_endpoint(const char *text)
{
	const struct control_endpoints *e;
	char buf[ENDPOINT_STRLEN];

	receive(engine, CONTROL_ENDPOINTS, sizeof *e);
	e = (const void *)got.body;
	ck_assert_uint_ge(e->count, 1);
	ck_assert_str_eq(endpoint_format(&e->endpoint[0], buf), text);
}

static void expect_works(bool works)
{
	receive(parent, REQUEST_WORKS, sizeof(struct request_works));
	ck_assert_int_eq(((const struct request_works *)(const void *)got.body)->works, works);
}

static uint32_t expect_request(void)
{
	const struct request_network *r;

	receive(parent, REQUEST_NETWORK, sizeof *r);
	r = (const void *)got.body;
	ck_assert_uint_eq(r->network.mtu, 1400);
	ck_assert_uint_eq(r->network.address_count, 1);
	ck_assert_uint_eq(r->network.route_count, 2);
	return r->id;
}

static void expect_mtu(uint32_t mtu)
{
	struct control_message *message = expect_message(EDGE, CONTROL_MESSAGE_MTU);

	ck_assert_uint_eq(message->mtu, mtu);
	control_message_free(message);
}

/* From the start to a tunnel that works; the parent refuses the second route. */
static void bring_up(enum role role)
{
	struct parent_reply reply = {.refused = {2}};
	const struct network *n;

	start_member(role, "192.0.2.1");
	expect_endpoint("192.0.2.1:51820");
	expect_hello();
	say_peer(0, EDGE, edge_key, true);
	skip_message(EDGE, CONTROL_MESSAGE_HELLO);
	if (role == ROLE_CONNECTOR)
		skip_message(EDGE, CONTROL_MESSAGE_ROUTES);
	say_frame(EDGE, CONFIG_TEXT);
	expect_consumed(EDGE);
	reply.id = expect_request();
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	receive(engine, CONTROL_NETWORK, sizeof *n);
	n = (const void *)got.body;
	ck_assert_uint_eq(n->address_count, 1);
	ck_assert_uint_eq(n->route_count, 1);
	expect_mtu(1400);
	expect_works(true);
}

/* That it works is not taken for granted: the edge may have revoked us. */
START_TEST(client_comes_up)
{
	int waiting;

	bring_up(ROLE_CLIENT);
	waiting = command("wait\n");
	receive(engine, CONTROL_CONFIRM, 0);
	expect_silence(waiting, 100);
	say(engine, ENGINE_CONFIRMED, NULL, 0);
	ck_assert_str_eq(answer(waiting), "EXIT 0\n");
	stop();
}
END_TEST

START_TEST(lost_while_being_confirmed)
{
	int waiting;

	bring_up(ROLE_CLIENT);
	waiting = command("wait\n");
	receive(engine, CONTROL_CONFIRM, 0);
	say_peer(0, EDGE, edge_key, false);
	say(engine, ENGINE_CONFIRMED, NULL, 0);
	expect_silence(waiting, 100);
	say_peer(0, EDGE, edge_key, true);
	ck_assert_str_eq(answer(waiting), "EXIT 0\n");
	stop();
}
END_TEST

START_TEST(wait_is_answered_when_it_works)
{
	struct parent_reply reply = {0};
	int waiting;

	start_member(ROLE_CLIENT, "192.0.2.1");
	waiting = command("wait\n");
	say_peer(0, EDGE, edge_key, true);
	say_frame(EDGE, CONFIG_TEXT);
	reply.id = expect_request();
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	ck_assert_str_eq(answer(waiting), "EXIT 0\n");
	stop();
}
END_TEST

START_TEST(wait_is_told_why_it_cannot_work)
{
	struct parent_reply reply = {.error = EPERM, .text = "cannot set the address: denied"};
	int waiting;

	start_member(ROLE_CLIENT, "192.0.2.1");
	waiting = command("wait\n");
	say_peer(0, EDGE, edge_key, true);
	say_frame(EDGE, CONFIG_TEXT);
	reply.id = expect_request();
	/* the waiting client is known for sure once a later one was answered */
	expect_starts(answer(command("nonsense\n")), "EXIT 64\n");
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	ck_assert_str_eq(answer(waiting), "EXIT 71\ncannot set the address: denied\n");
	stop();
}
END_TEST

START_TEST(a_name_is_resolved)
{
	start_member(ROLE_CLIENT, "localhost");
	expect_hello();
	receive(engine, CONTROL_ENDPOINTS, sizeof(struct control_endpoints));
	stop();
}
END_TEST

/* The resolver's thread must survive the sandbox also when it asks a server. Only where nothing
 * leaves this machine. */
START_TEST(a_name_is_unknown)
{
	if (!getenv("TUND_TEST_CONTROL"))
		return;
	start_member(ROLE_CLIENT, "edge.invalid");
	expect_hello();
	sleep(2); /* a second try, too */
	expect_starts(answer(command("nonsense\n")), "EXIT 64\n");
	stop();
}
END_TEST

START_TEST(endpoints_are_found_again)
{
	bring_up(ROLE_CLIENT);
	say(engine, ENGINE_RESOLVE, NULL, 0);
	expect_endpoint("192.0.2.1:51820");
	stop();
}
END_TEST

static const char *status_of_member(const char *line)
{
	int fd = command(line);
	uint32_t id = expect_status();
	struct engine_counters counter = {.id = id, .name = "bad_mac1", .count = 7};

	say_peer(id, EDGE, edge_key, true);
	say(engine, ENGINE_COUNTERS, &counter, sizeof counter);
	say_end(id);
	return answer(fd);
}

/* An edge that pushes faster than the parent applies must not fill our memory. */
START_TEST(pushes_wait_for_the_parent)
{
	struct parent_reply reply = {0};

	bring_up(ROLE_CLIENT);
	for (int i = 0; i < 10; i++) {
		say_frame(EDGE, CONFIG_TEXT);
		expect_consumed(EDGE);
	}
	reply.id = expect_request();
	expect_silence(parent, 100);
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	reply.id = expect_request();
	expect_silence(engine, 100);
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	receive(engine, CONTROL_NETWORK, sizeof(struct network));
	expect_silence(parent, 100);
	stop();
}
END_TEST

START_TEST(client_status)
{
	const char *text;

	bring_up(ROLE_CLIENT);
	say_frame(EDGE, "{\"type\":\"denied\",\"destination\":\"10.77.0.10\",\"proto\":6,"
			"\"port\":81}");
	expect_consumed(EDGE);
	text = status_of_member("status\n");
	expect_starts(text, "EXIT 0\ntunnel: test\n  role: client\n  interface: tund0\n");
	expect_in(text, "  addresses: 100.80.0.11\n  routes: 10.77.0.0/24\n  mtu: 1400\n");
	expect_in(text, "  routes not applied: 10.78.0.0/24\n");
	expect_in(text, "\npeer: edge\n  public key: CQAAAAAA");
	expect_in(text, "  endpoint: 198.51.100.7:51820\n  transport: udp\n");
	expect_in(text, "  suite: 1 (AES-256-GCM)\n");
	expect_in(text, "  transfer: 120.56 KiB received, 0 B sent\n");
	expect_in(text, "  10.77.0.10 tcp port 81: ");
	expect_in(text, "  bad_mac1: 7\n");
	stop();
}
END_TEST

START_TEST(client_status_json)
{
	const char *text;
	json_t *root;

	bring_up(ROLE_CLIENT);
	text = status_of_member("status\tjson\n");
	expect_starts(text, "EXIT 0\n");
	root = json_loads(text + strlen("EXIT 0\n"), 0, NULL);
	ck_assert_ptr_nonnull(root);
	ck_assert_int_eq(json_integer_value(json_object_get(root, "schema")), 1);
	ck_assert(json_is_true(json_object_get(root, "up")));
	ck_assert_uint_eq(json_array_size(json_object_get(root, "peers")), 1);
	json_decref(root);
	stop();
}
END_TEST

START_TEST(status_when_not_up)
{
	int fd;

	start_member(ROLE_CLIENT, "192.0.2.1");
	expect_endpoint("192.0.2.1:51820");
	expect_hello();
	fd = command("status\n");
	say_end(expect_status());
	expect_starts(answer(fd), "EXIT 1\n");
	stop();
}
END_TEST

START_TEST(an_engine_that_does_not_answer)
{
	int fd;

	start_member(ROLE_CLIENT, "192.0.2.1");
	fd = command("status\n");
	expect_starts(answer(fd), "EXIT 75\nthe engine does not answer");
	stop();
}
END_TEST

START_TEST(malformed_messages)
{
	static const char *const bad[] = {
		"x", "{", "[]", "{\"type\":\"config\"}",
		"{\"type\":\"config\",\"addresses\":[],\"routes\":[]}", /* a client needs one */
		"{\"type\":\"config\",\"addresses\":[\"127.0.0.1\"],\"routes\":[]}",
		"{\"type\":\"routes\",\"routes\":[]}", /* not an edge's to say */
		"{\"type\":\"holders\",\"first\":true,\"last\":true,\"holders\":[]}",
	};
	const size_t count = sizeof bad / sizeof *bad;
	char line[64];

	bring_up(ROLE_CLIENT);
	for (size_t i = 0; i < count; i++) {
		say_frame(EDGE, bad[i]);
		expect_consumed(EDGE);
	}
	say_frame(EDGE, "{\"type\":\"from the future\"}");
	expect_consumed(EDGE);
	expect_silence(parent, 0);
	snprintf(line, sizeof line, "  malformed_notice: %zu\n", count);
	expect_in(status_of_member("status\n"), line);
	stop();
}
END_TEST

START_TEST(frames_of_unknown_peers)
{
	bring_up(ROLE_CLIENT);
	say_frame(EDGE + 1, CONFIG_TEXT); /* not told of */
	say_frame((uint32_t)EDGE, CONFIG_TEXT);
	say_peer(0, EDGE + 1, dc1_key, true); /* told of, but not our edge */
	say_frame(EDGE + 1, CONFIG_TEXT);
	say(engine, ENGINE_RESET, &(struct control_peer){EDGE + 1}, sizeof(struct control_peer));
	say_frame(EDGE, "{\"type\":\"later\"}");
	expect_consumed(EDGE); /* that of the last only */
	say_gone(EDGE + 1);
	say_gone(EDGE + 2);
	expect_silence(parent, 0);
	expect_silence(engine, 0);
	stop();
}
END_TEST

/* Its preshared key has changed: another peer of the same key, which knows nothing of what the one
 * before was told. */
START_TEST(another_peer_of_the_same_key)
{
	int waiting;

	bring_up(ROLE_CLIENT);
	say_gone(EDGE);
	expect_works(false);
	waiting = command("wait\n");
	expect_silence(waiting, 100);
	say_frame(EDGE, CONFIG_TEXT);
	say_peer(0, EDGE + 1, edge_key, true);
	skip_message(EDGE + 1, CONTROL_MESSAGE_HELLO);
	skip_message(EDGE + 1, CONTROL_MESSAGE_MTU);
	expect_works(true);
	ck_assert_str_eq(answer(waiting), "EXIT 0\n");
	say_frame(EDGE + 1, CONFIG_TEXT);
	expect_consumed(EDGE + 1);
	stop();
}
END_TEST

START_TEST(connector_passes_identities)
{
	const struct control_identity *h;

	bring_up(ROLE_CONNECTOR);
	say_frame(EDGE, "{\"type\":\"holders\",\"first\":true,\"last\":false,\"holders\":[{"
			"\"principal\":\"alice\",\"groups\":[\"eng\"],"
			"\"addresses\":[\"100.80.0.11\",\"fd74:756e:64::11\"]}]}");
	receive(engine, CONTROL_IDENTITY, sizeof *h);
	h = (const void *)got.body;
	ck_assert(h->first && !h->last);
	ck_assert_str_eq(h->principal, "alice");
	ck_assert_str_eq(h->group[0], "eng");
	receive(engine, CONTROL_IDENTITY, sizeof *h);
	h = (const void *)got.body;
	ck_assert(!h->first && !h->last);
	skip_message(EDGE, CONTROL_MESSAGE_MORE);
	expect_consumed(EDGE);
	say_frame(EDGE, "{\"type\":\"holders\",\"first\":false,\"last\":true,\"holders\":[]}");
	receive(engine, CONTROL_IDENTITY, sizeof *h);
	h = (const void *)got.body;
	ck_assert(!h->first && h->last && h->address.family == 0);
	expect_consumed(EDGE);
	stop();
}
END_TEST

START_TEST(another_engine)
{
	int kept;

	bring_up(ROLE_CLIENT);
	close(engine);
	give_engine();
	expect_hello();
	expect_endpoint("192.0.2.1:51820");
	receive(engine, CONTROL_NETWORK, sizeof(struct network));
	say_frame(EDGE, CONFIG_TEXT); /* of which the new one has not told us */
	say_peer(0, EDGE, dc1_key, true);
	say_frame(EDGE, CONFIG_TEXT);
	say_peer(0, EDGE + 1, edge_key, true);
	skip_message(EDGE + 1, CONTROL_MESSAGE_HELLO);
	skip_message(EDGE + 1, CONTROL_MESSAGE_MTU);
	/* And once more, before we have noticed the end of the one before. */
	kept = engine;
	give_engine();
	expect_hello();
	expect_endpoint("192.0.2.1:51820");
	receive(engine, CONTROL_NETWORK, sizeof(struct network));
	say_frame(EDGE + 1, CONFIG_TEXT);
	say_peer(0, EDGE + 2, edge_key, true);
	skip_message(EDGE + 2, CONTROL_MESSAGE_HELLO);
	close(kept);
	stop();
}
END_TEST

START_TEST(goodbye)
{
	bring_up(ROLE_CLIENT);
	say(parent, PARENT_STOP, NULL, 0);
	skip_message(EDGE, CONTROL_MESSAGE_GOODBYE);
	expect_end();
	unlink(socket_path);
}
END_TEST

START_TEST(member_reload)
{
	struct config *config = member_config(ROLE_CLIENT, "192.0.2.2");
	struct parent_reply reply = {0};
	int fd;

	bring_up(ROLE_CLIENT);
	fd = command("reload\n");
	receive(parent, REQUEST_RELOAD, 0);
	give_config(config, 2);
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	ck_assert_str_eq(answer(fd), "EXIT 0\n");
	expect_endpoint("192.0.2.2:51820");
	expect_hello();
	expect_request();
	say_peer(0, EDGE, edge_key, true);
	skip_message(EDGE, CONTROL_MESSAGE_HELLO);
	config_free(config);
	stop();
}
END_TEST

/* Whoever of the two takes the new configuration first: what the new edge says is heard, what the
 * old one says is not, and none of it is lost or taken for the other's. `_i`: the engine is first. */
START_TEST(member_reload_to_another_edge)
{
	struct config *config = member_config(ROLE_CLIENT, "192.0.2.1");

	memcpy(config->edge.public_key, dc1_key, KEY_SIZE);
	bring_up(ROLE_CLIENT);
	if (_i) {
		say_gone(EDGE);
		expect_works(false);
		say_peer(0, EDGE + 1, dc1_key, true);
		say_frame(EDGE + 1, CONFIG_TEXT);
		expect_silence(parent, 50);
		expect_silence(engine, 0);
	}
	give_config(config, 2);
	config_free(config);
	expect_works(_i != 0);
	expect_request(); /* what is applied already, within the new bounds */
	expect_endpoint("192.0.2.1:51820");
	expect_hello();
	if (_i == 0) {
		say_peer(0, EDGE, edge_key, true);
		say_frame(EDGE, CONFIG_TEXT);
		expect_silence(engine, 50);
		say_gone(EDGE);
	}
	say_peer(0, EDGE + 1, dc1_key, true);
	skip_message(EDGE + 1, CONTROL_MESSAGE_HELLO);
	skip_message(EDGE + 1, CONTROL_MESSAGE_MTU);
	if (!_i)
		expect_works(true);
	say_frame(EDGE + 1, CONFIG_TEXT);
	expect_consumed(EDGE + 1);
	stop();
}
END_TEST

static struct config *stock_config(const char *route)
{
	struct config *config = member_config(ROLE_CLIENT, "192.0.2.1");

	config->edge.suite = 0;
	config->transport = TRANSPORT_UDP_ONLY;
	config->mtu = 1400;
	config->address.count = 1;
	config->address.addr[0] = address("10.0.0.2");
	config->routes.count = 2;
	config->routes.prefix[0] = prefix("10.0.0.0/24");
	config->routes.prefix[1] = prefix(route);
	return config;
}

static void answer_request(const char *route)
{
	struct parent_reply reply = {.id = expect_request()};
	const struct request_network *r = (const void *)got.body;
	const struct network *n;
	char text[IP_PREFIX_STRLEN];

	ck_assert_str_eq(ip_prefix_format(&r->network.route[1], text), route);
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	receive(engine, CONTROL_NETWORK, sizeof *n);
	n = (const void *)got.body;
	ck_assert_uint_eq(n->route_count, 2);
}

/* A stock WireGuard server is told nothing, and pushes nothing: what is configured is applied when
 * the handshake is done, and anew when it is configured anew. */
START_TEST(client_of_a_stock_server)
{
	struct config *config = stock_config("192.168.1.0/24");

	start(config);
	config_free(config);
	expect_endpoint("192.0.2.1:51820");
	expect_hello();
	expect_silence(parent, 100);
	say_peer(0, EDGE, edge_key, true);
	answer_request("192.168.1.0/24");
	expect_works(true);
	say_peer(0, EDGE, edge_key, false);
	expect_works(false);
	say_peer(0, EDGE, edge_key, true);
	expect_works(true);
	expect_silence(engine, 100);
	config = stock_config("192.168.2.0/24");
	give_config(config, 2);
	config_free(config);
	expect_endpoint("192.0.2.1:51820");
	expect_hello();
	answer_request("192.168.2.0/24");
	say(parent, PARENT_STOP, NULL, 0);
	expect_silence(engine, 50);
	stop();
}
END_TEST

START_TEST(reload_and_down_are_the_parents)
{
	struct parent_reply reply = {.error = EINVAL, .text = "test.conf:3: unknown option"};
	int fd;

	bring_up(ROLE_CLIENT);
	fd = command("reload\n");
	receive(parent, REQUEST_RELOAD, 0);
	say(parent, PARENT_REPLY, &reply, sizeof reply);
	ck_assert_str_eq(answer(fd), "EXIT 78\ntest.conf:3: unknown option\n");
	fd = command("down\n");
	receive(parent, REQUEST_DOWN, 0);
	say(parent, PARENT_REPLY, &(struct parent_reply){0}, sizeof reply);
	ck_assert_str_eq(answer(fd), "EXIT 0\n");
	stop();
}
END_TEST

/* Edge */

static void start_edge(void)
{
	struct config *config = edge_config();

	start(config);
	config_free(config);
	expect_hello();
	say_end(expect_status());
	expect_works(true);
}

static void expect_config(uint64_t peer, const char *route, uint32_t addresses)
{
	struct control_message *n = expect_message(peer, CONTROL_MESSAGE_CONFIG);
	char text[IP_PREFIX_STRLEN];

	ck_assert_uint_eq(n->config.mtu, 1420);
	ck_assert_uint_eq(n->config.address_count, addresses);
	ck_assert_uint_eq(n->config.route_count, 1);
	ck_assert_str_eq(ip_prefix_format(&n->config.route[0], text), route);
	control_message_free(n);
}

#define HELLO_TEXT "{\"type\":\"hello\",\"schema\":1,\"role\":\"client\",\"software\":\"x\"}"

START_TEST(edge_answers_hello)
{
	start_edge();
	say_peer(0, 5, alice_key, true);
	say_frame(5, HELLO_TEXT);
	expect_config(5, "10.77.0.0/24", 1);
	expect_consumed(5);
	/* not again for being up, and not at once for another hello */
	say_frame(5, HELLO_TEXT);
	expect_consumed(5);
	expect_silence(engine, 500);
	expect_config(5, "10.77.0.0/24", 1);
	stop();
}
END_TEST

START_TEST(edge_pushes_without_hello)
{
	start_edge();
	say_peer(0, 5, alice_key, true);
	expect_config(5, "10.77.0.0/24", 1);
	stop();
}
END_TEST

START_TEST(edge_takes_what_is_granted)
{
	const struct control_routes *r;
	char text[IP_PREFIX_STRLEN];
	struct control_message *n;

	start_edge();
	say_peer(0, 3, dc1_key, true);
	say_frame(3, HELLO_TEXT);
	expect_config(3, "100.80.0.0/16", 0);
	n = expect_message(3, CONTROL_MESSAGE_IDENTITIES);
	ck_assert(n->identities.first && n->identities.last);
	ck_assert_uint_eq(n->identities.count, 1);
	control_message_free(n);
	expect_consumed(3);
	say_frame(3, "{\"type\":\"routes\",\"routes\":[\"10.0.0.0/8\",\"192.0.2.0/24\"]}");
	receive(engine, CONTROL_ROUTES, sizeof *r);
	r = (const void *)got.body;
	ck_assert_uint_eq(r->peer, 3);
	ck_assert_uint_eq(r->route_count, 1);
	ck_assert_str_eq(ip_prefix_format(&r->route[0], text), "10.77.0.0/24");
	expect_consumed(3);
	stop();
}
END_TEST

/* More holders than fit into one message: each next chunk only when asked for. */
START_TEST(edge_sends_identities_in_chunks)
{
	enum { DEVICES = 1000 };
	struct config *config = edge_config();
	char id[64], addr[IP_ADDR_STRLEN];
	unsigned count = 0, chunks = 0;
	bool last = false;

	for (unsigned i = 0; i < DEVICES; i++) {
		uint8_t key[KEY_SIZE] = {7, (uint8_t)(i / 256), (uint8_t)i};

		snprintf(id, sizeof id, "somebody.with.a.name.%u@example.com", i);
		snprintf(addr, sizeof addr, "100.80.%u.%u", 1 + i / 250, 1 + i % 250);
		add_device(config, id, PRINCIPAL_USER, key, addr);
	}
	start(config);
	config_free(config);
	expect_hello();
	say_end(expect_status());
	say_peer(0, 3, dc1_key, true);
	say_frame(3, HELLO_TEXT);
	expect_config(3, "100.80.0.0/16", 0);
	while (!last) {
		struct control_message *n = expect_message(3, CONTROL_MESSAGE_IDENTITIES);

		ck_assert_int_eq(n->identities.first, chunks++ == 0);
		count += n->identities.count;
		last = n->identities.last;
		control_message_free(n);
		expect_consumed(3);
		expect_silence(engine, 0);
		say_frame(3, "{\"type\":\"more\"}");
	}
	expect_consumed(3); /* there is no more */
	expect_silence(engine, 50);
	ck_assert_uint_eq(count, DEVICES + 1);
	ck_assert_uint_gt(chunks, 2);
	stop();
}
END_TEST

START_TEST(edge_takes_no_routes_of_a_client)
{
	start_edge();
	say_peer(0, 3, alice_key, true);
	say_frame(3, "{\"type\":\"routes\",\"routes\":[\"10.77.0.0/24\"]}");
	expect_consumed(3);
	stop();
}
END_TEST

/* Neither a configuration nor a denial reaches a device that is a stock WireGuard peer. */
START_TEST(edge_tells_a_stock_peer_nothing)
{
	struct config *config = edge_config();
	struct engine_denied denied = {.peer = 5, .proto = 6, .port = 22};

	config->policy->principals[0].devices[0].wireguard = true;
	start(config);
	config_free(config);
	expect_hello();
	say_end(expect_status());
	expect_works(true);
	say_peer(0, 5, alice_key, true);
	denied.dst = address("10.77.0.10");
	say(engine, ENGINE_DENIED, &denied, sizeof denied);
	expect_silence(engine, (int)(EDGE_HELLO_WAIT_S * 1000) + 300);
	stop();
}
END_TEST

START_TEST(edge_says_what_was_denied)
{
	struct engine_denied denied = {.peer = 5, .proto = 6, .port = 81};
	char text[IP_ADDR_STRLEN];
	struct control_message *n;

	denied.dst = address("10.77.0.10");
	strcpy(denied.reason, "no_rule");
	start_edge();
	say_peer(0, 5, alice_key, true);
	say(engine, ENGINE_DENIED, &denied, sizeof denied);
	n = expect_message(5, CONTROL_MESSAGE_DENIED);
	ck_assert_str_eq(ip_addr_format(&n->denied.destination, text), "10.77.0.10");
	ck_assert_uint_eq(n->denied.port, 81);
	control_message_free(n);
	ck_assert_ptr_null(memmem(got.body, got.len, "no_rule", 7));
	stop();
}
END_TEST

START_TEST(edge_closes_on_goodbye)
{
	start_edge();
	say_peer(0, 5, alice_key, true);
	say_frame(5, "{\"type\":\"goodbye\"}");
	receive(engine, CONTROL_CLOSE, sizeof(struct control_peer));
	expect_consumed(5);
	stop();
}
END_TEST

START_TEST(edge_reload_pushes_again)
{
	struct config *config = edge_config();

	start_edge();
	say_peer(0, 5, alice_key, true);
	say_frame(5, HELLO_TEXT);
	expect_config(5, "10.77.0.0/24", 1);
	expect_consumed(5);
	config->policy->routes[0].prefix = prefix("10.78.0.0/24");
	give_config(config, 2);
	expect_hello();
	say_end(expect_status());
	expect_silence(engine, 0);
	say_peer(0, 5, alice_key, true);
	expect_config(5, "10.78.0.0/24", 1);
	config_free(config);
	stop();
}
END_TEST

/* A device is added, and the engine is first: what the device says before we know whose its key is,
 * is not consumed, and said again when we have greeted the engine. */
START_TEST(edge_reload_after_the_engine)
{
	static const uint8_t bob_key[KEY_SIZE] = {3};
	struct config *config = edge_config();

	add_device(config, "bob@example.com", PRINCIPAL_USER, bob_key, "100.80.0.12");
	start_edge();
	say_peer(0, 7, bob_key, true);
	say_frame(7, HELLO_TEXT);
	say(engine, ENGINE_RESET, &(struct control_peer){7}, sizeof(struct control_peer));
	expect_silence(engine, 50);
	give_config(config, 2);
	config_free(config);
	expect_hello();
	say_end(expect_status());
	say_peer(0, 7, bob_key, true);
	expect_config(7, "10.77.0.0/24", 1);
	say_frame(7, HELLO_TEXT);
	expect_consumed(7);
	stop();
}
END_TEST

/* A device is removed, and we are first: it may speak for a moment, but is not heard. When it is
 * there again it is another peer, and is told everything. */
START_TEST(edge_reload_before_the_engine)
{
	struct engine_denied denied = {.peer = 5, .proto = 6, .port = 81};
	struct config *config = edge_config();

	start_edge();
	say_peer(0, 5, alice_key, true);
	say_frame(5, HELLO_TEXT);
	expect_config(5, "10.77.0.0/24", 1);
	expect_consumed(5);
	config->policy->principals[0].devices[0].public_key[1] = 1;
	give_config(config, 2);
	expect_hello();
	say_end(expect_status());
	say_peer(0, 5, alice_key, true);
	say_frame(5, "{\"type\":\"goodbye\"}");
	denied.dst = address("10.77.0.10");
	say(engine, ENGINE_DENIED, &denied, sizeof denied);
	say_gone(5);
	say_frame(5, HELLO_TEXT);
	expect_silence(engine, (int)(EDGE_HELLO_WAIT_S * 1000) + 300);
	config->policy->principals[0].devices[0].public_key[1] = 0;
	give_config(config, 3);
	config_free(config);
	expect_hello();
	say_end(expect_status());
	say_peer(0, 6, alice_key, true);
	expect_config(6, "10.77.0.0/24", 1);
	stop();
}
END_TEST

START_TEST(edge_tells_a_new_engine_where_peers_were)
{
	const struct control_last_seen *seen;

	start_edge();
	say_peer(0, 5, alice_key, true);
	expect_config(5, "10.77.0.0/24", 1);
	close(engine);
	give_engine();
	receive(engine, CONTROL_LAST_SEEN, sizeof *seen);
	seen = (const void *)got.body;
	ck_assert_mem_eq(seen->public_key, alice_key, KEY_SIZE);
	expect_hello();
	stop();
}
END_TEST

START_TEST(edge_explains)
{
	struct engine_explained e = {.text = "denied by rule \"web\"\n  test.policy:12",
				     .file = "test.policy",
				     .line = 12};
	const struct control_explain *asked;
	json_t *root;
	int fd;

	start_edge();
	for (int json = 0; json < 2; json++) {
		fd = command(json ? "explain\talice\t-\t10.77.0.10\ttcp\t80\tjson\n"
				  : "explain\talice\t-\t10.77.0.10\ttcp\t80\n");
		receive(engine, CONTROL_EXPLAIN, sizeof *asked);
		asked = (const void *)got.body;
		ck_assert_str_eq(asked->principal, "alice");
		ck_assert_uint_eq(asked->port, 80);
		e.id = asked->id;
		say(engine, ENGINE_EXPLAINED, &e, sizeof e);
		if (!json) {
			ck_assert_str_eq(answer(fd),
					 "EXIT 1\ndenied by rule \"web\"\n  test.policy:12\n");
			continue;
		}
		root = json_loads(answer(fd) + strlen("EXIT 1\n"), 0, NULL);
		ck_assert_int_eq(json_integer_value(json_object_get(root, "line")), 12);
		json_decref(root);
	}
	stop();
}
END_TEST

START_TEST(edge_takes_the_mtu_of_a_peer)
{
	const struct control_peer_mtu *m;
	const char *text;
	uint32_t id;
	int fd;

	start_edge();
	say_peer(0, 5, alice_key, true);
	expect_config(5, "10.77.0.0/24", 1);
	say_frame(5, "{\"type\":\"mtu\",\"mtu\":1300}");
	receive(engine, CONTROL_PEER_MTU, sizeof *m);
	m = (const void *)got.body;
	ck_assert_uint_eq(m->peer, 5);
	ck_assert_uint_eq(m->mtu, 1300);
	expect_consumed(5);
	fd = command("status\tjson\n");
	id = expect_status();
	say_peer(id, 5, alice_key, true);
	say_end(id);
	text = answer(fd);
	expect_in(text, "\"mtu\": 1300");
	stop();
}
END_TEST

START_TEST(edge_status)
{
	const char *text;
	uint32_t id;
	int fd;

	start_edge();
	fd = command("status\n");
	id = expect_status();
	say_peer(id, 1, alice_key, true);
	say_peer(id, 2, dc1_key, false);
	say_end(id);
	text = answer(fd);
	expect_starts(text, "EXIT 0\ntunnel: test\n  role: edge\n");
	expect_in(text, "  listening port: 51820\n");
	expect_in(text, "\npeer: alice@example.com/d\n");
	expect_in(text, "  addresses: 100.80.0.11\n");
	expect_in(text, "\npeer: dc1/d\n");
	expect_in(text, "  session: none\n");
	stop();
}
END_TEST

/* The command socket */

static const char *const wrong_lines[] = {
	"\n",
	"\t\n",
	"stat\n",
	"status \n",
	"status\t\n",
	"status\tjson\tjson\n",
	"status\tJSON\n",
	"wait\tjson\n",
	"down\tnow\n",
	"log\tloud\n",
	"log\tdebug\tnow\n",
	"explain\n",
	"explain\talice\t-\t10.77.0.10\ttcp\n",
	"explain\talice\t-\t10.77.0.10\ttcp\t80\tyaml\n",
	"explain\talice\t-\t10.77.0.10\ttcp\t80\tjson\tjson\n",
	"explain\talice\t-\t10.77.0.10\ttcp\t65536\n",
	"a\tb\tc\td\te\tf\tg\th\ti\tj\n",
};

/* The parent has the level: it tells all its children. */
START_TEST(log_level_is_the_parents)
{
	struct parent_log body;
	int fd;

	start_edge();
	ck_assert_str_eq(answer(command("log\n")), "EXIT 0\ninfo\n");
	fd = command("log\tdebug\n");
	receive(parent, REQUEST_LOG, sizeof body);
	memcpy(&body, got.body, sizeof body);
	ck_assert_uint_eq(body.level, 7);
	say(parent, PARENT_LOG, &body, sizeof body);
	ck_assert_str_eq(answer(fd), "EXIT 0\n");
	ck_assert_str_eq(answer(command("log\n")), "EXIT 0\ndebug\n");
	stop();
}
END_TEST

START_TEST(wrong_requests)
{
	start_edge();
	for (size_t i = 0; i < sizeof wrong_lines / sizeof *wrong_lines; i++)
		expect_starts(answer(command(wrong_lines[i])), "EXIT 64\n");
	expect_in(answer(command("stat\n")), "status, wait, down, reload, explain, log");
	stop();
}
END_TEST

START_TEST(a_thousand_silent_clients)
{
	enum { COUNT = 1000 };
	int silent[COUNT];

	start_edge();
	for (int i = 0; i < COUNT; i++)
		ck_assert_int_eq(unixsock_connect(socket_path, &silent[i]), 0);
	ck_assert_str_eq(answer(command("wait\n")), "EXIT 0\n");
	for (int i = 0; i < COUNT; i++)
		close(silent[i]);
	ck_assert_str_eq(answer(command("wait\n")), "EXIT 0\n");
	stop();
}
END_TEST

START_TEST(a_line_in_pieces)
{
	int fd;

	start_edge();
	fd = command("wa");
	ck_assert_int_eq(send(fd, "it\n", 3, 0), 3);
	ck_assert_str_eq(answer(fd), "EXIT 0\n");
	stop();
}
END_TEST

START_TEST(a_line_without_end)
{
	char line[COMMAND_MAX + 1];

	memset(line, 'x', sizeof line);
	line[COMMAND_MAX] = '\0';
	start_edge();
	expect_starts(answer(command(line)), "EXIT 64\n");
	stop();
}
END_TEST

START_TEST(silence_ends)
{
	char byte;
	int fd;

	start_edge();
	fd = command("stat");
	ck_assert_int_eq(recv(fd, &byte, 1, 0), 0); /* after COMMAND_SILENCE_S */
	close(fd);
	stop();
}
END_TEST

START_TEST(another_user_is_refused)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return; /* only root can be another */
	start_edge();
	ck_assert_int_eq(chmod(socket_path, 0666), 0);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) || setuid(65534))
			_exit(2);
		_exit(strncmp(answer(command("status\n")), "EXIT 71\n", 8) != 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, client_comes_up);
	tcase_add_test(tc, lost_while_being_confirmed);
	tcase_add_test(tc, wait_is_answered_when_it_works);
	tcase_add_test(tc, wait_is_told_why_it_cannot_work);
	tcase_add_test(tc, a_name_is_resolved);
	tcase_add_test(tc, a_name_is_unknown);
	tcase_add_test(tc, endpoints_are_found_again);
	tcase_add_test(tc, pushes_wait_for_the_parent);
	tcase_add_test(tc, client_status);
	tcase_add_test(tc, client_status_json);
	tcase_add_test(tc, status_when_not_up);
	tcase_add_test(tc, an_engine_that_does_not_answer);
	tcase_add_test(tc, malformed_messages);
	tcase_add_test(tc, frames_of_unknown_peers);
	tcase_add_test(tc, another_peer_of_the_same_key);
	tcase_add_test(tc, connector_passes_identities);
	tcase_add_test(tc, another_engine);
	tcase_add_test(tc, goodbye);
	tcase_add_test(tc, member_reload);
	tcase_add_loop_test(tc, member_reload_to_another_edge, 0, 2);
	tcase_add_test(tc, client_of_a_stock_server);
	tcase_add_test(tc, reload_and_down_are_the_parents);
	tcase_add_test(tc, edge_answers_hello);
	tcase_add_test(tc, edge_pushes_without_hello);
	tcase_add_test(tc, edge_takes_what_is_granted);
	tcase_add_test(tc, edge_sends_identities_in_chunks);
	tcase_add_test(tc, edge_takes_no_routes_of_a_client);
	tcase_add_test(tc, edge_says_what_was_denied);
	tcase_add_test(tc, edge_tells_a_stock_peer_nothing);
	tcase_add_test(tc, edge_closes_on_goodbye);
	tcase_add_test(tc, edge_reload_pushes_again);
	tcase_add_test(tc, edge_reload_after_the_engine);
	tcase_add_test(tc, edge_reload_before_the_engine);
	tcase_add_test(tc, edge_tells_a_new_engine_where_peers_were);
	tcase_add_test(tc, edge_explains);
	tcase_add_test(tc, edge_takes_the_mtu_of_a_peer);
	tcase_add_test(tc, edge_status);
	tcase_add_test(tc, log_level_is_the_parents);
	tcase_add_test(tc, wrong_requests);
	tcase_add_test(tc, a_thousand_silent_clients);
	tcase_add_test(tc, a_line_in_pieces);
	tcase_add_test(tc, a_line_without_end);
	tcase_add_test(tc, silence_ends);
	tcase_add_test(tc, another_user_is_refused);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
