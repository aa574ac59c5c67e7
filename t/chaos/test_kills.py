# SPDX-License-Identifier: MIT
"""Processes that are killed, stopped, or told too much under load: only what ran in them is lost,
and they are all back."""
import contextlib
import os
import signal
import time

import pytest

from lib import mixed, proc
from lib.mixed import reloads
from lib.wait import until

STANDSTILL_S = 0.4


@pytest.mark.parametrize("role, times, said", [
    ("worker", 4, r"worker \d \(pid {pid}\) ended unexpectedly: killed by signal 9"),
    ("zygote", 2, r"the process that workers are forked from \(pid {pid}\) ended: killed by signal 9"),
    ("http", 2, r"http \d \(pid {pid}\) ended unexpectedly: killed by signal 9")])
def test_a_killed_process_takes_only_its_own_requests_along(besiege, role, times, said):
    b = besiege()
    with b.load() as load:
        for _ in range(times):
            victim, reloaded = mixed.processes(b.server, role)[0], reloads(b.server)
            load.kill(victim)
            b.server.wait_log(said.format(pid=victim))
            if role == "zygote":
                until(lambda: reloads(b.server) > reloaded, "the application to be imported again")
            until(b.is_whole, f"another {role}")
            load.wait_more(3)
    b.check(load)
    b.end()


def test_all_children_killed_at_once(besiege):
    b = besiege()
    with b.load() as load:
        for victim in proc.children(b.server.pid):
            # Without those that are dead, it may have left by itself.
            with contextlib.suppress(ProcessLookupError):
                load.kill(victim)
        until(lambda: reloads(b.server) and b.is_whole(), "all processes")
        load.wait_more(3)
    b.check(load)
    b.end()


@pytest.mark.parametrize("role", ["worker", "http"])
def test_a_stopped_process_loses_nothing(besiege, role):
    """Those whom it has accepted wait, perhaps all of them."""
    b = besiege()
    with b.load() as load:
        stopped = mixed.processes(b.server, role)[0]
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(STANDSTILL_S)
        os.kill(stopped, signal.SIGCONT)
        load.wait_more(3)
    b.check(load)
    b.end()
