#!/usr/bin/env python3
"""bad_config.py FOLDER-OF-PROGRAMS: each key of wattle.conf and registry.conf with wrong values: whoever reads it says
file, line, key and what is allowed, in one sentence, and exits with 78; with right values it says that all is right."""
import os
import re
import subprocess
import sys
import tempfile

programs = sys.argv[1]
faults = []
PLACE = r"an address or endpoint such as 192\.0\.2\.1"
YES_NO = "yes or no"
LEVEL = "error, warning, notice, info or debug"
# key: who reads it, wrong values, what is allowed (as the sentence says it), right values
NODE = {
    "device": (["tapd"], ["", "a/b", "sixteen-chars-xx", "..", "wt 0", "wt%d"], "1 to 15 letters, digits, dots, - or _", ["wt0", "lan-a.1"]),
    "mtu": (["tapd"], ["575", "9001", "-1", "1400x", "", "0x500", "1e3", "99999999999999999999"], "a number from 576 to 9000", ["576", "9000"]),
    "port": (["tapd", "metad"], ["0", "65536", "-1", "http", "", "80 81"], "number from 1 to 65535", ["1", "65535"]),
    "ip": (["metad"], ["", "alice", "192.0.2", "192.0.2.1:0", "192.0.2.1:65536", "[2001:db8::1]", "fe80::%eth0", "192.0.2.1 192.0.2.2"], PLACE, ["192.0.2.1", "[2001:db8::1]:8737"]),
    "connect": (["metad"], ["", "alice.example:8737", "192.0.2.1/24", "*"], PLACE, ["192.0.2.1:8737", "2001:db8::1"]),
    "relay": (["metad", "cryptod"], ["maybe", "-1", "0", "10X", "1.5M", "99999G", ""], r"yes, no or bytes per second such as 500k or 20M", ["yes", "no", "500k"]),
    "offload": (["cryptod"], ["yes", "", ",", "csum,", "all,csum", "none,gso", "csum;tso", "CSUM", "csum,csum", "tso", "gso,uso", "csum,tso6"], r"needs all, none or some of csum, tso, uso, gso and gro with commas between them", ["all", "none", "csum", "gro,gso", "csum, tso, uso, gso, gro"]),
    "io": (["cryptod"], ["", "yes", "URING", "io_uring", "epoll,uring", "select"], r"needs auto, epoll or uring", ["auto", "epoll", "uring"]),
    "indirect": (["metad"], ["maybe", "2", ""], YES_NO, ["yes", "no"]),
    "tcp-only": (["metad"], ["sometimes", ""], YES_NO, ["yes", "no"]),
    "log-level": (["tapd", "metad", "cryptod"], ["loud", "DEBUG", "7", ""], LEVEL, ["error", "debug"]),
}
REGISTRY = {
    "listen": (["registry"], ["", "8443", "localhost:8443", "0.0.0.0:0", "::1:8443"], r"ADDRESS:PORT, like 0\.0\.0\.0:8443", ["127.0.0.1:8443"]),
    "url": (["registry"], ["", "http://192.0.2.1:8443", "https://192.0.2.1:8443/x", "https://:8443"], "https://HOST:PORT, like https://198", ["https://192.0.2.1:8443", "https://192.0.2.1"]),
    "approval": (["registry", "signer"], ["maybe", "2", ""], YES_NO, ["yes", "no"]),
    "log-level": (["registry"], ["loud", ""], LEVEL, ["notice"]),
}
MEMBER = "name = a\nmac = 02:00:00:00:00:01\nipv4 = 10.9.0.1/22\n"


def known(page):
    text = open(os.path.join(os.path.dirname(__file__), "../../../man", page), encoding="ascii").read()
    return set(re.findall(r"^\.It (?:Ic|Cm) ([a-z-]+)", text, re.M))


for page, table in (("wattle.conf.5", NODE), ("registry.conf.5", REGISTRY)):
    if known(page) != set(table):
        faults.append(f"{page} and this table differ: {sorted(known(page) ^ set(table))}")


with tempfile.TemporaryDirectory() as root:
    os.makedirs(f"{root}/etc/wattle/t")
    conf, member = f"{root}/wattle.conf", f"{root}/member.conf"
    registry_conf = f"{root}/etc/wattle/t/registry.conf"
    with open(member, "w", encoding="ascii") as out:
        out.write(MEMBER)
    command = {
        "tapd": ["wattle-tapd", f"--config={conf}", f"--member={member}"],
        "metad": ["wattle-metad", f"--config={conf}"],
        "cryptod": ["wattle-cryptod", f"--config={conf}", "--tap-uid=1", "--meta-uid=2", "--key-uid=3"],
        "registry": ["wattle-registry", "serve", f"--root={root}"],
        "signer": ["wattle-signer", f"--root={root}"],
    }

    def ask(name, text):
        path = registry_conf if name in ("registry", "signer") else conf
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        words = command[name]
        done = subprocess.run([f"{programs}/{words[0]}", *words[1:], "--net=t", "--check"], capture_output=True, text=True, check=False, timeout=60)
        return path, done

    def expect_refusal(name, text, line, *parts):
        path, done = ask(name, text)
        said = done.stderr.strip()
        what = f"{name}, {text.splitlines()[line - 1]!r}"
        if done.returncode != 78:
            faults.append(f"{what}: exit {done.returncode}, not 78: {said}{done.stdout}")
        if said.count("\n"):
            faults.append(f"{what}: more than one sentence: {said}")
        for part in (re.escape(f"{path}:{line}:"), *parts):
            if not re.search(part, said):
                faults.append(f"{what}: no {part!r} in: {said}")

    count = 0
    for table in (NODE, REGISTRY):
        for key, (readers, wrong, allowed, right) in table.items():
            for name in readers:
                for value in wrong:
                    expect_refusal(name, f"# settings\n\n{key} = {value}\n", 3, rf"\b{key}\b", allowed)
                    count += 1
                for value in right:
                    _, done = ask(name, f"{key} = {value}\n")
                    if done.returncode != 0 or "all right" not in done.stdout:
                        faults.append(f"{name}, {key} = {value}: exit {done.returncode}: {done.stderr}")
                    count += 1
    # What is no line of settings at all, and keys that nobody has.
    for name in ("metad", "cryptod"):
        expect_refusal(name, "port = 8737\nprot = 1\n", 2, "there is no key 'prot'", r"wattle\.conf\(5\)")
        expect_refusal(name, "[node]\n", 1, "no sections")
    for name in ("tapd", "metad", "cryptod"):
        expect_refusal(name, "port = 8737\njust words\n", 2, "key = value")
    expect_refusal("registry", "colour = red\n", 1, "there is no key 'colour'")
    for name, key in (("tapd", "mtu"), ("metad", "port"), ("cryptod", "relay"), ("registry", "log-level")):
        value = {"mtu": "1400", "port": "8737", "relay": "yes", "log-level": "info"}[key]
        expect_refusal(name, f"{key} = {value}\n{key} = {value}\n", 2, key)
    print(f"{count} values of {len(NODE)} and {len(REGISTRY)} keys")

for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
