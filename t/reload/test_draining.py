# SPDX-License-Identifier: MIT
"""TERM: probes fail at once, new connections are served for drain-delay, those in the kernel's queue
are served, too, and then connections are refused."""
import contextlib
import os
import signal
import sys
import threading

import pytest

from lib import files, http
from lib.address import connect, refuses
from lib.server import ROOT
from lib.wait import until

INI = "http-socket = {http}\nhttp-socket = {a_unix}\nhttp = {router}\nmodule = basic\n"
WAYS = ["http", "a_unix", "router"]


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


def asks(address, target):
    c = http.Connection(address)
    c.send(http.request_bytes(target, headers=[("Connection", "close")]))
    return c


def probe(server):
    answer = http.request(server.health, "/ready", host=None, version="1.0")
    return answer.status, answer.body


def test_who_watches_knows_at_once_and_who_comes_is_served(start):
    server = start(INI + "health = {health}\ndrain-delay = 3\n")
    server.wait_log(r"inspect 1 \(pid \d+\) runs")
    assert probe(server) == (200, b"ready\n")
    server.send(signal.SIGTERM)
    server.wait_log("stopping; new connections are served for 3 s more .drain-delay.")
    until(lambda: probe(server) == (503, b"the server stops\n"), "the probe to fail")
    for way in WAYS:
        assert http.request(server.names[way], "/hello").status == 200
    assert server.wait() == 0
    assert all(refuses(server.names[way]) for way in WAYS)


def test_a_worker_that_dies_meanwhile_is_replaced(start):
    server = start(INI + "drain-delay = 60\n")
    server.send(signal.SIGTERM)
    server.wait_log("stopping")
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("ended unexpectedly: .*restarting")
    assert http.request(server.http, "/hello").status == 200
    assert server.stop(signal.SIGTERM) == 0


def test_a_signal_to_the_whole_group_replaces_no_worker(start):
    server = start(INI + "drain-delay = 60\nprocesses = 2\n")
    workers = server.workers()
    server.send(signal.SIGTERM)
    server.wait_log("stopping")
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    assert http.request(server.http, "/hello").status == 200
    assert server.stop(signal.SIGTERM) == 0
    assert "is replaced" not in server.log() and len(server.workers()) == 0


def test_what_waits_in_the_queue_is_served(start, way):
    """Though the only worker is busy, and hears of it later."""
    server = start(INI)
    with asks(server.names[way], "/sleep?s=0.5") as busy:
        server.wait_log("^sleeping in")
        waiting = [asks(server.names[way], f"/sleep?s=0.0{i}") for i in range(8)]
        server.send(signal.SIGTERM)
        for c in [busy, *waiting]:
            assert c.read().status == 200
            c.close()
    assert server.wait() == 0


@pytest.mark.parametrize("faults", ["", "fork:delay=400ms,times=all,in=zygote"])
def test_a_server_that_is_paused_serves_who_waits(start, faults):
    """Also where its worker takes a while to come: it is forked twice."""
    server = start(INI, faults="")
    server.send(signal.SIGTSTP)
    until(lambda: not server.workers(), "the worker to leave")
    server.faults.set(faults)
    with asks(server.a_unix, "/hello") as one, asks(server.http, "/hello") as other:
        server.send(signal.SIGTERM)
        assert one.read().status == other.read().status == 200
    assert server.wait() == 0


def test_who_waits_there_and_is_silent_holds_nobody_up(start):
    """Longer than drain-idle, though it has just come; http-headers-timeout is a minute."""
    server = start(INI + "drain-idle = 1\n")
    with asks(server.a_unix, "/sleep?s=0.3") as busy:
        server.wait_log("^sleeping in")
        with http.Connection(server.a_unix) as silent:
            server.send(signal.SIGTERM)
            assert busy.read().status == 200
            assert silent.is_closed()
    assert server.wait() == 0


@contextlib.contextmanager
def held_up(server):
    """By a request that takes its time to come."""
    with http.Connection(server.http) as c:
        data = http.request_bytes("/echo", "POST", body=b"0123456789")
        c.send(data[:-1])
        assert http.request(server.http, "/hello").status == 200
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        yield
        assert not server.ended()
        c.send(data[-1:])
        assert c.read().body == b"0123456789"
    assert server.wait() == 0


@pytest.mark.parametrize("way", ["http", "a_unix"])
def test_whoever_comes_is_refused_while_others_are_still_served(start, way):
    """And not left waiting until the last request is finished: its port is free, too."""
    server = start(INI)
    with held_up(server):
        until(lambda: refuses(server.names[way]), "connections to be refused")
        other = start(f"http-socket = {server.names[way]}\nmodule = basic\n")
        assert "waiting" not in other.log()
        assert http.request(server.names[way], "/hello").status == 200


class Storm(threading.Thread):
    """Comes anew for each request, which must not be sent again, until it is refused."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.answers, self.failure = address, 0, None
        self.start()

    def run(self):
        while True:
            try:
                c = http.Connection(self.address)
            except ConnectionRefusedError:
                return
            with c:
                try:
                    c.send(http.request_bytes("/echo", "POST", body=b"x"))
                    assert c.read().body == b"x"
                    self.answers += 1
                except (OSError, AssertionError, http.Closed) as e:
                    self.failure = repr(e)
                    return


def test_without_a_delay_there_is_nothing_but_refused_connections(start):
    for _ in range(2):
        server = start(INI + "processes = 2\nthreads = 2\n")
        storms = [Storm(server.names[way]) for way in WAYS for _ in range(2)]
        until(lambda: all(s.answers > 20 or s.failure for s in storms), "some answers")
        server.send(signal.SIGTERM)
        assert server.wait() == 0
        for s in storms:
            s.join(20)
        assert [s.failure for s in storms] == [None] * len(storms)


def is_left_alone(address):
    with connect(address, timeout=0.1) as s:
        s.sendall(http.request_bytes("/hello"))
        with contextlib.suppress(TimeoutError):
            return s.recv(1) == b""
    return True


def test_queues_of_sockets_that_were_passed_on_are_left_to_the_next_server(start):
    """The service manager has them open, too."""
    server = start.not_yet("module = basic\nprotocol = http\n")
    server.command = [sys.executable, os.path.join(ROOT, "t", "lib", "activate.py"),
                      server.names["http"], "--", *server.command]
    server.start()
    with held_up(server):
        until(lambda: is_left_alone(server.http), "connections to be left in the queue")


def test_a_reload_during_the_delay_is_refused_and_a_second_term_ends_it(start):
    server = start(INI + "drain-delay = 60\n")
    server.send(signal.SIGTERM)
    server.wait_log("stopping")
    server.send(signal.SIGHUP)
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert "reloaded" not in server.log() and "again: ending at once" in server.log()


def test_int_does_not_wait_for_the_delay(start):
    server = start(INI + "drain-delay = 60\n")
    assert server.stop(signal.SIGINT) == 0


def test_a_reload_under_way_is_given_up(start):
    """And what it has come to does not say that it is ready."""
    more = "health = {health}\ndrain-delay = 60\npythonpath = {here}\n"
    server = start(INI + more)
    server.wait_log(r"inspect 1 \(pid \d+\) runs")
    with open(f"{server.folder}/slow.py", "w", encoding="ascii") as f:
        f.write("import os, time\nprint('slow import', flush=True)\n"
                "while not os.path.exists('go'):\n    time.sleep(0.01)\n"
                "from basic import application\n")
    server.write_ini(INI.replace("basic", "slow") + more)
    server.send(signal.SIGHUP)
    server.wait_log("^slow import")
    server.send(signal.SIGTERM)
    until(lambda: probe(server) == (503, b"the server stops\n"), "the probe to fail")
    files.touch(f"{server.folder}/go")
    assert probe(server) == (503, b"the server stops\n")
    assert http.request(server.http, "/hello").status == 200
    assert server.stop(signal.SIGTERM) == 0
    assert "reloaded" not in server.log()


@pytest.mark.parametrize("way", ["http", "a_unix"])
def test_a_socket_that_refuses_does_not_keep_idle_threads_busy(start, way):
    """It stays readable, and nobody has told them yet that they are to leave."""
    server = start(f"http-socket = {{{way}}}\nmodule = basic\nthreads = 3\n", faults="")
    server.faults.set("accept4:delay=0.001ms,times=all,in=worker recvmsg:delay=300ms,in=worker")
    assert server.stop(signal.SIGTERM) == 0
    assert server.faults.hits(1) == 1
    assert server.faults.hits(0) <= 30
