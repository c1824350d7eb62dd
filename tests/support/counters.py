#!/usr/bin/env python3
"""The oracle of (key, counter) pairs: no key seals two different things with one counter.

usage: counters.py CAPTURE...              judges pcap files of any wires; exit 1 if a pair was used twice, 2 if they
                                       do not show single datagrams
       counters.py --plant WHAT FROM TO    writes a capture with one planted datagram more, to judge the oracle by
       counters.py --self-test             judges captures that it makes itself

What a capture shows of a key (man/wattle-wire.7): a TRANSPORT datagram names its recipient's index, which stands for one
session, and its sender; so (sender, recipient, receiver index) is one key, used in one direction. The MAC field is the
counter. The index stands for another session from the moment that the recipient has sent another handshake message with
it (a chance of 2^-32). The hop byte is covered by nothing: datagrams that differ in it alone are one datagram on its way.
Of handshake messages, the ephemeral key must belong to one message alone. What goes inside TLS (PACKET) is not seen.

WHAT: repeat (the last TRANSPORT datagram again, other ciphertext: what a key that outlives its counter makes), middle (the
same of one in the middle of the capture), ephemeral (a message 1 again, other body), relay
(the last TRANSPORT datagram, one hop more: no repetition).
"""
import hashlib
import heapq
import struct
import sys

MESSAGE1, MESSAGE2, TRANSPORT = 0x20, 0x21, 0x26
ETHERNET, RAW = 1, 101


def records(path):
    """(time, link layer, bytes) of each packet of a pcap file; a last one that was cut off is left out."""
    with open(path, "rb") as file:
        head = file.read(24)
        order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(head[:4])
        if order is None or len(head) < 24:
            sys.exit(f"{path} is not a pcap file of microseconds")
        layer = struct.unpack(order + "I", head[20:24])[0] & 0xFFFF
        while len(start := file.read(16)) == 16:
            seconds, micros, kept, size = struct.unpack(order + "IIII", start)
            data = file.read(kept)
            if len(data) < kept:
                return
            if kept < size:
                sys.exit(f"{path}: packets are not whole; capture with -s 0")
            yield seconds * 1000000 + micros, layer, data


def datagram(layer, data):
    """Where the UDP payload begins and ends; None if it is none or a fragment."""
    at = 0
    if layer == ETHERNET:
        kind, at = data[12:14], 14
        if kind == b"\x81\x00":
            kind, at = data[16:18], 18
        if kind not in (b"\x08\x00", b"\x86\xdd"):
            return None
    elif layer != RAW:
        sys.exit(f"link layer {layer} is not known here: capture on an Ethernet card")
    version = data[at] >> 4 if len(data) > at else 0
    if version == 4 and len(data) >= at + 20 and data[at + 9] == 17:
        if struct.unpack(">H", data[at + 6 : at + 8])[0] & 0x3FFF:
            return None
        at += (data[at] & 15) * 4
    elif version == 6 and len(data) >= at + 40 and data[at + 6] == 17:
        at += 40
    else:
        return None
    end = at + struct.unpack(">H", data[at + 4 : at + 6])[0] if len(data) >= at + 8 else 0
    return (at + 8, end) if at + 8 <= end <= len(data) else None


def is_ours(packet):
    """A datagram of wattle's that can be judged."""
    if len(packet) < 28 or packet[1] != 0 or packet[26] != 0:
        return False
    least = {MESSAGE1: 594, MESSAGE2: 117, TRANSPORT: 49}.get(packet[27])
    return least is not None and (len(packet) == least or (packet[27] == TRANSPORT and len(packet) > least))


def digest(data):
    return hashlib.blake2b(data, digest_size=8).digest()


class Oracle:
    def __init__(self):
        self.keys = {}  # (sender, recipient, index, generation) -> {counter: digest}
        self.messages = {}  # (sender of the index, its peer, index) -> [digest of the message, generation]
        self.ephemerals = {}  # (sender, ephemeral) -> digest
        self.seen = self.again = self.joined = 0
        self.faults = []
        self.faulty = 0

    def fault(self, when, text):
        self.faulty += 1
        if len(self.faults) < 20:
            self.faults.append(f"{when / 1e6:.6f} {text}")

    def handshake(self, when, packet):
        sender, recipient = packet[10:18], packet[18:26]
        at, end = (40, 562) if packet[27] == MESSAGE1 else (36, 85)  # what comes behind are its two MACs
        what = digest(packet[1:end])
        if self.ephemerals.setdefault((sender, packet[at : at + 33]), what) != what:
            self.fault(when, f"{sender.hex()} used an ephemeral key for a second message, type {packet[27]:#x}")
        last = self.messages.setdefault((sender, recipient, packet[28:32]), [what, 0])
        if last[0] != what:
            last[:] = what, last[1] + 1
            self.again += 1

    def transport(self, when, packet):
        sender, recipient, index = packet[10:18], packet[18:26], packet[28:32]
        # Several at once, as UDP_SEGMENT makes them, not yet taken apart by the card.
        self.joined += (second := packet.find(sender, 49)) >= 0 and is_ours(packet[second - 10 :])
        last = self.messages.get((recipient, sender, index))
        used = self.keys.setdefault((sender, recipient, index, last[1] if last else None), {})
        counter, what = int.from_bytes(packet[2:10], "big"), digest(packet[1:])
        self.seen += 1
        if used.setdefault(counter, what) != what:
            name = f"{sender.hex()} -> {recipient.hex()} index {index.hex()}"
            self.fault(when, f"{name}: counter {counter} seals a second datagram")

    def judge(self, packets):
        for when, packet in packets:
            if packet[27] == TRANSPORT:
                self.transport(when, packet)
            else:
                self.handshake(when, packet)
        return self

    def report(self):
        pairs = sum(map(len, self.keys.values()))
        unknown = sum(1 for key in self.keys if key[3] is None)
        print(f"{self.seen} TRANSPORT datagrams seen, {pairs} (key, counter) pairs of {len(self.keys)} keys")
        print(f"{len(self.messages)} handshake messages; {unknown} keys whose handshake was not seen")
        print(f"{self.again} indices used again for another session")
        print(f"{self.faulty} repetitions")
        for fault in self.faults:
            print(f"REPEATED {fault}")
        if self.joined:
            print(f"{self.joined} datagrams hold further ones: capture with gso_max_segs 1 on every card that sends")
        return 2 if self.joined else 1 if self.faulty else 0


def packets_of(paths):
    """(time, datagram) of ours in all captures, in the order of time."""
    for when, layer, data in heapq.merge(*map(records, paths), key=lambda record: record[0]):
        place = datagram(layer, data)
        if place and is_ours(packet := data[place[0] : place[1]]):
            yield when, packet


def planted(what, packets):
    """The datagram to plant behind `packets`, and what the oracle must say of it: 1 or 0."""
    sealed = [p for p in packets if p[27] == TRANSPORT and len(p) > 60]
    flip = lambda p, at: p[:at] + bytes([p[at] ^ 1]) + p[at + 1 :]
    if what == "repeat":
        return flip(sealed[-1], -20), 1
    if what == "middle":
        return flip(sealed[len(sealed) // 2], 40), 1
    if what == "relay":
        return bytes([sealed[-1][0] + 1]) + sealed[-1][1:], 0
    if what == "ephemeral":
        return flip([p for p in packets if p[27] == MESSAGE1][-1], 200), 1
    sys.exit(f"--plant knows no '{what}'")


def plant(what, source, target):
    packet, _ = planted(what, [p for _, p in packets_of([source])])
    frame = bytes(12) + b"\x08\x00" + struct.pack(">BBHHHBBH", 0x45, 0, 28 + len(packet), 0, 0, 64, 17, 0)
    frame += bytes([192, 0, 2, 99, 192, 0, 2, 98]) + struct.pack(">HHHH", 8737, 8737, 8 + len(packet), 0) + packet
    with open(target, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, ETHERNET))
        for when, data in [record[::2] for record in records(source)] + [(2**31 * 1000000, frame)]:
            out.write(struct.pack("<IIII", when // 1000000, when % 1000000, len(data), len(data)) + data)


def sample():
    """A made-up conversation of two: two sessions, one of them on its way through a relay, too."""
    def packet(kind, sender, recipient, field, body):
        return bytes(2) + field.to_bytes(8, "big") + bytes([sender] * 8 + [recipient] * 8 + [0, kind]) + body

    out, noise = [], 0
    for index in (b"\1\1\1\1", b"\2\2\2\2"):
        for kind, sender, size in ((MESSAGE1, 1, 594), (MESSAGE2, 2, 117)):
            noise += 1
            body = index + bytes([noise]) * (size - 32)
            out.append(packet(kind, sender, 3 - sender, 0, body))
        for counter in range(5):
            for sender in (1, 2):
                noise += 1
                out.append(packet(TRANSPORT, sender, 3 - sender, counter, index + bytes([noise]) * 80))
                out.append(b"\1" + out[-1][1:])
    return out


def self_test():
    whole = sample()
    cases = [("nothing", whole, 0)]
    for what in ("repeat", "middle", "relay", "ephemeral"):
        packet, verdict = planted(what, whole)
        cases.append((what, whole + [packet], verdict))
    # An index once more, after another message 1 with it, is another session; without that message it is none.
    message, sealed = whole[0], next(p for p in whole if p[27] == TRANSPORT and p[10] == 2)
    later = [message[:40] + bytes(554), sealed[:40] + bytes(len(sealed) - 40)]
    cases.append(("another session with an old index", whole + later, 0))
    cases.append(("an old index without a session", whole + later[1:], 1))
    wrong = [name for name, packets, verdict in cases
             if bool(Oracle().judge((0, p) for p in packets).faulty) != bool(verdict)]
    print(f"{len(cases)} cases; judged wrongly: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


def main():
    words = sys.argv[1:]
    if words == ["--self-test"]:
        return self_test()
    if words[:1] == ["--plant"] and len(words) == 4:
        return plant(*words[1:]) or 0
    if not words or words[0].startswith("-"):
        sys.exit(__doc__)
    return Oracle().judge(packets_of(words)).report()


if __name__ == "__main__":
    sys.exit(main())
