# SPDX-License-Identifier: ISC
"""The measurements of scripts/bench.py, each on a scene of scripts/scenes.sh."""
import json
import os
import re
import subprocess

UDP_LOSS_PERCENT = 0.5
UDP_STEP = 1.6           # from one rate to the next, until one is lossy
UDP_BELOW = 0.9          # where a repetition begins, of the rate of the last one
UDP_NARROW = 1.05        # the bisection ends when the lossy rate is so close to the good one
UDP_FIRST_RATE = 30000   # datagrams a second
UDP_OFFERS = 16
UDP_SECONDS = 1.5        # at most: an offer is one of many
UDP_PORT = "5202"
NO_DAEMONS = ("sh", "sleep", "nsenter", "setpriv", "iperf3", "datagrams", "python3", "ping", "nft")
FLOWS = 100000
FLOWS_AT_ONCE = 50       # in a burst, before
FLOWS_PAUSE_S = 0.005    # a pause, so that none is lost on the way
FLOWS_OPENER = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
network, flows, burst, pause = sys.argv[1], *map(float, sys.argv[2:])
for i in range(int(flows)):
    s.sendto(b"tund", ("%s.%d" % (network, i % 200 + 2), 10000 + i // 200))
    if i % burst == 0:
        time.sleep(pause)
"""
PING = ["ping", "-n", "-q", "-c", "300", "-i", "0.002"]


class Failed(Exception):
    pass


### Hosts

class Scene:
    def __init__(self, work, client, server, address, hosts):
        self.work, self.client, self.server, self.address = work, client, server, address
        self.hosts = hosts

    def pid(self, host):
        with open("%s/%s/pid" % (self.work, host)) as f:
            return f.read().strip()

    def on(self, host, command):
        """It ends with the nsenter that waits for it."""
        return ["nsenter", "-t", self.pid(host), "-m", "-n", "-p", "-u", "-i", "--",
                "setpriv", "--pdeathsig", "KILL"] + command

    def daemons(self, host):
        """The processes there, but for process 1, its sleep, and what measures."""
        space = os.readlink("/proc/%s/ns/pid_for_children" % self.pid(host))
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/ns/pid" % pid) == space:
                    with open("/proc/%s/comm" % pid) as f:
                        if f.read().strip() not in NO_DAEMONS:
                            found.append(pid)
            except OSError:
                pass
        return found


def cpu_seconds(pid):
    """Of all its threads, and of children that have ended."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        raise Failed("a daemon has ended")
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


class Measure:
    """Measures on the scenes in `work`, for `seconds` each, what is built in the folder `build`;
    `datagrams` is the program that sends and counts those. From one UDP rate to the next it goes by
    `step`, and begins a little below the rate found in the last repetition."""

    def __init__(self, work, build, seconds, datagrams=None, step=UDP_STEP):
        self.work, self.seconds, self.step = work, seconds, step
        self.scenes = self.read_scenes()
        self.build = build
        self.datagrams = datagrams or build + "/tests/bench/datagrams"
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
        return getattr(self, kind)(self.scene(name), *rest)

    def scene(self, name):
        why = self.missing(name)
        if why:
            raise Failed(why)
        return self.scenes[name]

    def tcp(self, scene, streams=1, direction="up", _=None):
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
        last = self.good_rate.get((scene, size))
        good, limited = self.udp_bisect(
            lambda rate: self.udp_offer(scene, size, rate),
            last * UDP_BELOW if last else UDP_FIRST_RATE, self.step if last else UDP_STEP)
        self.good_rate[scene, size] = good
        return {"kpps": good / 1000, "sender_limited": limited}

    @staticmethod
    def udp_bisect(offer, rate, step):
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
            rate = (rate * step if lossy is None else
                    lossy / step if good == 0 else (good * lossy) ** 0.5)
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
            received = int(receiver.communicate(timeout=10)[0])
        except (subprocess.SubprocessError, ValueError) as error:
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
        self.flows_open([scene])
        return self.tcp(scene)

    def flows_open(self, scenes):
        """In all of them at once."""
        before = [self.counted(scene) for scene in scenes]
        openers = [subprocess.Popen(scene.on(scene.client, [
            "/usr/bin/python3", "-c", FLOWS_OPENER, scene.address.rpartition(".")[0],
            str(FLOWS), str(FLOWS_AT_ONCE), str(FLOWS_PAUSE_S)])) for scene in scenes]
        done = [opener.wait() for opener in openers]
        opened = min(self.counted(scene) - n for scene, n in zip(scenes, before))
        if any(done) or opened < 0.99 * FLOWS:
            raise Failed("only %d flows could be opened" % opened)

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
