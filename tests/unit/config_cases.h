/* SPDX-License-Identifier: ISC */
/* Configurations that are wrong, and where and how the parser must say so. */
#ifndef TUND_TESTS_UNIT_CONFIG_CASES_H
#define TUND_TESTS_UNIT_CONFIG_CASES_H

#define KEY_A "\"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\""
#define KEY_B "\"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\""
#define KEY_C "\"AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\""

/* of order 8 */
#define KEY_LOW "\"4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=\""

#define EDGE "role = edge\nprivate_key = " KEY_A "\n"
#define EDGE_SECTION "edge { public_key = " KEY_B " endpoint = \"edge.example.com\" }\n"
#define CLIENT "role = client\nprivate_key = " KEY_A "\n" EDGE_SECTION
#define CONNECTOR \
	"role = connector\nprivate_key = " KEY_A "\nannounce = {\"10.77.0.0/24\"}\n" EDGE_SECTION
#define CONNECTOR_OF(announce) \
	"role = connector\nprivate_key = " KEY_A "\nannounce = {" announce "}\n" EDGE_SECTION
#define ALICE                                                             \
	"principal \"alice\" {\n device \"laptop\" { public_key = " KEY_B \
	" address = {\"100.80.0.11\"} }\n}\n"
#define WG_EDGE(more)                                                       \
	"role = client\nprivate_key = " KEY_A "\nedge { public_key = " KEY_B \
	" endpoint = \"s.example.com\" suite = wireguard }\n" more
#define WG_CLIENT \
	WG_EDGE("address = {10.0.0.2, fd00::2}\nroutes = {10.0.0.0/24, fd00::/64}\n")
#define WG_ALICE                                                                        \
	"principal \"alice\" {\n device \"phone\" { public_key = " KEY_B                   \
	" suite = wireguard preshared_key = " KEY_C " address = {\"100.80.0.11\"} }\n"      \
	" device \"laptop\" { public_key = " KEY_C " address = {\"100.80.0.12\"} }\n}\n"
#define DC1 "principal \"dc1\" { kind = connector device \"a\" { public_key = " KEY_C " } }\n"

/* A file, and the error that must be the first: where, and a part of what. */
struct bad {
	const char *conf, *policy;
	const char *file;
	unsigned line;
	const char *text;
};

static const struct bad syntax[] = {
	{"", NULL, "t.conf", 0, "role is not set"},
	{"# only a comment", NULL, "t.conf", 0, "role is not set"},
	{"role", NULL, "t.conf", 1, "\"role\" is incomplete; expected \"=\""},
	{"role = ", NULL, "t.conf", 1, "unexpected end of the file"},
	{"\nrole =\nmtu = 1400\n", NULL, "t.conf", 2, "\"role\" is incomplete; expected a value"},
	{"role edge\nmtu = 1400", NULL, "t.conf", 1, "\"role\" is incomplete"},
	{"role = edge\nrole = edge\n", NULL, "t.conf", 2,
	 "set a second time; expected it once (line 1"},
	{"pool = {\"a\"}\npool = {\"b\"}\n", NULL, "t.conf", 2, "\"pool\" is set a second time"},
	{"pool += {\"10.0.0.0/8\"}\n", NULL, "t.conf", 1, "unexpected character '+'"},
	{"pool = {\"10.0.0.0/8\" \"11.0.0.0/8\"}\n", NULL, "t.conf", 1, "expected a comma or }"},
	{"pool = {\n\"10.0.0.0/8\",\n\n", NULL, "t.conf", 1, "expected } at the end of the list"},
	{"/* a\n*/ # b\n// c\nrol = edge\n", NULL, "t.conf", 4,
	 "unknown option \"rol\"; expected \"role\""},
	{"/*\n\n*/\n\n\nzzzzzzzz = 1", NULL, "t.conf", 6,
	 "expected one of: role, private_key, interface"},
	{"role = edge\n/* never\nclosed", NULL, "t.conf", 2,
	 "the comment that begins here is not closed"},
	{"role = edge /", NULL, "t.conf", 1, "unexpected character '/'"},
	{"\n\nprivate_key = \"abc\nrole = edge\"\n", NULL, "t.conf", 3,
	 "is not closed; expected \" on"},
	{"private_key = 'abc", NULL, "t.conf", 1, "is not closed; expected ' on"},
	{"private_key = \"${KEY}\"", NULL, "t.conf", 1, "the environment is not used"},
	{"private_key = ${KEY}", NULL, "t.conf", 1, "unexpected character '$'"},
	{"private_key = \"a\\x41\"", NULL, "t.conf", 1, "unexpected character '\\' in quotes"},
	{"role = \"e\x1b[31m\"", NULL, "t.conf", 1, "unexpected byte 0x1b in quotes"},
	{"role = edge\n\x80\x81", NULL, "t.conf", 2, "unexpected byte 0x80 outside quotes"},
	{"\"role\" = edge", NULL, "t.conf", 1, "expected the name of an option"},
	{"= edge", NULL, "t.conf", 1, "unexpected =; expected the name of an option"},
	{"}\n", NULL, "t.conf", 1, "unexpected }; expected the name of an option"},
	{"\nedge {\n public_key = " KEY_A "\n", NULL, "t.conf", 2,
	 "the section that begins here is not closed"},
	{"edge = 5", NULL, "t.conf", 1, "\"edge\" is a section"},
	{"role { }", NULL, "t.conf", 1, "\"role\" is an option with a value"},
	{"a{a{a{a{a{a{a{a{a{", NULL, "t.conf", 1, "nested more than"},
	{"role = edge\r\nmtu = x\r\n\rmtu = 3", NULL, "t.conf", 3, "unexpected byte 0x0d"},
	{"include(\"/etc/passwd\")", NULL, "t.conf", 1, "unexpected character '('"},
	{"edge|suite = auto", NULL, "t.conf", 1, "unexpected character '|'"},
};

static const struct bad values[] = {
	{"role = egde", NULL, "t.conf", 1, "expected one of: client, connector, edge (\"edge\"?)"},
	{"role = edge\n", "", "t.conf", 0, "private_key is not set; expected the output"},
	{"role = edge\nprivate_key = \"AQE=\"", "", "t.conf", 2,
	 "private_key has 4 characters; expected 44"},
	{"role = edge\nprivate_key = \"AQEBAQEBAQEB!QEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\"", "",
	 "t.conf", 2, "character 13 of private_key is not one of base64"},
	{"role = edge\nprivate_key = \"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF=\"", "",
	 "t.conf", 2, "does not end as base64 of 32 bytes"},
	{"role = edge\nprivate_key = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"", "",
	 "t.conf", 2, "is all zeros"},
	{EDGE "mtu = 010000\n", "", "t.conf", 3,
	 "expected 1280 to 9000, in decimal, without a leading zero"},
	{EDGE "aead = openssl\n", "", "t.conf", 3,
	 "aead = \"openssl\" is not known; expected one of: auto, ipsec-mb, libcrypto, libsodium"},
	{EDGE "mtu = 1279\n", "", "t.conf", 3, "mtu = \"1279\" is no such number"},
	{EDGE "mtu = 9001\n", "", "t.conf", 3, "mtu = \"9001\""},
	{EDGE "mtu = 99999999999999999999\n", "", "t.conf", 3, "mtu = \"99999999999999999999\""},
	{EDGE "listen = 0\n", "", "t.conf", 3,
	 "listen = \"0\" is no such number; expected 1 to 65535"},
	{EDGE "listen = 65536\n", "", "t.conf", 3, "listen = \"65536\""},
	{EDGE "listen = -1\n", "", "t.conf", 3, "listen = \"-1\""},
	{EDGE "address = {\"100.80.0.1/16\"}\n", "", "t.conf", 3, "is no IP address"},
	{EDGE "address = {\"127.0.0.1\"}\n", "", "t.conf", 3, "is no address of a host"},
	{EDGE "address = {\"10.0.0.1\"}\n", "", "t.conf", 3, "is not in pool"},
	{EDGE "address = {\"100.80.0.1\",\n\"100.80.0.2\"}\n", "", "t.conf", 4, "is one too many"},
	{EDGE "pool = {\"100.80.0.1/16\"}\n", "", "t.conf", 3, "expected \"100.80.0.0/16\""},
	{EDGE "pool = {}\n", "", "t.conf", 0, "pool is empty"},
	{EDGE "interface = tun0\n", "", "t.conf", 3,
	 "\"interface\" is no option of role edge; expected only with: client, connector"},
	{EDGE "\n" EDGE_SECTION, "", "t.conf", 4, "\"edge\" is no option of role edge"},
	{EDGE "announce = {\"10.77.0.0/24\"}\n", "", "t.conf", 3, "expected only with: connector"},
	{CLIENT "listen = 5\n", NULL, "t.conf", 4,
	 "\"listen\" is no option of role client; expected only with: edge"},
	{CLIENT "source = snat\n", NULL, "t.conf", 4, "\"source\" is no option of role client"},
	{CLIENT "interface = \"a/b\"\n", NULL, "t.conf", 4, "cannot be the name of an interface"},
	{CLIENT "interface = \"sixteen-bytes-xx\"\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "interface = all\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "interface = \"\"\n", NULL, "t.conf", 4, "cannot be the name"},
	{CLIENT "workers = 0\n", NULL, "t.conf", 4, "workers = \"0\""},
	{EDGE "workers = 65\n", "", "t.conf", 3, "workers = \"65\""},
	{CLIENT "keepalive = 65536\n", NULL, "t.conf", 4, "keepalive = \"65536\""},
	{CLIENT "transport = upd\n", NULL, "t.conf", 4,
	 "expected one of: auto, udp, tcp (\"udp\"?)"},
	{CLIENT "full_tunnel = maybe\n", NULL, "t.conf", 4,
	 "expected one of: yes, no, true, false, on, off"},
	{CLIENT "fwmark = 0x1ffffffff\n", NULL, "t.conf", 4, "fwmark = \"0x1ffffffff\""},
	{CLIENT "accept_routes = {\"10.0.0.0/33\"}\n", NULL, "t.conf", 4, "is no prefix"},
	{CLIENT "accept_routes = {\"fc00::/7\", \"FC00::/7\"}\n", NULL, "t.conf", 4,
	 "fc00::/7 is listed twice"},
	{"role = client\nprivate_key = " KEY_A "\nedge \"a\" { }\n", NULL, "t.conf", 3,
	 "\"edge\" is a section without a title"},
	{CLIENT EDGE_SECTION, NULL, "t.conf", 4,
	 "\"edge\" occurs a second time; expected one (line 3"},
	{"role = client\nprivate_key = " KEY_A "\n", NULL, "t.conf", 0, "there is no edge"},
	{"role = client\nprivate_key = " KEY_A "\nedge {\n}\n", NULL, "t.conf", 3,
	 "edge has no public_key"},
	{WG_EDGE(""), NULL, "t.conf", 3, "pushes no addresses; expected"},
	{WG_EDGE("address = {10.0.0.2}\n"), NULL, "t.conf", 3, "pushes no routes; expected"},
	{WG_EDGE("routes = {10.0.0.0/8}\n"), NULL, "t.conf", 3, "pushes no addresses"},
	{WG_EDGE("address = {10.0.0.2,\n10.0.0.2}\nroutes = {10.0.0.0/8}\n"), NULL, "t.conf", 5,
	 "\"10.0.0.2\" is listed twice"},
	{WG_EDGE("address = {10.0.0.2/24}\nroutes = {10.0.0.0/8}\n"), NULL, "t.conf", 4,
	 "is no IP address"},
	{WG_EDGE("address = {10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,\n"
		 "10.0.0.8,10.0.0.9}\nroutes = {10.0.0.0/8}\n"),
	 NULL, "t.conf", 5, "\"10.0.0.9\" is one too many"},
	{WG_CLIENT "transport = tcp\n", NULL, "t.conf", 6, "expected transport = udp"},
	{WG_CLIENT "transport = auto\n", NULL, "t.conf", 6, "expected transport = udp"},
	{CLIENT "address = {10.0.0.2}\n", NULL, "t.conf", 4, "expected it only with suite = wireguard"},
	{CLIENT "routes = {10.0.0.0/8}\n", NULL, "t.conf", 4,
	 "expected it only with suite = wireguard"},
	{CONNECTOR "address = {10.0.0.2}\n", NULL, "t.conf", 5,
	 "\"address\" is no option of role connector; expected only with: client, edge"},
	{"role = connector\nprivate_key = " KEY_A "\nannounce = {10.77.0.0/24}\nedge { public_key = "
	 KEY_B " endpoint = a suite = wireguard }\n", NULL, "t.conf", 4,
	 "takes no connectors; expected it only with role = client"},
	{CLIENT "mtu = 1400\n", "", "t.policy", 0, "a client has no policy"},
	{EDGE, NULL, "t.policy", 0, "there is no such file, and an edge"},
	{"role = connector\nprivate_key = " KEY_A "\n" EDGE_SECTION, NULL, "t.conf", 0,
	 "a connector without announce"},
	{CONNECTOR_OF("224.0.0.0/4"), NULL, "t.conf", 3, "\"224.0.0.0/4\" is loopback, link-local"},
	{CONNECTOR_OF("fd00::/64, ::ffff:10.0.0.0/104"), NULL, "t.conf", 3,
	 "\"::ffff:10.0.0.0/104\" is loopback, link-local"},
	{CONNECTOR "source = nat\n", NULL, "t.conf", 5,
	 "expected one of: snat, preserve (\"snat\"?)"},
};

/* The endpoint's forms, in line 1 of an edge section in line 3. */
#define ENDPOINT(text)                                                       \
	"role = client\nprivate_key = " KEY_A "\nedge { public_key = " KEY_B \
	"\n endpoint = \"" text "\" }\n"

static const char *const bad_endpoints[] = {
	ENDPOINT(""),
	ENDPOINT(":51820"),
	ENDPOINT("a:"),
	ENDPOINT("a:0"),
	ENDPOINT("a:65536"),
	ENDPOINT("a:1x"),
	ENDPOINT("a:01"),
	ENDPOINT("2001:db8::1"),
	ENDPOINT("[2001:db8::1"),
	ENDPOINT("[2001:db8::1]51820"),
	ENDPOINT("[192.0.2.1]:1"),
	ENDPOINT("192.0.2.256"),
	ENDPOINT("1.2.3"),
	ENDPOINT("0.0.0.0"),
	ENDPOINT("224.0.0.1"),
	ENDPOINT("[::]:1"),
	ENDPOINT("[ff02::1]:1"),
	ENDPOINT("-a.example"),
	ENDPOINT("a-.example"),
	ENDPOINT("a..b"),
	ENDPOINT("."),
	ENDPOINT("a b"),
	ENDPOINT("a/b"),
	ENDPOINT("[fe80::1%eth0]:1"),
	ENDPOINT("a123456789b123456789c123456789d123456789e123456789f123456789g1234.example"),
};

static const struct bad policies[] = {
	{EDGE, "principal \"a\" { kind = connector\n device \"b\" { public_key = " KEY_B
	       " suite = wireguard } }", "t.policy", 2, "expected it for users and services"},
	{EDGE, "principal \"a\" {\n device \"b\" { public_key = " KEY_B
	       " suite = aes-gcm address = {100.80.0.9} } }", "t.policy", 2,
	 "expected one of: auto, wireguard"},
	{EDGE, "principle \"a\" { }", "t.policy", 1,
	 "unknown option \"principle\"; expected \"principal\""},
	{EDGE, "principal { }", "t.policy", 1, "\"principal\" is a section with a title"},
	{EDGE, "principal = x", "t.policy", 1, "\"principal\" is a section; expected {"},
	{EDGE, "principal \"\" { }", "t.policy", 1, "principal has 0 bytes"},
	{EDGE, "# x\nprincipal \"a\" {\n kind = conector }", "t.policy", 3,
	 "expected one of: user, connector, service (\"connector\"?)"},
	{EDGE, ALICE "\n" ALICE, "t.policy", 5, "is there twice"},
	{EDGE, "principal \"a\" {\n device \"x\" { } }", "t.policy", 2, "device has no public_key"},
	{EDGE, "principal \"a\" {\n device \"x\" {\n public_key = " KEY_LOW
	       " address = {100.80.0.9} } }", "t.policy", 3,
	 "public_key is a point of low order, with which no secret can be shared; expected"},
	{EDGE, "principal \"a\" {\n device \"x\" { public_key = " KEY_B " } }", "t.policy", 2,
	 "device has no address"},
	{EDGE,
	 "principal \"a\" {\n\n device \"x\" { public_key = " KEY_B " address = {\"10.1.1.1\"} } }",
	 "t.policy", 3, "is not in the edge's pool"},
	{EDGE,
	 "principal \"a\" {\n device \"x\" { public_key = \"x\"\n address = {\"1\",\n\"::\"} } }",
	 "t.policy", 2, "public_key has 1 characters"},
	{EDGE,
	 ALICE "principal \"bob\" {\n device \"p\" { public_key = " KEY_C
	       "\n address = {\"100.80.0.11\"} } }",
	 "t.policy", 5, "held twice"},
	{EDGE,
	 "principal \"a\" {\n device \"p\" { public_key = " KEY_C " address = {\"100.80.0.1\"} } }",
	 "t.policy", 2, "held twice"},
	{EDGE,
	 ALICE "principal \"bob\" {\n device \"p\" { public_key = " KEY_B
	       "\n address = {\"100.80.0.12\"} } }",
	 "t.policy", 5, "belongs to two devices"},
	{EDGE, ALICE "principal \"b\" {\n device { } }", "t.policy", 5,
	 "\"device\" is a section with a title"},
	{EDGE, ALICE "route \"10.77.0.0/33\" { }", "t.policy", 4,
	 "route: \"10.77.0.0/33\" is no prefix"},
	{EDGE, ALICE "\nroute \"10.77.0.5/24\" { }", "t.policy", 5, "expected \"10.77.0.0/24\""},
	{EDGE, ALICE "/*\n*/route \"10.77.0.0/24\" {\n via = {\"dc1\"} }", "t.policy", 5,
	 "there is no such principal"},
	{EDGE, ALICE "route \"10.77.0.0/24\" {\n via = {\"alice\"} }", "t.policy", 4,
	 "is a user; expected one with kind = connector"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = dc1\n}\nroute \"10.77.0.0/24\" { via = dc1 }",
	 "t.policy", 4, "is there twice"},
	{EDGE, DC1 "route \"fd00::/64\" { via = dc1\n}\nroute \"FD00::/64\" { via = dc1 }",
	 "t.policy", 4, "is there twice"},
	{EDGE,
	 DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} ports = "
	     "{\"80\"} } }",
	 "t.policy", 3, "expected proto = tcp or proto = udp"},
	{EDGE,
	 DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = "
	     "tcp\n ports = {\"80\", \"90-80\"} } }",
	 "t.policy", 4, "\"90-80\" is no port"},
	{EDGE,
	 DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = tcp "
	     "ports = {} } }",
	 "t.policy", 3, "ports is empty"},
	{EDGE,
	 DC1
	 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} prot = tcp } }",
	 "t.policy", 3, "unknown option \"prot\"; expected \"proto\""},
	{EDGE,
	 DC1
	 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = tpc } }",
	 "t.policy", 3, "(\"tcp\"?)"},
	{EDGE,
	 DC1
	 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} proto = 256 } }",
	 "t.policy", 3, "expected 0 to 255"},
	{EDGE,
	 DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"any\"} action = "
	     "allow } }",
	 "t.policy", 3, "expected one of: accept, reject, drop"},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { } }", "t.policy", 3,
	 "has no from"},
	{EDGE,
	 DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"group:x\"} } }",
	 "t.policy", 3, "no principal is in group \"x\""},
	{EDGE, DC1 "route \"10.77.0.0/24\" { via = {\"dc1\"}\n rule \"r\" { from = {\"eng\"} } }",
	 "t.policy", 3, "expected \"any\", \"group:NAME\""},
	{EDGE, ALICE DC1 "route \"100.80.0.11/32\" {\n via = {\"dc1\"} }", "t.policy", 5,
	 "is the address of a device, which no connector reaches; expected it without via"},
	{EDGE, ALICE DC1 "\nroute \"100.80.0.1/32\" {\n via = {\"dc1\"} }", "t.policy", 6,
	 "is the edge's own address, to which nothing is forwarded; expected addresses"},
	{EDGE, ALICE "route \"fd74:756e:64::1/128\" { }", "t.policy", 4, "the edge's own address"},
	{EDGE, DC1 "route \"100.80.0.0/16\" {\n via = {\"dc1\"} }", "t.policy", 2,
	 "is a whole pool, whose addresses are the devices', and no connector reaches these"},
	{CONNECTOR, ALICE, "t.policy", 1, "principal on a connector"},
	{CONNECTOR, "route \"10.78.0.0/24\" { }", "t.policy", 1,
	 "touches nothing that this connector announces"},
	{CONNECTOR, "route \"10.77.0.0/24\" {\n via = {\"dc1\"} }", "t.policy", 2,
	 "via on a connector"},
};

#endif
