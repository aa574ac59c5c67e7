# SPDX-License-Identifier: MIT
"""Options of sockets, and headers that the configuration adds or takes away, on each protocol."""
import json
import os
import socket

import pytest

from lib import fastcgi, http, uwsgi
from lib.address import accepts, connect, free_port
from lib.server import command

MODULE = "module = basic\n"


def hello(address):
    return http.request(address, "/hello")


@pytest.mark.parametrize("protocol, ask", [
    ("http", http.request), ("http11", http.request), ("uwsgi", uwsgi.request),
    ("fastcgi", fastcgi.request)])
def test_protocol_says_what_a_socket_speaks(start, protocol, ask):
    server = start(MODULE + f"socket = {{s}}\nprotocol = {protocol}\n")
    assert ask(server.s, "/hello").body == b"hello\n"


def test_an_unknown_protocol_is_refused_with_those_there_are(start):
    server = start.not_yet(MODULE + "socket = {s}\nprotocol = gopher\n")
    assert server.run() == 1
    server.wait_log("protocol = gopher: must be one of: uwsgi, http")


def test_http11_socket_is_http_socket(start):
    server = start(MODULE + "http11-socket = {s}\n")
    assert hello(server.s).status == 200


def test_abstract_socket_needs_no_file(start):
    server = start(MODULE + "http-socket = {s_unix}\nabstract-socket = true\n")
    assert not os.path.exists(server.s_unix)
    assert hello("@" + server.s_unix).status == 200


def test_a_shared_socket_is_named_by_its_number(start):
    server = start(MODULE + "shared-socket = {a}\nshared-socket = {b}\nhttp-socket = =1\n"
                   "socket = =0\n")
    assert hello(server.b).status == 200
    assert uwsgi.request(server.a, "/hello").status == 200


def test_a_shared_socket_that_is_not_there_is_named(start):
    server = start.not_yet(MODULE + "shared-socket = {a}\nhttp-socket = =1\n")
    assert server.run() != 0
    server.wait_log("http-socket = =1: there is no shared-socket 1")


def test_reuse_port_lets_another_server_listen(start):
    one = start(MODULE + "http-socket = {s}\nreuse-port = true\n")
    two = start(MODULE + f"http-socket = {one.s}\nreuse-port = true\n")
    assert one.pid != two.pid
    assert hello(one.s).status == 200


def test_freebind_listens_where_the_machine_is_not(start):
    server = start.not_yet(MODULE + f"http-socket = 192.0.2.99:{free_port()}\n")
    assert server.run() != 0
    start(MODULE + f"http-socket = 192.0.2.99:{free_port()}\nhttp-socket = {{s}}\nfreebind = true\n")


def test_options_reach_the_kernel(as_root, start, master_socket):
    server = start(MODULE + "http-socket = {s}\nso-keepalive = true\ntcp-fast-open = 7\n"
                   "socket-sndbuf = 100k\nsocket-rcvbuf = 50k\nno-defer-accept = true\n")
    with master_socket(server, server.s) as s:
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert s.getsockopt(socket.IPPROTO_TCP, 23) == 7        # TCP_FASTOPEN
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 100 * 1024
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * 50 * 1024
        assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) == 0
    usual = start(MODULE + "http-socket = {s}\n")
    with master_socket(usual, usual.s) as s:
        assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) > 0


@pytest.mark.parametrize("name", ["so-send-timeout", "so-write-timeout", "socket-send-timeout",
                                  "socket-write-timeout"])
def test_a_peer_that_takes_nothing_is_given_up(start, name):
    """Without a file for the rest of the answer, it is over when the peer was given up."""
    server = start(MODULE + f"http-socket = {{s}}\nsocket-timeout = 60\n{name} = 1\n"
                   "response-file-max = 0\n")
    s = connect(server.s, receive_buffer=4096)
    s.sendall(b"GET /big?n=50000000 HTTP/1.1\r\nHost: t\r\n\r\n")
    server.wait_log("generated")
    assert accepts(server.s)
    got = b""
    s.settimeout(10)
    try:
        while chunk := s.recv(1 << 20):
            got += chunk
    except ConnectionResetError:
        pass
    assert len(got) < 50000000
    s.close()


# ---- headers ----

@pytest.fixture
def ways(start):
    server = start(MODULE + "http-socket = {http}\nsocket = {uwsgi}\nfastcgi-socket = {fcgi}\n"
                   "add-header = X-Added: a ; b # c\nadd-header = X-More: 1\nrem-header = X-Two\n"
                   "del-header = content-type\nthreads = 2\n")
    return [(http.request, server.http), (uwsgi.request, server.uwsgi),
            (fastcgi.request, server.fcgi)]


def test_headers_are_added_and_taken_away_on_each_protocol(ways):
    for ask, address in ways:
        response = ask(address, "/status?line=200+OK")
        names = [name.lower() for name, _ in response.headers]
        assert response.header("X-Added") == "a ; b # c"
        assert names.count("x-added") == names.count("x-more") == 1
        assert response.header("X-One") == "1"
        assert "x-two" not in names and "content-type" not in names


@pytest.mark.parametrize("path", ["/known_length", "/buffers"])
def test_a_body_without_its_content_length_is_framed(start, path):
    """Whether the application has said its length or not."""
    server = start("module = edges\nhttp-socket = {http}\nrem-header = Content-Length\n")
    with http.Connection(server.http) as c:
        for _ in range(2):
            response = c.request(path)
            assert (response.body, response.complete) == (b"onetwo", True)
            assert response.header("Content-Length") is None
            assert response.header("Transfer-Encoding") == "chunked"
        assert c.request(path, "HEAD").header("Content-Length") is None


def test_add_header_connection_close_closes(start):
    server = start(MODULE + "http-socket = {http}\nadd-header = Connection: close\n")
    with http.Connection(server.http) as c:
        response = c.request("/hello")
        assert response.header("Connection") == "close"
        assert [n.lower() for n, _ in response.headers].count("connection") == 1
        assert c.read_all() == b""


@pytest.mark.parametrize("line", ["add-header = nothing", "add-header = two words: x",
                                  "rem-header = two words", "add-header = Content-Length: 5",
                                  "add-header = transfer-encoding: chunked"])
def test_what_is_no_header_is_an_error(start, line):
    server = start.not_yet(MODULE + f"http-socket = {{http}}\n{line}\n")
    assert server.run() == 1
    server.wait_log(line.replace("=", "="))


@pytest.mark.parametrize("value", ["X-A: b\r\nX-C: d", "X-A: b\n\nbody", "X-A: \x01"])
def test_a_header_of_several_lines_is_an_error(folder, value):
    with open(f"{folder}/a.json", "w", encoding="ascii") as f:
        json.dump({"uwsgi": {"http-socket": ":0", "module": "basic", "add-header": value}}, f)
    done = command("--check", "--json", f"{folder}/a.json")
    assert done.returncode == 1
    assert "a header has one line" in done.stderr


def test_thread_stacksize(start):
    server = start(MODULE + "http-socket = {http}\nthreads = 3\nthread-stacksize = 1024\n")
    assert hello(server.http).status == 200
    server = start(MODULE + "http-socket = {http}\nthreads = 3\nthread-stacksize = 1\n")
    server.wait_log("thread-stacksize = 1: must be from 64 to .*; taken as 64")
    assert hello(server.http).status == 200
