# SPDX-License-Identifier: MIT
"""As many workers as the load needs, and none while nobody comes.  When that is decided is tried in
t/unit/core/test_cheaper.c; here is what becomes of it."""
import json
import re
import signal
import threading

import pytest

from lib import http
from lib.busy import begin, let_go
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"
WAITS = INI.replace("basic", "looked_at")
MANUAL = INI + "processes = 4\ncheaper = 1\ncheaper-algo = manual\n"


def resize(server, number, count):
    """The workers after one of the signals: those that are left or come."""
    server.send(number)
    until(lambda: len(server.workers()) == count, f"{count} workers")
    return server.workers()


def printed(server):
    """What the master says of its workers when it is asked."""
    before = len(server.log())
    server.send(signal.SIGUSR1)
    until(lambda: re.search(r"began \d+ s ago\n.*worker 1 ", server.log()[before:]), "a worker")
    return server.log()[before:]


def wait_for_running(server, count):
    until(lambda: printed(server).count(" runs GET ") == count, f"{count} running requests")


def test_it_starts_with_cheaper_initial(start):
    server = start(INI + "processes = 4\ncheaper = 1\ncheaper-initial = 2\ncheaper-algo = manual\n")
    assert len(server.workers()) == 2
    assert "serving: 2 workers × 1 thread accept requests" in server.log()


def test_workers_are_added_when_none_is_free_and_leave_again(start, fifo):
    server = start(WAITS + "processes = 3\ncheaper = 1\ncheaper-overload = 0\n")
    first = server.workers()
    thread = begin(server, f"/?outside={fifo}")
    server.wait_log(r"^2 workers instead of 1: none was free for 1 s \(cheaper-overload 0\)$")
    until(lambda: len(server.workers()) == 2, "the second worker")
    assert http.request(server.http, "/?planted=1").status == 200
    let_go(fifo, thread)
    server.wait_log(r"^1 worker instead of 2: 2 ran nothing \(cheaper 1\)$")
    until(lambda: server.workers() == first, "the first worker alone")


def test_by_hand(start):
    server = start(MANUAL)
    first, = server.workers()
    assert first in resize(server, signal.SIGTTIN, 2)
    server.wait_log(r"^2 workers instead of 1: SIGTTIN from pid \d+")
    assert resize(server, signal.SIGTTOU, 1) == [first]
    server.send(signal.SIGTTOU)
    server.wait_log(r"SIGTTOU .*: there are as few workers as may be \(cheaper\)$")
    assert http.request(server.http, "/pid").body == str(first).encode()


def test_by_hand_without_cheaper_nothing_changes(start):
    server = start(INI + "processes = 2\n")
    workers = server.workers()
    server.send(signal.SIGTTOU)
    server.wait_log(r"all 2 workers always run \(cheaper is not set\)$")
    assert server.workers() == workers


@pytest.mark.parametrize("mercy", [60, 0])
def test_who_leaves_finishes_what_it_runs(start, fifo, mercy):
    server = start(WAITS + "processes = 2\ncheaper = 1\ncheaper-algo = manual\n"
                           f"worker-reload-mercy = {mercy}\n")
    workers, answers = resize(server, signal.SIGTTIN, 2), []
    threads = [threading.Thread(target=lambda: answers.append(
        http.request(server.http, f"/?outside={fifo}").status)) for _ in range(2)]
    # One after the other: a worker that is busy leaves the second one to the other.
    for i, t in enumerate(threads):
        t.start()
        wait_for_running(server, i + 1)
    server.send(signal.SIGTTOU)
    server.wait_log("^1 worker instead of 2: SIGTTOU")
    until(lambda: ": leaving, " in printed(server), "one to be asked to leave")
    for t in threads:
        let_go(fifo, t)
    until(lambda: len(server.workers()) == 1, "one worker")
    assert answers == [200, 200]
    assert server.workers()[0] in workers


def test_no_request_is_lost_while_workers_come_and_go(start):
    server = start(INI + "processes = 4\ncheaper = 1\ncheaper-algo = manual\nthreads = 2\n"
                   "disable-logging = true\n")
    with Load(server.http, keep_alive=True) as load:
        for _ in range(4):
            for number in (signal.SIGTTIN,) * 3 + (signal.SIGTTOU,) * 3:
                before = len(server.log())
                server.send(number)
                until(lambda b=before: " instead of " in server.log()[b:], "a change")
        until(lambda: len(server.workers()) == 1, "one worker")
    assert load.failures == []


def test_a_reload_goes_on_with_as_many(start):
    server = start(MANUAL)
    resize(server, signal.SIGTTIN, 2)
    server.hup()
    server.wait_log("^reloaded: 2 workers")


def test_statistics_show_who_does_not_run(start):
    server = start(MANUAL + "stats = {stats}\n")
    server.wait_log(r"^stats 1 \(pid \d+\) runs$")

    def stats():
        return [w["status"] for w in json.loads(http.raw(server.stats, b""))["workers"]]

    assert stats() == ["idle", "cheap", "cheap", "cheap"]
    server.send(signal.SIGTTIN)
    until(lambda: stats() == ["idle", "idle", "cheap", "cheap"], "the second worker")


def test_cheaper_that_is_not_less_than_processes_is_a_sentence(start):
    server = start(INI + "processes = 2\ncheaper = 2\n")
    server.wait_log("warning: cheaper = 2: must be less than processes (.2.), as it is the least")
    assert len(server.workers()) == 2


def test_memory_keeps_a_worker_from_coming(start, fifo):
    server = start(WAITS + "processes = 2\ncheaper = 1\ncheaper-overload = 0\n"
                           "cheaper-rss-limit-soft = 1m\n")
    thread = begin(server, f"/?outside={fifo}")
    server.wait_log(r"^warning: 1 worker: another one is wanted, but they hold \d+ MB of memory "
                    r"\(cheaper-rss-limit-soft 1 MB\)$")
    assert len(server.workers()) == 1
    let_go(fifo, thread)


def test_busyness_says_what_it_measured(start, fifo):
    server = start(WAITS + "processes = 2\ncheaper = 1\ncheaper-algo = busyness\n"
                           "cheaper-overload = 1\ncheaper-busyness-verbose = true\n")
    thread = begin(server, f"/?outside={fifo}")
    server.wait_log(r"^2 workers instead of 1: busy for \d+ % of the last 1 s "
                    r"\(cheaper-busyness-max 50\)$")
    server.wait_log(r"^1 worker busy for \d+ % of the time; 0 connections wait$")
    let_go(fifo, thread)


# ---- none at all ----

@pytest.mark.parametrize("front", ["http-socket", "http"])
def test_cheap_starts_workers_with_the_first_connection(start, front):
    server = start(INI.replace("http-socket", front) + "processes = 2\ncheap = true\n")
    server.wait_log("^serving: 0 workers .* accept requests after .*; they start when a client connects")
    assert server.workers() == []
    assert http.request(server.http, "/hello").body == b"hello\n"
    server.wait_log("^2 workers instead of 0: a client has connected$")
    until(lambda: len(server.workers()) == 2, "both workers")


def test_idle_ends_the_workers_and_who_comes_wakes_them(start):
    server = start(INI + "processes = 2\ncheaper = 1\nidle = 1\ndrain-idle = 1\n")
    with http.Connection(server.http) as kept:
        assert kept.request("/hello").status == 200
        server.wait_log(r"^0 workers instead of 1: no request for 1 s \(idle\)$")
        until(kept.is_closed, "the connection to be closed, after drain-idle", 10)
    until(lambda: server.workers() == [], "no worker")
    for _ in range(3):
        assert http.request(server.http, "/hello").body == b"hello\n"


def test_a_sleeping_server_reloads_and_sleeps_on(start):
    server = start(INI + "cheap = true\n")
    server.hup()
    server.wait_log("^reloaded: 0 workers")
    assert http.request(server.http, "/hello").status == 200


def test_a_sleeping_server_is_ready(start):
    server = start(INI + "cheap = true\ninspect = {inspect}\n")
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    until(lambda: http.request(server.inspect, "/ready").status == 200, "to be ready")
    assert server.workers() == []


def test_die_on_idle_stops_the_server(start, fifo):
    """A client is there before the server serves: its second may be over when one comes later."""
    server = start.not_yet(INI + "idle = 1\ndie-on-idle = true\n"
                           f"hook-pre-app = exec:cat {fifo}\n").spawn()
    server.wait_listening("http")
    with http.Connection(server.http) as client:
        client.send(http.request_bytes("/hello"))
        open(fifo, "wb").close()
        assert client.read().status == 200
    assert server.wait() == 0
    assert "no request for so long as idle says (die-on-idle): stopping" in server.log()
