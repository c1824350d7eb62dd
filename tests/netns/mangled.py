#!/usr/bin/env python3
"""The counters of tests/netns/mangled.sh.

usage: mangled.py quiet ONE TWO      no datagram left or came between the two looks, at either end
       mangled.py judge DID BEFORE BEGUN END AFTER
                                     what happened is what bench-middle says it did; it began between the first two looks and
                                     ended between the other two

For each direction, with s the sender's counters and r the receiver's:

  s.tx_datagrams - s.io_send_failed - s.io_send_blocked - s.carried  =  did.subject + did.missed
  did.subject + did.twice - did.lost  =  r.rx_datagrams - s.carried + r.io_truncated + drops at r's socket
  r.drops of datagrams  =  did.twice + did.flipped - bits turned in byte 0

A keepalive may leave when the middle has not begun yet or ended already: the first one is between BEGUN and END at least,
between BEFORE and AFTER at most.
Byte 0 counts hops and is covered by nothing, so a datagram damaged only there is good. Of a datagram sent twice one is a
replay, whichever came first; a damaged one is never sent twice."""
import json
import sys

# Datagrams that were not taken; after that nothing of them may be dropped any more, as both ends are honest.
OF_DATAGRAMS = """length header recipient type reserved_type epoch mac1 stale point tag_c1 tag_c2 tag_c3 key_mismatch self
    sender replay receiver_index mac2 mac2_zero record equal_epoch handshake_replay handshake_budget source_budget not_ready
    counter_limit tag hops relay_source relay_budget relay_off relay_unknown relay_back""".split()
NEVER = """drop_inner_type drop_inner_length drop_inner_segment drop_offload drop_no_buffer drop_queue_full
    drop_record_budget io_truncated io_backlog_full io_tap_failed""".split()


def look(name, machine):
    with open(f"{name}.{machine}", encoding="utf-8") as file:
        counters = json.load(file)["counters"]
    mine = {key.removeprefix("crypto."): value for key, value in counters.items() if key.startswith("crypto.")}
    with open(f"{name}.{machine}.socket", encoding="ascii") as file:
        mine["socket"] = int(file.read())
    with open(f"{name}.{machine}.card", encoding="ascii") as file:
        mine["card"] = json.load(file)[0]["stats64"]["tx"]["dropped"]
    return mine


def between(before, after):
    return {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}


def of(counters, *names):
    return sum(counters.get(name, 0) for name in names)


def left(s):
    return of(s, "tx_datagrams") - of(s, "io_send_failed", "io_send_blocked", "carried", "card")


def one_way(name, did, least, s, r):
    arrived = of(r, "rx_datagrams", "io_truncated", "socket") - of(s, "carried")
    dropped = {key: r["drop_" + key] for key in OF_DATAGRAMS if r.get("drop_" + key, 0) != 0}
    harmless = sum(did["turned_first"])
    equations = [
        ("left", max(left(least), min(left(s), did["subject"] + did["missed"])), "subject + missed", did["subject"] + did["missed"]),
        ("arrived", arrived, "subject + twice - lost", did["subject"] + did["twice"] - did["lost"] - did["full"] - did["too_large"]),
        ("dropped", sum(dropped.values()), "twice + flipped - harmless", did["twice"] + did["flipped"] - harmless),
    ]
    print(f"{name}: {did['subject']} datagrams: {did['lost']} lost, {did['late']} late, {did['twice']} twice, {did['flipped']} "
          f"damaged ({harmless} harmlessly), {did['missed']} missed, {did['full']} too many, {r['socket']} dropped at the socket, "
          f"{s['card']} at the card")
    print(f"   left: {left(least)} to {left(s)}")
    print(f"   dropped: {', '.join(f'{n} {key}' for key, n in sorted(dropped.items(), key=lambda item: -item[1]))}")
    right = did["subject"] > 0 and all(did[key] > 0 for key in ("lost", "late", "twice", "flipped"))
    if not right:
        print("   WRONG: the middle did nothing")
    for what, is_, like, wanted in equations:
        if is_ != wanted:
            print(f"   WRONG: {what} {is_}, {like} {wanted}: {is_ - wanted:+d}")
            right = False
    for key in NEVER:
        if r.get(key, 0) != 0:
            print(f"   WRONG: {key} {r[key]}")
            right = False
    return right


def main():
    if sys.argv[1] == "quiet":
        moved = [between(look(sys.argv[2], machine), look(sys.argv[3], machine)) for machine in "ab"]
        sys.exit(any(of(m, "tx_datagrams", "rx_datagrams") for m in moved))
    with open(sys.argv[2], encoding="ascii") as file:
        did = json.load(file)
    a, b = (between(look(sys.argv[3], machine), look(sys.argv[6], machine)) for machine in "ab")
    least_a, least_b = (between(look(sys.argv[4], machine), look(sys.argv[5], machine)) for machine in "ab")
    good = [one_way("a to b", did["there"], least_a, a, b), one_way("b to a", did["back"], least_b, b, a)]
    sys.exit(not all(good))


main()
