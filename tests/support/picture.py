#!/usr/bin/env python3
"""The graph of a lab network in DOT, from what each member says of its peers.

usage: picture.py NAME=FILE...   FILE holds the answer to DUMP PEERS at NAME's debug socket
A full line is a pair that talks directly, a dashed one a pair that is relayed (by whom stands beside it).
"""
import sys


def peers(path):
    with open(path, encoding="ascii", errors="replace") as file:
        for line in file:
            words = line.split()
            if words[:2] == ["INFO", "peer"]:
                yield dict(word.split("=", 1) for word in words[2:] if "=" in word)


def main():
    edges, roles = {}, {}
    names = []
    for argument in sys.argv[1:]:
        name, _, path = argument.partition("=")
        names.append(name)
        for peer in peers(path):
            if "name" not in peer:
                continue
            if "relay" in peer.get("roles", "").split(","):
                roles[peer["name"]] = "relay"
            pair = tuple(sorted((name, peer["name"])))
            edges.setdefault(pair, []).append(peer)
    print("graph wattle {")
    print('  layout=circo; node [shape=box, style="rounded,filled", fillcolor=white, fontname="Helvetica"];')
    print('  edge [fontname="Helvetica", fontsize=9];')
    for name in names:
        fill = ', fillcolor="#cfe8cf"' if roles.get(name) else ""
        label = name + ("\\n(relay)" if roles.get(name) else "")
        print(f'  "{name}" [label="{label}"{fill}];')
    for (one, other), said in sorted(edges.items()):
        direct = any(peer.get("state") == "direct" for peer in said)
        via = sorted({peer["via"] for peer in said if peer.get("via")})
        rtts = [int(peer["rtt_us"]) for peer in said if peer.get("rtt_us", "0") != "0"]
        text = f"{min(rtts) / 1000:.2f} ms" if rtts else ""
        if direct:
            style = "solid"
        elif via or any(peer.get("state") == "relayed" for peer in said):
            style, text = "dashed", ("by " + ", ".join(via) + " " if via else "") + text
        else:
            continue
        print(f'  "{one}" -- "{other}" [style={style}, label="{text.strip()}"];')
    print("}")


main()
