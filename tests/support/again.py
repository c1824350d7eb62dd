#!/usr/bin/env python3
"""Sends one of a machine's own relayed datagrams once more, with another hop byte.

usage: again.py INTERFACE FROM TO PORT HOPS
Listens on INTERFACE for UDP from FROM:PORT to TO:PORT, picks the recipient id (bytes 18-25) that occurs most often and
is not the one of the smallest datagrams (probes to TO itself), and sends the last such datagram from a raw socket.
"""
import collections
import socket
import struct
import sys
import time


def main():
    interface, source, target, port, hops = sys.argv[1:6]
    listener = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
    listener.bind((interface, 0x0003))  # all protocols: only so are outgoing packets seen, too
    listener.settimeout(0.2)
    seen = collections.defaultdict(list)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        try:
            packet, address = listener.recvfrom(65536)
        except socket.timeout:
            continue
        if address[1] != 0x0800 or address[2] != socket.PACKET_OUTGOING or packet[9] != 17:
            continue
        head = (packet[0] & 15) * 4
        ports = struct.unpack("!HH", packet[head : head + 4])
        if packet[12:16] != socket.inet_aton(source) or packet[16:20] != socket.inet_aton(target):
            continue
        body = packet[head + 8 :]
        if ports == (int(port), int(port)) and len(body) > 28 and body[27] == 0x26:
            seen[body[18:26]].append(body)
    if not seen:
        sys.exit("no datagram seen")
    body = bytearray(max(seen.values(), key=lambda all_of_it: sum(map(len, all_of_it)))[-1])
    body[0] = int(hops)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    raw.bind((source, 0))
    raw.sendto(struct.pack("!HHHH", int(port), int(port), 8 + len(body), 0) + bytes(body), (target, 0))


main()
