# SPDX-License-Identifier: MIT
"""Who dies of a fault says so, with its Python stacks, and dies of it all the same."""
import contextlib
import os
import re
import resource
import signal
import subprocess
import sys

import pytest

from lib import http, uwsgi
from lib.wait import until

INI = "http-socket = {http}\nmodule = crash\n"

pytestmark = pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")),
                                reason="a fault is the sanitizer's, and so is its stack")


def crash(server, target):
    """What the log then has between the line that begins it and the master's."""
    worker, = server.workers()
    http.is_answered(server.http, target)
    server.wait_log(rf"worker 1 \(pid {worker}\) ended unexpectedly: killed by signal")
    found = re.search(rf"^worker 1 \(pid {worker}\) dies of (SIG\w+) (in|during) (.*?):\n(.*?)"
                      r"ended unexpectedly: killed by signal (\d+)", server.log(), re.M | re.S)
    assert found, server.log()
    assert getattr(signal, found[1]) == int(found[5])
    assert found[3] == f"GET {target}" and (found[2] == "during") == (target == "/thread")
    return found[4]


@pytest.mark.parametrize("ini", ["", "threads = 2\n"], ids=["1 thread", "2 threads"])
def test_a_fault_is_told_with_the_stack(start, ini):
    server = start(INI + ini)
    said = crash(server, "/null")
    assert re.search(r'^Current thread .*\n(  File .*\n)*  File ".*crash\.py", line \d+ in read_null\n'
                     r'  File ".*crash\.py", line \d+ in application$', said, re.M)
    until(lambda: http.is_answered(server.http, "/"), "the next worker")


@pytest.mark.parametrize("name", ["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV"])
def test_every_signal_of_a_fault_is_named(start, name):
    said = crash(start(INI), f"/signal?{getattr(signal, name):d}")
    assert "in application" in said


def test_a_fault_in_a_thread_of_the_application(start):
    assert re.search(r"^Current thread .*\n(  File .*\n)*.* in read_null$",
                     crash(start(INI), "/thread"), re.M)


def test_a_fault_outside_of_the_requests_names_all_that_run(start):
    """And no request that is over."""
    server = start(INI + "threads = 3\n")
    with http.Connection(server.http) as over:
        assert over.request("/over", headers=[("Connection", "close")]).status == 200
        assert over.is_closed()     # its answer comes before it is over
    with http.Connection(server.http) as waiting, http.Connection(server.http) as crashing:
        waiting.send(http.request_bytes("/overflow?9"))
        server.wait_log("^waits$")
        crashing.send(http.request_bytes("/thread"))
        server.wait_log(r"dies of SIGSEGV during "
                        r"GET (/thread, GET /overflow\?9|/overflow\?9, GET /thread):$")


def test_the_request_is_escaped(start):
    server = start("socket = {uwsgi}\nmodule = crash\n")
    with pytest.raises((http.Closed, ConnectionError)):
        uwsgi.request(server.uwsgi, "/null", extra=[("REQUEST_URI", b"/\n\x1b[1m" + b"x" * 5000)])
    server.wait_log(r"^worker 1 \(pid \d+\) dies of SIGSEGV in GET /\\x0a\\x1b\[1mx+:\n")


@pytest.mark.parametrize("lane", [0, 1])
def test_a_stack_that_overflows_is_told_on_another(start, lane):
    """Also that of a lane which is not the main thread."""
    server = start(INI + "threads = 2\n")
    with http.Connection(server.http) as one, http.Connection(server.http) as other:
        for connection in (one, other):
            with contextlib.suppress(ConnectionError):      # the first one may have done it
                connection.send(http.request_bytes(f"/overflow?{lane}"))
        server.wait_log("ended unexpectedly: killed by signal 11")
    assert re.search(rf"^worker 1 \(pid \d+\) dies of SIGSEGV in GET /overflow\?{lane}:\n",
                     server.log(), re.M)
    assert "in overflow" in server.log()


def test_a_child_of_the_application_is_not_called_a_worker(start):
    server = start(INI)
    worker, = server.workers()
    assert http.is_answered(server.http, "/child")
    server.wait_log(rf"^a process that was forked by worker 1 \(pid {worker}\) dies of SIGSEGV in "
                    r"GET /child:\n")
    assert server.workers() == [worker]


def test_a_fault_during_the_import_is_told(start, folder):
    with open(f"{folder}/at_import.py", "w", encoding="utf-8") as f:
        f.write("import os\nos.abort()\n")
    server = start.not_yet("http-socket = {http}\nchdir = {here}\nmodule = at_import\nneed-app = true",
                           folder=folder)
    assert server.run() != 0
    assert re.search(r"^the zygote \(pid \d+\) dies of SIGABRT:\n", server.log(), re.M)
    assert re.search(r"^  File .*at_import\.py\", line 2 in <module>$", server.log(), re.M)


def dumps_core(folder):
    """Whether this system writes the cores of a program that allows them."""
    done = subprocess.Popen([sys.executable, "-c", "import os; os.abort()"], cwd=folder,
                            stderr=subprocess.DEVNULL,
                            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    return os.WCOREDUMP(os.waitpid(done.pid, 0)[1])


def test_the_core_is_dumped_all_the_same(start, folder):
    if not dumps_core(folder):
        pytest.skip("no program leaves a core on this system")
    server = start(INI + "chdir = {here}\n", under=["prlimit", "--core=unlimited"])
    crash(server, "/null")
    assert "killed by signal 11 (Segmentation fault), core dumped" in server.log()


def test_the_application_may_have_its_own_faulthandler(start, folder):
    """It says where the stacks go; the line stays in the log."""
    with open(f"{folder}/own.py", "w", encoding="utf-8") as f:
        f.write("import faulthandler\nfrom crash import application\n"
                f"faulthandler.enable(open('{folder}/stacks', 'w'))\n")
    server = start(INI.replace("crash", "own") + "pythonpath = {here}\n", folder=folder)
    assert "in read_null" not in crash(server, "/null")
    with open(f"{folder}/stacks", encoding="utf-8") as f:
        assert "in read_null" in f.read()
