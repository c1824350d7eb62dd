#!/usr/bin/env python3
"""https_server.py FOLDER MODE: a registry's HTTPS face on a free loopback port, as tests want it.

FOLDER holds key.pem, cert.pem, genesis and answer.json; the port goes to FOLDER/port once it listens,
each request that arrives as a line to FOLDER/requests. For MODE=other-key the join is answered with
key2.pem and cert2.pem."""
import os
import socket
import ssl
import sys
import threading
import time

folder, mode = sys.argv[1], sys.argv[2]


def context(suffix):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{folder}/cert{suffix}.pem", f"{folder}/key{suffix}.pem")
    return made


def note(line):
    with open(f"{folder}/requests", "a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            return "", b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.decode().split("\r\n"):
        if line.lower().startswith("content-length:"):
            length = int(line.split(":")[1])
    while len(body) < length:
        body += connection.recv(4096)
    return head.decode().split("\r\n")[0], body


def reply(connection, status, body, length=None):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    head = f"HTTP/1.1 {status} x\r\nDate: {date}\r\nContent-Length: {len(body) if length is None else length}\r\n"
    connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)


def answer(connection, line):
    with open(f"{folder}/genesis", "rb") as file:
        genesis = file.read()
    if line.startswith("GET /home/genesis "):
        if mode == "no-network":
            reply(connection, 404, b"no such thing")
        elif mode == "huge":
            reply(connection, 200, b"x" * (3 << 20))
        elif mode == "endless":
            connection.sendall(b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n")
            while True:
                connection.sendall(b"y" * 65536)
        elif mode == "slow":
            connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 100000\r\n\r\n")
            while True:
                connection.sendall(b"z")
                time.sleep(0.2)
        elif mode == "redirect":
            connection.sendall(b"HTTP/1.1 302 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
        else:
            reply(connection, 200, genesis)
    elif line.startswith("POST /home/join "):
        with open(f"{folder}/answer.json", "rb") as file:
            reply(connection, 409 if mode == "refuse" else 200, file.read())
    else:
        reply(connection, 404, b"")


def serve(connection, number):
    use = context("2") if mode == "other-key" and number > 0 else context("")
    try:
        with use.wrap_socket(connection, server_side=True) as secure:
            line, body = read_request(secure)
            if line:
                note(f"{line} {body.decode()}")
                answer(secure, line)
    except OSError:
        pass


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    with open(f"{folder}/port.new", "w", encoding="utf-8") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(f"{folder}/port.new", f"{folder}/port")
    number = 0
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, number), daemon=True).start()
        number += 1


main()
