# SPDX-License-Identifier: MIT
"""Signals that are sent to other processes than the master, by name or by group."""
import json
import os
import signal

import pytest

from lib import http, proc

INI = "http-socket = {http}\nhttp = {router}\nmodule = basic\nprocesses = 2\n"


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT,
                                    signal.SIGHUP, signal.SIGQUIT])
def test_zygote_and_router_outlive_signals_to_all(start, number):
    """pkill -USR1 uwsgi; Ctrl-C in a terminal."""
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


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT])
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
    # Python says None of a handler that is not its own, as in uWSGI.
    assert found["before"] == {"SIGUSR1": None, "SIGUSR2": None, "SIGTERM": None,
                               "SIGCHLD": "SIG_DFL"}


def test_programs_of_the_application_inherit_no_ignored_signal(start):
    server = start("http-socket = {http}\nmodule = signals")
    said = json.loads(http.request(server.http, "/").body)["program"]
    fields = dict(line.split(":\t", 1) for line in said.splitlines())
    assert int(fields["SigIgn"], 16) == int(fields["SigCgt"], 16) == 0


def test_only_the_main_thread_of_a_worker_takes_signals(start):
    """Another thread may be inside a request, and its system calls are nobody's to break off."""
    server = start("http-socket = {http}\nmodule = basic\nthreads = 4")
    worker, = server.workers()
    blocked = {int(thread): int(proc.status(f"{worker}/task/{thread}", "SigBlk")[0], 16)
               for thread in os.listdir(f"/proc/{worker}/task")}
    asked = sum(1 << number - 1 for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
                                               signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2))
    assert len(blocked) == 4
    assert blocked.pop(worker) & asked == 0
    assert [mask & asked for mask in blocked.values()] == [asked] * 3
