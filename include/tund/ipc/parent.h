/* SPDX-License-Identifier: ISC */
/*
 * What the parent and its children say to each other, over one SOCK_SEQPACKET pair for each child
 * (descriptor 3 of the child). Fixed-size structs between programs of one build: a message is a
 * kind, then exactly the struct of that kind, then at most one descriptor by SCM_RIGHTS. The
 * receiver checks the length, the kind against its closed table, and every field.
 *
 * How many workers an engine has, 1 to 64, it must know before it can be told: it is its second
 * argument, behind the tunnel's name.
 */
#ifndef TUND_IPC_PARENT_H
#define TUND_IPC_PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include <tund/base/addr.h>
#include <tund/base/network.h>
#include <tund/wire/message.h>

#define CHILD_CHANNEL_FD 3

/* Parent to child, at its start and later. Every one of the first group may come again. */
enum parent_says {
	PARENT_CONFIG = 1,  /* struct parent_config; fd: sealed memfd, an encoded configuration. At its
			     * start: be that. Later: control is now that; engine: prepare to be that,
			     * and say by REQUEST_PREPARED whether you can */
	PARENT_TUN,         /* struct parent_tun; fd: a TUN queue; engine of client and connector; for
			     * each worker one, in order */
	PARENT_UDP,         /* struct parent_udp; fd: a bound dual-stack UDP socket; engine of an edge
			     * or a WireGuard interface; for each worker one, in order */
	PARENT_TCP,         /* fd: listening dual-stack TCP socket; edge's engine */
	PARENT_COMMAND,     /* fd: listening Unix socket; control */
	PARENT_SIBLING,     /* fd: SEQPACKET channel between engine and control; again when the other
			     * was restarted */
	PARENT_STATE,       /* body: struct parent_state; engine: what was last stored */
	PARENT_GO,          /* start-up is complete: drop what is left of privileges and work */
	PARENT_REPLY,       /* body: struct parent_reply; fd: for REQUEST_SOCKET */
	PARENT_INTERFACE,   /* body: struct parent_interface: the TUN went up, down, or away */
	PARENT_STOP,        /* say goodbye to the peers, then exit 0 within 500 ms */
	PARENT_WIREGUARD,   /* struct parent_wireguard; engine, in the place of PARENT_CONFIG: be a
			     * WireGuard interface that is configured through the UAPI alone */
	PARENT_UAPI,        /* fd: listening Unix socket for WireGuard's UAPI; engine */
	PARENT_ROUTES,      /* no body: local addresses or kernel routes changed; engine of a
			     * WireGuard interface */
	PARENT_COMMIT,      /* struct parent_config; engine: be what you have prepared */
	PARENT_LOG,         /* struct parent_log; at the start, and when it has changed */
};

/* Which configuration this is, the same number for engine and control: 1 for the parent's first,
 * one more after every reload; a restarted child is told the current one. */
struct parent_config {
	uint32_t generation;
};

struct parent_tun {
	char name[16];
	uint32_t mtu;
	uint32_t index, count; /* whose queue this is: worker 0..count - 1 */
	bool vnet_hdr, uso;    /* what the device has (struct tun_features) */
};

struct parent_udp {
	uint32_t index, count; /* as above */
};

/* How much all processes of the tunnel log; the parent knows it, and tells the others. */
struct parent_log {
	uint32_t level; /* enum log_level */
};

struct parent_wireguard {
	uint32_t log_level; /* enum log_level */
};

struct parent_state {
	uint8_t tai64n[TAI64N_SIZE];
};

struct parent_interface {
	bool present, up;
	uint32_t mtu;
};

/* Child to parent. */
enum parent_request {
	/* engine */
	REQUEST_SOCKET = 1, /* struct request_socket; answered with a descriptor */
	REQUEST_STORE,      /* struct parent_state; not answered */
	REQUEST_CONTROL,    /* no body: control was cut off: start it again; not answered */
	/* engine of a WireGuard interface */
	REQUEST_LISTEN,     /* struct request_listen; answered, with a descriptor if it opens one */
	REQUEST_MARK,       /* struct request_listen: only the mark of the open sockets; answered */
	REQUEST_ZONE,       /* struct request_zone; answered */
	REQUEST_READY,      /* no body: it serves the UAPI from now on; not answered */
	/* control */
	REQUEST_NETWORK,    /* struct request_network: the whole of it, idempotent; answered */
	REQUEST_SERVES,     /* no body: commands are answered from now on: the start is complete
			     * (sd_notify READY), whether or not the tunnel works yet; not answered */
	REQUEST_WORKS,      /* struct request_works; not answered */
	REQUEST_RELOAD,     /* no body; answered with the outcome's text */
	REQUEST_DOWN,       /* no body: stop everything; answered when begun */
	REQUEST_LOG,        /* struct parent_log: the level from now on; answered by PARENT_LOG */
	/* engine */
	REQUEST_PREPARED,   /* struct request_prepared: answers PARENT_CONFIG */
};

enum socket_kind {
	SOCKET_UDP, /* connected to `remote` */
	SOCKET_TCP, /* non-blocking, connect() begun */
};

struct request_socket {
	uint32_t id; /* comes back in the reply */
	enum socket_kind kind;
	struct endpoint remote; /* its port must be the configured one */
};

/* Whether the tunnel works; told when it changes. */
struct request_works {
	bool works;
};

/*
 * The engine's word on a new configuration. A yes means that it has built all that it needs, so that
 * PARENT_COMMIT cannot fail; until that comes, and after a no, it goes on with the old one. Who does
 * not answer in 5 s is killed, and starts again with the new one.
 */
struct request_prepared {
	uint32_t generation; /* which */
	int32_t error;       /* 0: yes; a positive errno: no, */
	char text[500];      /* and why, in lines for people, the last without its end */
};

/* The UDP sockets of a WireGuard interface: bound on every address, in the network namespace in
 * which the interface was created. The ones before are closed once the new ones are there. The
 * first worker's comes with the reply, those of the others in front of it, by PARENT_UDP. */
struct request_listen {
	uint32_t id;
	bool open;     /* false: closes it */
	uint16_t port; /* 0: the kernel's choice */
	uint32_t mark; /* SO_MARK; 0: none */
};

/* The number of an interface where the UDP sockets are, for a link-local endpoint. */
struct request_zone {
	uint32_t id;
	char name[16];
};

/* What the edge pushed, after control has parsed it; the parent bounds it by the configuration. */
struct request_network {
	uint32_t id;
	struct network network;
};

struct parent_reply {
	uint32_t id;
	int32_t error;     /* 0 or a positive errno */
	uint32_t number;   /* REQUEST_ZONE: the interface's */
	char text[500];    /* lines for people, the last without its end; "": nothing to say */
	/* REQUEST_NETWORK: which of the asked routes were refused, as bits */
	uint8_t refused[NETWORK_ROUTES_MAX / 8];
};

#endif
