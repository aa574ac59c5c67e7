# SPDX-License-Identifier: MIT
"""Kept connections stick to a lane; one that is known for slow requests does not keep the others of
its lane waiting: they go to a lane that is free."""
import json

import pytest

from lib import http
from lib.busy import Held
from lib.load import Load

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
    return Held(server, connection=connection)


@pytest.mark.parametrize("more", ["", "threads = 2\nprocesses = 1\n"])
def test_nobody_waits_behind_a_slow_connection(start, more):
    server = start(INI + more)
    slow, other = together(server.http)
    held = begin_slow(server, slow)
    assert other.request("/hello").status == 200
    assert held.end().status == 200
    for _ in range(3):
        assert slow.request("/hello").status == other.request("/hello").status == 200


def test_it_comes_to_another_worker(start):
    server = start(INI)
    slow, other = together(server.http)
    before = pid_of(other)
    held = begin_slow(server, slow)
    assert pid_of(other) != before
    assert held.end().status == 200


def test_whom_a_proxy_speaks_for_moves_along(start):
    server = start(INI + "http-enable-proxy-protocol = true\n")
    slow, other = together(server.http, b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n")
    held = begin_slow(server, slow)
    assert json.loads(other.request("/environ").body)["REMOTE_ADDR"] == "192.0.2.7"
    assert held.end().status == 200


def test_a_crowd_of_slow_clients_loses_nothing(start):
    server = start(INI + "threads = 2\n")
    with Load(server.http, clients=16, keep_alive=True, target="/sleep?s=0.015") as load:
        load.wait_more(200)
        for _ in range(3):
            assert server.hup()
            load.wait_more(50)
    assert not load.failures and not load.again


def test_nobody_makes_a_new_epoll_for_those_that_move(start):
    """libev does when a connection speaks that was given away, with all that the lane has open."""
    server = start(INI, faults="")
    slow, other = together(server.http)
    server.faults.set("epoll_create1:EMFILE,in=worker,times=all")
    for _ in range(10):
        assert slow.request("/sleep?s=0.02").status == 200
        assert other.request("/hello").status == 200
    assert server.faults.hits() == 0


def two_of_the_first_lane(server):
    others, found = [], []
    while len(found) < 2:
        c = http.Connection(server.http)
        if c.request("/thread").body.endswith(b"Core0"):
            found.append(c)
        else:
            c.send(http.request_bytes("/sleep?s=0.2"))   # the next one is not for this lane
            others.append(c)
    for c in others:
        assert c.read().status == 200
        c.close()
    return found


def test_a_worker_that_can_make_no_epoll_tries_again(start):
    """A lane that does not know its own epoll hears once more of a connection that it gave away, and
    then needs a new one."""
    server = start(INI + "processes = 1\nthreads = 2\n", faults="epoll_ctl:ENOMEM,in=worker")
    server.faults.set("epoll_create1:EMFILE,in=worker,times=2")
    while server.faults.hits() < 2:
        slow, other = two_of_the_first_lane(server)
        for c, target in ((slow, "/sleep?s=0.05"), (slow, "/sleep?s=0.05"), (other, "/hello")):
            assert c.request(target).status == 200
    server.wait_log(r"epoll_create: Too many open files; trying again")
    assert slow.request("/hello").status == other.request("/hello").status == 200
    assert "unexpectedly" not in server.log()
