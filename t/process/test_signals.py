# SPDX-License-Identifier: MIT
"""Signals that are sent to other processes than the master, by name or by group."""
import json
import os
import re
import signal

import pytest

from lib import http, proc
from lib.busy import Held
from lib.load import Load

INI = "http-socket = {http}\nhttp = {router}\nmodule = basic\nprocesses = 2\n"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT,
                                    signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP])
def test_zygote_and_router_outlive_signals_to_all(start, number):
    """pkill -USR1 uwsgi; Ctrl-C and Ctrl-Z in a terminal."""
    server = start(INI)
    children = proc.children(server.pid)
    workers = server.workers()
    for _ in range(3):
        for pid in set(children) - set(workers):
            os.kill(pid, number)
    assert http.request(server.router, "/hello").status == 200
    os.kill(workers[0], signal.SIGKILL)  # the zygote forks another one
    server.wait_log(rf"pid {workers[0]}\) ended unexpectedly")
    assert http.request(server.http, "/hello").status == 200
    server.stop()
    assert server.log().count(") ended ") == 1, server.log()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT, signal.SIGTSTP])
def test_workers_outlive_signals_to_all(start, number):
    server = start(INI)
    workers = server.workers()
    for pid in workers * 3:
        os.kill(pid, number)
    assert {int(http.request(server.http, "/pid").body) for _ in range(20)} <= set(workers)
    server.stop()
    assert ") ended " not in server.log()


def test_the_application_may_have_handlers_of_its_own(start):
    server = start("http-socket = {http}\nmodule = signals")
    worker, = server.workers()
    os.kill(worker, signal.SIGUSR2)
    found = json.loads(http.request(server.http, "/").body)
    assert found["seen"] == [signal.SIGUSR2]


def test_the_application_sees_handlers_that_it_can_put_back(start):
    """As in uWSGI.  What it has put back at the import changes nothing for the processes."""
    server = start("http-socket = {http}\nmodule = signals")
    found = json.loads(http.request(server.http, "/set_for_a_while").body)
    assert found["before"] == {
        "SIGINT": "default_int_handler", "SIGTERM": "SIG_IGN", "SIGHUP": "SIG_IGN",
        "SIGQUIT": "SIG_DFL", "SIGUSR1": "SIG_DFL", "SIGUSR2": "SIG_DFL", "SIGCHLD": "SIG_DFL",
        "SIGPIPE": "SIG_IGN"}


@pytest.mark.parametrize("ini", ["", "lazy-apps = true\n"])
@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGINT])
def test_handlers_that_were_put_back_are_the_servers(start, ini, number):
    server = start("http-socket = {http}\nmodule = signals\n" + ini)
    children = proc.children(server.pid)
    for pid in children:
        os.kill(pid, number)
    assert http.request(server.http, "/").status == 200
    assert proc.children(server.pid) == children
    assert ") ended " not in server.log()


def test_an_interrupt_does_not_break_off_the_end(start):
    """Its KeyboardInterrupt would have been raised in the exit handlers."""
    server = start("http-socket = {http}\nmodule = signals\n")
    http.request(server.http, "/set_for_a_while")
    os.kill(server.workers()[0], signal.SIGINT)
    assert server.stop(signal.SIGTERM) == 0     # which gives the worker the time that it takes
    assert "atexit" in server.log()
    assert "Traceback" not in server.log()


def test_programs_of_the_application_inherit_no_ignored_signal(start):
    server = start("http-socket = {http}\nmodule = signals")
    said = json.loads(http.request(server.http, "/").body)["program"]
    fields = dict(line.split(":\t", 1) for line in said.splitlines())
    # 32 and 33 are the C library's own; whoever was started by its posix_spawn(), as all below
    # `make` is, ignores them.
    ignored = int(fields["SigIgn"], 16) & ~(3 << 31)
    assert ignored == int(fields["SigCgt"], 16) == 0


def test_no_thread_of_a_worker_blocks_signals(start):
    """Programs that the application starts there would inherit it, and could not be terminated.  The
    kernel gives what is for the process to the main thread as long as that blocks nothing."""
    server = start("http-socket = {http}\nmodule = basic\nthreads = 4")
    worker, = server.workers()
    blocked = [int(proc.status(f"{worker}/task/{thread}", "SigBlk")[0], 16)
               for thread in os.listdir(f"/proc/{worker}/task")]
    assert blocked == [0] * 4


@pytest.mark.parametrize("name", ["TERM", "HUP", "QUIT"])
@pytest.mark.parametrize("ini", ["", "threads = 3\n", "lazy-apps = true\n"])
def test_a_worker_that_is_asked_to_leave_is_replaced_first(start, name, ini):
    server = start("http-socket = {http}\nmodule = signals\n" + ini)
    worker, = server.workers()
    with Load(server.http, clients=1, target="/") as load:
        os.kill(worker, getattr(signal, f"SIG{name}"))
        server.wait_log(rf"worker 1 \(pid {worker}\) is replaced: SIG{name} from pid {os.getpid()}$")
        proc.wait_gone(worker)
    assert not load.failures
    assert len(server.workers()) == 1
    assert "ended" not in server.log()


def test_a_worker_that_ends_itself_says_so(start):
    server = start("http-socket = {http}\nmodule = signals\n")
    worker, = server.workers()
    assert http.request(server.http, "/leave").status == 200
    server.wait_log(rf"worker 1 \(pid {worker}\) is replaced: SIGTERM from itself$")
    proc.wait_gone(worker)
    assert http.request(server.http, "/").status == 200
    assert "ended" not in server.log()


@pytest.mark.parametrize("ini", ["", "lazy-apps = true\n"])
def test_handlers_of_the_import_for_leaving_give_way_in_workers_only(start, folder, ini):
    with open(f"{folder}/own.py", "w", encoding="utf-8") as f:
        f.write("import os, signal, time\n"
                "def handler(*_):\n"
                "    print('handled by the application', flush=True)\n"
                "    os._exit(3)\n"
                "signal.signal(signal.SIGTERM, handler)\n"
                "def application(environ, start_response):\n"
                "    start_response('200 OK', [])\n"
                "    pid = os.fork()\n"
                "    if pid == 0:\n"
                "        os.kill(os.getpid(), signal.SIGTERM)\n"
                "        time.sleep(30)\n"
                "    return [b'%d' % os.WEXITSTATUS(os.waitpid(pid, 0)[1])]\n")
    server = start("http-socket = {http}\nmodule = own\nprocesses = 2\n" + ini, folder=folder)
    assert http.request(server.http, "/").body == b"3"
    seen = server.log().count("handled by the application")
    worker = server.workers()[0]
    os.kill(worker, signal.SIGTERM)
    proc.wait_gone(worker)
    assert server.log().count("handled by the application") == seen == 1


def test_usr1_says_what_runs_and_since_when(start):
    server = start("http-socket = {http}\nmodule = basic\nthreads = 2\n")
    with Held(server, "&a=%0a") as held:
        server.send(signal.SIGUSR1)
        server.wait_log(r"^generation 1 began \d+ s ago$")
        server.wait_log(r"^generation 1 worker 1 \(pid \d+\): serving, 0 requests$")
        server.wait_log(r"^generation 1 worker 1 \(pid \d+\): thread [12] runs GET "
                        r"/wait\?for=\S+&a=%0a for \d+\.\d s$")
        assert held.end().status == 200
    server.send(signal.SIGUSR1)
    server.wait_log(r"serving, 1 requests$")
    assert len(re.findall(" runs GET ", server.log())) == 1
