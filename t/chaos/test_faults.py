# SPDX-License-Identifier: MIT
"""The faults themselves: a rule strikes where, when and as often as it says."""
import os
import signal

from lib import http

INI = "http-socket = {http}\nmodule = basic"


def test_a_call_fails_as_often_as_the_rule_says(start):
    server = start(INI, faults="")
    server.faults.set("recv:EINTR,times=3,in=worker")
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert server.faults.hits() == 3
    assert server.faults.where().startswith("uwsgi+0x")


def test_only_the_named_process_is_struck(start):
    server = start(INI + "\nhttp = {router}", faults="")
    for role, address, rule in (("http", server.router, "accept4:EMFILE,in=http"),
                                ("worker", server.http, "accept4:EMFILE,in=worker"),
                                ("zygote", server.http, "fork:EAGAIN,in=zygote")):
        server.faults.set(rule)
        if role == "zygote":
            os.kill(server.workers()[0], signal.SIGKILL)
        assert http.request(address, "/hello").body == b"hello\n"
        assert server.faults.hits() == 1, role
    server.faults.set("accept4:EMFILE,in=master fork:EAGAIN,in=worker")
    assert http.request(server.router, "/hello").body == b"hello\n"
    assert server.faults.hits(0) == server.faults.hits(1) == 0


def test_a_call_comes_late(start):
    """Whoever waits for a child that has just died waits that much longer, and nothing is lost."""
    server = start(INI, faults="waitpid:delay=2ms,in=master,times=all")
    killed = server.workers()[0]
    os.kill(killed, signal.SIGKILL)
    server.wait_log(f"pid {killed}\\) ended unexpectedly: killed by signal 9")
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert server.faults.hits() > 0


def test_each_place_fails_once(start):
    """The worker calls accept4 at one place, however often."""
    server = start(INI, faults="accept4:EMFILE,each")
    for _ in range(5):
        assert http.request(server.http, "/hello").body == b"hello\n"
    assert server.faults.hits() == 1


def test_the_first_failure_of_a_start_is_reported(start):
    server = start.not_yet(INI, faults="socketpair:ENFILE,in=master")
    assert server.run() != 0
    server.wait_log("socketpair: Too many open files in system")
