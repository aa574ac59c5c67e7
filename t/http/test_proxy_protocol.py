# SPDX-License-Identifier: MIT
"""The PROXY protocol in front of HTTP: whom a load balancer speaks for."""
import json
import socket
import struct

import pytest

from lib import http

INI = "http-socket = {http}\nmodule = basic\nhttp-enable-proxy-protocol = true\n"
REQUEST = b"GET /environ HTTP/1.1\r\nHost: t\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def block(command, family, addresses):
    return SIGNATURE + struct.pack(">BBH", 0x20 | command, family, len(addresses)) + addresses


V4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 5555, 80)
V6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::7") + bytes(16) + struct.pack(">HH", 5556, 80))


def environ(connection):
    response = connection.read_head()
    connection.read_body(response, "GET")
    assert response.status == 200
    found = json.loads(response.body)
    return found["REMOTE_ADDR"], found.get("REMOTE_PORT")


@pytest.mark.parametrize("line, peer", [
    (b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n", ("192.0.2.7", "5555")),
    (b"PROXY TCP6 2001:db8::7 ::1 5556 80\r\n", ("2001:db8::7", "5556")),
    (block(1, 0x11, V4), ("192.0.2.7", "5555")),
    (block(1, 0x11, V4 + b"\x04\0\x01x"), ("192.0.2.7", "5555")),
    (block(1, 0x21, V6), ("2001:db8::7", "5556"))])
def test_the_client_is_whom_the_proxy_names(start, line, peer):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(line + REQUEST)
        assert environ(c) == peer
        c.send(REQUEST)         # for all requests of the connection
        assert environ(c) == peer
    with http.Connection(server.http) as c:
        for byte in line + REQUEST:
            c.send(bytes([byte]))
        assert environ(c) == peer


@pytest.mark.parametrize("line", [b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN a b c d\r\n",
                                  block(0, 0, b""), block(1, 0x31, bytes(216))])
def test_a_proxy_that_speaks_for_nobody_is_the_client_itself(start, line):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(line + REQUEST)
        assert environ(c)[0].startswith("127.")


@pytest.mark.parametrize("bytes_", [
    REQUEST, b"PROXY TCP4 192.0.2.7 192.0.2.1 5555\r\n" + REQUEST,
    b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n" + REQUEST,
    b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 99999\r\n" + REQUEST,
    b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80 x\r\n" + REQUEST,
    b"PROXY \tTCP4 192.0.2.7 192.0.2.1 5555 80\r\n" + REQUEST, b"PROXY TCP4 " + b"1" * 200 + b"\r\n", b"PROXY \r\n" + REQUEST,
    SIGNATURE + b"\x31\x11\0\x0c" + V4 + REQUEST, SIGNATURE + b"\x21\x11\xff\xff"])
def test_what_is_no_proxy_protocol_is_refused(start, bytes_):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(bytes_)
        assert c.read_head().status == 400
    server.wait_log("no PROXY protocol, which http-enable-proxy-protocol expects")


def test_without_the_option_nobody_can_name_a_client(start):
    server = start("http-socket = {http}\nmodule = basic\n")
    with http.Connection(server.http) as c:
        c.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n" + REQUEST)
        assert c.read_head().status == 400
