# SPDX-License-Identifier: ISC
"""Measures on the hosts of scripts/scenes.sh what scripts/bench is asked for, and prints it.

usage: bench.py scenes --rows LIST              the scenes that these rows need
       bench.py programs --rows LIST            the micro-benchmarks that they need
       bench.py run --work DIR --build DIR ...  measures

Every measurement is repeated, the sides of a row one after another within each repetition, so that
what changes on the machine meanwhile changes for all of them.
"""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

SCHEMA = 1
MTU = 1420
UDP_LOSS_PERCENT = 0.5
UDP_STEP = 1.6           # from one rate to the next, until one is lossy
UDP_NARROW = 1.05        # the bisection ends when the lossy rate is so close to the good one
UDP_FIRST_RATE = 30000   # datagrams a second
UDP_OFFERS = 16
UDP_SECONDS = 1.5        # at most: an offer is one of many
UDP_PORT = "5202"
FLOWS = 100000
FLOWS_AT_ONCE = 50       # in a burst, before
FLOWS_PAUSE_S = 0.005    # a pause, so that none is lost on the way
PING = ["ping", "-n", "-q", "-c", "300", "-i", "0.002"]


class Failed(Exception):
    pass


def say(*words):
    print("==>", *words, file=sys.stderr, flush=True)


### What there is to measure

class Side:
    """One line of a row: a task, and which of the figures that it brings."""

    def __init__(self, name, task, field):
        self.name, self.task, self.field = name, task, field


class Target:
    """The median of `side` by that of `to`, or itself where that is None, compared with `limit`."""

    def __init__(self, side, to, least=None, most=None):
        self.side, self.to, self.least, self.most = side, to, least, most

    def text(self):
        sign, limit = ("<=", self.most) if self.least is None else (">=", self.least)
        return "%s %g%s" % (sign, limit, " x" if self.to else "")

    def met(self, value):
        return value >= self.least if self.least is not None else value <= self.most


class Row:
    def __init__(self, name, what, unit, sides, targets):
        self.name, self.what, self.unit = name, what, unit
        self.sides, self.targets = sides, targets


GO, TUND, WG, NULL = "wireguard-go", "tund", "tund-wg", "tund, null AEAD"


def tcp(scene, streams=1, direction="up"):
    return ("tcp", scene, streams, direction)


def tcp_rows():
    rows = []
    for direction, who in (("up", "client sends"), ("down", "server sends")):
        task = lambda scene: tcp(scene, 1, direction)
        rows += [
            Row("tcp1-" + direction, "one TCP stream, two hosts, suite 1, " + who, "Gb/s",
                [Side("veth", task("veth"), "gbps"), Side(GO, task("go2"), "gbps"),
                 Side(TUND, task("tund2"), "gbps"), Side(NULL, task("null2"), "gbps")],
                [Target(TUND, GO, least=3.0), Target(TUND, NULL, least=0.9)]),
            Row("wg1-" + direction, "one TCP stream, two hosts, suite 0, " + who, "Gb/s",
                [Side(GO, task("go2"), "gbps"), Side(WG, task("wg2"), "gbps")],
                [Target(WG, GO, least=2.0)]),
            Row("hub1-" + direction, "one TCP stream, three hosts, policy on, " + who, "Gb/s",
                [Side(GO, task("go3"), "gbps"), Side(TUND, task("tund3"), "gbps")],
                [Target(TUND, GO, least=4.0)]),
        ]
    return rows


def stream_rows():
    return [Row("tcp%d" % n, "%d TCP streams, two hosts" % n, "Gb/s",
                [Side(GO, tcp("go2", n), "gbps"), Side(TUND, tcp("tund2", n), "gbps")],
                [Target(TUND, GO, least=3.0)]) for n in (4, 100)]


def cpu_rows():
    return [Row("cpu%d" % n, "CPU of all daemons, one TCP stream, %s hosts" % word, "s/GB",
                [Side(GO, tcp("go%d" % n), "cpu"), Side(TUND, tcp("tund%d" % n), "cpu")],
                [Target(TUND, GO, most=most)]) for n, word, most in ((2, "two", 0.25),
                                                                     (3, "three", 0.2))]


def udp_rows():
    return [Row("udp%d" % n, "UDP, %d bytes, most with at most 0.5 %% loss, two hosts" % n,
                "thousands a second",
                [Side("veth", ("udp", "veth", n), "kpps"), Side(GO, ("udp", "go2", n), "kpps"),
                 Side(TUND, ("udp", "tund2", n), "kpps")],
                [Target(TUND, GO, least=3.0)]) for n in (1372, 64)]


def other_rows():
    return [
        Row("ping", "round trip, 300 pings at 2 ms, idle, two hosts", "ms",
            [Side("veth", ("ping", "veth"), "ms"), Side(GO, ("ping", "go2"), "ms"),
             Side(TUND, ("ping", "tund2"), "ms")], [Target(TUND, GO, most=0.5)]),
        Row("memory", "peak resident memory of a host's daemon after one TCP stream", "MB",
            [Side(GO, ("memory", "go3"), "mb"), Side(TUND, ("memory", "tund3"), "mb")],
            [Target(TUND, None, most=16)]),
        Row("peers", "10,000 peers, 10,000 routes with 10 rules each, one TCP stream", "Gb/s",
            [Side("one", tcp("tund3"), "gbps"), Side("10,000", tcp("many3"), "gbps")],
            [Target("10,000", "one", least=0.9)]),
        Row("flows", "100,000 live flows through the edge, one TCP stream", "Gb/s",
            [Side("one", tcp("tund3"), "gbps"), Side("100,000", ("flows", "flows3"), "gbps")],
            [Target("100,000", "one", least=0.85)]),
        Row("transport", "TCP transport, one TCP stream, three hosts", "Gb/s",
            [Side("UDP", tcp("tund3"), "gbps"), Side("TCP", tcp("tcp3"), "gbps")],
            [Target("TCP", "UDP", least=1.0)]),
    ]


HANDSHAKE = ("micro", "bench_handshake", "handshake_tund")


def policy_row(name, what, figures, limit):
    task = ("micro", "bench_policy", name)
    return Row(name.replace("_", "-"), what + ", 10,000 routes, in process", "ns",
               [Side(f, task, "%s_10000x10000" % f) for f in figures],
               [Target(f, None, most=limit) for f in figures])


def micro_rows():
    return [policy_row("policy_known", "verdict for a packet of a known flow",
                       ["policy_known_flow4", "policy_known_flow6"], 60),
            policy_row("policy_new", "verdict for a new flow", ["policy_new_flow"], 1000),
            Row("handshakes", "full handshakes answered, one core, in process", "a second",
                [Side("X25519 alone", HANDSHAKE, "handshake_tund_x25519_alone_per_s"),
                 Side(TUND, HANDSHAKE, "handshake_tund_per_s")],
                [Target(TUND, "X25519 alone", least=0.85)])]


ROWS = tcp_rows() + stream_rows() + cpu_rows() + udp_rows() + other_rows() + micro_rows()


def rows_named(names):
    known = {row.name: row for row in ROWS}
    if names == "help":
        for row in ROWS:
            print("%-10s %s" % (row.name, row.what), file=sys.stderr)
        sys.exit(1)
    chosen = [n for n in names.split(",") if n]
    for name in chosen:
        if name not in known:
            sys.exit("bench: no row \"%s\"; there are %s" % (name, ", ".join(known)))
    return [known[n] for n in chosen] or ROWS


def scenes_of(tasks):
    return list(dict.fromkeys(task[1] for task in tasks if task[0] != "micro"))


def programs_of(tasks):
    return list(dict.fromkeys("tests/bench/" + t[1] for t in tasks if t[0] == "micro"))


def tasks_of(rows):
    """What to repeat, in the order of the rows, and what to do once at the end: peak memory sums up
    all that was, and a micro-benchmark repeats by itself."""
    tasks = list(dict.fromkeys(side.task for row in rows for side in row.sides))
    for task in [t for t in tasks if t[0] == "memory" and tcp(t[1]) not in tasks]:
        tasks.insert(0, tcp(task[1]))
    once = [t for t in tasks if t[0] in ("memory", "micro")]
    return [t for t in tasks if t not in once], once


### Hosts

class Scene:
    def __init__(self, work, client, server, address, hosts):
        self.work, self.client, self.server, self.address = work, client, server, address
        self.hosts = hosts

    def pid(self, host):
        with open("%s/%s/pid" % (self.work, host)) as f:
            return f.read().strip()

    def on(self, host, command):
        return ["nsenter", "-t", self.pid(host), "-m", "-n", "-p", "-u", "-i", "--"] + command

    def daemons(self, host):
        """The processes there, but for process 1 and its sleep: nothing else of ours stays."""
        space = os.readlink("/proc/%s/ns/pid_for_children" % self.pid(host))
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/ns/pid" % pid) == space:
                    with open("/proc/%s/comm" % pid) as f:
                        if f.read().strip() not in ("sh", "sleep"):
                            found.append(pid)
            except OSError:
                pass
        return found


def cpu_seconds(pid):
    """Of all its threads, and of children that have ended."""
    with open("/proc/%s/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid):
    with open("/proc/%s/status" % pid) as f:
        return int(re.search(r"VmHWM:\s*(\d+)", f.read())[1]) * 1024 / 1e6


### Measurements

class Iperf:
    """A server for one test, and the client that makes it; `result` is the client's report."""

    def __init__(self, scene, seconds, arguments):
        server = subprocess.Popen(scene.on(scene.server, ["iperf3", "-s", "-1", "--forceflush"]),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.wait_listening(server)
            self.result = self.run_client(scene, seconds, arguments)
        finally:
            server.kill()
            server.wait()

    @staticmethod
    def wait_listening(server):
        for line in server.stdout:
            if "listening" in line:
                return
        raise Failed("iperf3 -s does not start")

    @staticmethod
    def run_client(scene, seconds, arguments):
        command = ["iperf3", "-J", "-c", scene.address, "-t", str(seconds),
                   "--connect-timeout", "3000"] + arguments
        try:
            done = subprocess.run(scene.on(scene.client, command), capture_output=True, text=True,
                                  timeout=seconds + 15)
            result = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise Failed("iperf3: %s" % error)
        if "error" in result:
            raise Failed("iperf3: %s" % result["error"])
        return result


class Bench:
    def __init__(self, work, build, seconds):
        self.work, self.seconds = work, seconds
        self.scenes = self.read_scenes()
        self.build = build
        self.datagrams = build + "/tests/bench/datagrams"
        self.good_rate = {}

    def read_scenes(self):
        scenes = {}
        with open(self.work + "/scenes") as f:
            for name, client, server, address, *hosts in map(str.split, f):
                scenes[name] = Scene(self.work, client, server, address, hosts)
        return scenes

    def missing(self, name):
        try:
            with open("%s/missing/%s" % (self.work, name)) as f:
                return f.read().strip()
        except OSError:
            return None

    def measure(self, task):
        kind, name, *rest = task
        if kind == "micro":
            return self.micro(name, *rest)
        why = self.missing(name)
        if why:
            raise Failed(why)
        return getattr(self, kind)(self.scenes[name], *rest)

    def tcp(self, scene, streams, direction):
        pids = [pid for host in scene.hosts for pid in scene.daemons(host)]
        before = {pid: cpu_seconds(pid) for pid in pids}
        end = Iperf(scene, self.seconds, ["-P", str(streams)] +
                    (["-R"] if direction == "down" else [])).result["end"]
        used = sum(cpu_seconds(pid) - before[pid] for pid in pids)
        received = end["sum_received"]
        if received["bytes"] == 0:
            raise Failed("nothing was received")
        return {"gbps": received["bits_per_second"] / 1e9, "cpu": used / received["bytes"] * 1e9}

    def udp(self, scene, size):
        """Begins a little below the rate found in the last repetition."""
        good, limited = self.udp_bisect(
            lambda rate: self.udp_offer(scene, size, rate),
            self.good_rate.get((scene, size), UDP_FIRST_RATE / 0.9) * 0.9)
        self.good_rate[scene, size] = good
        return {"kpps": good / 1000, "sender_limited": limited}

    @staticmethod
    def udp_bisect(offer, rate):
        """The highest rate of which offer() says that it arrives; True: no higher one was sent."""
        good, lossy = 0, None
        for _ in range(UDP_OFFERS):
            sent, arrives = offer(rate)
            if arrives and lossy is None and sent < good * UDP_NARROW:
                return max(good, sent), True
            if arrives:
                good = max(good, sent)
            else:
                lossy = min(sent, lossy or sent)
            if lossy is not None and lossy < good * UDP_NARROW:
                break
            rate = (rate * UDP_STEP if lossy is None else
                    lossy / UDP_STEP if good == 0 else (good * lossy) ** 0.5)
        if good == 0:
            raise Failed("loss at every rate")
        return good, False

    def udp_offer(self, scene, size, rate):
        """The rate that was sent really, and whether it has arrived."""
        receiver = subprocess.Popen(scene.on(scene.server, [self.datagrams, "receive", UDP_PORT]),
                                    stdout=subprocess.PIPE, text=True)
        try:
            if receiver.stdout.readline() != "ready\n":
                raise Failed("datagrams: no receiver")
            done = subprocess.run(
                scene.on(scene.client, [self.datagrams, "send", scene.address, UDP_PORT, str(size),
                                        str(rate), str(min(self.seconds, UDP_SECONDS))]),
                stdout=subprocess.PIPE, text=True, check=True)
            sent, seconds = done.stdout.split()
            # Should none arrive, the receiver would wait for ever.
            received = int(receiver.communicate(timeout=5)[0])
        except subprocess.TimeoutExpired:
            received = 0
        except (subprocess.CalledProcessError, ValueError) as error:
            raise Failed("datagrams: %s" % error)
        finally:
            receiver.kill()
            receiver.wait()
        loss = 100 * (1 - received / int(sent))
        return int(sent) / float(seconds), loss <= UDP_LOSS_PERCENT

    def ping(self, scene):
        done = subprocess.run(scene.on(scene.client, PING + [scene.address]), capture_output=True,
                              text=True)
        found = re.search(r" 0% packet loss.*= [\d.]+/([\d.]+)/", done.stdout, re.S)
        if not found:
            raise Failed("ping: " + done.stdout.strip().splitlines()[-1])
        return {"ms": float(found[1])}

    def flows(self, scene):
        """The flows are opened anew each time: the edge forgets those that nobody answers."""
        before = self.counted(scene)
        opener = subprocess.run(scene.on(scene.client, [
            "/usr/bin/python3", "-c", """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
network, flows, burst, pause = sys.argv[1], *map(float, sys.argv[2:])
for i in range(int(flows)):
    s.sendto(b"tund", ("%s.%d" % (network, i % 200 + 2), 10000 + i // 200))
    if i % burst == 0:
        time.sleep(pause)
""", scene.address.rpartition(".")[0], str(FLOWS), str(FLOWS_AT_ONCE), str(FLOWS_PAUSE_S)]))
        opened = self.counted(scene) - before
        if opener.returncode != 0 or opened < 0.99 * FLOWS:
            raise Failed("only %d flows could be opened" % opened)
        return self.tcp(scene, 1, "up")

    @staticmethod
    def counted(scene):
        """Datagrams that have come to the server to open a flow."""
        table = subprocess.run(scene.on(scene.server, ["nft", "list", "table", "inet", "quiet"]),
                               stdout=subprocess.PIPE, text=True)
        return int(re.search(r"counter packets (\d+)", table.stdout)[1])

    def micro(self, program, name):
        """All its figures whose names begin so, in nanoseconds, and what that makes a second."""
        done = subprocess.run([self.build + "/tests/bench/" + program, name],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed("%s failed" % program)
        figures = {}
        for figure, value, unit in map(str.split, done.stdout.splitlines()):
            if unit == "ns":
                figures[figure] = float(value)
                figures[figure + "_per_s"] = 1e9 / float(value)
        return figures

    def memory(self, scene):
        """Of the host where it is most; pages that its processes share count for each of them."""
        return {"mb": max(sum(map(peak_mb, scene.daemons(host))) for host in scene.hosts)}


### Results

def run(bench, rows, repeat):
    """Figures of each task: {task: [{field: value}]}, and {task: why} of those that failed."""
    values, failed = {}, {}
    repeated, once = tasks_of(rows)

    def one(task, label):
        if task in failed:
            return
        try:
            figures = bench.measure(task)
            say("%s %s: %s" % (label, " ".join(map(str, task)),
                               ", ".join("%s %.3g" % f for f in figures.items())))
            values.setdefault(task, []).append(figures)
        except Failed as why:
            say("%s %s: %s" % (label, " ".join(map(str, task)), why))
            failed[task] = str(why)

    for i in range(repeat):
        for task in repeated if i % 2 == 0 else repeated[::-1]:
            one(task, "%d/%d" % (i + 1, repeat))
    for task in once:
        one(task, "end")
    return values, failed


def side_report(side, values, failed):
    if side.task in failed or side.task not in values:
        return {"name": side.name, "missing": failed.get(side.task, "not measured")}
    figures = [f[side.field] for f in values[side.task]]
    report = {"name": side.name, "values": figures, "min": min(figures),
              "median": statistics.median(figures), "max": max(figures)}
    if any(f.get("sender_limited") for f in values[side.task]):
        report["sender_limited"] = True
    return report


def target_report(target, sides):
    medians = {side["name"]: side.get("median") for side in sides}
    value = medians[target.side]
    if target.to and value is not None:
        value = value / medians[target.to] if medians[target.to] else None
    return {"side": target.side, "to": target.to, "target": target.text(), "value": value,
            "met": None if value is None else target.met(value)}


def row_report(row, values, failed):
    sides = [side_report(side, values, failed) for side in row.sides]
    return {"row": row.name, "what": row.what, "unit": row.unit, "sides": sides,
            "targets": [target_report(t, sides) for t in row.targets]}


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
        return done.stdout.split("\n")[0]
    except OSError:
        return ""


def commit():
    return first_line(["git", "-c", "safe.directory=*", "-C", os.path.dirname(__file__),
                       "describe", "--always", "--dirty"])


def processor():
    with open("/proc/cpuinfo") as f:
        return re.search(r"model name\s*: (.*)|$", f.read())[1] or platform.machine()


def about(args):
    return {
        "schema": SCHEMA,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"processor": processor(), "processors": os.cpu_count(),
                    "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**6,
                    "kernel": platform.release(), "load": os.getloadavg()[0]},
        "versions": {"tund": args.tund, "commit": commit(), "wireguard-go": args.go,
                     "iperf3": first_line(["iperf3", "--version"])},
        "settings": {"repeat": args.repeat, "seconds": args.seconds, "mtu": MTU},
    }


def figure(value):
    return "%.3f" % value if value < 10 else "%.1f" % value if value < 1000 else "%.0f" % value


def print_table(report):
    machine, versions = report["machine"], report["versions"]
    print("%(processor)s, %(processors)d processors, Linux %(kernel)s, load %(load).2f" % machine)
    print("; ".join("%s: %s" % v for v in versions.items() if v[1]))
    print("%(repeat)d repetitions, %(seconds)d s each, MTU %(mtu)d inside\n" % report["settings"])
    print("%-64s %9s %9s %9s" % ("", "min", "median", "max"))
    for row in report["rows"]:
        print("%s [%s], %s" % (row["what"], row["row"], row["unit"]))
        for side in row["sides"]:
            name = side["name"] + (" (no more can be sent)" if side.get("sender_limited") else "")
            print("    %-60s" % name, "missing: " + side["missing"] if "missing" in side
                  else "%9s %9s %9s" % tuple(figure(side[k]) for k in ("min", "median", "max")))
        for target in row["targets"]:
            what = target["side"] + (" / " + target["to"] if target["to"] else "")
            verdict = {None: "unknown", True: "met", False: "MISSED"}[target["met"]]
            value = "" if target["value"] is None else figure(target["value"])
            print("  = %-60s %9s %9s %9s   %s" % (what, "", value,
                                                  target["target"], verdict))



def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("scenes", "programs", "run"))
    for option in ("rows", "work", "build", "tund", "go"):
        parser.add_argument("--" + option, default="")
    for option in ("repeat", "seconds"):
        parser.add_argument("--" + option, type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = rows_named(args.rows)
    if args.command != "run":
        tasks = sum(tasks_of(rows), [])
        print(" ".join(scenes_of(tasks) if args.command == "scenes" else programs_of(tasks)))
        return 0
    report = about(args)
    bench = Bench(args.work, args.build, args.seconds)
    values, failed = run(bench, rows, args.repeat)
    report["rows"] = [row_report(row, values, failed) for row in rows]
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print_table(report)
    return 1 if [task for task in failed if task[1] != "null2"] else 0


sys.exit(main())
