#!/usr/bin/env python3
"""Kills daemons of a lab at random under pings of all pairs, and watches that everything comes back and nothing grows.

usage: killing.py [--rounds N | --pairs | --stop SECONDS] [--seed N] [--limit SECONDS] [--growth] NET/NAME=PID=ADDRESS...
A member NAME of the network NET: PID is the first process of its machine as this host counts (lab_pid), ADDRESS its
address inside the network. A machine may be a member of several networks.

A round: after a random pause one random daemon of a random member gets SIGKILL (--pairs: every pair of daemons of each
member once, both at the same moment; --stop: every process of the first member once, its supervisor, too, gets SIGSTOP
and so many seconds later SIGCONT). It is over when another process of that name runs and the flows between all members
of each network have answered a question asked after that (--stop: after SIGCONT, be it the old process or one that took its place). A
round that takes longer than the limit ends the run: what is stuck is named. Printed: seconds to come back, by program; how descriptors and memory of each program went over the rounds;
what the flows of other networks lost meanwhile. --growth: they must not grow.
"""
import argparse
import collections
import itertools
import os
import random
import re
import selectors
import signal
import statistics
import subprocess
import sys
import time

ANSWER = re.compile(rb"^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+).* time=([\d.]+) ms")
PAUSE = 1.5  # at most, before a kill


class Flow:
    def __init__(self, source, target):
        self.name = f"{source.name} -> {target.name}"
        self.ends = {source.name, target.name}
        self.net = source.net
        self.asked = 0.0  # when the newest question that was answered was asked
        self.times = collections.deque(maxlen=400)  # (when asked, when answered), the last ones
        self.answers = self.last = 0
        self.rest = b""
        command = ["nsenter", "-t", str(source.init), "-n", "stdbuf", "-oL", "ping", "-n", "-D", "-i", "0.25"]
        self.process = subprocess.Popen(command + [target.address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        os.set_blocking(self.process.stdout.fileno(), False)

    def read(self):
        data = self.rest + (self.process.stdout.read() or b"")
        *lines, self.rest = data.split(b"\n")
        for line in lines:
            if found := ANSWER.match(line):
                self.answers += 1
                self.last = max(self.last, int(found[2]))
                self.times.append((float(found[1]) - float(found[3]) / 1000, float(found[1])))
                self.asked = max(self.asked, self.times[-1][0])

    def first_after(self, moment):
        """When the first question asked after that was answered."""
        return min((answered for asked, answered in self.times if asked > moment), default=float("inf"))


class Member:
    def __init__(self, text):
        self.name, init, self.address = text.split("=")
        self.net = self.name.split("/")[0]
        self.init = int(init)
        self.space = os.stat(f"/proc/{init}/ns/pid").st_ino


def daemons(members):
    """{(member's name, program): pid} of all their daemons, supervisors included."""
    names = {(member.net, member.space): member.name for member in members}
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            space = os.stat(f"/proc/{entry}/ns/pid").st_ino
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        program = words[0].rsplit("/", 1)[-1]
        if program == "wattle" and words[1:2] == ["up"]:
            program, net = "wattle up", words[2]
        elif program.startswith("wattle-") and words[-3:-2] == ["--net"]:
            net = words[-2]
        else:
            continue
        if name := names.get((net, space)):
            found[name, program] = int(entry)
    return found


def use_of(pid):
    """Open descriptors and KiB of own memory; None if it is gone."""
    try:
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return descriptors, next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))
    except (OSError, StopIteration):
        return None


def slope(points):
    """Of the straight line nearest to (x, y) points, and where it is at both ends."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    if len(set(xs)) < 2:
        return 0.0, ys[0], ys[0]
    middle_x, middle_y = statistics.fmean(xs), statistics.fmean(ys)
    rise = sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x in xs)
    return rise, middle_y + rise * (xs[0] - middle_x), middle_y + rise * (xs[-1] - middle_x)


class Run:
    def __init__(self, options):
        self.options = options
        self.members = [Member(text) for text in options.member]
        self.random = random.Random(options.seed)
        self.flows = [Flow(a, b) for a, b in itertools.permutations(self.members, 2) if a.net == b.net]
        self.continued = 0  # stopped processes that were there to go on
        self.slowest = []
        self.foreign = 0  # answers that flows of other networks missed while one network was hurt
        self.selector = selectors.DefaultSelector()
        for flow in self.flows:
            self.selector.register(flow.process.stdout, selectors.EVENT_READ, flow)
        self.back = collections.defaultdict(list)  # what was killed -> [(seconds of the process, of the traffic)]
        self.uses = collections.defaultdict(list)  # (member, program) -> [(round, descriptors, KiB)]

    def watch(self, seconds):
        end = time.time() + seconds
        while (left := end - time.time()) > 0:
            for key, _ in self.selector.select(left):
                key.data.read()

    def stuck(self, since, flows=None):
        return [flow.name for flow in flows or self.flows if flow.asked <= since]

    def settle(self, since, limit):
        while stuck := self.stuck(since):
            if time.time() > since + limit:
                sys.exit(f"no answer within {limit:.0f} s: {', '.join(stuck)}")
            self.watch(0.02)

    def round(self, number, victims):
        known = daemons(self.members)
        self.watch(self.random.uniform(0, PAUSE))
        for victim in victims:
            os.kill(known[victim], signal.SIGSTOP if self.options.stop else signal.SIGKILL)
        if self.options.stop:
            self.watch(self.options.stop)
            if daemons(self.members).get(victims[0]) == known[victims[0]]:
                os.kill(known[victims[0]], signal.SIGCONT)
                self.continued += 1
        killed = time.time()
        touched = [flow for flow in self.flows if victims[0][0] in flow.ends]
        others = [flow for flow in self.flows if flow.net != victims[0][0].split("/")[0]]
        missed = sum(flow.last - flow.answers for flow in others)
        process = traffic = None
        while process is None:
            self.watch(0.03)
            now = daemons(self.members)
            if self.options.stop and victims[0] in now or \
                    all(now.get(victim, known[victim]) != known[victim] for victim in victims):
                process = time.time() - killed
            if traffic is None and not self.stuck(killed, touched):
                traffic = time.time() - killed
            if process is None and time.time() > killed + self.options.limit:
                sys.exit(f"round {number}: {victims} is not back after {self.options.limit:.0f} s")
        started = time.time()
        while stuck := self.stuck(started):
            if traffic is None and not self.stuck(killed, touched):
                traffic = time.time() - killed
            if time.time() > killed + self.options.limit:
                sys.exit(f"round {number}: {victims} killed, no answer within {self.options.limit:.0f} s: {', '.join(stuck)}")
            self.watch(0.02)
        name = " + ".join(sorted(program.removeprefix("wattle-") for _, program in victims))
        traffic = time.time() - killed if traffic is None else traffic
        self.back[name].append((process, traffic))
        last = max(touched, key=lambda flow: flow.first_after(killed))
        self.slowest.append((traffic, f"round {number}, {', '.join(map(' '.join, victims))}: last {last.name}"))
        self.foreign += max(0, sum(flow.last - flow.answers for flow in others) - missed)
        if missing := set(known) - set(now := daemons(self.members)):
            sys.exit(f"round {number}: {victims} killed, {sorted(missing)} went, too")
        for place, pid in now.items():
            if use := use_of(pid):
                self.uses[place].append((number, *use))

    def rounds(self):
        known = [place for place in daemons(self.members) if place[1] != "wattle up" or self.options.stop]
        if self.options.stop:
            return [[place] for place in sorted(known) if place[0] == self.members[0].name]
        if self.options.pairs:
            pairs = [pair for pair in itertools.combinations(sorted(known), 2) if pair[0][0] == pair[1][0]]
            return self.random.sample(pairs, len(pairs))
        return [[self.random.choice(sorted(known))] for _ in range(self.options.rounds)]

    def go(self):
        self.settle(time.time(), self.options.limit)
        rounds, began = self.rounds(), time.time()
        for number, victims in enumerate(rounds):
            self.round(number, victims)
        print(f"{len(rounds)} rounds in {time.time() - began:.0f} s, seed {self.options.seed}")
        for flow in self.flows:
            flow.process.terminate()
        asked, answered = (sum(getattr(flow, what) for flow in self.flows) for what in ("last", "answers"))
        print(f"{asked} pings asked by {len(self.flows)} flows, {answered} answered")
        print(f"{self.foreign} answers missed by flows of other networks than the one that was hurt")

    def report(self):
        print("killed                kills   process back: median    most   all its flows answer: median    p95    most")
        for name, seconds in sorted(self.back.items()):
            process, traffic = sorted(p for p, _ in seconds), sorted(t for _, t in seconds)
            print(f"{name:20} {len(seconds):6} {statistics.median(process):22.2f} {process[-1]:7.2f} "
                  f"{statistics.median(traffic):30.2f} {traffic[int(len(traffic) * 0.95)]:6.2f} {traffic[-1]:7.2f}")
        for seconds, what in sorted(self.slowest)[:-4:-1]:
            print(f"slowest: {seconds:.2f} s in {what}")
        if self.options.stop:
            print(f"{self.continued} of {len(self.slowest)} went on, the others had been replaced meanwhile")
        return self.growth()

    def growth(self):
        """The first fifth is left out: a new network still fills its tables."""
        grown = 0
        print("program            descriptors: from      to   per 100 rounds   own memory KiB: from      to   per 100 rounds")
        points = collections.defaultdict(lambda: ([], []))
        for (_, program), uses in self.uses.items():
            for number, descriptors, memory in uses[len(uses) // 5 :]:
                points[program][0].append((number, descriptors))
                points[program][1].append((number, memory))
        for program, (descriptors, memory) in sorted(points.items()):
            (few, a, b), (much, c, d) = slope(sorted(descriptors)), slope(sorted(memory))
            bad = self.options.growth and (b - a > 2 or d - c > max(512, c / 4))
            grown += bad
            print(f"{program:18} {a:18.1f} {b:7.1f} {few * 100:16.2f} {c:22.0f} {d:7.0f} {much * 100:16.1f}"
                  f"{'   GROWS' if bad else ''}")
        return grown


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--limit", type=float, default=30)
    parser.add_argument("--pairs", action="store_true")
    parser.add_argument("--stop", type=float, default=0)
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("member", nargs="+")
    run = Run(parser.parse_args())
    try:
        run.go()
        return 1 if run.report() else 0
    finally:
        for flow in run.flows:
            flow.process.kill()


if __name__ == "__main__":
    sys.exit(main())
