# SPDX-License-Identifier: MIT
"""The actions http and uwsgi: requests that other servers answer, while the lane goes on."""
import contextlib
import functools
import os
import re
import socket
import struct
import threading
import time

import pytest

from lib import fastcgi, http, proc, scgi, uwsgi
from lib.address import connect, free_address
from lib.backend import HttpBackend, UwsgiBackend
from lib.wait import until

WAYS = {"http-socket": http, "http": http, "socket": uwsgi, "fastcgi-socket": fastcgi,
        "scgi-socket": scgi}
KINDS = {"http": HttpBackend, "uwsgi": UwsgiBackend}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def says(*parts):
    def answer(connection, _seen, _read):
        for part in parts:
            connection.sendall(part)
    return answer


@pytest.fixture
def proxied(start, backends):
    """(server, backend) of a rule for /to/…; other paths are the application's."""
    def run(say, ini="", way="http-socket", kind="http", more="", **options):
        address = free_address()
        backend = backends(KINDS[kind], address, say)
        server = start(f"{way} = {{peer}}\nmodule = basic\nroute = ^/to/ {kind}:{address}{more}\n"
                       f"{ini}\n", **options)
        return server, backend
    return run


# ---- what the other server gets, and the client ----

@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", WAYS)
def test_on_every_protocol(proxied, way, kind):
    def say(connection, seen, read):
        length = seen.get("CONTENT_LENGTH") if kind == "uwsgi" else \
            re.search(r"Content-Length: (\d+)", seen)[1]
        connection.sendall(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nX-A: 2\r\nConnection: close, X-Own\r\n"
                           b"X-Own: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\n" +
                           read(int(length)))
    server, _ = proxied(say, "route = ^/ addheader:X-Rule: 1", way, kind)
    for body in (b"first", b"other"):
        answer = WAYS[way].request(server.peer, "/to/x?y", method="POST", body=body)
        assert (answer.status, answer.body) == (201, body)
        assert answer.all("X-A") == ["1", "2"] and answer.header("Content-Length") == "5"
        assert not answer.all("X-Own") and not answer.all("Keep-Alive")
    assert WAYS[way].request(server.peer, "/hello").body == b"hello\n"


def test_what_an_http_server_gets(proxied):
    server, backend = proxied(says(OK), more=",${{REQUEST_METHOD}}.example")
    http.request(server.peer, "/to/a%20b?c=d", headers=[
        ("X-Forwarded-For", "192.0.2.1"), ("Connection", "X-Own"), ("X-Own", "1"), ("TE", "trailers"),
        ("User-Agent", "me")])
    assert backend.seen == ["GET /to/a%20b?c=d HTTP/1.1\r\nHost: GET.example\r\nUser-Agent: me\r\n"
                            "X-Forwarded-For: 192.0.2.1, 127.0.0.1\r\nConnection: close\r\n\r\n"]


def test_what_a_uwsgi_server_gets(proxied):
    server, backend = proxied(says(OK), kind="uwsgi", more=",5,7")
    http.request(server.peer, "/to/a%20b?c=d")
    modifier1, modifier2, seen = backend.seen[0]
    assert (modifier1, modifier2) == (5, 7)
    assert (seen["PATH_INFO"], seen["REQUEST_URI"], seen["REMOTE_ADDR"]) == \
        ("/to/a b", "/to/a%20b?c=d", "127.0.0.1")
    assert "UWSGI_APPID" not in seen
    http.request(server.peer, "/to/", headers=[("X-Forwarded-Proto", "https")])
    assert backend.seen[1][2].get("UWSGI_SCHEME", "") != "https"


@pytest.mark.parametrize("more, modifiers", [(",0,0,shop", (0, 0)), (",5,,shop", (5, 0))])
def test_which_application_of_a_uwsgi_server(proxied, more, modifiers):
    server, backend = proxied(says(OK), kind="uwsgi", more=more)
    http.request(server.peer, "/to/")
    assert backend.seen[0][:2] == modifiers and backend.seen[0][2]["UWSGI_APPID"] == "shop"


@pytest.mark.parametrize("answer,method,status,body", [
    (b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n", "GET",
     200, b"abcde"),
    (b"200 OK\r\n\r\nto the end", "GET", 200, b"to the end"),
    (b"200 OK\r\nContent-Length: 2\r\n\r\nok and more", "GET", 200, b"ok"),
    (b"100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
     b"Content-Length: 2\r\n\r\nok", "GET", 200, b"ok"),
    (b"200 OK\r\nContent-Length: 70\r\n\r\n", "HEAD", 200, b""),
    (b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", 200, b""),
    (b"204 No Content\r\n\r\n", "GET", 204, b""),
    (b"304 Not Modified\r\nContent-Length: 70\r\n\r\n", "GET", 304, b""),
    (b"404\r\nContent-Length: 0\r\n\r\n", "GET", 404, b""),
])
def test_how_bodies_end(proxied, answer, method, status, body):
    """The server's connection stays open where that says nothing about the end."""
    ended = threading.Event()

    def say(connection, _seen, _read):
        connection.sendall(b"HTTP/1.1 " + answer)
        if b"to the end" not in answer:
            ended.wait(10)
    server, _ = proxied(say)
    try:
        with http.Connection(server.peer) as c:
            c.send(http.request_bytes("/to/", method=method))
            got = c.read(method)
            assert (got.status, got.body) == (status, body)
            assert not got.all("Link")
            c.send(http.request_bytes("/hello"))
            assert c.read().body == b"hello\n"
    finally:
        ended.set()


def test_an_answer_in_every_split(proxied):
    whole = (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"2\r\nok\r\n0\r\n\r\n")
    cuts = iter(range(1, len(whole)))

    def say(connection, _seen, _read):
        cut = next(cuts)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(whole[:cut])
        time.sleep(0.001)
        connection.sendall(whole[cut:])
    server, _ = proxied(say)
    with http.Connection(server.peer) as c:
        for _ in range(1, len(whole)):
            c.send(http.request_bytes("/to/"))
            assert c.read().body == b"ok"


@pytest.mark.parametrize("answer", [
    b"", b"HTTP/1.1 200 OK\r\n", b"SSH-2.0-x\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\x00\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 102 Wait\r\n\r\n" * 20,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd",
    b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000 + b"\r\n\r\n",
])
def test_what_is_no_answer_is_502(proxied, answer):
    server, _ = proxied(says(answer), "response-route-status = 502 addheader:X-Rule: 1")
    got = http.request(server.peer, "/to/")
    assert (got.status, got.header("X-Rule")) == (502, "1")
    assert server.wait_log(r"route: GET /to/: .*; the client gets 502")
    assert http.request(server.peer, "/hello").status == 200


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
def test_a_client_sees_that_an_answer_broke_off(proxied, answer):
    server, _ = proxied(says(answer))
    got = http.request(server.peer, "/to/")
    assert got.status == 200 and not got.complete


# ---- rules ----

def test_rules_for_answers_hold(proxied):
    server, _ = proxied(
        says(b"HTTP/1.1 404 Not Found\r\nX-Id: 7\r\nX-Gone: 1\r\nContent-Length: 3\r\n\r\nabc"),
        "route-run = addheader:X-Too-Late: 1\n"
        "error-route-status = 404 addheader:X-Error: ${{ID}}\n"
        "response-route-run = remheader:X-Gone\n"
        "response-route-qs = other return:410\n"
        "pull-header = X-Id ID\n"
        "final-route-run = log:final ${{REQUEST_URI}} ${{uwsgi[status]}}")
    got = http.request(server.peer, "/to/")
    assert (got.status, got.body, got.header("X-Error")) == (404, b"abc", "7")
    assert not got.all("X-Gone") and not got.all("X-Id") and not got.all("X-Too-Late")
    got = http.request(server.peer, "/to/?other")
    assert (got.status, got.body) == (410, b"Gone")
    assert sorted(server.wait_each(r"^final .*", 2)) == ["final /to/ 404", "final /to/?other 410"]


@pytest.mark.parametrize("rule,sentence", [
    ("http:", "expected an address"), ("http:127.0.0.1", "expected HOST:PORT"),
    ("uwsgi:shop.example,1", "expected HOST:PORT"), ("http:127.0.0.1:1,", "HOST"),
    ("http:127.0.0.1:1,a,b", "HOST"), ("uwsgi:127.0.0.1:1,300", "MODIFIER1"),
    ("uwsgi:127.0.0.1:1,1,x", "MODIFIER1")])
def test_what_is_no_rule(start, rule, sentence):
    with pytest.raises(AssertionError, match=sentence):
        start(f"http-socket = {{http}}\nmodule = basic\nroute-run = {rule}\n")


# ---- time, and who is not there ----

def test_nobody_there(start):
    nobody = free_address()
    server = start("http-socket = {http}\nmodule = basic\nroute = ^/tcp http:{nobody}\n"
                   "route = ^/unix uwsgi:{here}/nobody.sock,0,0\n", nobody=nobody)
    for path in ("/tcp", "/unix"):
        assert http.request(server.http, path, method="POST", body=b"x" * 100).status == 502
    server.wait_log(r"there is no server at /.*/nobody\.sock; the client gets 502")
    server.wait_log(f"nobody takes connections at {nobody}; the client gets 502")
    with http.Connection(server.http) as c:
        for _ in range(3):
            c.send(http.request_bytes("/tcp"))
            assert c.read().status == 502


def test_a_silent_server_is_504(proxied):
    ended = threading.Event()
    server, _ = proxied(lambda *_: ended.wait(10), "route-timeout = 1")
    try:
        assert http.request(server.peer, "/to/").status == 504
        server.wait_log("no answer came within route-timeout; the client gets 504")
    finally:
        ended.set()


def test_a_lane_full_of_waiting_requests_serves_others(proxied):
    """harakiri is for who runs in the worker: none of these does."""
    go = threading.Event()

    def say(connection, _seen, _read):
        go.wait(20)
        connection.sendall(OK)
    server, backend = proxied(say, "harakiri = 1\nprocesses = 1\nroute-max = 20")
    waiting = [http.Connection(server.peer) for _ in range(20)]
    try:
        for c in waiting:
            c.send(http.request_bytes("/to/"))
        until(lambda: len(backend.seen) == 20, "all to be passed on")
        assert http.request(server.peer, "/to/one-too-many").status == 503
        for _ in range(15):     # longer than harakiri
            assert http.request(server.peer, "/hello").body == b"hello\n"
            time.sleep(0.1)
        go.set()
        assert [c.read().body for c in waiting] == [b"ok"] * 20
    finally:
        go.set()
        for c in waiting:
            c.close()
    until(lambda: len(re.findall(r"GET /to/ =>", server.log())) == 20, "a line for each")
    assert "harakiri" not in server.log()
    took = [int(n) for n in re.findall(r"GET /to/ => .* in (\d+) msecs", server.log())]
    assert min(took) >= 1000


@pytest.mark.parametrize("way", ["http-socket", "http"])
def test_a_client_that_closes_its_half_of_the_connection_gets_its_answer(proxied, way):
    go = threading.Event()

    def say(connection, _seen, _read):
        go.wait(10)
        connection.sendall(OK)
    server, backend = proxied(say, way=way)
    with http.Connection(server.peer) as c:
        c.send(http.request_bytes("/to/"))
        c.finish_sending()
        until(lambda: backend.seen, "the request to be passed on")
        # The worker has heard of the end when it has answered somebody else.
        assert http.request(server.peer, "/hello").status == 200
        go.set()
        assert c.read().body == b"ok"


def test_the_server_learns_that_the_client_is_gone(proxied):
    gone = threading.Event()

    def say(connection, _seen, _read):
        if not connection.recv(1):
            gone.set()
    server, backend = proxied(say)
    with http.Connection(server.peer) as c:
        c.send(http.request_bytes("/to/"))
        until(lambda: backend.seen, "the request to be passed on")
        # A reset: an end alone might only be that of one half.
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert gone.wait(10)
    assert http.request(server.peer, "/hello").status == 200


# ---- much ----

@pytest.mark.parametrize("kind", KINDS)
def test_large_bodies_both_ways(proxied, kind):
    """More than any buffer holds; what comes back slowly keeps nobody."""
    size = 8 << 20
    body = os.urandom(1 << 16) * (size >> 16)

    def say(connection, _seen, read):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        connection.sendall(read(size))
    server, _ = proxied(say, kind=kind)
    answer = http.request(server.peer, "/to/", method="POST", body=body)
    assert answer.body == body


def test_the_server_waits_for_the_client(proxied):
    """64 MiB for a client that does not read: they are not taken."""
    sent = [0]

    def say(connection, _seen, _read):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while sent[0] < 64 << 20:
                sent[0] += connection.send(b"x" * 65536)
    server, _ = proxied(say)
    c = connect(server.peer, receive_buffer=4096)
    try:
        c.sendall(http.request_bytes("/to/"))
        until(lambda: sent[0], "the answer to begin")
        before = -1
        while before != sent[0]:
            before = sent[0]
            assert http.request(server.peer, "/hello").status == 200
            time.sleep(0.2)
        assert 0 < sent[0] < 24 << 20
        worker, = server.workers()
        assert int(proc.status(worker, "VmRSS")[0]) < 64 << 10
    finally:
        c.close()


def test_a_refused_body_has_its_answer(proxied):
    """The server answers before it has read all, and closes."""
    def say(connection, _seen, _read):
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
    server, _ = proxied(say)
    answer = http.request(server.peer, "/to/", method="POST", body=b"x" * (4 << 20))
    assert (answer.status, answer.body) == (413, b"no")


def test_a_stream_comes_as_it_is_said(proxied):
    more = threading.Event()

    def say(connection, _seen, _read):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst\n")
        more.wait(10)
        connection.sendall(b"second\n")
    server, _ = proxied(say)
    with http.Connection(server.peer) as c:
        c.send(http.request_bytes("/to/"))
        c.read_until(b"first")
        more.set()
        assert c.read().body == b"first\nsecond\n"


def test_a_reload_lets_them_end(proxied):
    go = threading.Event()

    def say(connection, _seen, _read):
        go.wait(20)
        connection.sendall(OK)
    server, backend = proxied(say)
    with http.Connection(server.peer) as c:
        c.send(http.request_bytes("/to/"))
        until(lambda: backend.seen, "the request to be passed on")
        assert server.hup()
        go.set()
        assert c.read().body == b"ok"


def test_many_at_once_with_threads(proxied):
    server, _ = proxied(says(OK), "threads = 2\nprocesses = 2\nenable-threads = 1")
    failed = []

    def ask():
        with http.Connection(server.peer) as c:
            for n in range(50):
                c.send(http.request_bytes("/to/" if n % 3 else "/hello"))
                if c.read().status != 200:
                    failed.append(n)
    askers = [threading.Thread(target=ask) for _ in range(8)]
    for t in askers:
        t.start()
    for t in askers:
        t.join()
    assert not failed
