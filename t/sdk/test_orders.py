# SPDX-License-Identifier: MIT
"""A service looks into workers: their stacks now, and what they do in a while."""
import os
import re
import select
import signal
import socket

import pytest

from lib import http, proc
from lib.busy import Busy, begin, let_go
from lib.wait import until


@pytest.fixture
def lens(start, plugin):
    def run(ini="", module="looked_at"):
        server = start(f"plugin = {plugin('lens')}\nlens = {{lens}}\nhttp-socket = {{http}}\n"
                       f"disable-logging = true\n{f'module = {module}' if module else ''}\n{ini}")
        server.wait_log(r"^lens 1 \(pid \d+\) runs$")
        return server
    return run


def ask(server, words, worker=None):
    """A connection from which the answer comes."""
    host, port = server.lens.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), timeout=20)
    kind, _, rest = words.partition(" ")
    s.sendall(f"{kind} {worker or server.workers()[0]} {rest}".encode())
    return s


def answer(s):
    """Its lines; None: it broke off."""
    with s:
        text = b"".join(iter(lambda: s.recv(65536), b""))
    return text.decode().splitlines()[:-1] if text.endswith(b"\n\n") or text == b"\n" else None


def stacks(server, worker=None):
    """[(lane, name, [function, innermost first])]"""
    found = []
    for line in answer(ask(server, "stacks", worker)):
        fields = line.split("\t")
        if fields[0] == "T":
            found.append((fields[1], fields[2], []))
        elif fields[0] != "H":
            assert fields[0] == "F" and int(fields[2]) >= 0
            found[-1][2].append(fields[3])
    return found


def folded(lines):
    return {stack: int(n) for stack, n in (line.rsplit(" ", 1) for line in lines)}


def test_of_several_applications_the_one_with_a_language_is_looked_into(lens, plugin, fifo):
    constant = plugin("constant")
    server = lens(f"plugin = {constant}\nconstant-text = C\nmount-plugin = /c=constant\n")
    assert http.request(server.http, "/c").body == b"C"
    waiting = begin(server, f"/?outside={fifo}")
    until(lambda: stacks(server), "the request")
    let_go(fifo, waiting)
    server = lens(f"plugin = {constant}\nconstant-text = C\nmount-plugin = /c=constant\n",
                  module="")
    assert answer(ask(server, "stacks")) == ["!the application's language cannot be looked into"]


def test_stacks_of_all_threads_while_lane_0_waits(lens, fifo):
    server = lens("threads = 2\n")
    assert stacks(server) == []
    assert http.request(server.http, f"/?helper={fifo}").status == 200
    waiting = begin(server, f"/?outside={fifo}")
    waiting_too = begin(server, f"/?outside={fifo}")

    def seen():
        found = stacks(server)
        return sum("wait_outside" in functions for _, _, functions in found) == 3 and found
    found = until(seen, "both requests")
    assert sorted(lane for lane, _, _ in found) == ["-", "0", "1"]
    assert {lane: name for lane, name, _ in found} == {
        "-": "a helper", "0": "uWSGIWorker1Core0", "1": "uWSGIWorker1Core1"}
    for lane, _, functions in found:
        if lane != "-":
            assert functions[:2] == ["wait_outside", "application"]
    let_go(fifo, waiting)
    let_go(fifo, waiting_too)


@pytest.mark.parametrize("query, share", [
    ("planted=100000", 0.9), ("planted=300000", 0.9),
    # Seen at the next read() now and then, where the machine is busy; all the time with Python's interval.
    ("mixed=10", 0.75)])
def test_a_profile_finds_who_has_the_time(lens, query, share):
    server = lens()
    with Busy(server, f"/shop/17/find?{query}"):
        # On a busy machine the client may have been silent meanwhile.
        seen = until(lambda: (f := folded(answer(ask(server, "profile 1 250")))) and
                     sum(f.values()) > 20 and f, "requests to be seen", 30)
    planted = sum(n for stack, n in seen.items() if ":planted:" in stack)
    assert planted >= share * sum(seen.values()), seen
    assert 0 < sum(seen.values()) <= 250
    assert all(re.match(r"GET /shop/\*/find(;[^;]+:[^;:]+:\d+)+$", stack) for stack in seen
               if ":planted:" in stack), seen


def test_lanes_that_do_nothing_are_not_seen(lens):
    server = lens("threads = 2\n")
    assert answer(ask(server, "profile 1 50")) == []


def test_who_holds_the_gil_does_not_keep_the_server_waiting(lens, fifo):
    server = lens("processes = 2\n")
    first, second = server.workers()
    holder = begin(server, f"/?holding={fifo}")
    waiting = {pid: ask(server, "stacks", pid) for pid in (first, second)}
    until(lambda: select.select(list(waiting.values()), [], [], 0.1)[0], "the other worker")
    let_go(fifo, holder)
    for s in waiting.values():
        assert answer(s) is not None


def test_two_of_a_kind_are_refused(lens):
    server = lens()
    worker = server.workers()[0]
    before = proc.status(worker, "Threads")
    with Busy(server, "/?planted=20000"):
        profile = ask(server, "profile 60 99")
        until(lambda: proc.status(worker, "Threads") != before, "the thread that looks")
        until(lambda: answer(ask(server, "profile 1 99")) ==
              ["!an earlier order is still under way"], "a refusal")
        assert stacks(server) is not None
        profile.close()
        assert until(lambda: (answer(ask(server, "profile 1 99")) or ["!"])[0][0] != "!",
                     "the next one")


@pytest.mark.parametrize("words, said", [
    ("profile 0 99", "-1 to 60 seconds, 1 to 250 a second"),
    ("profile 61 99", "-1 to 60 seconds, 1 to 250 a second"),
    ("profile 1 251", "-1 to 60 seconds, 1 to 250 a second")])
def test_bounds(lens, words, said):
    with ask(lens(), words) as s:
        assert s.recv(1000).decode() == said + "\n"


def test_only_workers_are_asked(lens, stranger):
    server = lens()
    for pid in (server.pid, stranger.pid, 1, -1):
        assert answer(ask(server, "stacks", pid)) is None
    assert proc.alive(stranger.pid) and stacks(server) == []


def test_other_languages_say_that_there_is_nothing(lens, plugin):
    server = lens(f"plugin = {plugin('constant')}\nconstant-text = hello\n", module=None)
    assert answer(ask(server, "stacks")) == ["!the application's language cannot be looked into"]


def test_a_profile_keeps_no_worker_from_leaving(lens):
    server = lens("processes = 2\n")
    with Busy(server, "/?planted=20000", clients=2):
        workers = server.workers()
        profiles = [ask(server, "profile 60 99", pid) for pid in workers]
        until(lambda: proc.status(workers[0], "Threads") != proc.status(server.pid, "Threads"),
              "the thread that looks")
        server.hup()
        for pid in workers:
            proc.wait_gone(pid)
        for s in profiles:
            answer(s)  # what was known by then, or none
    server.stop(signal.SIGTERM)


def test_nothing_stays_behind(lens):
    server = lens()
    worker = server.workers()[0]
    threads = proc.status(worker, "Threads")
    for _ in range(20):
        stacks(server, worker)
    memory = proc.status(worker, "VmRSS")
    for _ in range(200):
        stacks(server, worker)
    until(lambda: proc.status(worker, "Threads") == threads, "the last thread to end")
    # What is freed comes back late with a sanitizer.
    assert os.environ.get("UWSGI_SANITIZED") or int(proc.status(worker, "VmRSS")[0]) < int(memory[0]) + 500


def test_forks_of_the_application_meanwhile(lens):
    server = lens()
    profile = ask(server, "profile 60 99")

    def intervals():
        return http.request(server.http, "/?child=").body.decode().split()
    until(lambda: float(intervals()[1]) < 0.005, "the profile")
    assert float(intervals()[0]) == 0.005
    profile.close()
    until(lambda: intervals() == ["0.005", "0.005"], "its end")


def test_a_worker_that_dies(lens):
    server = lens()
    worker = server.workers()[0]
    before = proc.status(worker, "Threads")
    profile = ask(server, "profile 60 99")
    until(lambda: proc.status(worker, "Threads") != before, "the thread that looks")
    os.kill(worker, signal.SIGKILL)
    assert answer(profile) is None
    until(lambda: server.workers() and server.workers() != [worker], "the next one")
    assert http.request(server.http, "/?planted=1").status == 200
