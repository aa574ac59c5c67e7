# SPDX-License-Identifier: MIT
"""Connections that send inspect what they should not, in pieces, and leave as they like: its process lives,
holds nothing afterwards, and probes are answered all the while."""
import os
import random
import socket

from lib import http, proc
from lib.address import connect
from lib.wait import until

PATHS = ["/", "/stats", "/metrics", "/events", "/live", "/ready", "/startup", "/stacks", "/profile?seconds=1",
         "/none", "*", "http://localhost/live"]
LINES = ["Host: localhost", "Host: 127.0.0.1", "Host: evil.example", "Origin: http://localhost",
         "Sec-Fetch-Site: cross-site", "Accept: text/plain", "Accept: application/openmetrics-text;q=0.1, ,",
         "Connection: close", "Connection: keep-alive", "Content-Length: 0", "Content-Length: 5",
         "Transfer-Encoding: chunked", "Authorization: Basic YTpi", "Expect: 100-continue", "X: " + "y" * 3000]


def request(rng):
    lines = [f"{rng.choice(['GET', 'GET', 'GET', 'HEAD', 'POST', 'X'])} {rng.choice(PATHS)} "
             f"HTTP/{rng.choice(['1.1', '1.1', '1.0', '2.0'])}"]
    lines += ["Host: localhost"] if rng.random() < .8 else []
    return "\r\n".join([*lines, *rng.sample(LINES, rng.randrange(4)), "", ""]).encode()


def damaged(data, rng):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data))
        how = rng.randrange(3)
        if how == 0:
            data[at] = rng.randrange(256)
        elif how == 1:
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        else:
            data[at:at] = data[max(0, at - 50):at]
    return bytes(data)


def send_in_pieces(s, data, rng):
    try:
        while data:
            n = rng.choice([len(data), rng.randrange(1, len(data) + 1)])
            s.send(data[:n])
            data = data[n:]
            if rng.random() < .1:
                s.recv(rng.choice([1, 100, 65536]))
        if rng.random() < .2:
            s.shutdown(socket.SHUT_WR)
    except OSError:
        pass        # it was sent away


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_hostile_clients(start):
    rng = random.Random(7)
    server = start("http-socket = {http}\nmodule = basic\ninspect = {inspect}\ninspect = {ins_unix}\n"
                   "health = {health}\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    service = server.services()[0]
    before = descriptors(service)
    addresses = [server.inspect, server.inspect, server.ins_unix, server.health]
    clients = []
    for i in range(600):
        clients.append(connect(rng.choice(addresses)))
        clients[-1].settimeout(0.01)
        data = b"".join(request(rng) for _ in range(rng.choice([1, 1, 1, 2, 5, 30])))
        send_in_pieces(clients[-1], data if rng.random() < .5 else damaged(data, rng), rng)
        while len(clients) > rng.randrange(24):
            clients.pop(rng.randrange(len(clients))).close()
        if i % 50 == 0:
            assert http.request(server.health, "/live").body == b"alive\n"
    for client in clients:
        client.close()
    assert proc.alive(service) and server.services() == [service]
    until(lambda: descriptors(service) <= before, "all of them to be forgotten", 20)
