# SPDX-License-Identifier: MIT
"""What the module uwsgi says of the server, with uWSGI's names: status pages such as django-uwsgi's
show it."""
import ast

import pytest

from lib import http
from lib.evaluated import run
from lib.wait import until

NUMBERS = {"id", "pid", "requests", "delta_requests", "exceptions", "signals", "rss", "vsz",
           "running_time", "last_spawn", "respawn_count", "tx", "avg_rt"}


@pytest.fixture
def serve(start):
    def run_it(more=""):
        return start(f"http-socket = {{http}}\nmodule = evaluated\nprocesses = 2\nmaster = true\n{more}\n")
    return run_it


def workers(server):
    return ast.literal_eval(run(server, "uwsgi.workers()"))


@pytest.mark.parametrize("more", ["", "lazy-apps = true"])
def test_each_worker_says_what_all_have_done(serve, more):
    server = serve(more)
    both = until(lambda: len(workers(server)) == 2 and workers(server), "two workers")
    assert [w["id"] for w in both] == [1, 2]
    assert all(isinstance(w[name], int) for w in both for name in NUMBERS)
    assert all(w["respawn_count"] == 1 and w["rss"] > 1 << 20 for w in both)
    assert b"busy" in [w["status"] for w in both]       # who answers this
    before = sum(w["requests"] for w in both)
    for _ in range(5):
        assert http.request(server.http, "/?1").body == b"1"
    # A request is counted when it has been answered.
    until(lambda: sum(w["requests"] for w in workers(server)) >= before + 5, "all of them")
    after = workers(server)
    assert sum(app["requests"] for w in after for app in w["apps"]) >= before + 5
    assert sum(w["tx"] for w in after) > sum(w["tx"] for w in both)
    assert int(run(server, "uwsgi.total_requests()")) >= before + 5


def test_pids_are_those_of_the_workers(serve):
    server = serve()
    until(lambda: len(workers(server)) == 2, "two workers")
    pid = int(run(server, "__import__('os').getpid()"))
    assert pid in [w["pid"] for w in workers(server)]


def test_after_a_reload_it_is_about_the_new_workers(serve):
    server = serve()
    before = {w["pid"] for w in until(lambda: workers(server), "workers")}
    asked = sum(w["requests"] for w in workers(server))
    server.hup()
    until(lambda: (now := {w["pid"] for w in workers(server)}) and not now & before, "new workers")
    # Those that the older ones have answered are added when these have gone.
    until(lambda: int(run(server, "uwsgi.total_requests()")) >= asked + 2, "those of the old workers")


@pytest.mark.parametrize("expression, said", [
    ("uwsgi.loop", "None"), ("uwsgi.buffer_size", "8192"), ("uwsgi.logsize() > 100", "True"),
    ("len(uwsgi.workers()) <= uwsgi.numproc", "True"), ("uwsgi.workers(1)", "TypeError")])
def test_what_else_status_pages_ask(serve, expression, said):
    assert run(serve("buffer-size = 8192"), expression) == said
