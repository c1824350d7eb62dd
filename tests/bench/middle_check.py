#!/usr/bin/env python3
"""Both ends and the judge of tests/bench/middle.sh.

usage: middle_check.py listen PORT                prints "number right delay-us" of each datagram, -1 for a damaged one, until
                                                  none has come for a second (and one has)
       middle_check.py send ADDRESS PORT COUNT    20 a millisecond
       middle_check.py judge NAME COUNT --delay MS --lost PERCENT --late PERCENT --twice PERCENT --flipped PERCENT
                                                  NAME.came of the first against NAME.did of bench-middle"""
import argparse
import collections
import json
import math
import socket
import struct
import sys
import time
import zlib

SO_RCVBUFFORCE = 33
HEAD = struct.Struct("!IQ")


def listen(port):
    came = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        sock.bind(("", port))
        sock.settimeout(20)
        try:
            while True:
                data = sock.recv(2048)
                came.append((data, time.monotonic_ns()))
                sock.settimeout(1)
        except TimeoutError:
            pass
    for data, at in came:
        number, sent = HEAD.unpack_from(data)
        right = zlib.crc32(data[:-4]) == struct.unpack("!I", data[-4:])[0]
        print(number if right else -1, int(right), (at - sent) // 1000 if right else 0)


def send(address, port, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        for number in range(count):
            if number % 20 == 0:
                time.sleep(0.001)
            data = HEAD.pack(number, time.monotonic_ns()) + bytes(number % 256 for _ in range(200))
            sock.send(data + struct.pack("!I", zlib.crc32(data)))


def judge(words):
    ask = argparse.ArgumentParser()
    ask.add_argument("name")
    ask.add_argument("count", type=int)
    for word in ("delay", "lost", "late", "twice", "flipped"):
        ask.add_argument("--" + word, type=float)
    ask.add_argument("--subject", type=int)
    asked = ask.parse_args(words)
    with open(asked.name + ".did", encoding="ascii") as file:
        did = json.load(file)["there"]
    with open(asked.name + ".came", encoding="ascii") as file:
        came = [tuple(map(int, line.split())) for line in file]
    print(did)
    numbers = [number for number, right, _ in came if right]
    each = collections.Counter(numbers)
    passed, newest = 0, -1
    for number in dict.fromkeys(numbers):
        passed += number < newest
        newest = max(newest, number)
    delays = sorted(delay for _, right, delay in came if right)

    def must(what, holds):
        print("ok" if holds else "WRONG", what)
        return holds

    def share(figure):
        percent = getattr(asked, figure)
        if asked.subject == 0:
            return must(f"{figure}: none", did[figure] == 0)
        wanted = asked.count * percent / 100
        return must(f"{figure}: {did[figure]}, wanted {wanted:.0f}", abs(did[figure] - wanted) <= 6 * math.sqrt(wanted))

    good = [
        must("frames add up", did["sent"] + did["lost"] + did["full"] + did["too_large"] == did["received"] + did["twice"]),
        must("none went wrong by itself", did["missed"] + did["full"] + did["too_large"] == 0),
        must(f"{len(came)} came", len(came) == asked.count - did["lost"] + did["twice"]),
        must("as many damaged", len(came) - len(numbers) == did["flipped"]),
        must("as many twice", len(numbers) - len(each) == did["twice"] and all(n <= 2 for n in each.values())),
        must(f"{passed} passed by others", did["late"] / 2 <= passed <= did["late"]),
        must("bits of the first byte are among the others", sum(did["turned_first"]) <= did["flipped"]),
        must(f"{delays[0]} us at least", delays[0] >= 1000 * asked.delay - 100),
        must(f"median {delays[len(delays) // 2]} us", delays[len(delays) // 2] <= 1000 * asked.delay + 100_000),
        must("so many are subject", did["subject"] == asked.subject if asked.subject is not None else did["subject"] >= asked.count),
        *(share(figure) for figure in ("lost", "late", "twice", "flipped")),
    ]
    sys.exit(not all(good))


if sys.argv[1] == "listen":
    listen(int(sys.argv[2]))
elif sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    judge(sys.argv[2:])
