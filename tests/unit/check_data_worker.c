/* SPDX-License-Identifier: ISC */
/*
 * A data worker between a TUN device and a transport that are both in memory. The test's own thread is
 * the main one, and the peer at the other end is a node of its own:
 *
 *     TUN (a socket pair) <--> worker of node `near` <--> memory transport <--> node `far`
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tund/base/time.h>
#include <tund/crypto/aead.h>
#include <tund/crypto/x25519.h>
#include <tund/session/node.h>
#include <tund/sys/clock.h>
#include <tund/wire/virtio.h>

#include "engine/dataplane.h"

#include "../sim/by_lane.h"
#include "memory_transport.h"
#include "packets.h"
#include "tap.h"

#define DEADLINE_NS (20 * NS_PER_SEC)
#define SOCKET 64 /* the first worker's */

/* What happened, in order, by all threads. */
static struct {
	pthread_mutex_t lock;
	char text[1024];
} log_of = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(const char *what)
{
	pthread_mutex_lock(&log_of.lock);
	if (strlen(log_of.text) + strlen(what) + 2 < sizeof log_of.text) {
		strcat(log_of.text, what);
		strcat(log_of.text, " ");
	}
	pthread_mutex_unlock(&log_of.lock);
}

static void forget_log(void)
{
	pthread_mutex_lock(&log_of.lock);
	log_of.text[0] = '\0';
	pthread_mutex_unlock(&log_of.lock);
}

static bool log_has(const char *what)
{
	bool has;

	pthread_mutex_lock(&log_of.lock);
	has = strstr(log_of.text, what) != NULL;
	pthread_mutex_unlock(&log_of.lock);
	return has;
}

static struct {
	struct ev_loop *loop;
	struct dataplane plane;
	struct node *near, *far;
	struct peer *_Atomic far_of_near;
	struct peer *near_of_far;
	int tun; /* our end */
	_Atomic bool tun_is_gone;
	unsigned far_got;
} w;

static const struct path near_path = {.socket = SOCKET}, far_path = {.socket = 1};

/* The device. */

static ssize_t tun_read_fake(int fd, void *buf, size_t len)
{
	if (w.tun_is_gone) {
		errno = EBADFD;
		return -1;
	}
	return read(fd, buf, len);
}

static ssize_t tun_write_fake(int fd, const struct iovec *iov, int n)
{
	note("tun");
	return writev(fd, iov, n);
}

static const struct tun_ops tun_fake = {.read = tun_read_fake, .writev = tun_write_fake};

/* The role. */

static void from_session(struct data_worker *dw, uint64_t now_ns, struct peer *peer,
			 const struct inner_bytes *packet)
{
	struct inner_bytes whole = *packet;

	(void)now_ns;
	(void)peer;
	note(dw->view ? "session" : "session-without-view");
	whole.len = (size_t)packet->data[2] << 8 | packet->data[3]; /* without padding */
	tun_port_write(&dw->tun, &whole);
}

static void from_tun(struct data_worker *dw, uint64_t now_ns, const struct inner_bytes *packet)
{
	struct peer *peer = w.far_of_near;

	note("packet");
	if (peer)
		egress_send(&dw->egress, now_ns, peer, packet);
}

static const struct packet_ops packets = {from_session, from_tun};

/* The main thread. */

static bool on_drain(void *owner)
{
	(void)owner;
	note("drain");
	return node_drain(w.near, clock_now_ns());
}

static void on_transport(void *owner, enum transport_event event, const struct path *path)
{
	(void)owner;
	(void)event;
	(void)path;
}

static void on_denied(void *owner, struct engine_denied *denied)
{
	(void)owner;
	(void)denied;
}

static const struct dataplane_ops plane_ops = {on_drain, on_transport, on_denied};

static void on_flush(void *ctx)
{
	(void)ctx;
	note("flush");
}

/* The two nodes. */

static void near_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	(void)ctx;
	transports_send(&w.plane.transports, path, msg, len, 0);
}

static void far_send(void *ctx, const struct path *path, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)path;
	memory_receive(&w.plane.transports, 0, &near_path, msg, len);
}

static void on_event(void *ctx, struct peer *peer, enum peer_event event)
{
	(void)ctx;
	(void)peer;
	(void)event;
}

static void on_control(void *ctx, struct peer *peer, const uint8_t *msg, size_t len)
{
	(void)ctx;
	(void)peer;
	(void)msg;
	(void)len;
}

static uint64_t on_wall(void *ctx)
{
	(void)ctx;
	return clock_wall_ns();
}

static void on_store(void *ctx, const uint8_t stamp[TAI64N_SIZE])
{
	(void)ctx;
	(void)stamp;
}

static struct node *make_node(uint8_t seed,
			      void (*send)(void *, const struct path *, const uint8_t *, size_t))
{
	struct node_config config = {
		.ops = {NULL, send, on_event, on_control, on_wall, on_store, NULL},
		.rng = rng_system(),
		.handshake_queue = 64,
		.mtu = 1420,
		.lanes = 1,
	};
	struct node *node;

	memset(config.private_key, seed, KEY_SIZE);
	ck_assert_int_eq(node_new(&config, clock_now_ns(), &node), 0);
	return node;
}

static struct peer *make_peer(struct node *node, struct node *other, bool connect)
{
	struct peer_config config = {.pinned_suite = -1, .connect = connect};
	struct peer *peer;

	node_public_key(other, config.public_key);
	ck_assert_int_eq(peer_add(node, clock_now_ns(), &config, &peer), 0);
	return peer;
}

static void far_takes(struct memory_message *m)
{
	struct received r = {0};

	if (receive_by_lane(w.far, node_lane(w.far, 0), clock_now_ns(), &far_path, m->bytes,
			    m->len, &r) == RECEIVED_PACKET &&
	    r.len > 0)
		w.far_got++;
	while (node_work(w.far, clock_now_ns(), 8) > 0)
		;
}

/* One turn of the main thread, and what the far end makes of it. */
static void turn(void)
{
	static struct memory_message m;

	ev_run(w.loop, EVRUN_NOWAIT);
	while (node_work(w.near, clock_now_ns(), 8) > 0)
		;
	while (memory_take(&w.plane.transports, &m))
		far_takes(&m);
}

static bool is_up(void)
{
	struct peer_stats near, far;

	peer_get_stats(w.far_of_near, &near);
	peer_get_stats(w.near_of_far, &far);
	return near.up && far.up;
}

#define TURN_UNTIL(condition)                                                                      \
	do {                                                                                       \
		uint64_t deadline_ns_ = clock_now_ns() + DEADLINE_NS;                              \
		while (!(condition)) {                                                             \
			ck_assert_msg(clock_now_ns() < deadline_ns_, "never: " #condition);        \
			turn();                                                                    \
		}                                                                                  \
	} while (0)

static void view_free(void *view)
{
	(void)view;
}

static struct view_head view = {.free = view_free};

static void set_up(void)
{
	static const struct transport_ops *const table[] = {&memory_transport, NULL};
	int pair[2];
	struct tun_given given;

	memset(&w, 0, sizeof w);
	w.loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	w.tun = pair[0];
	given = (struct tun_given){.fd = pair[1], .vnet_hdr = true};
	w.near = make_node(1, near_send);
	w.far = make_node(2, far_send);
	ck_assert_int_eq(dataplane_init(&w.plane, w.loop, table, &plane_ops, NULL), 0);
	ck_assert_int_eq(dataplane_start(&w.plane, 1, &tun_fake), 0);
	dataplane_set_role(&w.plane, &packets, NULL);
	ck_assert_int_eq(dataplane_add_tun(&w.plane, &given), 0);
	dataplane_publish(&w.plane, node_epoch(w.near), &view);
	dataplane_go(&w.plane, w.near, false);
	w.near_of_far = make_peer(w.far, w.near, false);
	w.far_of_near = make_peer(w.near, w.far, true);
	peer_path_use(w.far_of_near, clock_now_ns(), &near_path);
	TURN_UNTIL(is_up());
	for (unsigned i = 0; i < 50; i++) /* what a session begins with */
		turn();
	memory_on_flush(&w.plane.transports, on_flush, NULL);
	forget_log();
	w.far_got = 0;
}

static void tear_down(void)
{
	dataplane_stop(&w.plane);
	dataplane_unpublish(&w.plane);
	node_free(w.near);
	node_free(w.far);
	dataplane_clear(&w.plane);
	close(w.tun);
	ev_loop_destroy(w.loop);
}

/* TCP, for it is held back until the batch ends, should more of the flow come. */
static void make_packet(struct packet *p)
{
	packet_tcp(p, "100.80.0.11", 12345, "10.77.0.10", 80, 0x10, 4);
}

/* The device has virtio headers: nothing is left to do with this packet. */
static void host_sends(void)
{
	uint8_t bytes[VIRTIO_HEADER + sizeof((struct packet){0}).data] = {0};
	struct packet p;

	make_packet(&p);
	memcpy(bytes + VIRTIO_HEADER, p.data, p.len);
	ck_assert_int_eq(write(w.tun, bytes, VIRTIO_HEADER + p.len),
			 (ssize_t)(VIRTIO_HEADER + p.len));
}

static void far_sends_on(const struct path *path)
{
	uint8_t msg[BY_LANE_PACKET_MAX];
	struct path to;
	struct packet p;
	ssize_t n;

	make_packet(&p);
	n = seal_by_lane(node_lane(w.far, 0), clock_now_ns(), w.near_of_far, p.data, p.len, &to,
			 msg);
	ck_assert_int_gt(n, 0);
	ck_assert(memory_receive(&w.plane.transports, 0, path, msg, (size_t)n));
}

static void far_sends(void)
{
	far_sends_on(&near_path);
}

static bool host_gets(void)
{
	uint8_t got[VIRTIO_HEADER + 2048];
	struct packet p;

	make_packet(&p);
	return read(w.tun, got, sizeof got) == (ssize_t)(VIRTIO_HEADER + p.len) &&
	       memcmp(got + VIRTIO_HEADER, p.data, p.len) == 0;
}

/* The view is there before the first packet; the device has all of a batch before the transport is
 * flushed, and the main thread hears last of what concerns it: here, that the peer has moved. */
START_TEST(the_order_of_a_batch_that_comes_in)
{
	static const struct path moved = {.socket = 2 * SOCKET};

	far_sends_on(&moved);
	TURN_UNTIL(log_has("drain"));
	/* There are flushes of their own of the tasks in which the test gives messages. */
	ck_assert_msg(log_has("session tun flush "), "%s", log_of.text);
	ck_assert(strstr(log_of.text, "drain") > strstr(log_of.text, "session tun flush "));
	ck_assert(host_gets());
}
END_TEST

START_TEST(the_order_of_a_batch_that_goes_out)
{
	host_sends();
	TURN_UNTIL(w.far_got == 1);
	ck_assert_msg(log_has("packet flush "), "%s", log_of.text);
}
END_TEST

START_TEST(a_full_transport_drops_and_goes_on)
{
	memory_set_full(&w.plane.transports, true);
	host_sends();
	TURN_UNTIL(memory_transport.count(&w.plane.transports, 0) == 1);
	memory_set_full(&w.plane.transports, false);
	host_sends();
	TURN_UNTIL(w.far_got == 1);
	for (unsigned i = 0; i < 20; i++)
		turn();
	ck_assert_uint_eq(w.far_got, 1);
}
END_TEST

static void queue_is_closed(void *owner, void *arg)
{
	*(bool *)arg = ((struct data_worker *)owner)->tun.fd < 0;
}

static bool tun_is_closed(void)
{
	bool closed;

	dataplane_call(&w.plane, queue_is_closed, &closed);
	return closed;
}

START_TEST(a_queue_that_vanishes_ends_nothing_else)
{
	w.tun_is_gone = true;
	host_sends();
	TURN_UNTIL(tun_is_closed());
	forget_log();
	far_sends(); /* it is lost, for there is no device */
	ck_assert(log_has("session flush"));
	ck_assert(!log_has("tun"));
	ck_assert_uint_eq(dataplane_tun_errors(&w.plane), 0);
}
END_TEST

/* A worker may be in the middle of a batch with it: its memory goes when no worker has it, and packets to
 * it go nowhere. */
START_TEST(a_peer_removed_while_a_worker_has_it)
{
	for (unsigned i = 0; i < 40; i++)
		host_sends();
	peer_remove(atomic_exchange(&w.far_of_near, NULL)); /* as a role does: first out of sight */
	for (unsigned i = 0; i < 200; i++)
		turn();
	w.far_got = 0;
	forget_log();
	host_sends();
	TURN_UNTIL(log_has("packet flush"));
	for (unsigned i = 0; i < 20; i++)
		turn();
	ck_assert_uint_eq(w.far_got, 0);
}
END_TEST

START_TEST(more_queues_than_workers_are_refused)
{
	struct tun_given given = {.fd = dup(w.tun)};

	ck_assert_int_eq(dataplane_add_tun(&w.plane, &given), -EBADMSG);
	ck_assert_int_eq(close(given.fd), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("data_worker");
	TCase *t = tcase_create("data_worker");

	if (crypto_init() < 0)
		return EXIT_FAILURE;
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, the_order_of_a_batch_that_comes_in);
	tcase_add_test(t, the_order_of_a_batch_that_goes_out);
	tcase_add_test(t, a_full_transport_drops_and_goes_on);
	tcase_add_test(t, a_queue_that_vanishes_ends_nothing_else);
	tcase_add_test(t, a_peer_removed_while_a_worker_has_it);
	tcase_add_test(t, more_queues_than_workers_are_refused);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return tap_run(s);
}
