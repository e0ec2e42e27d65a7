/* SPDX-License-Identifier: ISC */
/* The engine's TUN queue: inner packets of this host. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <tund/engine/engine.h>
#include <tund/sys/clock.h>
#include <tund/sys/log.h>
#include <tund/sys/tun.h>
#include <tund/wire/inner.h>

#define TUN_ROOM (64 * 1024)

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct tun_port *tun = &engine->tun;
	uint64_t now_ns = clock_now_ns();

	(void)loop;
	(void)events;
	for (int i = 0; i < TUN_BURST; i++) {
		struct inner_bytes packet = {.data = tun->buffer};
		ssize_t n = tun_read(&tun_kernel, tun->fd, tun->buffer, TUN_ROOM);

		if (n == -ENODEV) {
			log_info("the TUN device was deleted");
			tun_port_close(engine);
		}
		if (n <= 0)
			return;
		packet.len = (size_t)n;
		tun->rx_packets++;
		engine->role->from_tun(engine, now_ns, &packet);
	}
}

void tun_port_attach(struct engine *engine, int fd)
{
	struct tun_port *tun = &engine->tun;

	tun_port_close(engine);
	if (!tun->buffer)
		tun->buffer = malloc(TUN_ROOM);
	if (!tun->buffer) {
		log_error("out of memory: the TUN device is not served");
		close(fd);
		return;
	}
	tun->fd = fd;
	ev_io_init(&tun->io, on_readable, fd, EV_READ);
	tun->io.data = engine;
	if (engine->host && !engine->role->tun_waits)
		tun_port_watch(engine);
}

void tun_port_watch(struct engine *engine)
{
	if (engine->tun.fd >= 0)
		ev_io_start(engine->loop, &engine->tun.io);
}

void tun_port_pause(struct engine *engine)
{
	if (engine->tun.fd >= 0)
		ev_io_stop(engine->loop, &engine->tun.io);
}

void tun_port_write(struct engine *engine, const struct inner_bytes *packet)
{
	struct tun_port *tun = &engine->tun;
	struct iovec whole = {.iov_base = packet->data, .iov_len = packet->len};
	int err;

	if (tun->fd < 0)
		return;
	err = tun_write(&tun_kernel, tun->fd, &whole, 1);
	if (err < 0)
		tun->write_errors++;
	else
		tun->tx_packets++;
}

void tun_port_close(struct engine *engine)
{
	struct tun_port *tun = &engine->tun;

	if (tun->fd < 0)
		return;
	ev_io_stop(engine->loop, &tun->io);
	close(tun->fd);
	tun->fd = -1;
}
