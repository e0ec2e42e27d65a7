/* SPDX-License-Identifier: ISC */
/*
 * Sends UDP datagrams at a given rate, and counts what arrives: for scripts/bench. iperf3 spends so
 * much on each datagram that it is slower than what is measured; this makes one system call for
 * many, each a datagram of its own to the kernel.
 *
 *     datagrams receive PORT                      prints "ready", then how many have come
 *     datagrams send ADDRESS PORT SIZE RATE SECONDS    prints how many it sent, in how many seconds
 *
 * RATE is datagrams a second. The receiver ends when it has heard nothing for 0.3 s, or 3 s at
 * first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#define BURST 32             /* datagrams in a system call */
#define SIZE_MAX_BYTES 1500
#define QUIET_MS 300
#define FIRST_MS 3000        /* until one comes */
#define PAUSE_NS 20000L
#define LATE_S 0.003         /* a sender that was not running makes up for no more than this */
#define BUFFER_BYTES (8 << 20)

struct burst {
	struct mmsghdr messages[BURST];
	struct iovec iov[BURST];
	uint8_t data[BURST][SIZE_MAX_BYTES];
};

static void burst_init(struct burst *b, size_t size)
{
	memset(b, 0, sizeof *b);
	for (size_t i = 0; i < BURST; i++) {
		b->iov[i] = (struct iovec){b->data[i], size};
		b->messages[i].msg_hdr.msg_iov = &b->iov[i];
		b->messages[i].msg_hdr.msg_iovlen = 1;
	}
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_socket(void)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0) {
		perror("socket");
		exit(1);
	}
	return s;
}

static struct sockaddr_in address_of(const char *host, const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1) {
		fprintf(stderr, "datagrams: no IPv4 address: %s\n", host);
		exit(64);
	}
	return a;
}

static int set_timeout(int s, long ms)
{
	const struct timeval t = {ms / 1000, ms % 1000 * 1000};

	return setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

static int receive(const char *port)
{
	static struct burst b;
	struct sockaddr_in a = address_of("0.0.0.0", port);
	uint64_t received = 0;
	int s = open_socket(), n;

	burst_init(&b, SIZE_MAX_BYTES);
	if (bind(s, (struct sockaddr *)&a, sizeof a) < 0 || set_timeout(s, FIRST_MS) < 0) {
		perror("bind");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while ((n = recvmmsg(s, b.messages, BURST, MSG_WAITFORONE, NULL)) > 0) {
		if (received == 0 && set_timeout(s, QUIET_MS) < 0)
			return 1;
		received += (uint64_t)n;
	}
	printf("%" PRIu64 "\n", received);
	return 0;
}

/* A full queue on the way is a loss like any other. */
static int send_burst(int s, struct burst *b, unsigned n)
{
	unsigned done = 0;
	int sent;

	while (done < n) {
		sent = sendmmsg(s, b->messages + done, n - done, 0);
		if (sent < 0 && errno != ENOBUFS) {
			perror("sendmmsg");
			return -1;
		}
		done += sent > 0 ? (unsigned)sent : 1;
	}
	return 0;
}

static int send_at(int s, struct burst *b, double rate, double seconds)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	double start = now_s(), now = start, last = start, due = 0;
	uint64_t sent = 0;
	unsigned n;

	while (now - start < seconds) {
		due += (now - last < LATE_S ? now - last : LATE_S) * rate;
		last = now;
		n = due < BURST ? (unsigned)due : BURST;
		if (send_burst(s, b, n) < 0)
			return 1;
		sent += n;
		due -= n;
		if (due < 1)
			nanosleep(&pause, NULL);
		now = now_s();
	}
	printf("%" PRIu64 " %.6f\n", sent, now - start);
	return 0;
}

int main(int argc, char **argv)
{
	static struct burst b;
	struct sockaddr_in to;
	size_t size;
	int s;

	if (argc == 3 && strcmp(argv[1], "receive") == 0)
		return receive(argv[2]);
	if (argc != 7 || strcmp(argv[1], "send") != 0) {
		fputs("usage: datagrams receive PORT\n"
		      "       datagrams send ADDRESS PORT SIZE RATE SECONDS\n", stderr);
		return 64;
	}
	to = address_of(argv[2], argv[3]);
	size = strtoul(argv[4], NULL, 10);
	if (size > SIZE_MAX_BYTES)
		return 64;
	burst_init(&b, size);
	prctl(PR_SET_TIMERSLACK, 1UL);
	s = open_socket();
	if (connect(s, (struct sockaddr *)&to, sizeof to) < 0) {
		perror("connect");
		return 1;
	}
	return send_at(s, &b, atof(argv[5]), atof(argv[6]));
}
