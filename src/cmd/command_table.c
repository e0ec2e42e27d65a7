/* SPDX-License-Identifier: ISC */
/* The table of commands with their help. */
#include "command.h"

const struct command commands[] = {
	{"up", "[--timeout SECONDS] [NAME]",
	 "start a tunnel, or attach to it, and wait until it works",
	 "An edge works when its sockets are bound and its policy is loaded; a client or\n"
	 "connector when the edge knows it and its addresses and routes are set. After 30 s,\n"
	 "or SECONDS (0: do not wait), it exits with 75 and the tunnel goes on trying.\n"
	 "\n"
	 "  --timeout SECONDS   how long to wait, 0 to 86400\n"
	 "\n"
	 "Example: tund up --timeout 10 office\n",
	 command_up},
	{"down", "[NAME]", "stop a tunnel and leave no trace",
	 "Interface, routes, rules, nft table, kernel parameters and files are put back as\n"
	 "they were; also what a killed daemon left behind. Exits with 0 when the tunnel was\n"
	 "not up.\n"
	 "\n"
	 "Example: tund down office\n",
	 command_down},
	{"status", "[--json] [NAME]", "who, where, since when, which path, how much",
	 "Exits with 1 when the tunnel is not up.\n"
	 "\n"
	 "  --json   for programs; the field `schema` numbers the format\n"
	 "\n"
	 "Example: tund status --json office\n",
	 command_status},
	{"log", "[--level LEVEL] [NAME]", "how much a running tunnel logs",
	 "Prints the level, or sets it until the tunnel ends, also across a reload.\n"
	 "\n"
	 "  --level LEVEL   error, warning, notice, info (at the start) or debug\n"
	 "\n"
	 "Example: tund log --level debug office\n",
	 command_log},
	{"wait", "[--timeout SECONDS] [NAME]", "wait until a running tunnel works",
	 "For what a service manager starts after it. Exits with 0 as soon as the tunnel works,\n"
	 "75 when it does not within 30 s or SECONDS, 69 when it is not running.\n"
	 "\n"
	 "  --timeout SECONDS   how long to wait, 0 to 86400\n"
	 "\n"
	 "Example: tund wait --timeout 60 office\n",
	 command_wait},
	{"run", "[NAME]", "run a tunnel in the foreground, for a service manager",
	 "Messages go to standard error. Tells systemd when it serves (Type=notify).\n"
	 "SIGTERM and SIGINT end it, SIGHUP reloads the configuration.\n"
	 "\n"
	 "Example: tund run office\n",
	 command_run},
	{"reload", "[NAME]", "read the configuration again; keep the old one if it is wrong",
	 "What cannot change at run time (role, interface, listen, fwmark, source,\n"
	 "full_tunnel) is refused. A wrong configuration changes nothing and exits with 78.\n"
	 "\n"
	 "Example: tund reload office\n",
	 command_reload},
	{"check", "[NAME]", "parse and check a configuration: file:line: what is wrong",
	 "Starts nothing. Exits with 78 when something is wrong.\n"
	 "\n"
	 "Example: tund check ./office.conf\n",
	 command_check},
	{"policy explain",
	 "[--name NAME | --file CONF] [--source ADDRESS] [--json] PRINCIPAL [PROTOCOL] "
	 "ADDRESS[:PORT] [PORT]",
	 "which rule decides, file:line",
	 "Asks the running edge, which judges as it would judge the packet. PRINCIPAL is a\n"
	 "user or service, or one of its devices as PRINCIPAL/DEVICE; PROTOCOL is tcp (the\n"
	 "default with a port), udp, icmp, sctp, gre, esp or a number. Exits with 0 when\n"
	 "accepted, 1 when refused.\n"
	 "\n"
	 "  --name NAME        which tunnel, where there are several\n"
	 "  --file CONF        judge by this configuration and its .policy, without a daemon\n"
	 "  --source ADDRESS   from this inner address (default: the device's first)\n"
	 "  --json             for programs; the field `schema` numbers the format\n"
	 "\n"
	 "Examples: tund policy explain bob@example.com tcp 10.77.0.10 80\n"
	 "          tund policy explain alice@example.com/laptop '[fd74:756e:64::a]:443'\n"
	 "          tund policy explain --file ./edge.conf bob@example.com icmp 10.77.0.10\n",
	 command_explain},
	{"import", "[-o NEW.conf] FILE.conf", "a wg-quick file as the configuration of a client",
	 "Prints the tund.conf(5) of a client of the WireGuard server that FILE.conf, as\n"
	 "wg-quick(8) reads it, leads to. What cannot be carried over is said, with its line.\n"
	 "\n"
	 "  -o, --output NEW.conf   write this new file, which only its owner may read\n"
	 "\n"
	 "Example: tund import -o /etc/tund/home.conf home.conf\n",
	 command_import},
	{"export",
	 "--wg PRINCIPAL[/DEVICE] [--endpoint HOST[:PORT]] [--generate-key [--qr]] [NAME]",
	 "a wg-quick file for a stock WireGuard device of an edge",
	 "Reads the edge's configuration, and prints what the device needs: everything but its\n"
	 "private key, which only the device should have. The device has suite = wireguard in\n"
	 "the policy.\n"
	 "\n"
	 "  --wg PRINCIPAL[/DEVICE]      which device\n"
	 "  --endpoint HOST[:PORT]       where the edge is, as the device reaches it\n"
	 "  --generate-key               make a key pair: the private key is in the output and\n"
	 "                               nowhere else; the public key is told on standard error\n"
	 "  --qr                         as a QR code for a phone's app\n"
	 "\n"
	 "Example: tund export --wg alice@example.com/phone --endpoint edge.example.com\n"
	 "         --generate-key --qr edge\n",
	 command_export},
	{"genkey", "", "make a private key, on standard output",
	 "Example: (umask 077; tund genkey >/etc/tund/office.key)\n", command_genkey},
	{"pubkey", "", "the public key of the private key on standard input",
	 "Example: tund pubkey </etc/tund/office.key\n", command_pubkey},
	{"genpsk", "", "make a preshared key, on standard output",
	 "Example: (umask 077; tund genpsk >/etc/tund/office.psk)\n", command_genpsk},
};

const size_t command_count = sizeof commands / sizeof *commands;
