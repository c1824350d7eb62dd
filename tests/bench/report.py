#!/usr/bin/env python3
"""report.py FOLDER --rounds N --quick yes|no [--given]: samples.tsv, peers.tsv and middle.json become RESULT.json and a table."""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import time

# figure, heading, digits
FIGURES = [
    ("stream_gbit", "1 stream Gbit/s", 2), ("streams4_gbit", "4 streams Gbit/s", 2), ("direct_gbit", "b-a direct Gbit/s", 2),
    ("cpu_s_per_gib", "CPU s/GiB", 2),
    ("udp_pps", "64-byte UDP/s", 0), ("ask_per_s", "ask/answer /s", 0), ("ask_p99_us", "ask p99 us", 0),
    ("ping_us", "ping us", 0), ("load_ping_median_us", "ping, load us", 0), ("load_ping_p99_us", "p99, load us", 0),
    ("load_ping_lost", "lost, load", 0), ("rss_mib", "RSS MiB", 1), ("none_gbit", "no loss Gbit/s", 3),
    ("loss_0.1_gbit", "0.1 % lost", 4), ("loss_1_gbit", "1 % lost", 5), ("loss_5_gbit", "5 % lost", 5), ("reorder_5_gbit", "5 % late", 4),
]
TITLES = {"direct": "two machines, one cable", "three": "transfer a-b, ping a-c (another peer)",
          "relay": "b to c through one relay", "loss": "20 ms, a network that loses"}


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def spread(samples):
    """Median, quartiles, smallest, largest of all samples, which are kept as they came."""
    result = {"median": statistics.median(samples), "min": min(samples), "max": max(samples), "samples": samples}
    quarters = statistics.quantiles(samples, n=4, method="inclusive") if len(samples) > 1 else [samples[0]] * 3
    return result | {"q1": quarters[0], "q3": quarters[2]}


def machine():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return {"kernel": platform.release(), "machine": platform.machine(), "cpu": model.group(1) if model else "",
            "cpus": os.cpu_count(), "load_average": os.getloadavg(),
            "congestion_control": "cubic", "openssl": said("openssl", "version"), "iperf3": said("iperf3", "--version").split("\n")[0]}


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip()]


def collect(folder, rounds, quick, given):
    peers = {}
    for name, title, package, options in read(folder, "peers.tsv"):
        version = said("dpkg-query", "-W", "-f", "${Version}", package) if package else ""
        peers[name] = {"title": title, "package": package, "version": version, "options": options}
    scenarios = {}
    for scenario, peer, _, figure, value in read(folder, "samples.tsv"):
        scenarios.setdefault(scenario, {}).setdefault(peer, {}).setdefault(figure, []).append(float(value))
    for by_peer in scenarios.values():
        for figures in by_peer.values():
            for figure, samples in figures.items():
                figures[figure] = spread(samples)
    middle = []
    for line in open(os.path.join(folder, "middle.json"), encoding="utf-8"):
        if line.startswith("{"):
            middle.append(json.loads(line))
    commit = said("git", "describe", "--always", "--dirty", "--abbrev=12")
    if given:
        commit = f"of given programs, beside {commit}"
    return {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit, "rounds": rounds,
            "quick": quick == "yes", "host": machine(), "peers": peers, "scenarios": scenarios, "middle": middle}


def cell(value, digits, lone):
    """Median, and behind it the quartiles."""
    def number(n):
        return f"{n / 1000:.1f}k" if digits == 0 and n >= 10000 else f"{n:.{digits}f}"
    return number(value["median"]) + ("" if lone else f" [{number(value['q1'])}..{number(value['q3'])}]")


def table(result):
    lines = []
    for scenario, by_peer in result["scenarios"].items():
        present = [f for f in FIGURES if any(f[0] in figures for figures in by_peer.values())]
        rows = [[""] + [heading for _, heading, _ in present]]
        for peer in result["peers"]:
            if peer in by_peer:
                figures = by_peer[peer]
                rows.append([result["peers"][peer]["title"]] + [
                    cell(figures[key], digits, len(figures[key]["samples"]) == 1) if key in figures else "-"
                    for key, _, digits in present])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines.append(f"\n{scenario}: {TITLES.get(scenario, '')}; median [quartiles] of {result['rounds']} rounds")
        lines += ["  ".join(text.ljust(widths[i]) if i == 0 else text.rjust(widths[i]) for i, text in enumerate(row)).rstrip()
                  for row in rows]
    host = result["host"]
    lines.append(f"\nLinux {host['kernel']}, {host['cpus']} x {host['cpu']}, cubic; wattle {result['commit']}; "
                 + ", ".join(f"{p['package']} {p['version']}" for p in result["peers"].values() if p["version"]))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--quick", default="no")
    parser.add_argument("--given", action="store_true", help="the programs were not built from this tree by the run")
    words = parser.parse_args()
    result = collect(words.folder, words.rounds, words.quick, words.given)
    with open(os.path.join(words.folder, "RESULT.json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
