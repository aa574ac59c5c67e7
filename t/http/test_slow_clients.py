# SPDX-License-Identifier: MIT
"""Clients that take their time must not take anyone else's: one worker with one thread serves
others meanwhile."""
import select
import socket
import time

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.wait import until

INI = """
http-socket = {http}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
module = basic
processes = 1
threads = 1
"""
SPEAK = {"http": http, "uwsgi": uwsgi, "fastcgi": fastcgi, "scgi": scgi}


@pytest.mark.parametrize("name", SPEAK)
def test_slow_heads_block_nobody(start, name):
    server = start(INI)
    data = SPEAK[name].request_bytes("/hello")
    slow = [http.Connection(server.names[name]) for _ in range(20)]
    for i, c in enumerate(slow):
        c.send(data[:1 + i])
    assert http.request(server.http, "/hello").body == b"hello\n"
    for i, c in enumerate(slow):
        c.send(data[1 + i:])
        c.read_until(b"hello\n")
        c.close()


@pytest.mark.parametrize("name", SPEAK)
def test_slow_bodies_block_nobody(start, name):
    server = start(INI)
    body = b"0123456789" * 20000
    data = SPEAK[name].request_bytes("/echo", "POST", body=body)
    with http.Connection(server.names[name]) as slow:
        slow.send(data[:-1])
        assert http.request(server.http, "/hello").body == b"hello\n"
        slow.send(data[-1:])
        slow.read_until(b"0123456789012345")
        while len(slow.buffer) < len(body):
            assert slow._fill()


def test_a_slow_reader_of_a_large_response_blocks_nobody(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 1\nthreads = 2")
    with http.Connection(server.http, receive_buffer=4096) as slow:
        slow.send(http.request_bytes("/big?n=20000000"))
        slow.socket.recv(1000, 0x2)  # MSG_PEEK: it has begun
        for _ in range(10):
            assert http.request(server.http, "/hello").body == b"hello\n"
        assert len(slow.read().body) == 20000000


# ---- peers that take their time, and those that take nothing ----

SLOW = """
http-socket = {http}
http = {router}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
socket = {uwsgi_unix}
fastcgi-socket = {fastcgi_unix}
scgi-socket = {scgi_unix}
module = basic
processes = 8
"""
TCP = ["http", "router", "uwsgi", "fastcgi", "scgi"]
UNIX = ["uwsgi_unix", "fastcgi_unix", "scgi_unix"]


def ask(server, name, target):
    """A connection whose answer has begun, of which nothing was taken yet.  Its buffer does not grow;
    a smaller one would lose the loopback's large packets, which are sent again after seconds."""
    speak = SPEAK.get(name.partition("_")[0], http)
    c = http.Connection(server.names[name], receive_buffer=131072)
    c.send(speak.request_bytes(target, version="1.0"))
    c.socket.recv(1, socket.MSG_PEEK)
    return c


def wait_until_hung_up_on(c):
    """Without taking anything."""
    waiting = select.poll()
    waiting.register(c.socket, 0)
    assert waiting.poll(20000)
    c.close()


def test_a_peer_that_takes_nothing_is_given_up_on(start):
    """While the application has more to say, and when it is done."""
    server = start(SLOW + "so-send-timeout = 1\n")
    connections = [ask(server, name, f"/{what}?n=30000000")
                   for what in ("big", "block") for name in TCP + UNIX]
    assert http.request(server.http, "/hello").body == b"hello\n"
    for c in connections:
        wait_until_hung_up_on(c)


def test_a_peer_that_leaves_the_tail_is_given_up_on(start):
    """More than the kernel takes, though the application is done."""
    server = start(SLOW + "so-send-timeout = 1\nsocket-sndbuf = 8192\n")
    for c in [ask(server, name, "/block?n=1000000") for name in TCP + UNIX]:
        wait_until_hung_up_on(c)


RATE = 300_000      # bytes a second; over loopback a window opens by a whole buffer, each 0.9 s
QUICK_S = 4


def test_an_honest_slow_reader_gets_all(start):
    """The kernel says that more may be written only when a third of its buffer is free: that takes
    longer than the timeout here.  After QUICK_S the reader is quick, so as not to keep us."""
    server = start(SLOW + "so-send-timeout = 3\nsocket-sndbuf = 4m\n")
    # Those first that keep their workers.
    left = [ask(server, name, f"/{what}?n=12000000") for what in ("big", "block") for name in TCP]
    got = dict.fromkeys(left, 0)
    began = time.monotonic()
    while left:
        passed = time.monotonic() - began
        for c in left[:]:
            due = int(passed * RATE) - got[c]
            data = c.socket.recv(1 << 20 if passed > QUICK_S else max(1, due))
            got[c] += len(data)
            if not data:
                left.remove(c)
                c.close()
        if passed <= QUICK_S:
            time.sleep(0.01)
    assert all(n > 12000000 for n in got.values()), got.values()


def test_a_head_that_never_ends_is_dropped_after_http_timeout(start):
    server = start("http-socket = {http}\nmodule = basic\nhttp-timeout = 1")
    with http.Connection(server.http) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: t\r\n")
        answer = c.read_all()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_never_ends_is_dropped_after_http_timeout(start):
    server = start("http-socket = {http}\nmodule = basic\nhttp-timeout = 1")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", [("Content-Length", "10")], b"12345"))
        answer = c.read_all()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed_after_http_timeout(start):
    server = start("http-socket = {http}\nmodule = basic\nhttp-timeout = 1")
    with http.Connection(server.http) as c:
        assert c.request("/hello").status == 200
        assert c.is_closed()


@pytest.mark.parametrize("name", ["uwsgi", "fastcgi", "scgi"])
def test_a_silent_peer_is_dropped_after_socket_timeout(start, name):
    server = start(INI + "socket-timeout = 1\n")
    with http.Connection(server.names[name]) as c:
        c.send(SPEAK[name].request_bytes("/hello")[:-5])
        answer = c.read_all()
        assert b"hello" not in answer
        assert answer == b"" or b"408 " in answer


def test_more_connections_than_lanes_are_all_served(start):
    server = start(INI)
    idle = [http.Connection(server.http) for _ in range(200)]
    for c in idle:
        c.send(http.request_bytes("/hello"))
    for c in idle:
        assert c.read().body == b"hello\n"
    for c in reversed(idle):
        assert c.request("/hello").body == b"hello\n"
        c.close()


def test_a_connection_does_not_wait_behind_a_long_request_while_another_lane_idles(start):
    """Browsers open connections before they need them."""
    server = start(INI.replace("threads = 1", "threads = 2"))
    with http.Connection(server.http) as a, http.Connection(server.http) as b:
        a.send(http.request_bytes("/meet"))
        b.send(http.request_bytes("/meet"))
        assert (a.read().body, b.read().body) == (b"met", b"met")


def test_a_long_request_does_not_hold_up_kept_connections_for_ever(start):
    """One thread runs a long request; the connections that it keeps are answered right after."""
    server = start(INI)
    with http.Connection(server.http) as kept, http.Connection(server.http) as busy:
        assert kept.request("/hello").status == 200
        busy.send(http.request_bytes("/sleep?s=0.3"))
        server.wait_log("^sleeping in")
        kept.send(http.request_bytes("/hello"))
        assert kept.read().body == b"hello\n"
        assert busy.read().status == 200


# ---- bodies that hardly come ----

@pytest.mark.parametrize("name", ["http", "router", "uwsgi", "fastcgi", "scgi"])
def test_a_body_below_the_least_rate_is_refused(start, name):
    server = start(INI + "http = {router}\nhttp-timeout = 1\nsocket-timeout = 1\n"
                   "body-min-rate = 100000\n")
    data = SPEAK.get(name, http).request_bytes("/echo", "POST", body=bytes(5000))

    def longest_silence():
        """A client sends a byte now and then until it has an answer: its longest pause."""
        times = [time.monotonic()]
        with http.Connection(server.names[name]) as c:
            c.send(data[:-4000])
            while not select.select([c.socket], [], [], 0.02)[0] and len(times) < 400:
                c.send(b"\0")
                times.append(time.monotonic())
            c.read_until(b"408 Request Timeout")
        return max(b - a for a, b in zip(times, times[1:]))
    # Where the machine itself let the client wait, it tries again.
    until(lambda: longest_silence() < 0.9, "a client that is never silent for long", 30)
    server.wait_log("with 408: the body came more slowly than body-min-rate")


def test_management_records_do_not_renew_the_time_for_a_head(start):
    server = start(INI + "socket-timeout = 1\n")
    with fastcgi.Connection(server.fastcgi) as c:
        for _ in range(400):
            c.socket.settimeout(0.02)
            try:
                c.send(fastcgi.record(fastcgi.GET_VALUES, 0, fastcgi.pairs([("FCGI_MPXS_CONNS", "")])))
                while c.socket.recv(100):
                    pass
                break
            except ConnectionError:  # a record was on its way
                break
            except TimeoutError:
                continue
        else:
            pytest.fail("the connection lives for ever")
