/* SPDX-License-Identifier: ISC */
/* A worker's TUN queue: inner packets of this host. */
#include "tun_port.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tund/sys/hook.h>
#include <tund/sys/log.h>
#include <tund/sys/tun.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/virtio.h>

#include "engine.h"

/* A read may bring the largest packet; egress writes in front of it and behind it. */
#define ROOM_FRONT 16
#define ROOM (64 * 1024 + VIRTIO_HEADER)
#define ROOM_BEHIND 16

static void device_gone(struct worker *worker)
{
	struct worker_record record = {.says = WORKER_TUN_GONE};
	struct tun_given none = {.fd = -1};

	tun_port_attach(worker, &none);
	worker_tell(worker, &record);
}

/* Reads one packet; false when there is nothing more for now. */
static bool read_one(struct worker *worker, uint64_t now_ns)
{
	struct tun_port *tun = &worker->tun;
	struct inner_bytes packet = {.data = tun->buffer + ROOM_FRONT};
	ssize_t n = tun_read(&tun_kernel, tun->fd, packet.data, ROOM);

	if (n == -ENODEV)
		device_gone(worker);
	if (n <= 0)
		return false;
	packet.len = (size_t)n;
	if (tun->vnet_hdr && virtio_take(&packet.data, &packet.len, &packet.partial_checksum,
					 &packet.gso) < 0)
		return true;
	worker->engine->role->from_tun(worker, now_ns, &packet);
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker *worker = io->data;
	uint64_t now_ns = worker_begin(worker);

	(void)loop;
	(void)events;
	for (int i = 0; i < TUN_BURST && read_one(worker, now_ns); i++)
		;
	worker_end(worker);
}

static void on_joined(void *ctx, const struct iovec *iov, size_t n)
{
	struct worker *worker = ctx;
	struct tun_port *tun = &worker->tun;

	if (tun->fd < 0)
		return;
	if (tun_write(&tun_kernel, tun->fd, iov, n) < 0)
		tun->write_errors++;
}

int tun_port_init(struct worker *worker)
{
	struct tun_port *tun = &worker->tun;

	tun->fd = -1;
	tun->buffer = malloc(ROOM_FRONT + ROOM + ROOM_BEHIND);
	tun->joined = coalescer_new(on_joined, worker);
	return tun->buffer && tun->joined ? 0 : -ENOMEM;
}

void tun_port_clear(struct worker *worker)
{
	struct tun_port *tun = &worker->tun;

	if (tun->fd >= 0)
		close(tun->fd);
	free(tun->buffer);
	coalescer_free(tun->joined);
}

void tun_port_attach(struct worker *worker, void *arg)
{
	struct tun_port *tun = &worker->tun;
	const struct tun_given *given = arg;

	if (tun->fd >= 0) {
		ev_io_stop(worker->loop, &tun->io);
		close(tun->fd);
	}
	tun->fd = given->fd;
	if (tun->fd < 0)
		return;
	tun->vnet_hdr = given->vnet_hdr;
	coalesce_set_mode(tun->joined, !given->vnet_hdr ? COALESCE_PLAIN
				       : given->uso && !hook_without("uso")	? COALESCE_TCP_UDP
							: COALESCE_TCP);
	ev_io_init(&tun->io, on_readable, tun->fd, EV_READ);
	tun->io.data = worker;
	if (worker->lane && !worker->engine->role->tun_waits)
		ev_io_start(worker->loop, &tun->io);
}

void tun_port_watch(struct worker *worker, void *arg)
{
	(void)arg;
	if (worker->tun.fd >= 0)
		ev_io_start(worker->loop, &worker->tun.io);
}

void tun_port_pause(struct worker *worker, void *arg)
{
	(void)arg;
	if (worker->tun.fd >= 0)
		ev_io_stop(worker->loop, &worker->tun.io);
}

void tun_port_write(struct worker *worker, const struct inner_bytes *packet)
{
	if (worker->tun.fd >= 0)
		coalesce_add(worker->tun.joined, packet->data, packet->len,
			     packet->partial_checksum, &packet->gso);
}

void tun_port_flush(struct worker *worker)
{
	coalesce_flush(worker->tun.joined);
}
