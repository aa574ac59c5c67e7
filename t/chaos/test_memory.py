# SPDX-License-Identifier: MIT
"""Requests for which there is no memory: they are answered with 500 where that is possible, and the
log says so, but not each time."""
import pytest

from lib import http, proc
from lib.wait import until

NONE = "malloc:ENOMEM,in=worker,times=all,own"


@pytest.fixture
def server(start):
    started = start("http-socket = {http}\nmodule = heads\n", faults="")
    assert http.request(started.http, "/?n=0").status == 200
    return started


def told(server):
    return [line for line in server.log().splitlines() if "out of memory" in line]


def test_a_head_that_finds_no_memory_becomes_500(server):
    for _ in range(3):
        with http.Connection(server.http) as c:
            assert c.request("/?n=0").status == 200
            server.faults.set(NONE)
            response = c.request("/?n=400")
            assert (response.status, response.body) == (500, b"")
            assert response.header("Connection") == "close"
            server.faults.set("")
    assert http.request(server.http, "/?n=400").status == 200
    server.wait_log(r"^error: out of memory: a request is answered with 500$")
    assert len(told(server)) == 1


def test_a_connection_that_finds_no_memory_is_closed(server):
    worker, = server.workers()
    before = len(proc.open_files(worker))
    server.faults.set(NONE)
    for _ in range(3):
        with http.Connection(server.http) as c:
            c.send(http.request_bytes("/?n=0"))
            assert c.read_all() == b""
    server.faults.set("")
    assert http.request(server.http, "/?n=0").status == 200
    until(lambda: len(proc.open_files(worker)) <= before, "all connections to be closed")
    assert len(told(server)) == 1
