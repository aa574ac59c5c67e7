# SPDX-License-Identifier: MIT
"""The kernel cannot watch a descriptor, as when it is out of memory or fs.epoll.max_user_watches is
reached: whoever needs the descriptor tries again, and nobody goes deaf."""
import os
import signal

import pytest

from lib import http, proc
from lib.wait import until

INI = "http-socket = {http}\nhttp = {router}\nmodule = basic\nthreads = 2\nreload-mercy = 5\n"
CANNOT = "^error: .*the kernel cannot watch|epoll_ctl: Cannot allocate memory|epoll .* is not found"
# Of each process while it starts and answers first.
CALLS = [("worker", n) for n in range(1, 9)] + [("http", n) for n in range(1, 5)]


def says_hello(address):
    """None: the connection was closed."""
    try:
        return http.request(address, "/hello").body == b"hello\n"
    except http.Closed:
        return None


def hears_all(server):
    for address in (server.http, server.router):
        assert http.request(address, "/hello").body == b"hello\n"
    worker, = server.workers()
    os.kill(worker, signal.SIGKILL)
    server.wait_log(rf"pid {worker}\) ended unexpectedly")
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert server.hup()
    assert server.stop(signal.SIGTERM) == 0
    assert "did not finish in time" not in server.log()


@pytest.mark.parametrize("role, number", CALLS)
def test_one_failure(start, role, number):
    """It costs one request at most, and the log says it."""
    server = start.not_yet(INI, faults=f"epoll_ctl:ENOMEM,in={role},nth={number}")
    server.start()
    answers = [says_hello(server.http), says_hello(server.router)]
    assert server.faults.hits() == 1 or number > 3
    if server.faults.hits():
        server.wait_log(CANNOT)
    assert answers.count(True) >= 1
    hears_all(server)


@pytest.mark.parametrize("number", range(1, 6))
def test_one_failure_of_the_master(start, number):
    """Which waits with poll(2)."""
    server = start(INI, faults=f"poll:ENOMEM,in=master,nth={number}")
    # A slow master takes several signals after one poll: send more until it has polled often enough.
    until(lambda: server.faults.hits() or server.send(signal.SIGUSR1), "the failure")
    server.wait_log(r"^error: .*poll: Cannot allocate memory; trying again$")
    hears_all(server)


@pytest.mark.parametrize("role", ["worker", "http"])
def test_for_as_long_as_it_lasts(start, role):
    server = start(INI, faults="")
    address = server.http if role == "worker" else server.router
    process, = server.workers() if role == "worker" else server.routers()
    before = len(proc.open_files(process))
    server.faults.set(f"epoll_ctl:ENOSPC,in={role},times=all")
    for _ in range(2):
        with http.Connection(address) as c:
            c.send(b"GET / HTTP/1.1\r\n")
            assert c.read_all() == b""
    server.wait_log(CANNOT)
    server.faults.set("")
    until(lambda: len(proc.open_files(process)) <= before, "all to be closed")
    hears_all(server)
