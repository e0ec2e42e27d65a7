/* SPDX-License-Identifier: ISC */
/* A worker's TUN queue: inner packets of this host. */
#include "tun_port.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <tund/sys/hook.h>
#include <tund/wire/coalesce.h>
#include <tund/wire/virtio.h>

/* A read may bring the largest packet; egress writes in front of it and behind it. */
#define ROOM_FRONT 16
#define ROOM (64 * 1024 + VIRTIO_HEADER)
#define ROOM_BEHIND 16

static void device_gone(struct tun_port *tun)
{
	struct tun_given none = {.fd = -1};

	tun_port_attach(tun, &none);
	tun->ops->gone(tun->owner);
}

/* Reads one packet; false when there is nothing more for now. */
static bool read_one(struct tun_port *tun, uint64_t now_ns)
{
	struct inner_bytes packet = {.data = tun->buffer + ROOM_FRONT};
	ssize_t n = tun_read(tun->kernel, tun->fd, packet.data, ROOM);

	if (n == -ENODEV)
		device_gone(tun);
	if (n <= 0)
		return false;
	packet.len = (size_t)n;
	if (tun->vnet_hdr && virtio_take(&packet.data, &packet.len, &packet.partial_checksum,
					 &packet.gso) < 0)
		return true;
	tun->ops->packet(tun->owner, now_ns, &packet);
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct tun_port *tun = io->data;
	uint64_t now_ns = tun->ops->begin(tun->owner);

	(void)loop;
	(void)events;
	for (int i = 0; i < TUN_BURST && read_one(tun, now_ns); i++)
		;
	tun->ops->end(tun->owner);
}

static void on_joined(void *ctx, const struct iovec *iov, size_t n)
{
	struct tun_port *tun = ctx;

	if (tun->fd < 0)
		return;
	if (tun_write(tun->kernel, tun->fd, iov, n) < 0)
		tun->write_errors++;
}

int tun_port_init(struct tun_port *tun, struct ev_loop *loop, const struct tun_ops *kernel,
		  const struct tun_port_ops *ops, void *owner)
{
	*tun = (struct tun_port){
		.fd = -1, .kernel = kernel, .ops = ops, .owner = owner, .loop = loop};
	tun->buffer = malloc(ROOM_FRONT + ROOM + ROOM_BEHIND);
	tun->joined = coalescer_new(on_joined, tun);
	return tun->buffer && tun->joined ? 0 : -ENOMEM;
}

void tun_port_clear(struct tun_port *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	free(tun->buffer);
	coalescer_free(tun->joined);
}

void tun_port_attach(struct tun_port *tun, const struct tun_given *given)
{
	if (tun->fd >= 0) {
		ev_io_stop(tun->loop, &tun->io);
		close(tun->fd);
	}
	tun->fd = given->fd;
	if (tun->fd < 0)
		return;
	tun->vnet_hdr = given->vnet_hdr;
	coalesce_set_mode(tun->joined, !given->vnet_hdr                     ? COALESCE_PLAIN
				       : given->uso && !hook_without("uso") ? COALESCE_TCP_UDP
									    : COALESCE_TCP);
	ev_io_init(&tun->io, on_readable, tun->fd, EV_READ);
	tun->io.data = tun;
	if (tun->reading)
		ev_io_start(tun->loop, &tun->io);
}

void tun_port_read(struct tun_port *tun, bool reading)
{
	tun->reading = reading;
	if (tun->fd < 0)
		return;
	if (reading)
		ev_io_start(tun->loop, &tun->io);
	else
		ev_io_stop(tun->loop, &tun->io);
}

void tun_port_write(struct tun_port *tun, const struct inner_bytes *packet)
{
	if (tun->fd >= 0)
		coalesce_add(tun->joined, packet->data, packet->len, packet->partial_checksum,
			     &packet->gso);
}

void tun_port_flush(struct tun_port *tun)
{
	coalesce_flush(tun->joined);
}
