# SPDX-License-Identifier: MIT
"""Workers that leave or die: the successor is there first where that can be, no request is lost
where that can be, and nothing is ever left behind."""
import os
import re
import signal
import time

import pytest

from lib import http, proc
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nsocket = {uwsgi}\nmodule = basic\n"


def pid_of(server):
    return int(http.request(server.http, "/pid").body)


@pytest.mark.parametrize("keep_alive", [False, True])
def test_max_requests_recycles_and_loses_no_request(start, keep_alive):
    server = start(INI + "processes = 2\nthreads = 2\nmax-requests = 50\n")
    with Load(server.http, keep_alive=keep_alive) as load:
        until(lambda: len(load.bodies) > 8 or load.failures, "eight workers", 30)
    assert load.failures == []
    server.wait_log("max-requests")


def test_a_single_worker_is_recycled_without_a_gap(start):
    server = start(INI + "processes = 1\nmax-requests = 10\n")
    with Load(server.http) as load:
        until(lambda: len(load.bodies) > 5 or load.failures, "five workers", 30)
    assert load.failures == []


def test_one_worker_after_the_other_leaves_after_max_requests(start):
    server = start(INI + "processes = 1\nmax-requests = 10\n")
    seen = set()
    for _ in range(5):
        pid = pid_of(server)
        assert pid not in seen
        seen.add(pid)
        for _ in range(9):
            pid_of(server)
        # It serves on until its successor does, and is gone then.
        proc.wait_gone(pid)


@pytest.mark.parametrize("option", ["reload-on-rss = 100", "reload-on-as = 700"])
def test_a_worker_that_grows_is_replaced(start, option):
    server = start(INI + option + "\n")
    first = pid_of(server)
    size = 120 if "rss" in option else 800
    assert int(http.request(server.http, f"/grow?mb={size}").body) == first
    until(lambda: pid_of(server) != first, "a new worker")
    server.wait_log(option.split()[0])
    proc.wait_gone(first)


def test_a_killed_worker_is_replaced_and_said(start):
    server = start(INI + "processes = 2\n")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_log(rf"pid {victim}\b.*(9|KILL|killed)")
    until(lambda: len(server.workers()) == 2, "two workers")
    assert victim not in server.workers()
    assert http.request(server.http, "/hello").status == 200


def test_a_lost_zygote_is_replaced_and_workers_go_on(start):
    server = start(INI + "processes = 2\n")
    workers = server.workers()
    zygote = [p for p in proc.children(server.pid) if p not in workers]
    for pid in zygote:
        os.kill(pid, signal.SIGKILL)
    assert http.request(server.http, "/hello").status == 200
    server.wait_log("^reloaded: 2 workers")
    until(lambda: len(server.workers()) == 2, "the old ones to leave")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    proc.wait_gone(victim)
    until(lambda: len({pid_of(server) for _ in range(10)}) == 2, "two workers that serve")


def test_a_worker_that_keeps_dying_is_not_started_in_a_hot_loop(start, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import os, threading\n"
                "def application(e, s):\n s('200 OK', [])\n return [b'x']\n"
                "os.register_at_fork(after_in_child=lambda: os.path.exists('broken') and "
                "threading.Timer(0.02, os._exit, [1]).start())\n")
    server = start("http-socket = {http}\nwsgi-file = mine.py\n", folder=folder)
    assert http.request(server.http).body == b"x"
    with open(f"{folder}/broken", "w", encoding="ascii"):
        pass
    os.kill(server.workers()[0], signal.SIGKILL)
    server.wait_log("keeps dying", 20)
    assert len(re.findall("restarting", server.log())) < 20


def test_a_sigkilled_master_takes_all_its_processes_along(start):
    server = start(INI + "processes = 3\nthreads = 2\n")
    family = proc.descendants(server.pid)
    assert len(family) >= 3
    server.send(signal.SIGKILL)
    server.process.wait()
    for pid in family:
        proc.wait_gone(pid, 5)


def test_a_sigkilled_master_takes_along_workers_that_run_a_request(start):
    server = start(INI + "processes = 2\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        family = proc.descendants(server.pid)
        server.send(signal.SIGKILL)
        server.process.wait()
        for pid in family:
            proc.wait_gone(pid, 5)


def test_a_master_killed_while_it_imports_leaves_nothing(start, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    server = start.not_yet("http-socket = {http}\nwsgi-file = mine.py\n", folder=folder).spawn()
    server.wait_log("^importing")
    family = proc.descendants(server.pid)
    server.send(signal.SIGKILL)
    server.process.wait()
    for pid in family:
        proc.wait_gone(pid, 5)


# ---- stopping ----

def test_term_finishes_what_is_running(start):
    server = start(INI + "drain-idle = 0\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=0.7"))
        server.wait_log("^sleeping in")
        server.send(signal.SIGTERM)
        response = c.read()
        assert (response.status, response.complete) == (200, True)
    assert server.wait() == 0


def test_term_finishes_what_the_router_still_reads(start):
    """The workers go on until the router needs them no more."""
    server = start("http = {router}\nmodule = basic\n")
    data = http.request_bytes("/echo", "POST", body=b"0123456789")
    with http.Connection(server.router) as c:
        c.send(data[:-4])
        router = server.routers()[0]
        assert http.request(server.router, "/hello").body == b"hello\n"
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        told = until(lambda: (said := server.told()) and
                     f"generation 1 http 1 (pid {router}): leaving" in said and said,
                     "the router to leave")
        assert re.search(r"generation 1 worker 1 \(pid \d+\): serving", told)
        c.send(data[-4:])
        assert c.read().body == b"0123456789"
    assert server.wait() == 0


def test_term_waits_no_longer_than_reload_mercy(start):
    server = start(INI + "reload-mercy = 1\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        server.send(signal.SIGTERM)
        assert c.is_closed()
        assert server.wait(5) is not None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM])
def test_signals_stop_an_idle_server_at_once(start, number):
    server = start(INI + "processes = 2\nthreads = 2\ndrain-idle = 0\n")
    with http.Connection(server.http) as kept:
        assert kept.request("/hello").status == 200
        family = proc.descendants(server.pid)
        assert server.stop(number, seconds=3) == 0
    for pid in family:
        proc.wait_gone(pid, 1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_do_not_wait_for_a_running_request(start, number):
    server = start(INI + "reload-mercy = 60\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        server.stop(number, seconds=5)


def test_a_second_term_ends_at_once(start):
    server = start(INI + "reload-mercy = 60\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        server.send(signal.SIGTERM)
        server.wait(5)


def test_term_during_a_reload_stops_both_generations(start, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import os, time\nif os.path.exists('slow'):\n    print('slow import', flush=True)\n"
                "    time.sleep(60)\n"
                "def application(e, s):\n s('200 OK', [])\n return [b'x']\n")
    server = start("http-socket = {http}\nwsgi-file = mine.py\n", folder=folder)
    with open(f"{folder}/slow", "w", encoding="ascii"):
        pass
    server.send(signal.SIGHUP)
    server.wait_log("^slow import")
    family = proc.descendants(server.pid)
    server.stop(signal.SIGTERM, seconds=5)
    for pid in family:
        proc.wait_gone(pid, 1)


def test_a_stop_at_any_moment_of_a_reload_stops(start):
    """A scan over the whole reload, which takes some 25 ms: the import, the forks, the change."""
    for delay_ms in range(0, 40, 2):
        server = start(INI + "processes = 2\nthreads = 2\n")
        server.send(signal.SIGHUP)
        time.sleep(delay_ms / 1000)
        server.stop(signal.SIGINT, seconds=5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_while_the_old_generation_drains_stops(start, number):
    """The old generation is the last to go: its end must end the server too."""
    server = start(INI + "processes = 2\ndrain-idle = 0\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=0.7"))
        server.wait_log("^sleeping in")
        assert server.hup()
        server.stop(number, seconds=5)
