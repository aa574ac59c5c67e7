# SPDX-License-Identifier: MIT
"""Threads that go on after the answer: a worker that leaves waits for non-daemon threads and for the
jobs of executors, as Python does before it exits."""
import os
import re
import signal

import pytest

from lib import http, proc
from lib.wait import until

INI = "http-socket = {http}\nmodule = background\nreload-mercy = 20\nworker-reload-mercy = 20\n"
JOBS = ["thread done", "first of the executor done", "second of the executor done"]


@pytest.fixture(params=["", "threads = 3\n"], ids=["1 thread", "3 threads"])
def ini(request):
    return INI + request.param


def begin_jobs(server, target="/jobs"):
    """The pid of the worker that has them."""
    worker = int(http.request(server.http, target).body)
    server.wait_log(rf"began in {worker}$")
    return worker


def release(server):
    with open(f"{server.folder}/release", "w", encoding="utf-8"):
        pass


def said(server, worker):
    return re.findall(rf"^(.* done|atexit|uwsgi.atexit) in {worker}$", server.log(), re.M)


def check_order(server, worker):
    """That of uWSGI."""
    what = said(server, worker)
    assert what[0] == "uwsgi.atexit"
    assert sorted(what) == sorted(["uwsgi.atexit", *JOBS, "atexit"])
    if "Python 3.8" not in server.log():  # where executors wait in an exit function of their own
        assert what[-1] == "atexit"
    assert "killed" not in server.log()


def test_jobs_end_before_the_server_does(start, ini):
    server = start(ini)
    worker = begin_jobs(server)
    server.send(signal.SIGTERM)
    server.wait_log(f"^uwsgi.atexit in {worker}$")
    release(server)
    assert server.wait() == 0
    check_order(server, worker)


def test_a_reload_does_not_wait_for_jobs_and_they_end(start, ini):
    server = start(ini)
    worker = begin_jobs(server)
    for _ in range(2):
        assert server.hup()
        server.wait_log(f"^uwsgi.atexit in {worker}$")
        assert int(http.request(server.http, "/pid").body) != worker
    assert proc.alive(worker)
    release(server)
    proc.wait_gone(worker)
    check_order(server, worker)


def test_a_worker_that_is_recycled_ends_its_jobs(start, ini):
    server = start(ini + "max-requests = 1\n")
    worker = begin_jobs(server)
    server.wait_log(f"^uwsgi.atexit in {worker}$")
    assert int(http.request(server.http, "/pid").body) != worker
    release(server)
    proc.wait_gone(worker)
    check_order(server, worker)


@pytest.mark.parametrize("target, names", [("/thread", "my job"),
                                           ("/jobs", "my job, ThreadPoolExecutor-0_0")])
def test_what_does_not_end_in_time_is_named(start, ini, target, names):
    if os.environ.get("UWSGI_SANITIZED") == "tsan":
        pytest.skip("the thread sanitizer sleeps a second at each end")
    server = start(ini + "reload-mercy = 2\n")
    if target == "/jobs" and "Python 3.8" in server.log():
        pytest.skip("executors wait in an exit function of their own there")
    worker = begin_jobs(server, target)
    server.send(signal.SIGTERM)
    server.wait_log(f"^uwsgi.atexit in {worker}$")
    # The master would kill it a second later, which is not much on a busy machine.
    proc.stop(server.pid)
    try:
        server.wait_log(rf"warning: worker 1 ends although threads still run after [01]\.\d s .*: {names}$")
        until(lambda: not proc.alive(worker), "its end")
    finally:
        server.send(signal.SIGCONT)
    assert server.wait() == 0
    assert said(server, worker) == ["uwsgi.atexit", "atexit"]
    assert "killed" not in server.log()


def test_daemons_are_not_waited_for(start, ini):
    server = start(ini)
    worker = begin_jobs(server, "/daemon")
    server.stop(signal.SIGTERM)
    assert said(server, worker) == ["uwsgi.atexit", "atexit"]
    assert "threads still run" not in server.log()


def test_a_thread_that_waits_for_the_main_thread_ends(start, ini):
    server = start(ini)
    worker = int(http.request(server.http, "/watcher").body)
    server.stop(signal.SIGTERM)
    assert said(server, worker) == ["uwsgi.atexit", "watcher done", "atexit"]


def test_skip_atexit_skips_all_of_it(start, ini):
    server = start(ini + "skip-atexit = true\n")
    worker = begin_jobs(server)
    server.stop(signal.SIGTERM)
    assert not said(server, worker)
    assert not os.path.exists(f"{server.folder}/release")


def test_threads_are_no_daemons_whichever_lane_starts_them(start):
    """Threads inherit it, and Python takes lanes but the first for daemons."""
    server = start(INI + "threads = 2\n")
    with http.Connection(server.http) as one, http.Connection(server.http) as other:
        for connection in (one, other):
            connection.send(http.request_bytes("/daemon_in_each"))
        assert [c.read().body for c in (one, other)] == [b"False", b"False"]
