/* SPDX-License-Identifier: ISC */
/*
 * The strict parser of an inner packet: IPv4 (RFC 791) or IPv6 (RFC 8200), its extension headers
 * and the first words of TCP, UDP and ICMP. Whatever policy decides, it decides on this parse, so
 * anything that two parsers could read differently is an error here (RFC 1858, RFC 5722, RFC 7112).
 * Nothing allocates; any thread.
 */
#ifndef TUND_WIRE_INNER_H
#define TUND_WIRE_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tund/base/addr.h>

enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_ICMPV6 = 58,
};

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_CWR = 0x80,
};

#define INNER_MAX_EXTENSIONS 8       /* extension headers in one packet */
#define INNER_MAX_OPTIONS_BYTES 64   /* of one hop-by-hop or destination options header */
#define INNER_MAX_BYTES (40 + 65535) /* the longest IPv6 packet without jumbograms */

/* Why a packet is not one. Order and names appear in counters. */
enum inner_error {
	INNER_OK,
	INNER_EMPTY,               /* no byte at all: a keepalive, not a packet */
	INNER_NOT_IP,              /* version is neither 4 nor 6 */
	INNER_SHORT_HEADER,        /* fewer bytes than the fixed IP header */
	INNER_BAD_IHL,             /* IPv4 header length below 20 or beyond the packet */
	INNER_BAD_CHECKSUM,        /* IPv4 header checksum */
	INNER_LENGTH_BEYOND,       /* length field says more than there is */
	INNER_LENGTH_SHORT,        /* total length smaller than the header */
	INNER_JUMBOGRAM,           /* RFC 2675: payload length 0 or the option */
	INNER_BAD_OPTION,          /* option whose length does not fit */
	INNER_FORBIDDEN_OPTION,    /* source route, home address: another source or destination */
	INNER_LONG_OPTIONS,        /* hop-by-hop or destination options over the limit */
	INNER_LONG_CHAIN,          /* more than INNER_MAX_EXTENSIONS extension headers */
	INNER_MISPLACED_EXTENSION, /* hop-by-hop options anywhere but first */
	INNER_UNKNOWN_EXTENSION,   /* mobility, HIP, shim6, experimental, or no next header */
	INNER_ROUTING_HEADER,
	INNER_AUTH_HEADER, /* AH, IPv4 as well: it hides the ports from every rule */
	INNER_TRUNCATED_EXTENSION,
	INNER_DOUBLE_FRAGMENT, /* two fragment headers */
	INNER_ATOMIC_FRAGMENT, /* fragment header, offset 0, no more: RFC 8021 buries them */
	INNER_BAD_FRAGMENT,    /* length not a multiple of 8, or past 65,535 when put together */
	INNER_TINY_FRAGMENT,   /* first fragment without the whole upper-layer header (RFC 7112),
				     or a later one that begins within it (RFC 3128) */
	INNER_TRUNCATED_L4,    /* upper-layer header does not fit */
	INNER_BAD_L4,          /* TCP data offset, UDP length */
	INNER_WRONG_ICMP,      /* ICMP in IPv6, ICMPv6 in IPv4 */
	INNER_ERROR_COUNT,
};

enum inner_fragment {
	INNER_WHOLE, /* no fragment */
	INNER_FIRST, /* offset 0, more to come: has ports */
	INNER_LATER, /* offset above 0: nothing behind `l4` was read */
};

struct inner_packet {
	struct ip_addr src, dst;
	uint32_t len;      /* bytes of the packet by its own header; what follows is padding */
	uint16_t l4;       /* offset of the upper-layer header (of the payload, if later) */
	uint8_t proto;     /* upper-layer protocol; of a later fragment: frag_proto */
	uint8_t ttl;       /* TTL or hop limit */
	uint8_t icmp_type; /* ICMP only */
	uint8_t icmp_code;
	uint16_t icmp_id;  /* echo and timestamp only */
	uint16_t src_port; /* TCP and UDP only, host order */
	uint16_t dst_port;
	uint8_t tcp_flags;  /* TCP only */
	bool dont_fragment; /* IPv4's DF */
	enum inner_fragment fragment;
	bool frag_more;
	uint8_t frag_proto;   /* IPv4: the protocol; IPv6: next header of the fragment header */
	uint16_t frag_start;  /* where the fragment's payload begins in the packet */
	uint16_t frag_offset; /* where that belongs in the datagram, bytes */
	uint32_t frag_id;
};

/*
 * Parses one packet of `len` bytes, which may have padding behind it. `out` is written only when
 * INNER_OK is returned. The upper-layer checksum is not looked at (it may be incomplete).
 */
enum inner_error inner_parse(const uint8_t *data, size_t len, struct inner_packet *out);

/*
 * Parses the packet quoted in an ICMP error, which is cut anywhere behind its first 8 upper-layer
 * bytes (RFC 792, RFC 4443 2.4(c)): lengths may point past the end, the header checksum and TTL
 * are not looked at, tcp_flags stay 0. Later fragments are INNER_TINY_FRAGMENT: no ports.
 */
enum inner_error inner_parse_quote(const uint8_t *data, size_t len, struct inner_packet *out);

/* "inner_bad_ihl" and the like, for counters and messages. */
const char *inner_error_name(enum inner_error error);

/* What an ICMP or ICMPv6 message is to a flow. OTHER: discovery, redirect, and all else. */
enum inner_icmp {
	INNER_ICMP_QUERY, /* echo or timestamp request */
	INNER_ICMP_REPLY, /* the answer to one */
	INNER_ICMP_ERROR, /* quotes a packet: unreachable, too big, time exceeded, parameter */
	INNER_ICMP_OTHER,
};

bool inner_is_icmp(const struct inner_packet *p);
enum inner_icmp inner_icmp_class(const struct inner_packet *p);

/*
 * Takes one hop off a parsed packet in place, IPv4's checksum with it (RFC 1624). False, and
 * nothing changed, if it was on its last hop: the caller answers Time Exceeded.
 */
bool inner_ttl_decrement(uint8_t *data);

/*
 * Replaces the source address of a parsed, unfragmented ICMP or ICMPv6 packet in place and corrects
 * IPv4's header checksum or ICMPv6's. `p` is the parse of `data`, updated as well; `src` has its
 * family.
 */
void inner_set_source(uint8_t *data, struct inner_packet *p, const struct ip_addr *src);

/*
 * Computes the TCP or UDP checksum of a parsed, unfragmented packet and stores it, where the
 * sender left it to be completed (flag CSUM). -EPROTO for another protocol or a fragment.
 */
int inner_complete_checksum(uint8_t *data, const struct inner_packet *p);

#endif
