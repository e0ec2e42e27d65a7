/* SPDX-License-Identifier: ISC */
/* UDP sockets: opening and receiving. */

#include <tund/sys/udp.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

/* The local address, DSCP and ECN as both families have them, and the size in a train. */
union packet_info {
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 3 * CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static int kernel_recvmmsg(int fd, struct mmsghdr *messages, unsigned count)
{
	return recvmmsg(fd, messages, count, MSG_DONTWAIT, NULL);
}

static ssize_t kernel_sendmsg(int fd, const struct msghdr *message)
{
	return sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int kernel_sendmmsg(int fd, struct mmsghdr *messages, unsigned count)
{
	return sendmmsg(fd, messages, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

const struct udp_ops udp_kernel = {
	.recvmmsg = kernel_recvmmsg, .sendmsg = kernel_sendmsg, .sendmmsg = kernel_sendmmsg};

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Both families on an IPv6 socket: it carries IPv4, too. */
static int forbid_fragments(int fd, int family)
{
	int err = set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);

	if (family == AF_INET || (err < 0 && err != -ENOPROTOOPT))
		return err;
	err = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	return err < 0 ? err : set_int(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

static int report_local_address(int fd, int family)
{
	if (family == AF_INET)
		return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
	return set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1); /* IPv4 comes v4-mapped */
}

/* DSCP and ECN; both families on an IPv6 socket. */
static int report_tos(int fd, int family)
{
	int err = set_int(fd, IPPROTO_IP, IP_RECVTOS, 1);

	if (family == AF_INET || (err < 0 && err != -ENOPROTOOPT))
		return err;
	return set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
}

static int connect_to(int fd, const struct endpoint *remote)
{
	bool v6 = remote->addr.family == 6;
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(remote, v6, &sa);
	int err = forbid_fragments(fd, v6 ? AF_INET6 : AF_INET);

	if (err == 0)
		err = report_tos(fd, v6 ? AF_INET6 : AF_INET);
	if (err < 0)
		return err;
	return connect(fd, (const struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

int udp_open_connected(const struct endpoint *remote, const struct socket_options *options, int *fd,
		       char why[WHY_MAX])
{
	char text[ENDPOINT_STRLEN];
	int s, err;

	err = socket_open_for(remote, SOCK_DGRAM, options, &s);
	if (err == 0) {
		err = connect_to(s, remote);
		if (err == 0) {
			*fd = s;
			return 0;
		}
		close(s);
	}
	return why_set(why, err, "cannot open a UDP socket to %s: %s",
		       endpoint_format(remote, text), strerror(-err));
}

static int set_up_bound(int fd)
{
	int family = socket_family(fd);
	int err = forbid_fragments(fd, family);

	if (err == 0)
		err = report_local_address(fd, family);
	return err < 0 ? err : report_tos(fd, family);
}

static int open_bound(uint16_t port, const struct socket_options *options, int *fd,
		      char why[WHY_MAX])
{
	int s, err;

	err = socket_open_bound(&socket_kernel, SOCK_DGRAM, port, options, &s);
	if (err == -EADDRINUSE)
		return why_set(why, err,
			       "UDP port %u is in use: another program has it (see \"ss -lunp "
			       "sport = %u\"). Stop it or choose another port", port, port);
	if (err < 0)
		return why_set(why, err, "cannot bind UDP port %u: %s", port, strerror(-err));
	err = set_up_bound(s);
	if (err < 0) {
		close(s);
		return why_set(why, err, "cannot set up UDP port %u: %s", port, strerror(-err));
	}
	*fd = s;
	return 0;
}

/* The first one is bound alone, so that the port of somebody else is not shared by mistake. */
static int share_port(int first, uint32_t count, const struct socket_options *options, int *fds,
		      char why[WHY_MAX])
{
	struct socket_options sharing = *options;
	struct endpoint local;
	int err = socket_share_port(first);
	uint32_t n;

	if (err == 0)
		err = socket_local(first, &local);
	if (err < 0)
		return why_set(why, err, "cannot share a UDP port: %s", strerror(-err));
	sharing.share_port = true;
	for (n = 0; n < count && err == 0; n++)
		err = open_bound(local.port, &sharing, &fds[n], why);
	if (err < 0)
		for (n--; n > 0; n--)
			close(fds[n - 1]);
	return err;
}

int udp_open_bound(uint16_t port, uint32_t count, const struct socket_options *options, int *fds,
		   char why[WHY_MAX])
{
	int opened[UDP_SHARED_MAX];
	int err = count >= 1 && count <= UDP_SHARED_MAX ? 0 : -EINVAL;

	if (err < 0)
		return why_set(why, err, "a UDP port has 1 to %d sockets", UDP_SHARED_MAX);
	err = open_bound(port, options, &opened[0], why);
	if (err < 0)
		return err;
	if (count > 1)
		err = share_port(opened[0], count - 1, options, &opened[1], why);
	if (err < 0) {
		close(opened[0]);
		return err;
	}
	memcpy(fds, opened, count * sizeof *fds);
	return 0;
}

/* Before Linux 4.18 the size of its datagrams would be ignored, and a train be one datagram. */
static bool knows_trains(int fd)
{
	int value;
	socklen_t len = sizeof value;

	return getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &len) == 0;
}

int udp_socket_init(struct udp_socket *s, int fd, const struct udp_ops *ops)
{
	int family = socket_family(fd);
	struct endpoint remote;

	if (family < 0)
		return family;
	*s = (struct udp_socket){.fd = fd, .v6 = family == AF_INET6, .ops = ops,
				 .connected = socket_remote(fd, &remote) == 0,
				 .gso = knows_trains(fd)};
	return 0;
}

bool udp_set_gro(const struct udp_socket *s)
{
	return set_int(s->fd, SOL_UDP, UDP_GRO, 1) == 0;
}

static void read_local_v4(const struct cmsghdr *c, struct udp_datagram *d)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof info);
	d->local.addr = ip_addr_from_bytes(4, (const uint8_t *)&info.ipi_addr);
}

static void read_local_v6(const struct cmsghdr *c, struct udp_datagram *d)
{
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof info);
	sin6.sin6_addr = info.ipi6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&sin6.sin6_addr))
		sin6.sin6_scope_id = (uint32_t)info.ipi6_ifindex;
	(void)endpoint_from_sockaddr((const struct sockaddr *)&sin6, &d->local);
}

static void read_packet_info(struct msghdr *msg, struct udp_datagram *d)
{
	struct cmsghdr *c;
	int value;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			read_local_v4(c, d);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			read_local_v6(c, d);
		else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			d->tos = *CMSG_DATA(c);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
			memcpy(&value, CMSG_DATA(c), sizeof value), d->tos = (uint8_t)value;
		else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&value, CMSG_DATA(c), sizeof value), d->segment = (size_t)value;
	}
}

static void fill_datagram(struct mmsghdr *m, struct udp_datagram *out)
{
	struct udp_datagram d = {.data = m->msg_hdr.msg_iov->iov_base, .len = m->msg_len};

	if (m->msg_hdr.msg_namelen > 0)
		(void)endpoint_from_sockaddr(m->msg_hdr.msg_name, &d.remote);
	read_packet_info(&m->msg_hdr, &d);
	if (m->msg_hdr.msg_flags & MSG_TRUNC)
		d.len = 0;
	if (d.segment >= d.len)
		d.segment = 0;
	*out = d;
}

int udp_receive(const struct udp_socket *s, uint8_t *buffers, size_t room,
		struct udp_datagram *out, unsigned count)
{
	struct mmsghdr m[UDP_BATCH_MAX];
	struct iovec iov[UDP_BATCH_MAX];
	struct sockaddr_in6 name[UDP_BATCH_MAX];
	union packet_info info[UDP_BATCH_MAX];
	unsigned i;
	int n;

	if (count > UDP_BATCH_MAX)
		count = UDP_BATCH_MAX;
	for (i = 0; i < count; i++) {
		iov[i] = (struct iovec){.iov_base = buffers + i * room, .iov_len = room};
		m[i].msg_len = 0;
		m[i].msg_hdr = (struct msghdr){
			.msg_name = &name[i], .msg_namelen = sizeof name[i],
			.msg_iov = &iov[i], .msg_iovlen = 1,
			.msg_control = info[i].buf, .msg_controllen = sizeof info[i].buf,
		};
	}
	do
		n = s->ops->recvmmsg(s->fd, m, count);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? -EAGAIN : -errno;
	for (i = 0; i < (unsigned)n; i++)
		fill_datagram(&m[i], &out[i]);
	return n;
}
