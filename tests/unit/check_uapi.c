/* SPDX-License-Identifier: ISC */
/* Every key of WireGuard's configuration protocol, every way to get a line of it wrong, and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <tund/wire/uapi.h>

#include "tap.h"

#define HEX "00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
#define UPPER "00112233445566778899AABBCCDDEEFF102132435465768798A9BACBDCEDFE0F"
#define HEX_63 "0112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"

enum where { INTERFACE, PEER, BOTH };

/* What is right, and how it is written back (NULL: as it was). */
static const struct {
	const char *line;
	enum where where;
	enum uapi_key key;
	int64_t number;
	const char *written;
} right[] = {
	{"private_key=" HEX, INTERFACE, UAPI_PRIVATE_KEY, 0, NULL},
	{"private_key=" UPPER, INTERFACE, UAPI_PRIVATE_KEY, 0, "private_key=" HEX},
	{"listen_port=0", INTERFACE, UAPI_LISTEN_PORT, 0, NULL},
	{"listen_port=65535", INTERFACE, UAPI_LISTEN_PORT, 65535, NULL},
	{"listen_port=007", INTERFACE, UAPI_LISTEN_PORT, 7, "listen_port=7"},
	{"fwmark=0", INTERFACE, UAPI_FWMARK, 0, NULL},
	{"fwmark=4294967295", INTERFACE, UAPI_FWMARK, 4294967295, NULL},
	{"replace_peers=true", INTERFACE, UAPI_REPLACE_PEERS, 0, NULL},
	{"public_key=" HEX, BOTH, UAPI_PUBLIC_KEY, 0, NULL},
	{"remove=true", PEER, UAPI_REMOVE, 0, NULL},
	{"update_only=true", PEER, UAPI_UPDATE_ONLY, 0, NULL},
	{"preshared_key=" HEX, PEER, UAPI_PRESHARED_KEY, 0, NULL},
	{"endpoint=192.0.2.1:51820", PEER, UAPI_ENDPOINT, 0, NULL},
	{"endpoint=[2001:db8::1]:1", PEER, UAPI_ENDPOINT, 0, NULL},
	{"endpoint=[fe80::1%7]:65535", PEER, UAPI_ENDPOINT, 0, NULL},
	{"endpoint=[fe80::1%eth0]:1", PEER, UAPI_ENDPOINT, 0, NULL},
	{"endpoint=[fe80::1%6to4]:1", PEER, UAPI_ENDPOINT, 0, NULL},
	{"endpoint=[fe80::1%15-bytes-of-it.]:1", PEER, UAPI_ENDPOINT, 0, NULL},
	{"persistent_keepalive_interval=0", PEER, UAPI_PERSISTENT_KEEPALIVE, 0, NULL},
	{"persistent_keepalive_interval=65535", PEER, UAPI_PERSISTENT_KEEPALIVE, 65535, NULL},
	{"replace_allowed_ips=true", PEER, UAPI_REPLACE_ALLOWED_IPS, 0, NULL},
	{"allowed_ip=0.0.0.0/0", PEER, UAPI_ALLOWED_IP, 0, NULL},
	{"allowed_ip=::/0", PEER, UAPI_ALLOWED_IP, 0, NULL},
	{"allowed_ip=10.1.2.3/8", PEER, UAPI_ALLOWED_IP, 0, "allowed_ip=10.0.0.0/8"},
	{"allowed_ip=+10.0.0.0/8", PEER, UAPI_ALLOWED_IP, 0, "allowed_ip=10.0.0.0/8"},
	{"allowed_ip=-fd00::1/128", PEER, UAPI_ALLOWED_IP, 0, NULL},
	{"allowed_ip=192.0.2.1/32", PEER, UAPI_ALLOWED_IP, 0, NULL},
	{"protocol_version=1", PEER, UAPI_PROTOCOL_VERSION, 1, NULL},
};

static const struct {
	const char *line;
	enum where where;
	int error;
} wrong[] = {
	/* no "key=value" */
	{"private_key", BOTH, -EPROTO},
	{" ", BOTH, -EPROTO},
	{"get", BOTH, -EPROTO},
	/* no key, or not here */
	{"=", BOTH, -EINVAL},
	{"=true", BOTH, -EINVAL},
	{"private_key =" HEX, BOTH, -EINVAL},
	{" private_key=" HEX, BOTH, -EINVAL},
	{"Private_key=" HEX, BOTH, -EINVAL},
	{"private_keys=" HEX, BOTH, -EINVAL},
	{"private=" HEX, BOTH, -EINVAL},
	{"get=1", BOTH, -EINVAL},
	{"set=1", BOTH, -EINVAL},
	{"errno=0", BOTH, -EINVAL},
	{"rx_bytes=0", BOTH, -EINVAL},
	{"tx_bytes=0", BOTH, -EINVAL},
	{"last_handshake_time_sec=0", BOTH, -EINVAL},
	{"last_handshake_time_nsec=0", BOTH, -EINVAL},
	{"private_key=" HEX, PEER, -EINVAL},
	{"listen_port=1", PEER, -EINVAL},
	{"fwmark=1", PEER, -EINVAL},
	{"replace_peers=true", PEER, -EINVAL},
	{"remove=true", INTERFACE, -EINVAL},
	{"update_only=true", INTERFACE, -EINVAL},
	{"preshared_key=" HEX, INTERFACE, -EINVAL},
	{"endpoint=192.0.2.1:1", INTERFACE, -EINVAL},
	{"persistent_keepalive_interval=1", INTERFACE, -EINVAL},
	{"replace_allowed_ips=true", INTERFACE, -EINVAL},
	{"allowed_ip=10.0.0.0/8", INTERFACE, -EINVAL},
	{"protocol_version=1", INTERFACE, -EINVAL},
	/* keys */
	{"private_key=", INTERFACE, -EINVAL},
	{"private_key=" HEX_63, INTERFACE, -EINVAL},
	{"private_key=" HEX "0", INTERFACE, -EINVAL},
	{"private_key=g" HEX_63, INTERFACE, -EINVAL},
	{"private_key= " HEX_63, INTERFACE, -EINVAL},
	{"public_key=", BOTH, -EINVAL},
	{"public_key=-" HEX_63, BOTH, -EINVAL},
	{"preshared_key=" HEX_63, PEER, -EINVAL},
	{"preshared_key=" HEX_63 "\r", PEER, -EINVAL},
	/* numbers */
	{"listen_port=", INTERFACE, -EINVAL},
	{"listen_port=65536", INTERFACE, -EINVAL},
	{"listen_port=-1", INTERFACE, -EINVAL},
	{"listen_port=+1", INTERFACE, -EINVAL},
	{"listen_port=0x10", INTERFACE, -EINVAL},
	{"listen_port= 1", INTERFACE, -EINVAL},
	{"listen_port=1 ", INTERFACE, -EINVAL},
	{"listen_port=99999999999999999999999999", INTERFACE, -EINVAL},
	{"fwmark=", INTERFACE, -EINVAL},
	{"fwmark=off", INTERFACE, -EINVAL},
	{"fwmark=4294967296", INTERFACE, -EINVAL},
	{"fwmark=18446744073709551616", INTERFACE, -EINVAL},
	{"persistent_keepalive_interval=", PEER, -EINVAL},
	{"persistent_keepalive_interval=off", PEER, -EINVAL},
	{"persistent_keepalive_interval=65536", PEER, -EINVAL},
	{"protocol_version=", PEER, -EINVAL},
	{"protocol_version=0", PEER, -EINVAL},
	{"protocol_version=2", PEER, -EINVAL},
	{"protocol_version=01", PEER, -EINVAL},
	/* flags */
	{"replace_peers=", INTERFACE, -EINVAL},
	{"replace_peers=false", INTERFACE, -EINVAL},
	{"replace_peers=true ", INTERFACE, -EINVAL},
	{"replace_peers=TRUE", INTERFACE, -EINVAL},
	{"replace_peers=1", INTERFACE, -EINVAL},
	{"remove=false", PEER, -EINVAL},
	{"update_only=", PEER, -EINVAL},
	{"update_only=yes", PEER, -EINVAL},
	{"replace_allowed_ips=tru", PEER, -EINVAL},
	/* endpoints */
	{"endpoint=", PEER, -EINVAL},
	{"endpoint=192.0.2.1", PEER, -EINVAL},
	{"endpoint=192.0.2.1:", PEER, -EINVAL},
	{"endpoint=192.0.2.1:0", PEER, -EINVAL},
	{"endpoint=192.0.2.1:65536", PEER, -EINVAL},
	{"endpoint=192.0.2.256:1", PEER, -EINVAL},
	{"endpoint=2001:db8::1:51820", PEER, -EINVAL},
	{"endpoint=[2001:db8::1]", PEER, -EINVAL},
	{"endpoint=[2001:db8::1:1", PEER, -EINVAL},
	{"endpoint=[192.0.2.1]:1", PEER, -EINVAL},
	{"endpoint=example.com:51820", PEER, -EINVAL},
	{"endpoint=[fe80::1%]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%0]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%1234567890123456]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%name-of-16-bytes]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%eth0]]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%eth0:1", PEER, -EINVAL},
	{"endpoint=192.0.2.1%eth0:1", PEER, -EINVAL},
	{"endpoint=[fe80::1%99999999999]:1", PEER, -EINVAL},
	{"endpoint=[fe80::1]%1:1", PEER, -EINVAL},
	{"endpoint=fe80::1%1:1", PEER, -EINVAL},
	/* prefixes */
	{"allowed_ip=", PEER, -EINVAL},
	{"allowed_ip=+", PEER, -EINVAL},
	{"allowed_ip=-", PEER, -EINVAL},
	{"allowed_ip=/8", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/33", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/-1", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/8/8", PEER, -EINVAL},
	{"allowed_ip=10.0.0/8", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/255.0.0.0", PEER, -EINVAL},
	{"allowed_ip=::/129", PEER, -EINVAL},
	{"allowed_ip=fd00:::/64", PEER, -EINVAL},
	{"allowed_ip=--10.0.0.0/8", PEER, -EINVAL},
	{"allowed_ip=10.0.0.0/8,10.1.0.0/16", PEER, -EINVAL},
	{"allowed_ip=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/1289999999999999", PEER, -EINVAL},
};

static bool is_for(enum where where, bool in_peer)
{
	return where == BOTH || where == (in_peer ? PEER : INTERFACE);
}

START_TEST(what_is_right)
{
	char text[UAPI_LINE_MAX], expected[UAPI_LINE_MAX];
	struct uapi_line line;

	for (int in_peer = 0; in_peer < 2; in_peer++) {
		if (!is_for(right[_i].where, in_peer))
			continue;
		ck_assert_int_eq(uapi_read_line(right[_i].line, strlen(right[_i].line), in_peer,
						&line),
				 0);
		ck_assert_int_eq(line.key, right[_i].key);
		ck_assert_int_eq(line.number, right[_i].number);
		text[uapi_write_line(&line, text)] = '\0';
		snprintf(expected, sizeof expected, "%s\n",
			 right[_i].written ? right[_i].written : right[_i].line);
		ck_assert_str_eq(text, expected);
	}
}
END_TEST

START_TEST(what_is_wrong)
{
	struct uapi_line line, untouched;

	memset(&untouched, 0x5a, sizeof untouched);
	line = untouched;
	for (int in_peer = 0; in_peer < 2; in_peer++) {
		if (!is_for(wrong[_i].where, in_peer))
			continue;
		ck_assert_int_eq(uapi_read_line(wrong[_i].line, strlen(wrong[_i].line), in_peer,
						&line),
				 wrong[_i].error);
		ck_assert_mem_eq(&line, &untouched, sizeof line);
	}
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
	static const char endpoint[] = "endpoint=192.0.2.1:51820\0junk";
	static const char prefix[] = "allowed_ip=10.0.0.0/8\0";
	struct uapi_line line;

	ck_assert_int_eq(uapi_read_line(endpoint, sizeof endpoint - 1, true, &line), -EINVAL);
	ck_assert_int_eq(uapi_read_line(prefix, sizeof prefix - 1, true, &line), -EINVAL);
	ck_assert_int_eq(uapi_read_line("", 0, true, &line), -EPROTO);
}
END_TEST

/* Only the server says these. */
START_TEST(answers)
{
	static const struct {
		enum uapi_key key;
		int64_t number;
		const char *text;
	} answer[] = {
		{UAPI_ERRNO, 0, "errno=0\n"},
		{UAPI_ERRNO, -22, "errno=-22\n"},
		{UAPI_RX_BYTES, INT64_MAX, "rx_bytes=9223372036854775807\n"},
		{UAPI_TX_BYTES, 0, "tx_bytes=0\n"},
		{UAPI_LAST_HANDSHAKE_SEC, 1790000000, "last_handshake_time_sec=1790000000\n"},
		{UAPI_LAST_HANDSHAKE_NSEC, 999999999, "last_handshake_time_nsec=999999999\n"},
	};
	char text[UAPI_LINE_MAX];

	for (size_t i = 0; i < sizeof answer / sizeof *answer; i++) {
		struct uapi_line line = {.key = answer[i].key, .number = answer[i].number};

		text[uapi_write_line(&line, text)] = '\0';
		ck_assert_str_eq(text, answer[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("uapi");
	TCase *tc = tcase_create("lines");

	tcase_add_loop_test(tc, what_is_right, 0, (int)(sizeof right / sizeof *right));
	tcase_add_loop_test(tc, what_is_wrong, 0, (int)(sizeof wrong / sizeof *wrong));
	tcase_add_test(tc, a_nul_ends_nothing);
	tcase_add_test(tc, answers);
	suite_add_tcase(suite, tc);
	return tap_run(suite);
}
