/* SPDX-License-Identifier: ISC */
/*
 * The engine between a parent and a control that are the test: start, reload, and every message of
 * both, to every role, right and wrong.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/sys/channel.h>
#include <tund/sys/clock.h>
#include <tund/sys/memfd.h>

#include "engine/from_parent.h"
#include "engine/main_thread.h"

#include "memory_transport.h"
#include "tap.h"

#define DEADLINE_NS (20 * NS_PER_SEC)
#define KEY_A "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define KEY_B "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
#define MEMBER                                                                                     \
	"private_key = \"" KEY_A "\"\nedge { public_key = \"" KEY_B                                  \
	"\" endpoint = \"192.0.2.1\" }\n"

static const struct {
	const char *conf, *policy;
} roles[] = {
	{"role = client\n" MEMBER, NULL},
	{"role = connector\nannounce = {\"10.77.0.0/24\"}\n" MEMBER, NULL},
	{"role = edge\nprivate_key = \"" KEY_A "\"\n",
	 "principal \"a\" { device \"d\" { public_key = \"" KEY_B "\" address = {\"100.80.0.11\"} } }\n"},
};

#define ROLES ((int)(sizeof roles / sizeof *roles))

static struct {
	struct engine engine;
	int parent, control, tun; /* the test's ends */
	_Alignas(8) uint8_t message[CHANNEL_BODY_MAX];
} w;

static ssize_t tun_read_fake(int fd, void *buf, size_t len)
{
	return read(fd, buf, len);
}

static ssize_t tun_write_fake(int fd, const struct iovec *iov, int n)
{
	return writev(fd, iov, n);
}

static const struct tun_ops tun_fake = {.read = tun_read_fake, .writev = tun_write_fake};

static void on_error(void *ctx, const struct config_error *error)
{
	(void)ctx;
	fprintf(stderr, "%s:%u: %s\n", error->file, error->line, error->text);
}

static int file_of(const char *text)
{
	int fd = -1;

	if (text)
		ck_assert_int_eq(memfd_from("text", text, strlen(text), &fd), 0);
	return fd;
}

/* The configuration of a role as the loader would hand it over. */
static int image_of(int role, const char *more)
{
	static uint8_t bytes[256 * 1024];
	static const struct config_errors errors = {NULL, on_error};
	struct writer writer = writer_init(bytes, sizeof bytes);
	struct config *config;
	char text[2048];
	int fd;

	snprintf(text, sizeof text, "%s%s", more, roles[role].conf);
	{
		struct config_file conf = {.fd = file_of(text), .name = "t.conf"};
		struct config_file policy = {.fd = file_of(roles[role].policy),
					     .name = "t.policy"};

		ck_assert_int_eq(config_parse(&conf, &policy, &errors, &config), 0);
		close(conf.fd);
		if (policy.fd >= 0)
			close(policy.fd);
	}
	config_encode(config, CONFIG_FULL, &writer);
	ck_assert(!writer.failed);
	config_free(config);
	ck_assert_int_eq(memfd_from("config", writer.data, writer.len, &fd), 0);
	return fd;
}

/* Consumes `fd`. */
static void parent_says(uint32_t kind, const void *body, size_t len, int fd)
{
	ck_assert_int_eq(channel_send(w.parent, kind, body, len, fd), 0);
	if (fd >= 0)
		close(fd);
}

static void parent_gives_config(int role, const char *more, uint32_t generation)
{
	struct parent_config body = {.generation = generation};

	parent_says(PARENT_CONFIG, &body, sizeof body, image_of(role, more));
}

static void start(int role)
{
	static const struct transport_ops *const table[] = {&memory_transport, NULL};
	int pair[2], tun[2], sibling[2];
	struct parent_tun body = {.name = "tund0", .mtu = 1400, .count = 1};

	memset(&w, 0, sizeof w);
	w.engine.loop = ev_loop_new(EVFLAG_AUTO);
	w.engine.message = malloc(CHANNEL_BODY_MAX);
	ck_assert_int_eq(main_thread_init(&w.engine, table), 0);
	ck_assert_int_eq(dataplane_start(&w.engine.plane, 1, &tun_fake), 0);
	ck_assert_int_eq(channel_pair(pair), 0);
	ck_assert_int_eq(channel_pair(sibling), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tun), 0);
	w.parent = pair[0];
	w.control = sibling[0];
	w.tun = tun[0];
	parent_gives_config(role, "", 1);
	parent_says(PARENT_TUN, &body, sizeof body, tun[1]);
	parent_says(PARENT_SIBLING, NULL, 0, sibling[1]);
	parent_says(PARENT_GO, NULL, 0, -1);
	ck_assert_int_eq(from_parent_start(&w.engine, pair[1]), 0);
	ck_assert_ptr_nonnull(w.engine.node);
}

static void finish(void)
{
	link_close(&w.engine.parent.on_loop.link);
	main_thread_clear(&w.engine);
	free(w.engine.message);
	ev_loop_destroy(w.engine.loop);
	close(w.parent);
	close(w.control);
	close(w.tun);
}

/* Turns the main thread until all that was said to it is handled. */
static void turn(void)
{
	for (unsigned i = 0; i < 20; i++)
		ev_run(w.engine.loop, EVRUN_NOWAIT);
}

/* The next message of this kind on a channel; false: none comes. */
static bool hears(int channel, uint32_t kind, struct channel_message *m)
{
	uint64_t deadline_ns = clock_now_ns() + DEADLINE_NS;

	while (clock_now_ns() < deadline_ns) {
		int n = channel_receive(channel, w.message, sizeof w.message, m);

		if (n == 1 && m->fd >= 0)
			close(m->fd);
		if (n == 1 && m->kind == kind)
			return true;
		if (n == 0)
			return false;
		if (n != 1)
			turn();
	}
	return false;
}

static struct request_prepared prepared(uint32_t generation)
{
	struct request_prepared answer;
	struct channel_message m;

	ck_assert(hears(w.parent, REQUEST_PREPARED, &m));
	memcpy(&answer, m.body, sizeof answer);
	ck_assert_uint_eq(answer.generation, generation);
	return answer;
}

START_TEST(a_reload_is_taken)
{
	struct parent_config commit = {.generation = 2};

	start(_i);
	parent_gives_config(_i, "mtu = 1300\n", 2);
	ck_assert_int_eq(prepared(2).error, 0);
	parent_says(PARENT_COMMIT, &commit, sizeof commit, -1);
	turn();
	ck_assert_uint_eq(w.engine.config->mtu, 1300);
	ck_assert_uint_eq(w.engine.plane.shared.frame_mtu, 1300);
	ck_assert_int_eq(w.engine.parent.error, 0);
	finish();
}
END_TEST

#ifdef TUND_TEST_HOOKS
START_TEST(a_reload_that_the_engine_refuses_changes_nothing)
{
	struct request_prepared answer;
	const void *view;

	start(_i);
	view = dataplane_view(&w.engine.plane);
	ck_assert_int_eq(setenv("TUND_TEST_PREPARE", "refuse", 1), 0);
	parent_gives_config(_i, "mtu = 1300\n", 2);
	answer = prepared(2);
	ck_assert_int_eq(answer.error, ENOMEM);
	ck_assert_uint_gt(strlen(answer.text), 0);
	turn();
	ck_assert_uint_ne(w.engine.config->mtu, 1300);
	ck_assert_ptr_eq(dataplane_view(&w.engine.plane), view);
	/* The next one is taken. */
	ck_assert_int_eq(unsetenv("TUND_TEST_PREPARE"), 0);
	parent_gives_config(_i, "mtu = 1300\n", 3);
	ck_assert_int_eq(prepared(3).error, 0);
	finish();
}
END_TEST
#endif

START_TEST(an_image_that_is_none_is_refused)
{
	struct parent_config body = {.generation = 2};
	const struct config *before;

	start(_i);
	before = w.engine.config;
	parent_says(PARENT_CONFIG, &body, sizeof body, file_of("this is no configuration"));
	ck_assert_int_ne(prepared(2).error, 0);
	ck_assert_ptr_eq(w.engine.config, before);
	ck_assert_int_eq(w.engine.parent.error, 0);
	finish();
}
END_TEST

/* Every message of the parent, of its size; with a descriptor where one belongs to it. */
static const struct said {
	uint32_t kind;
	size_t size;
	bool fd;
} of_parent[] = {
	{PARENT_STATE, sizeof(struct parent_state), false},
	{PARENT_REPLY, sizeof(struct parent_reply), false},
	{PARENT_INTERFACE, sizeof(struct parent_interface), false},
	{PARENT_UAPI, 0, true},
	{PARENT_SIBLING, 0, true},
	{PARENT_ROUTES, 0, false},
	{PARENT_LOG, sizeof(struct parent_log), false},
	/* What zeros do not mean. */
	{PARENT_CONFIG, sizeof(struct parent_config), true},
	{PARENT_TUN, sizeof(struct parent_tun), true},
	{PARENT_UDP, sizeof(struct parent_udp), true},
	{PARENT_TCP, 0, true},
	{PARENT_GO, 0, false},
	{PARENT_STOP, 0, false},
	{PARENT_WIREGUARD, sizeof(struct parent_wireguard), false},
	{PARENT_COMMIT, sizeof(struct parent_config), false},
};

#define OF_PARENT ((int)(sizeof of_parent / sizeof *of_parent))
#define HARMLESS 7 /* the first ones, while a tunnel runs */

/* One that serves for a listener as well as for a channel. */
static int any_socket(void)
{
	struct sockaddr_un no_name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&no_name, sizeof no_name.sun_family), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	return fd;
}

static void parent_says_zeros(uint32_t kind, size_t size, bool with_fd)
{
	static const uint8_t zeros[CHANNEL_BODY_MAX];

	parent_says(kind, zeros, size, with_fd ? any_socket() : -1);
	turn();
}

START_TEST(every_role_bears_every_message_of_the_parent)
{
	start(_i);
	for (int i = 0; i < HARMLESS; i++) {
		parent_says_zeros(of_parent[i].kind, of_parent[i].size, of_parent[i].fd);
		ck_assert_msg(w.engine.parent.error == 0, "kind %u: %s", of_parent[i].kind,
			      strerror(-w.engine.parent.error));
	}
	finish();
}
END_TEST

/* A parent that says what it must not is no parent of ours. */
START_TEST(a_wrong_message_of_the_parent_ends_the_engine)
{
	const struct said *said = &of_parent[_i / ROLES];

	start(_i % ROLES);
	parent_says_zeros(said->kind, said->size + 1, said->fd);
	ck_assert_int_eq(w.engine.parent.error, -EBADMSG);
	finish();
	start(_i % ROLES);
	parent_says_zeros(said->kind, said->size, !said->fd);
	/* Only an answer may come with a descriptor or without. */
	ck_assert_int_eq(w.engine.parent.error, said->kind == PARENT_REPLY ? 0 : -EBADMSG);
	finish();
}
END_TEST

START_TEST(kinds_that_are_none_end_the_engine)
{
	static const uint32_t kinds[] = {0, PARENT_COMMAND, PARENT_GO, PARENT_WIREGUARD,
					 PARENT_LOG + 1, UINT32_MAX};

	start(_i % ROLES);
	parent_says_zeros(kinds[_i], kinds[_i] == PARENT_WIREGUARD
					     ? sizeof(struct parent_wireguard)
					     : 0,
			  kinds[_i] == PARENT_COMMAND);
	ck_assert_int_eq(w.engine.parent.error, -EBADMSG);
	finish();
}
END_TEST

/* Every message of control, of its size and with what it says; `fair`: an engine takes it. */
static const struct told {
	uint32_t kind;
	size_t size;
	bool fair; /* zeros mean something */
} of_control[] = {
	{CONTROL_HELLO, 0, true},
	{CONTROL_ENDPOINTS, sizeof(struct control_endpoints), true},
	{CONTROL_CONSUMED, sizeof(struct control_peer), true},
	{CONTROL_NETWORK, sizeof(struct network), true},
	{CONTROL_ROUTES, sizeof(struct control_routes), true},
	{CONTROL_IDENTITY, sizeof(struct control_identity), true},
	{CONTROL_STATUS, sizeof(struct control_ask), true},
	{CONTROL_EXPLAIN, sizeof(struct control_explain), true},
	{CONTROL_CLOSE, sizeof(struct control_peer), true},
	{CONTROL_LAST_SEEN, sizeof(struct control_last_seen), true},
	{CONTROL_CONFIRM, 0, true},
	{CONTROL_PEER_MTU, sizeof(struct control_peer_mtu), false}, /* no MTU is 0 */
	{CONTROL_FRAME, sizeof(struct control_frame), false},       /* nothing follows */
};

#define OF_CONTROL ((int)(sizeof of_control / sizeof *of_control))

static void control_says_zeros(uint32_t kind, size_t size)
{
	static const uint8_t zeros[CHANNEL_BODY_MAX];

	ck_assert_int_eq(channel_send(w.control, kind, zeros, size, -1), 0);
	turn();
}

static bool has_control(void)
{
	return control_link_is_open(&w.engine.control);
}

START_TEST(every_role_bears_every_message_of_control)
{
	start(_i);
	for (int i = 0; i < OF_CONTROL; i++) {
		if (!of_control[i].fair)
			continue;
		control_says_zeros(of_control[i].kind, of_control[i].size);
		ck_assert_msg(has_control(), "kind %u", of_control[i].kind);
	}
	finish();
}
END_TEST

/* It is cut off, the parent is asked for another, and nothing else ends. */
static void expect_cut_off(void)
{
	struct channel_message m;

	ck_assert(!has_control());
	ck_assert(hears(w.parent, REQUEST_CONTROL, &m));
	ck_assert_int_eq(w.engine.parent.error, 0);
}

START_TEST(a_wrong_message_of_control_cuts_it_off)
{
	const struct told *told = &of_control[_i / ROLES];

	start(_i % ROLES);
	/* Anything may follow a frame's head, but as much as it says. */
	control_says_zeros(told->kind, told->size + 1);
	expect_cut_off();
	finish();
	if (told->fair)
		return;
	start(_i % ROLES);
	control_says_zeros(told->kind, told->size);
	expect_cut_off();
	finish();
}
END_TEST

START_TEST(a_kind_of_control_that_is_none_cuts_it_off)
{
	start(_i);
	control_says_zeros(CONTROL_PEER_MTU + 1, 0);
	expect_cut_off();
	finish();
}
END_TEST

START_TEST(a_status_is_answered_to_its_end)
{
	struct control_ask ask = {.id = 77}, end;
	struct channel_message m;

	start(_i);
	ck_assert_int_eq(channel_send(w.control, CONTROL_STATUS, &ask, sizeof ask, -1), 0);
	ck_assert(hears(w.control, ENGINE_PEER, &m));
	ck_assert_uint_eq(((const struct engine_peer *)(const void *)m.body)->id, 77);
	ck_assert(hears(w.control, ENGINE_END, &m));
	memcpy(&end, m.body, sizeof end);
	ck_assert_uint_eq(end.id, 77);
	finish();
}
END_TEST

START_TEST(an_explain_is_answered)
{
	struct control_explain question = {.id = 5, .proto = 6, .port = 80};
	struct engine_explained answer;
	struct channel_message m;

	start(_i);
	strcpy(question.principal, "nobody");
	ck_assert_int_eq(
		channel_send(w.control, CONTROL_EXPLAIN, &question, sizeof question, -1), 0);
	ck_assert(hears(w.control, ENGINE_EXPLAINED, &m));
	memcpy(&answer, m.body, sizeof answer);
	ck_assert_uint_eq(answer.id, 5);
	ck_assert_int_eq(answer.error, w.engine.config->role == ROLE_EDGE ? ENOENT : EOPNOTSUPP);
	finish();
}
END_TEST

/* The parent gone is the end, control gone is not. */
START_TEST(who_may_die)
{
	start(_i);
	close(w.control);
	turn();
	ck_assert(!has_control());
	ck_assert_int_eq(w.engine.parent.error, 0);
	close(w.parent);
	turn();
	ck_assert_int_eq(w.engine.parent.error, -EPIPE);
	w.parent = dup(w.tun);
	w.control = dup(w.tun);
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("engine");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_loop_test(t, a_reload_is_taken, 0, ROLES);
#ifdef TUND_TEST_HOOKS
	tcase_add_loop_test(t, a_reload_that_the_engine_refuses_changes_nothing, 0, ROLES);
#endif
	tcase_add_loop_test(t, an_image_that_is_none_is_refused, 0, ROLES);
	tcase_add_loop_test(t, every_role_bears_every_message_of_the_parent, 0, ROLES);
	tcase_add_loop_test(t, a_wrong_message_of_the_parent_ends_the_engine, 0,
			    ROLES * OF_PARENT);
	tcase_add_loop_test(t, kinds_that_are_none_end_the_engine, 0, 6);
	tcase_add_loop_test(t, every_role_bears_every_message_of_control, 0, ROLES);
	tcase_add_loop_test(t, a_wrong_message_of_control_cuts_it_off, 0, ROLES * OF_CONTROL);
	tcase_add_loop_test(t, a_kind_of_control_that_is_none_cuts_it_off, 0, ROLES);
	tcase_add_loop_test(t, a_status_is_answered_to_its_end, 0, ROLES);
	tcase_add_loop_test(t, an_explain_is_answered, 0, ROLES);
	tcase_add_loop_test(t, who_may_die, 0, ROLES);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return tap_run(s);
}
