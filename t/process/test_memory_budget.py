# SPDX-License-Identifier: MIT
"""memory-budget: the largest worker is replaced; and what the kernel kills is said.  Who goes and when is
tried in t/unit/core/test_budget.c, control groups in test_cgroup.c."""
import os
import signal

import pytest

from lib import http, proc
from lib.server import command
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


def test_the_largest_worker_is_replaced(start):
    server = start(INI + "processes = 2\nmemory-budget = 250m\n")
    workers = server.workers()
    large = int(http.request(server.http, "/grow?mb=300").body)
    server.wait_log(rf"^warning: worker \d \(pid {large}\) is replaced: all processes hold \d+ MB of "
                    r"memory \(memory-budget 250 MB\), this one 3\d\d MB", 30)
    proc.wait_gone(large)
    until(lambda: len(server.workers()) == 2, "two workers")
    assert set(server.workers()) & set(workers) == set(workers) - {large}


def test_who_has_not_grown_stays(start):
    server = start(INI + "processes = 2\nmemory-budget = 1m\n")
    workers = server.workers()
    server.wait_log(r"^warning: all processes hold \d+ MB of memory \(memory-budget 1 MB\), but no "
                    "worker has grown much")
    assert server.workers() == workers


@pytest.mark.parametrize("value", ["much", "0", "-1", "1 GB"])
def test_a_wrong_value_is_an_error(folder, value):
    with open(f"{folder}/a.ini", "w", encoding="ascii") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\nmodule = basic\nmemory-budget = {value}\n")
    assert "memory-budget" in command("--check", f"{folder}/a.ini").stderr + \
        command("--check", f"{folder}/a.ini").stdout


def removed(group):
    try:
        os.rmdir(group)
    except OSError:     # somebody is in it
        return False
    return True


@pytest.fixture
def group():
    """A control group of the test's own, where that is possible."""
    for folder in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        path = f"{folder}/uwsgi-test-{os.getpid()}"
        try:
            os.mkdir(path)
        except OSError:
            continue
        limit = next((f"{path}/{n}" for n in ("memory.limit_in_bytes", "memory.max")
                      if os.path.exists(f"{path}/{n}")), None)
        if limit:
            with open(limit, "w", encoding="ascii") as f:
                f.write(str(150 << 20))
            yield path
            until(lambda p=path: removed(p), "the group to be empty")
            return
        os.rmdir(path)
    pytest.skip("no control group can be made here")


def test_an_oom_kill_is_said(start, group):
    server = start(INI + "processes = 2\n", under=["/bin/sh", "-c",
                                                   f'echo $$ > {group}/cgroup.procs; exec "$@"', "-"])
    with pytest.raises((OSError, http.Closed)):
        http.request(server.http, "/grow?mb=300")
    server.wait_log(r"^error: worker \d \(pid \d+\) ended unexpectedly: killed by signal 9 \(Killed\), "
                    r"by the kernel for want of memory \(oom_kill\); restarting$")
    until(lambda: len(server.workers()) == 2, "two workers")
    server.stop(signal.SIGINT)
