/* SPDX-License-Identifier: ISC */
/* A data worker: its batches, and what it says to the main thread. */
#include "data_worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tund/crypto/aead.h>
#include <tund/session/lane.h>
#include <tund/sys/clock.h>
#include <tund/wire/message.h>
#include <tund/wire/peek.h>

#define INBOX_BYTES (512 * 1024)

/* Begins a batch; returns the time that all of it uses. */
static uint64_t begin(void *owner)
{
	struct data_worker *dw = owner;

	lane_enter(dw->lane);
	dw->view = atomic_load_explicit(&dw->shared->view, memory_order_acquire);
	return clock_now_ns();
}

/* Sends what the batch has left unsent, and wakes the main thread if that has something to do. */
static void end(void *owner)
{
	struct data_worker *dw = owner;
	struct inbox *inbox = &dw->shared->inbox;

	tun_port_flush(&dw->tun);
	egress_flush(&dw->egress);
	transport_flush(&dw->transports);
	lane_leave(dw->lane);
	if (lane_posted(dw->lane))
		ev_async_send(inbox->loop, &inbox->wake);
}

/* The packet of a message: what its flags say of it, and of a frame the segment size in front.
 * -EBADMSG: it is not what it says it is. */
static int unwrap(const struct data_worker *dw, const struct received *r, struct inner_bytes *out)
{
	*out = (struct inner_bytes){.data = r->packet, .len = r->len};
	out->partial_checksum = (r->flags & DATA_FLAG_CSUM) != 0;
	if (!(r->flags & DATA_FLAG_GSO))
		return 0;
	if (r->len < GSO_PREFIX)
		return -EBADMSG;
	out->data += GSO_PREFIX;
	out->len -= GSO_PREFIX;
	if (!out->partial_checksum)
		return -EBADMSG;
	return gso_of_frame(r->packet, out->data, &out->len, dw->shared->frame_mtu, &out->gso);
}

static bool received(void *owner, uint64_t now_ns, const struct path *from, uint8_t *msg,
		     size_t len, bool congested)
{
	struct data_worker *dw = owner;
	struct inner_bytes packet;
	struct received r = {0};
	struct peek o;

	if (lane_receive(dw->lane, now_ns, from, msg, len, &r) != RECEIVED_PACKET)
		return r.peer && !r.unnoticed;
	if (unwrap(dw, &r, &packet) < 0) {
		counters_add(&dw->counters, REASON_BAD_FRAME);
		return !r.unnoticed;
	}
	if (congested && peek_read(packet.data, packet.len, &o) == 0)
		peek_set_congested(packet.data, &o);
	dw->shared->packets->from_session(dw, now_ns, r.peer, &packet);
	return !r.unnoticed;
}

static bool knows_index(void *owner, uint32_t index)
{
	struct data_worker *dw = owner;

	return lane_knows_index(dw->lane, index);
}

bool data_worker_tell(struct data_worker *dw, const struct data_record *record)
{
	return inbox_post(&dw->shared->inbox, record, sizeof *record, NULL, 0, 0);
}

static bool tell_transport(void *owner, enum transport_event event, const struct path *path)
{
	struct data_record record = {.says = DATA_TRANSPORT, .event = event, .path = *path};

	return data_worker_tell(owner, &record);
}

static const struct transport_events transport_events = {
	.begin = begin,
	.end = end,
	.received = received,
	.knows_index = knows_index,
	.tell = tell_transport,
};

static void from_tun(void *owner, uint64_t now_ns, const struct inner_bytes *packet)
{
	struct data_worker *dw = owner;

	dw->shared->packets->from_tun(dw, now_ns, packet);
}

static void tun_gone(void *owner)
{
	struct data_record record = {.says = DATA_TUN_GONE};

	data_worker_tell(owner, &record);
}

static const struct tun_port_ops tun_events = {begin, from_tun, end, tun_gone};

/* Without it the thread is slower, and that is all. */
static void on_thread_begin(void *owner)
{
	(void)owner;
	(void)aead_thread_start();
}

static void on_thread_end(void *owner)
{
	(void)owner;
	aead_thread_end();
}

static void on_record(void *owner, const uint8_t *record, size_t len)
{
	struct data_worker *dw = owner;

	transport_record(&dw->transports, record, len);
}

static void on_woken(void *owner)
{
	struct data_worker *dw = owner;

	transport_flush(&dw->transports);
}

static const struct worker_ops worker_ops = {on_thread_begin, on_thread_end, on_record, on_woken};

static int init(struct data_worker *dw, struct transports *transports, const struct tun_ops *tun)
{
	int err = worker_init(&dw->worker, INBOX_BYTES, &worker_ops, dw);

	if (err == 0)
		err = egress_init(&dw->egress);
	if (err == 0)
		err = tun_port_init(&dw->tun, dw->worker.loop, tun, &tun_events, dw);
	if (err == 0)
		err = transports_add_worker(transports, &dw->transports, &dw->worker,
					    &transport_events, dw);
	dw->egress.out = &dw->transports;
	dw->egress.counters = &dw->counters;
	dw->egress.frame_mtu = &dw->shared->frame_mtu;
	return err;
}

int data_worker_new(unsigned number, struct data_shared *shared, struct transports *transports,
		    const struct tun_ops *tun, struct data_worker **out)
{
	struct data_worker *dw = aligned_alloc(64, (sizeof *dw + 63) / 64 * 64);
	int err;

	*out = dw;
	if (!dw)
		return -ENOMEM;
	memset(dw, 0, sizeof *dw);
	dw->number = number;
	dw->shared = shared;
	dw->tun.fd = -1;
	err = init(dw, transports, tun);
	return err < 0 ? err : worker_start(&dw->worker);
}

void data_worker_free(struct data_worker *dw)
{
	if (!dw)
		return;
	transport_worker_clear(&dw->transports);
	tun_port_clear(&dw->tun);
	egress_clear(&dw->egress);
	worker_clear(&dw->worker);
	free(dw);
}
