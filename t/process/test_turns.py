# SPDX-License-Identifier: MIT
"""Whose turn it is in one lane: what came together is answered the quick first, and nobody is
passed over for ever."""
import contextlib
import re

import pytest

from lib import http
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


@contextlib.contextmanager
def busy(server, seconds=0.5):
    """What is sent meanwhile is all there when the lane looks again."""
    with http.Connection(server.http) as c:
        assert c.request("/hello").status == 200
        seen = server.log().count("sleeping")
        c.send(http.request_bytes(f"/sleep?s={seconds}"))
        until(lambda: server.log().count("sleeping") > seen, "the request to run")
        yield
        assert c.read().body.startswith(b"slept")


def lines(server):
    """The requests in the order of their answers."""
    return re.findall(r"GET (\S+) => ", server.log())


@pytest.mark.parametrize("slow_first", [True, False])
def test_the_quick_go_first(start, slow_first):
    server = start(INI)
    with http.Connection(server.http) as slow, http.Connection(server.http) as quick:
        assert slow.request("/sleep?s=0.05").status == 200
        assert quick.request("/hello").status == 200
        with busy(server):
            both = [(slow, "/sleep?s=0.2"), (quick, "/hello?quick")]
            for connection, target in both if slow_first else reversed(both):
                connection.send(http.request_bytes(target))
        assert quick.read().status == slow.read().status == 200
    assert lines(server)[-2:] == ["/hello?quick", "/sleep?s=0.2"]


def test_who_pipelines_takes_turns_with_others(start):
    server = start(INI)
    with http.Connection(server.http) as many, http.Connection(server.http) as one:
        assert many.request("/hello").status == one.request("/hello").status == 200
        with busy(server):
            many.send(http.request_bytes("/hello?many") * 200)
            one.send(http.request_bytes("/hello?one"))
        assert one.read().status == 200
        assert [many.read().status for _ in range(200)] == [200] * 200
    said = [line for line in lines(server) if "?" in line and "sleep" not in line]
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
        for _ in range(20):
            before = load.answers
            assert http.request(server.http, "/hello").status == 200
            assert load.answers - before <= 12
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
        assert quick.request("/hello").status == 200
        with busy(server):
            for client in slow:
                client.send(http.request_bytes("/sleep?s=0.3"))
        seen = server.log().count("slept")
        quick.send(http.request_bytes("/hello?quick"))
        assert quick.read().status == 200
        assert server.log().count("slept") - seen <= 1
        assert [client.read().status for client in slow] == [200] * 4
