#!/usr/bin/env python3
"""picture.py RESULT.json > result.svg: bars of the medians, whiskers from first to third quartile; one panel a figure."""
import json
import sys
from xml.sax.saxutils import escape

# scenario, figure, heading, whether more is better
PANELS = [
    ("direct", "stream_gbit", "one TCP stream, Gbit/s", True),
    ("direct", "streams4_gbit", "four TCP streams, Gbit/s", True),
    ("direct", "cpu_s_per_gib", "CPU of both ends' daemons, s per GiB", False),
    ("direct", "udp_pps", "64-byte UDP, packets/s with at most 1 % loss", True),
    ("direct", "ask_per_s", "requests and answers, 1/s", True),
    ("direct", "ping_us", "ping, idle, median µs", False),
    ("three", "load_ping_p99_us", "ping to one peer during a transfer to another, p99 µs", False),
    ("relay", "stream_gbit", "one TCP stream through one relay, Gbit/s", True),
]
COLUMNS, WIDTH, LABEL, BAR, ROW, HEAD = 2, 560, 130, 310, 20, 44
STYLE = ("text{font:12px sans-serif;fill:#222}.head{font-weight:bold}.value{font-size:11px;fill:#444}"
         ".bar{fill:#8fa3b8}.own{fill:#c2571a}.link{fill:#d7dde3}.quartiles{stroke:#222;stroke-width:1}"
         ".ground{fill:#fff}")


def short(value):
    for limit, unit in ((1e6, "M"), (1e4, "k")):
        if value >= limit:
            return f"{value / (1e6 if unit == 'M' else 1e3):.1f}{unit}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def panel(result, x, y, spec):
    """One figure of all peers, the best on top; the scale leaves out the plain link, whose bar may be cut."""
    scenario, figure, heading, more = spec
    entries = [(peer, by[figure]) for peer, by in result["scenarios"].get(scenario, {}).items() if figure in by]
    if not entries:
        return [], 0
    entries.sort(key=lambda entry: entry[1]["median"], reverse=more)
    scale = max([value["q3"] for peer, value in entries if peer != "plain"] or [entries[0][1]["q3"]]) or 1
    out = [f'<text class="head" x="{x}" y="{y + 18}">{escape(heading)} ({"more" if more else "less"} is better)</text>']
    for row, (peer, value) in enumerate(entries):
        top = y + HEAD - 16 + row * ROW
        kind = {"wattle": "own", "plain": "link"}.get(peer, "bar")
        length = min(value["median"] / scale, 1.05) * BAR
        out.append(f'<text x="{x + LABEL - 6}" y="{top + 13}" text-anchor="end">{escape(result["peers"][peer]["title"])}</text>')
        out.append(f'<rect class="{kind}" x="{x + LABEL}" y="{top + 2}" width="{length:.1f}" height="{ROW - 5}"/>')
        if value["median"] <= scale and len(value["samples"]) > 1:
            left, right = (x + LABEL + value[q] / scale * BAR for q in ("q1", "q3"))
            middle = top + ROW / 2 - 0.5
            out.append(f'<path class="quartiles" d="M{left:.1f} {middle}H{right:.1f}M{left:.1f} {middle - 3}v6M{right:.1f} {middle - 3}v6"/>')
        cut = " (cut)" if value["median"] > 1.05 * scale else ""
        end = x + LABEL + max(length, min(value["q3"] / scale, 1.05) * BAR)
        out.append(f'<text class="value" x="{end + 6:.1f}" y="{top + 13}">{short(value["median"])}{cut}</text>')
    return out, HEAD + len(entries) * ROW


def draw(result):
    body, y, height = [], 8, 0
    drawn = [spec for spec in PANELS if panel(result, 0, 0, spec)[1]]
    for number, spec in enumerate(drawn):
        column = number % COLUMNS
        if column == 0:
            y += height
            height = 0
        parts, tall = panel(result, 8 + column * WIDTH, y, spec)
        body += parts
        height = max(height, tall)
    y += height + 16
    host = result["host"]
    note = (f"median and quartiles of {result['rounds']} interleaved rounds; Linux {host['kernel']}, {host['cpus']} × "
            f"{host['cpu']}, veth MTU 1500, cubic; wattle {result['commit']}, {result['when'][:10]}")
    body.append(f'<text class="value" x="8" y="{y}">{escape(note)}</text>')
    size = f"{COLUMNS * WIDTH + 16} {y + 12}"
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">', f"<style>{STYLE}</style>",
                      '<rect class="ground" width="100%" height="100%"/>', *body, "</svg>"])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as source:
        print(draw(json.load(source)))
