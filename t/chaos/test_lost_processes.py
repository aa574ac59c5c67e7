# SPDX-License-Identifier: MIT
"""Processes that cannot be made, or are gone before anybody knows them: none is missing for long,
and none is in the books that is not there."""
import os
import re
import signal

import pytest

from lib import http, mixed, proc
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


def pid_of(server):
    return int(http.request(server.http, "/pid").body)


@pytest.mark.parametrize("rules, said", [
    ("socketpair:ENFILE,in=master", "socketpair: Too many open files in system; trying again"),
    ("socketpair:EMFILE,in=zygote", "Too many open files; trying again"),
    ("fork:EAGAIN,in=zygote", "Resource temporarily unavailable; trying again"),
    ("fork:EAGAIN,in=zygote,nth=2", "Resource temporarily unavailable; trying again"),
    # The intermediate process ends without a word: the worker that nobody knows must not serve.
    ("send:EPIPE,in=zygote", "No child processes; trying again"),
    ("sendmsg:EAGAIN,in=master", "takes no order; trying again")])
def test_a_worker_that_could_not_be_forked_once_is_forked_again(start, rules, said):
    server = start(INI, faults="")
    children = len(proc.children(server.pid))
    victim = pid_of(server)
    server.faults.set(rules)
    os.kill(victim, signal.SIGKILL)
    server.wait_log("cannot start worker 1: .*" + re.escape(said))
    assert pid_of(server) != victim
    assert server.faults.hits() == 1
    until(lambda: len(proc.children(server.pid)) == children, "no process too many")
    until(lambda: pid_of(server) in server.workers(), "the known worker to serve")


def test_a_router_that_could_not_be_forked_once_is_forked_again(start):
    server = start(INI + "http = {router}\n", faults="")
    victim = server.routers()[0]
    server.faults.set("fork:EAGAIN,in=master")
    os.kill(victim, signal.SIGKILL)
    server.wait_log("cannot start http 1: Resource temporarily unavailable; trying again")
    until(lambda: len(server.routers()) == 2, "another router")
    assert http.request(server.router, "/hello").body == b"hello\n"


def test_a_program_beside_the_server_that_could_not_be_forked_once_is_forked_again(start):
    server = start(INI + "attach-daemon = exec sleep 60\n", faults="")
    until(lambda: mixed.processes(server, "daemon"), "the first one")
    server.faults.set("fork:EAGAIN,in=master")
    mixed.kill_one(server, "daemon")
    server.wait_log("cannot start daemon 1: fork: Resource temporarily unavailable; trying again")
    until(lambda: mixed.processes(server, "daemon"), "another one")


def test_the_reason_of_a_start_that_fails_is_the_first_one(start):
    server = start.not_yet(INI + "processes = 2\n", faults="socketpair:EMFILE,in=master")
    assert server.run() == 1
    server.wait_log("cannot start: socketpair: Too many open files")


def known(server):
    """The workers' pids in the master's books."""
    return {int(p) for p in re.findall(r"^generation 1 worker \d+ \(pid (\d+)\)", server.told(), re.M)}


def test_workers_that_die_before_they_are_known_leave_no_phantoms(start, folder):
    """The master learns of each end late, when the next worker may be announced already."""
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import os, threading\n"
                "def application(e, s):\n s('200 OK', [])\n return [b'x']\n"
                "os.register_at_fork(after_in_child=lambda: os.path.exists('broken') and "
                "threading.Thread(target=os._exit, args=[1]).start())\n")
    server = start("http-socket = {http}\nwsgi-file = mine.py\nprocesses = 20\n", folder=folder,
                   faults="waitpid:delay=2ms,in=master,times=all "
                          "waitid:delay=2ms,in=master,times=all")
    with open(f"{folder}/broken", "w", encoding="ascii"):
        pass
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(re.findall("keeps dying", server.log())) > 60, "each to die some times", 30)
    os.unlink(f"{folder}/broken")
    # A new worker may be about to die of a fault that it met when it was forked.
    until(lambda: len(there := known(server)) == 20 and there == set(server.workers()),
          "all workers, and no other in the books", 30)
    assert server.stop(signal.SIGTERM) == 0


def test_max_requests_may_be_reached_before_the_worker_is_ready(start):
    """Lanes serve as soon as they run; the main thread says READY when all do."""
    server = start.not_yet(INI + "threads = 2\nmax-requests = 1\n",
                           faults="sendmsg:delay=30000ms,in=worker").spawn()
    until(server.faults.hits, "the worker to be about to say READY")
    first = pid_of(server)
    server.faults.set("")
    server.wait_log(rf"worker 1 \(pid {first}\) is replaced: it has asked to be before it was ready")
    proc.wait_gone(first)
