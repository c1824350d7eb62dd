#!/usr/bin/env python3
"""api_page.py SOURCE-FOLDER: man/wattle-registry-api.7 has the requests and the words of errors that
registry/core/api.cpp has, with their status, and no others."""
import re
import sys

source = sys.argv[1]
page = open(f"{source}/man/wattle-registry-api.7", encoding="ascii").read()
code = open(f"{source}/registry/core/api.cpp", encoding="ascii").read()
faults = []

have = {(m.upper(), n) for m, n in re.findall(r"^\.It Li (GET|POST) /NET/([a-z]+)", page, re.M)}
rows = re.search(r"kCalls\[\] = \{(.*?)\};", code, re.S).group(1)
want = {(m.upper(), n) for n, m in re.findall(r'"([a-z]+)", Method::(Get|Post)', rows)}
for method, name in sorted(have ^ want):
    faults.append(f"{method} /NET/{name} is in one of page and code only")

table = page.split('.\\" words of errors')[1].split('.\\" end of the words')[0]
have = {(int(status), word) for status, words in re.findall(r"^\.It (\d+) Ta (.*)$", table, re.M) for word in words.split(", ")}
want = {(int(status), word) for status, word in re.findall(r'\{Fault::\w+, (\d+), "([a-z-]+)"\}', code)}
for status, word in sorted(have ^ want):
    faults.append(f"{status} {word} is in one of page and code only")
if not have or not want:
    faults.append("nothing found to compare")

for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
