#!/usr/bin/env python3
"""crowd.py ADDRESS PORT COUNT KIND SECONDS: COUNT connections from all addresses of eth0, opened as fast as it goes and
opened again when they are closed, for SECONDS. KIND: silent (connects only), slow (one byte a second of a request),
hello (the first bytes of a TLS hello, then nothing), half (as silent: a packet filter keeps them half-open). Prints what came of it."""
import errno
import select
import socket
import subprocess
import sys
import time

address, port, count, kind, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], float(sys.argv[5])
shown = subprocess.run(["ip", "-4", "-o", "address", "show", "dev", "eth0"], capture_output=True, text=True, check=True).stdout
sources = [word.split("/")[0] for line in shown.splitlines() for word in [line.split()[3]]]
HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(20)
REQUEST = b"GET /home/genesis HTTP/1.1\r\nX: " + b"a" * 60
opened = refused = closed = 0
held = {}
waiting = {}
poll = select.epoll()
end = time.monotonic() + seconds
next_byte = time.monotonic() + 1
turn = 0


def dial():
    global turn, refused
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    turn += 1
    s.bind((sources[turn % len(sources)], 0))
    problem = s.connect_ex((address, port))
    if problem not in (0, errno.EINPROGRESS):
        refused += 1
        s.close()
        return
    waiting[s.fileno()] = s
    poll.register(s.fileno(), select.EPOLLOUT)


def forget(fd):
    poll.unregister(fd)
    (waiting.pop(fd, None) or held.pop(fd)).close()


while time.monotonic() < end:
    burst = 0
    while len(held) + len(waiting) < count and burst < 200:
        dial()
        burst += 1
    for fd, event in poll.poll(0.02):
        if fd in waiting:
            if waiting[fd].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                refused += 1
                forget(fd)
                continue
            opened += 1
            held[fd] = waiting.pop(fd)
            poll.modify(fd, select.EPOLLIN | select.EPOLLRDHUP)
            try:
                if kind == "hello":
                    held[fd].send(HELLO)
                elif kind == "slow":
                    held[fd].send(b"\x16" if port == 8443 else b"P")
            except OSError:
                forget(fd)
        elif fd in held:
            try:
                gone = not held[fd].recv(4096)
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                closed += 1
                forget(fd)
    if kind == "slow" and time.monotonic() > next_byte:
        next_byte += 1
        for fd, s in list(held.items()):
            try:
                s.send(REQUEST[turn % len(REQUEST):][:1] or b"a")
            except OSError:
                pass
print(f"{opened} connections opened, {closed} closed by the other side, {refused} refused, {len(held)} held at the end")
