# SPDX-License-Identifier: MIT
"""Kept connections stick to a lane; one that is known for slow requests does not keep the others of
its lane waiting: they go to a lane that is free."""
import json

import pytest

from lib import http
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\nprocesses = 2\n"


def pid_of(connection):
    return int(connection.request("/pid").body)


def together(address, first=b""):
    """Two connections of the same lane."""
    by_pid = {}
    while True:
        c = http.Connection(address)
        c.send(first)
        pid = pid_of(c)
        if pid in by_pid:
            return by_pid[pid], c
        by_pid[pid] = c


def begin_slow(server, connection):
    """A request that takes long, on a connection that is known for that."""
    assert connection.request("/sleep?s=0.05").status == 200
    seen = server.log().count("sleeping")
    connection.send(http.request_bytes("/sleep?s=3"))
    server.wait_log(r"(?s)(sleeping in.*){%d}" % (seen + 1))


@pytest.mark.parametrize("more", ["", "threads = 2\nprocesses = 1\n"])
def test_nobody_waits_behind_a_slow_connection(start, more):
    server = start(INI + more)
    slow, other = together(server.http)
    begin_slow(server, slow)
    assert other.request("/hello").status == 200
    assert "slept" not in server.log().rpartition("sleeping")[2]
    assert slow.read().body.startswith(b"slept")
    for _ in range(3):
        assert slow.request("/hello").status == other.request("/hello").status == 200


def test_it_comes_to_another_worker(start):
    server = start(INI)
    slow, other = together(server.http)
    before = pid_of(other)
    begin_slow(server, slow)
    assert pid_of(other) != before


def test_whom_a_proxy_speaks_for_moves_along(start):
    server = start(INI + "http-enable-proxy-protocol = true\n")
    slow, other = together(server.http, b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n")
    begin_slow(server, slow)
    assert json.loads(other.request("/environ").body)["REMOTE_ADDR"] == "192.0.2.7"


def test_a_crowd_of_slow_clients_loses_nothing(start):
    server = start(INI + "threads = 2\n")
    with Load(server.http, clients=16, keep_alive=True, target="/sleep?s=0.015") as load:
        load.wait_more(200)
        for _ in range(3):
            assert server.hup()
            load.wait_more(50)
    assert not load.failures and not load.again


def test_a_worker_that_can_make_no_epoll_tries_again(start):
    """The lane that gave a connection away hears of it once more, and then needs a new epoll."""
    server = start(INI, faults="")
    slow, other = together(server.http)
    assert slow.request("/sleep?s=0.05").status == 200
    server.faults.set("epoll_create1:EMFILE,in=worker,times=2")
    assert slow.request("/sleep?s=0.05").status == 200
    until(lambda: other.request("/hello").status == 200 and server.faults.hits() == 2, "two faults")
    server.wait_log(r"epoll_create: Too many open files; trying again")
    assert slow.request("/hello").status == other.request("/hello").status == 200
    assert "unexpectedly" not in server.log()
