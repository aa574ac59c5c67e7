# SPDX-License-Identifier: MIT
"""Requests cut in two at every byte, on every protocol: a reader may not depend on what one read
of the socket gives."""
import json
import socket

import pytest

from lib import fastcgi, http, scgi, uwsgi

BODY = b"the body\r\n\r\nof it"
HEADERS = [("X-One", "1")]


def split_points(address, data, read):
    """One connection for each place; all are open at once, so that no pause is needed between
    the two halves: the first ones of all arrive before the second ones are sent."""
    for first in range(1, len(data), 100):
        points = range(first, min(first + 100, len(data)))
        clients = [http.Connection(address) for _ in points]
        for c, i in zip(clients, points):
            c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            c.send(data[:i])
        for c, i in zip(clients, points):
            c.send(data[i:])
        for c, i in zip(clients, points):
            assert read(c) == BODY, f"split at byte {i}"
            c.close()


def read_fastcgi(c):
    f = fastcgi.Connection.__new__(fastcgi.Connection)
    f.socket = c.socket
    return f.read().body


def read_scgi(c):
    s = scgi.Connection.__new__(scgi.Connection)
    s.socket, s.buffer = c.socket, b""
    return s.read()


REQUESTS = {
    "http": (http.request_bytes("/echo", "POST", HEADERS, BODY), lambda c: c.read().body),
    "http chunked": (http.request_bytes("/echo", "POST", [("Transfer-Encoding", "chunked")],
                                        http.chunked(BODY[:5], BODY[5:], trailers=[("T", "u")])),
                     lambda c: c.read().body),
    "uwsgi": (uwsgi.request_bytes("/echo", "POST", HEADERS, BODY), lambda c: c.read().body),
    "fastcgi": (fastcgi.request_bytes("/echo", "POST", HEADERS, BODY), read_fastcgi),
    "scgi": (scgi.request_bytes("/echo", "POST", HEADERS, BODY), lambda c: read_scgi(c).body),
    "fastcgi padded": (fastcgi.request_bytes("/echo", "POST", body=BODY, size=50, padding=3),
                       read_fastcgi),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_split_at_every_byte_is_understood(served, name):
    data, read = REQUESTS[name]
    split_points(served.names[name.split()[0]], data, read)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_comes_byte_by_byte_is_understood(served, name):
    data, read = REQUESTS[name]
    with http.Connection(served.names[name.split()[0]]) as c:
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(len(data)):
            c.send(data[i:i + 1])
        assert read(c) == BODY


@pytest.mark.parametrize("name", REQUESTS)
def test_a_client_that_leaves_at_any_byte_does_no_harm(served, name):
    """And what it left unfinished does not run."""
    data, _ = REQUESTS[name]
    address = served.names[name.split()[0]]
    for i in range(0, len(data), 7):
        with http.Connection(address) as c:
            c.send(data[:i])
    assert json.loads(http.request(served.http, "/environ").body)


def test_two_pipelined_requests_split_at_every_byte(served):
    data = http.request_bytes("/hello") + http.request_bytes("/echo", "POST", body=BODY)

    def read(c):
        assert c.read().body == b"hello\n"
        return c.read().body

    split_points(served.http, data, read)
