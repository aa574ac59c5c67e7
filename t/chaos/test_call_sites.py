# SPDX-License-Identifier: MIT
"""Each place in the program that calls the kernel sees that call fail once: at the start, and again
while requests, a reload and a respawn run.  Whatever fails, no answer is wrong, what is refused or
lost is no more than what failed, the log says why, and in the end all is as before."""
import os
import re
import signal

import pytest

from lib import mixed, proc
from lib.server import READY
from lib.wait import until

GROUPS = {
    "interrupted": "read:EINTR recv:EINTR recvmsg:EINTR send:EINTR sendmsg:EINTR epoll_wait:EINTR "
                   "poll:EINTR waitpid:EINTR",
    "no descriptors": "accept4:EMFILE pipe2:EMFILE socketpair:EMFILE eventfd:EMFILE socket:EMFILE "
                      "epoll_create1:EMFILE open:EMFILE signalfd:EMFILE",
    "no memory of the kernel's": "epoll_ctl:ENOMEM mmap:ENOMEM setsockopt:ENOBUFS",
    "no memory": "malloc:ENOMEM,own",
    "no processes": "fork:EAGAIN pthread_create:EAGAIN",
    "peers": "recv:ECONNRESET send:EPIPE sendmsg:EPIPE connect:ECONNREFUSED accept4:ECONNABORTED",
    "disk": "write:EIO pwritev:EIO open:ENOSPC mkostemp:ENOSPC",
}
WAYS = mixed.PEERS
STARTS = 40


def all_hits(server):
    return {call: server.faults.hits(i) for i, call in enumerate(server.rules)}


def starts_at_last(server):
    """Every start that is refused says why, and leaves nothing; a place that has failed does not
    fail again."""
    for _ in range(STARTS):
        if os.path.exists(server.log_path):
            os.unlink(server.log_path)
        server.spawn()
        until(lambda: server.ended() or re.search(READY, server.log()), "the server to be ready")
        if not server.ended():
            return
        assert server.process.returncode > 0
        assert re.search("error", server.log()), "ended in silence"
    raise AssertionError(f"refused {STARTS} times")


def reloads_at_last(server):
    for _ in range(STARTS):
        if server.hup():
            return
    raise AssertionError(f"given up {STARTS} times")


def ask(server, count, seed):
    load = mixed.Mixed({name: server.names[name] for name in WAYS}, clients=1, seed=seed)
    with load:
        load.wait_more(count)
    return load


@pytest.mark.parametrize("group", GROUPS)
def test_every_place_that_calls_fails_once(start, group):
    server = start.not_yet(mixed.INI, faults="")
    server.rules = GROUPS[group].split()
    rules = " ".join(f"{r},each" for r in server.rules)
    server.faults.set(rules)
    starts_at_last(server)
    whole = {"zygote": 1, "worker": 2, "http": 1}
    until(lambda: mixed.roles(server) == whole, "all processes")
    server.faults.set(rules)
    first = ask(server, 10, 1)
    reloads_at_last(server)
    for role in ("worker", "http"):
        mixed.kill_one(server, role)
    until(lambda: mixed.roles(server) == whole and not mixed.zombies(server), "all processes")
    hits = all_hits(server)
    server.faults.set("")
    last = ask(server, 5, 2)
    assert [f for f in first.failures if f.what.startswith("wrong")] == []
    assert len(first.failures) <= sum(hits.values()), hits
    assert last.failures == []
    # One whose descriptors could all be opened.
    assert server.hup()
    until(lambda: mixed.roles(server) == whole, "the old generation to leave")
    descriptors = len(proc.open_files(server.pid))
    assert server.hup()
    until(lambda: mixed.roles(server) == whole, "the old generation to leave")
    until(lambda: len(proc.open_files(server.pid)) <= descriptors, "its descriptors to be closed")
    assert server.stop(signal.SIGTERM) == 0
