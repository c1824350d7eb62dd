#!/usr/bin/env python3
"""Sends random bytes and has them compared at the other end, for tests/netns/offload.sh and mangled.sh.

usage: transfer.py serve            takes TCP and UDP at port 9000 for ever
       transfer.py tcp MB ADDRESS…  so much to each at once; the other end's SHA-256 must be that of what was sent
       transfer.py udp MB ADDRESS…  rows of datagrams of all sizes (UDP_SEGMENT); each must arrive as it left, once
       transfer.py some MB ADDRESS… the same where some are lost, at 1 MB/s: nine of ten arrive, as they left, once
An address may be said twice: two flows. Exit 1 with a sentence if not."""
import hashlib
import os
import random
import socket
import struct
import sys
import threading
import time

PORT = 9000
UDP_SEGMENT, UDP_GRO = 103, 104
SO_RCVBUFFORCE = 33
ROWS_AHEAD = 2  # sent and not yet acknowledged: no queue on the way is so short
MOST = 1352     # fits, as one datagram, the device's MTU with IPv6
BLOB = random.Random(7).randbytes(1 << 20)


def plan(seed, size):
    """The rows of a flow: (first number, payload of each datagram, of the last one, count)."""
    rows, dice, number = [], random.Random(seed), 0
    while size > 0:
        each = dice.choice((8, 9, 100, 1000, 1200, MOST, dice.randint(8, MOST)))
        count = dice.randint(1, min(64, 65000 // each))
        last = dice.randint(8, each)
        rows.append((number, each, last, count))
        number += count
        size -= each * (count - 1) + last
    return rows


def datagram(number, size):
    at = number * 977 % (len(BLOB) - MOST)
    return struct.pack("!Q", number) + BLOB[at : at + size - 8]


def serve_tcp(connection):
    with connection:
        digest = hashlib.sha256()
        while part := connection.recv(1 << 18):
            digest.update(part)
        connection.sendall(digest.digest())


class Judge:
    """One flow of datagrams as it arrives."""

    def __init__(self, seed, size):
        self.sizes = {}
        for first, each, last, count in plan(seed, size):
            self.sizes.update({first + i: each for i in range(count - 1)})
            self.sizes[first + count - 1] = last
        self.right = self.wrong = 0

    def take(self, data):
        number = struct.unpack_from("!Q", data)[0] if len(data) >= 8 else -1
        if self.sizes.pop(number, -1) == len(data) and data == datagram(number, len(data)):
            self.right += 1
        else:
            self.wrong += 1
        return struct.pack("!II", self.right, self.wrong)


def pieces(sock):
    """The next datagrams, of one sender: the kernel hands over a row in one piece."""
    data, control, _, sender = sock.recvmsg(1 << 16, 64)
    size = len(data)
    for level, kind, value in control:
        if level == socket.IPPROTO_UDP and kind == UDP_GRO:
            size = struct.unpack("i", value)[0]
    return sender, [data[at : at + size] for at in range(0, len(data), size)] or [b""]


def serve_udp(sock):
    flows = {}
    while True:
        sender, parts = pieces(sock)
        for data in parts:
            if data.startswith(b"flow"):
                flows.setdefault((sender, data), Judge(*struct.unpack("!QQ", data[4:])))
                flows[sender] = flows[sender, data]
                answer = bytes(8)
            elif data == b"done":
                answer = data + struct.pack("!II", flows[sender].right, flows[sender].wrong)
            else:
                answer = flows[sender].take(data)
        sock.sendto(answer, sender)


def serve():
    # IPv4 without UDP_GRO, IPv6 with it.
    for family, gro in ((socket.AF_INET, 0), (socket.AF_INET6, 1)):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        udp.setsockopt(socket.IPPROTO_UDP, UDP_GRO, gro)
        if family == socket.AF_INET6:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        udp.bind(("", PORT))
        threading.Thread(target=serve_udp, args=(udp,), daemon=True).start()
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        threading.Thread(target=serve_tcp, args=(listener.accept()[0],), daemon=True).start()


def send_tcp(size, address):
    dice, left = random.Random(os.urandom(8)), size
    content, digest = memoryview(os.urandom(4 << 20)), hashlib.sha256()
    with socket.create_connection((address, PORT), timeout=60) as connection:
        while left > 0:
            at = dice.randrange(3 << 20)
            part = content[at : at + min(left, 1 << 20)]
            digest.update(part)
            connection.sendall(part)
            left -= len(part)
        connection.shutdown(socket.SHUT_WR)
        told = b""
        while len(told) < 32 and (part := connection.recv(32)):
            told += part
    if told != digest.digest():
        return f"{address}: {size} bytes by TCP arrived as others"
    return None


def content_of(row):
    first, each, last, count = row
    return b"".join(datagram(first + i, last if i == count - 1 else each) for i in range(count))


def send_row(sock, row):
    sock.sendmsg([content_of(row)], [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("H", row[1]))])


def asked(sock, question, is_answer):
    """The answer to a question that may be lost, as may the answer; what comes before it is of no interest."""
    for _ in range(40):
        sock.send(question)
        until = time.monotonic() + 0.5
        while (left := until - time.monotonic()) > 0:
            sock.settimeout(left)
            try:
                data = sock.recv(64)
            except TimeoutError:
                break
            if is_answer(data):
                return data
    raise TimeoutError("no answer")


def send_some(size, address):
    seed = int.from_bytes(os.urandom(4), "big")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, PORT))
        asked(sock, b"flow" + struct.pack("!QQ", seed, size), lambda data: data == bytes(8))
        sent, sent_bytes, began = 0, 0, time.monotonic()
        for row in plan(seed, size):
            send_row(sock, row)
            sent += row[3]
            sent_bytes += row[1] * (row[3] - 1) + row[2]
            time.sleep(max(0, began + sent_bytes / 1e6 - time.monotonic()))
        time.sleep(0.5)
        right, wrong = struct.unpack("!II", asked(sock, b"done", lambda data: data.startswith(b"done"))[4:])
    print(f"{address}: {right} of {sent} datagrams arrived, and {wrong} wrong ones")
    if wrong != 0 or right < 0.9 * sent:
        return f"{address}: {right} of {sent} datagrams arrived, and {wrong} wrong ones (seed {seed})"
    return None


def send_udp(size, address):
    seed = int.from_bytes(os.urandom(4), "big")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect((address, PORT))
        sock.settimeout(3)
        sock.send(b"flow" + struct.pack("!QQ", seed, size))
        sock.recv(8)
        sent = right = wrong = 0
        ahead = []
        rows = plan(seed, size)
        for row in rows + [None] * ROWS_AHEAD:
            if len(ahead) >= ROWS_AHEAD or row is None:
                until = ahead.pop(0) if ahead else sent
                try:
                    while right + wrong < until:
                        right, wrong = struct.unpack("!II", sock.recv(8))
                except TimeoutError:
                    return f"{address}: {right} of {until} datagrams arrived, and {wrong} wrong ones (seed {seed})"
            if row is None:
                continue
            send_row(sock, row)
            sent += row[3]
            ahead.append(sent)
    if (right, wrong) != (sent, 0):
        return f"{address}: {right} of {sent} datagrams arrived, and {wrong} wrong ones (seed {seed})"
    return None


def main():
    if sys.argv[1:] == ["serve"]:
        return serve()
    send = {"tcp": send_tcp, "udp": send_udp, "some": send_some}[sys.argv[1]]
    size, faults = int(float(sys.argv[2]) * 1e6), []

    def run(address):
        try:
            fault = send(size, address)
        except OSError as error:
            fault = f"{address}: {error}"
        if fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(address,)) for address in sys.argv[3:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.exit("\n".join(faults) or 0)


main()
