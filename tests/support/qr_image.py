#!/usr/bin/env python3
"""A QR code that was printed as half blocks, as a picture (PGM) for zbarimg: stdin to stdout."""
import re
import sys

LIGHT = {"█": (255, 255), "▀": (255, 0), "▄": (0, 255), " ": (0, 0)}
SCALE = 4


def main():
    rows = []
    for line in sys.stdin.read().splitlines():
        line = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if not line or any(letter not in LIGHT for letter in line):
            continue
        for half in (0, 1):
            row = [value for letter in line for value in [LIGHT[letter][half]] * SCALE]
            rows += [row] * SCALE
    sys.stdout.buffer.write(b"P5 %d %d 255\n" % (len(rows[0]), len(rows)))
    for row in rows:
        sys.stdout.buffer.write(bytes(row))


main()
