# SPDX-License-Identifier: MIT
"""Whose turn it is in one lane: what came together is answered the quick first, and nobody is
passed over for ever."""
import contextlib
import re

import time

import pytest

from lib import http
from lib.busy import Held
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


@contextlib.contextmanager
def busy(server):
    """What is sent meanwhile is all there when the lane looks again."""
    with http.Connection(server.http) as c:
        assert c.request("/hello").status == 200
        held = Held(server, connection=c)
        yield
        assert held.end().status == 200


def make_quick(connection):
    """Asks until one request was quick: on a busy machine the server may have to wait for a processor,
    and where the client had its answer within 10 ms, it did not."""
    def was_quick():
        began = time.monotonic()
        assert connection.request("/hello").status == 200
        return time.monotonic() - began < 0.01
    until(was_quick, "a quick answer")


def lines(server):
    """The requests in the order of their answers."""
    return re.findall(r"GET (\S+) => ", server.log())


@pytest.mark.parametrize("slow_first", [True, False])
def test_the_quick_go_first(start, slow_first):
    server = start(INI)
    with http.Connection(server.http) as slow, http.Connection(server.http) as quick:
        assert slow.request("/sleep?s=0.05").status == 200
        make_quick(quick)
        with busy(server):
            both = [(slow, "/sleep?s=0.2"), (quick, "/hello?quick")]
            for connection, target in both if slow_first else reversed(both):
                connection.send(http.request_bytes(target))
        assert quick.read().status == slow.read().status == 200
    assert lines(server)[-2:] == ["/hello?quick", "/sleep?s=0.2"]


def test_who_pipelines_takes_turns_with_others(start):
    server = start(INI)
    with http.Connection(server.http) as many, http.Connection(server.http) as one:
        make_quick(many)
        make_quick(one)
        with busy(server):
            many.send(http.request_bytes("/hello?many") * 200)
            one.send(http.request_bytes("/hello?one"))
        assert one.read().status == 200
        assert [many.read().status for _ in range(200)] == [200] * 200
    said = [line for line in lines(server) if line.startswith("/hello?")]
    assert said.index("/hello?one") <= 2


def test_more_than_are_read_ahead(start):
    server = start(INI)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(http.Connection(server.http)) for _ in range(200)]
        for i, client in enumerate(clients):
            assert client.request("/hello" if i % 10 else "/sleep?s=0.011").status == 200
        for _ in range(2):
            with busy(server):
                for client in clients:
                    client.send(http.request_bytes("/hello"))
            assert [client.read().status for client in clients] == [200] * 200


def test_slow_clients_leave_room_for_new_ones(start):
    server = start(INI)
    with Load(server.http, clients=4, keep_alive=True, target="/sleep?s=0.02") as load:
        load.wait_more(8)
        for i in range(20):
            with http.Connection(server.http) as c:
                c.send(http.request_bytes(f"/hello?{i}", headers=[("Connection", "close")]))
                before = len(lines(server))
                assert c.read().status == 200
            assert lines(server).index(f"/hello?{i}") - before <= 12
    assert not load.failures


def test_quick_clients_leave_room_for_slow_ones(start):
    server = start(INI)
    with Load(server.http, clients=70, keep_alive=True, target="/hello") as load, \
            http.Connection(server.http) as slow:
        for _ in range(5):
            assert slow.request("/sleep?s=0.02").status == 200
    assert not load.failures


def test_a_quick_one_waits_for_one_slow_one_only(start):
    server = start(INI)
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(http.Connection(server.http)) for _ in range(4)]
        quick = stack.enter_context(http.Connection(server.http))
        for client in slow:
            assert client.request("/sleep?s=0.05").status == 200
        make_quick(quick)
        with busy(server):
            for client in slow:
                client.send(http.request_bytes("/sleep?s=0.3"))
        quick.send(http.request_bytes("/hello?quick"))
        seen = server.log().count("slept")
        assert quick.read().status == 200
        before, _, _ = server.log().partition("GET /hello?quick")
        assert before.count("slept") - seen <= 1
        assert [client.read().status for client in slow] == [200] * 4
