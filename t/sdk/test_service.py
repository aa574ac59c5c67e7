# SPDX-License-Identifier: MIT
"""A service that the server has never heard of: a process that goes on through reloads and sees what
the workers do."""
import os
import signal

import pytest

from lib import http, proc
from lib.busy import begin, let_go
from lib.http import raw
from lib.wait import until


@pytest.fixture
def pulse(start, plugin):
    def run(ini="", module="basic"):
        server = start(f"plugin = {plugin('pulse')}\npulse = {{pulse}}\nhttp-socket = {{http}}\n"
                       f"module = {module}\n{ini}")
        server.wait_log(r"^pulse 1 \(pid \d+\) runs$")
        return server
    return run


def ask(server):
    """(mood, uid, pid) and the lines of the lanes, as soon as it answers."""
    def answer():
        try:
            return raw(server.pulse, b"").decode().splitlines()
        except OSError:
            return None
    first, *lanes = until(answer, "the service to answer")
    mood, uid, pid = first.split()
    return (mood, int(uid), int(pid)), lanes


def lanes_of(server, count):
    return until(lambda: len(ask(server)[1]) == count and ask(server)[1], "all lanes to be seen")


def test_it_sees_what_the_workers_do(pulse, fifo):
    server = pulse("processes = 2\nthreads = 2\n", module="looked_at")
    assert {line.rsplit(" requests ")[0].split(" pid ")[0] for line in lanes_of(server, 4)} == \
        {f"worker {w} lane {n}" for w in (1, 2) for n in (0, 1)}
    slow = begin(server, f"/?outside={fifo}")
    until(lambda: any(f"busy GET /?outside={fifo}" in line for line in ask(server)[1]), "the request")
    let_go(fifo, slow)
    until(lambda: any(f"requests 1 idle GET /?outside={fifo}" in line for line in ask(server)[1]), "its end")


def test_it_answers_when_every_worker_is_stuck(pulse):
    server = pulse()
    worker = server.workers()[0]
    proc.stop(worker)
    try:
        assert f"pid {worker} " in ask(server)[1][0]
    finally:
        os.kill(worker, signal.SIGCONT)


def test_it_goes_on_through_a_reload_and_sees_the_new_workers(pulse):
    server = pulse()
    before, lanes = ask(server)
    old = server.workers()[0]
    assert f"pid {old} " in lanes[0]
    server.hup()
    until(lambda: (seen := ask(server)[1]) and f"pid {old} " not in seen[0], "the new worker")
    assert ask(server)[0] == before


def test_it_starts_anew_when_its_options_change_and_ends_when_they_go(pulse):
    server = pulse()
    before = ask(server)[0]
    text = open(server.ini_path, encoding="utf-8").read()
    server.write_ini(text + "pulse-mood = merry\n")
    server.hup()
    until(lambda: ask(server)[0][0] == "merry", "the new one")
    assert ask(server)[0][2] != before[2] and not proc.alive(before[2])
    pid = ask(server)[0][2]
    server.write_ini(text.replace("pulse =", "#pulse ="))
    server.hup()
    proc.wait_gone(pid)


def test_it_is_started_again_when_it_dies(pulse):
    server = pulse()
    for _ in range(2):
        pid = ask(server)[0][2]
        os.kill(pid, signal.SIGKILL)
        proc.wait_gone(pid)
        until(lambda: ask(server)[0][2] != pid, "another one")
    server.wait_log(r"pulse 1 \(pid \d+\) ended unexpectedly: killed by signal 9 \(Killed\); "
                    "restarting")
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_what_keeps_dying_is_started_more_and_more_slowly(start, plugin):
    server = start(f"plugin = {plugin('pulse')}\npulse = /nowhere/at/all\nhttp-socket = {{http}}\n"
                   "module = basic\n")
    server.wait_log("pulse 1: pulse = /nowhere/at/all: cannot listen")
    server.wait_log(r"pulse 1 \(pid \d+\) ended unexpectedly: exit code 1; it keeps dying, so it is "
                    r"started again in 0\.2 s")
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_it_leaves_last(pulse, fifo):
    server = pulse(module="looked_at")
    slow = begin(server, f"/?outside={fifo}")
    until(lambda: any("busy GET" in line for line in ask(server)[1]), "the request")
    server.send(signal.SIGTERM)
    server.wait_log("stopping; running requests have")
    assert ask(server)[0][0] == "well"
    let_go(fifo, slow)
    assert server.wait() == 0
    log = server.log()
    assert log.index(f"GET /?outside={fifo} =>") < log.index("the pulse stops") < log.index("goodbye")


def test_it_dies_with_the_master(pulse):
    server = pulse()
    pid = ask(server)[0][2]
    os.kill(server.pid, signal.SIGKILL)
    proc.wait_gone(pid)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_has_the_users_rights(pulse):
    assert ask(pulse("uid = nobody\ngid = nogroup\n"))[0][1] == 65534
