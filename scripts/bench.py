# SPDX-License-Identifier: ISC
"""Measures on the hosts of scripts/scenes.sh what scripts/bench is asked for, and prints it.

usage: bench.py scenes --rows LIST              the scenes that these rows need
       bench.py programs --rows LIST            the micro-benchmarks that they need
       bench.py run --work DIR --build DIR ...  measures
       ... --against DIR                        the same, to compare with the build in DIR

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

import compare
from measure import Failed, Measure

SCHEMA = 1
UDP_STEP_COMPARED = 1.15 # the rate of the last pair is near
MTU = 1420


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
EDGE = "tund, by an edge"


def tcp(scene, streams=1, direction="up"):
    return ("tcp", scene, streams, direction)


# Three hosts once more, next to what it is compared with.
AGAIN = tcp("tund3") + ("again",)


def tcp_rows():
    rows = []
    for direction, who in (("up", "client sends"), ("down", "server sends")):
        task = lambda scene: tcp(scene, 1, direction)
        rows += [
            Row("tcp1-" + direction, "one TCP stream, two hosts, suite 1, " + who, "Gb/s",
                [Side("veth", task("veth"), "gbps"), Side(GO, task("go2"), "gbps"),
                 Side(TUND, task("pair2"), "gbps"), Side(NULL, task("null2"), "gbps"),
                 Side(EDGE, task("tund2"), "gbps")],
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
                [Side(GO, tcp("go2", n), "gbps"), Side(TUND, tcp("pair2", n), "gbps")],
                [Target(TUND, GO, least=3.0)]) for n in (4, 100)]


def cpu_rows():
    return [Row("cpu%d" % n, "CPU of all daemons, one TCP stream, %s hosts" % word, "s/GB",
                [Side(GO, tcp("go%d" % n), "cpu"), Side(TUND, tcp(scene), "cpu")],
                [Target(TUND, GO, most=most)])
            for n, word, scene, most in ((2, "two", "pair2", 0.25), (3, "three", "tund3", 0.2))]


def udp_rows():
    return [Row("udp%d" % n, "UDP, %d bytes, most with at most 0.5 %% loss, two hosts" % n,
                "thousands a second",
                [Side("veth", ("udp", "veth", n), "kpps"), Side(GO, ("udp", "go2", n), "kpps"),
                 Side(TUND, ("udp", "pair2", n), "kpps")],
                [Target(TUND, GO, least=3.0)]) for n in (1372, 64)]


def other_rows():
    return [
        Row("ping", "round trip, 300 pings at 2 ms, idle, two hosts", "ms",
            [Side("veth", ("ping", "veth"), "ms"), Side(GO, ("ping", "go2"), "ms"),
             Side(TUND, ("ping", "pair2"), "ms")], [Target(TUND, GO, most=0.5)]),
        Row("memory", "peak resident memory of a host's daemon after one TCP stream", "MB",
            [Side(GO, ("memory", "go3"), "mb"), Side(TUND, ("memory", "tund3"), "mb")],
            [Target(TUND, None, most=16)]),
        Row("peers", "10,000 peers, 10,000 routes with 10 rules each, one TCP stream", "Gb/s",
            [Side("one", AGAIN, "gbps"), Side("10,000", tcp("many3"), "gbps")],
            [Target("10,000", "one", least=0.9)]),
        Row("flows", "100,000 live flows through the edge, one TCP stream", "Gb/s",
            [Side("one", AGAIN, "gbps"), Side("100,000", ("flows", "flows3"), "gbps")],
            [Target("100,000", "one", least=0.85)]),
        Row("transport", "TCP transport, one TCP stream, three hosts", "Gb/s",
            [Side("UDP", AGAIN, "gbps"), Side("TCP", tcp("tcp3"), "gbps")],
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


def tasks_of(sides):
    """In the order of the rows; peak memory is one after a stream."""
    tasks = list(dict.fromkeys(side.task for side in sides))
    for task in [t for t in tasks if t[0] == "memory" and tcp(t[1]) not in tasks]:
        tasks.insert(0, tcp(task[1]))
    return tasks


def repeated_and_once(tasks):
    """What to repeat, and what to do once at the end: peak memory sums up all that was, and a
    micro-benchmark repeats by itself."""
    once = [t for t in tasks if t[0] in ("memory", "micro")]
    return [t for t in tasks if t not in once], once


### Results

def run(bench, tasks, repeat):
    """Figures of each task: {task: [{field: value}]}, and {task: why} of those that failed."""
    values, failed = {}, {}
    repeated, once = repeated_and_once(tasks)

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
                    "kernel": platform.release(), "load": os.getloadavg()[0],
                    "tcp": args.congestion},
        "versions": {"tund": args.tund, "commit": commit(), "against": args.old,
                     "wireguard-go": args.go, "iperf3": first_line(["iperf3", "--version"])},
        "settings": {"repeat": args.repeat, "seconds": args.seconds, "mtu": MTU},
    }


def figure(value):
    return "%.3f" % value if value < 10 else "%.1f" % value if value < 1000 else "%.0f" % value


def print_heading(report):
    machine, versions = report["machine"], report["versions"]
    print("%(processor)s, %(processors)d processors, Linux %(kernel)s, TCP with %(tcp)s, "
          "load %(load).2f" % machine)
    print("; ".join("%s: %s" % v for v in versions.items() if v[1]))
    print("%(repeat)d repetitions, %(seconds)d s each, MTU %(mtu)d inside\n" % report["settings"])


def print_table(report):
    print_heading(report)
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



def compare_builds(args, tasks, sides):
    datagrams = args.build + "/tests/bench/datagrams"
    old, new = (Measure(args.work, build, args.seconds, datagrams, UDP_STEP_COMPARED)
                for build in (args.against, args.build))
    pairs = compare.run(old, new, tasks, args.repeat, say)
    report = about(args)
    report["rows"] = [compare.report_of(row, side, pairs) for row, side in sides]
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print_heading(report)
        compare.print_table(report["rows"], figure)
    return 0 if all(row["passed"] for row in report["rows"]) else 1


def measure_all(args, rows, tasks):
    report = about(args)
    bench = Measure(args.work, args.build, args.seconds)
    values, failed = run(bench, tasks, args.repeat)
    report["rows"] = [row_report(row, values, failed) for row in rows]
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print_table(report)
    return 1 if [task for task in failed if task[1] != "null2"] else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=("scenes", "programs", "run"))
    for option in ("rows", "work", "build", "against", "tund", "old", "go", "congestion"):
        parser.add_argument("--" + option, default="")
    for option in ("repeat", "seconds"):
        parser.add_argument("--" + option, type=int, default=1)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = rows_named(args.rows)
    compared = compare.rows_compared(rows)
    tasks = tasks_of([side for _, side in compared] if args.against else
                     [side for row in rows for side in row.sides])
    if args.command == "programs":
        print(" ".join(programs_of(tasks)))
    elif args.command == "scenes":
        print(" ".join((compare.scenes_compared if args.against else scenes_of)(tasks)))
    elif args.against:
        return compare_builds(args, tasks, compared)
    else:
        return measure_all(args, rows, tasks)
    return 0


sys.exit(main())
