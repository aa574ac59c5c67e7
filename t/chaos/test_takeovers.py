# SPDX-License-Identifier: MIT
"""Trouble while a new program takes the place of the old one: processes that die, signals at any
moment, calls that fail.  The server goes on, with the one or the other, or ends as it was told to."""
import os
import re
import signal
import time

import pytest

from lib import http, mixed, proc, upgrade
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\nprocesses = 2\nreload-mercy = 10\n"


@pytest.fixture
def upgraded(start, folder):
    return upgrade.Upgraded(start, folder)


def replace(upgraded):
    upgrade.replace(upgraded.path, upgraded.program())


@pytest.mark.parametrize("role", ["worker", "zygote", "http", "stats", "daemon"])
def test_who_dies_meanwhile_is_replaced(upgraded, role):
    server = upgraded.begin(mixed.INI + "stats = {stats}\nattach-daemon = exec sleep 100\n")
    whole = {"zygote": 1, "worker": 2, "http": 1, "stats": 1, "daemon": 1}
    until(lambda: mixed.roles(server, whole) == whole, "all processes")
    replace(upgraded)
    server.send(signal.SIGHUP)
    server.wait_log("asking the new program")
    mixed.kill_one(server, role)
    server.wait_log(upgrade.TAKES_OVER)
    server.wait_log("^reloaded: ")
    until(lambda: mixed.roles(server, whole) == whole and not mixed.zombies(server),
          "all processes, and no other")
    assert http.request(server.router, "/hello?id=1").body == b"hello 1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("pause_s", [0, .02, .05, .1])
def test_the_end_may_come_at_any_moment(upgraded, number, pause_s):
    server = upgraded.begin(INI)
    replace(upgraded)
    server.send(signal.SIGHUP)
    time.sleep(pause_s)
    assert server.stop(number) == 0
    assert "unexpectedly" not in server.log()


def test_upgrades_and_reloads_in_a_storm(upgraded):
    server = upgraded.begin(INI)
    with Load(server.http, clients=2, target="/hello") as load:
        for _ in range(5):
            replace(upgraded)
            for _ in range(4):
                server.send(signal.SIGHUP)
                time.sleep(0.01)
            load.wait_more(5)
        until(lambda: len(re.findall("^reloaded: ", server.log(), re.M)) >= 2, "reloads")
        until(server.hup, "one that is not given up", 30)
        until(lambda: len(proc.children(server.pid)) == 3, "the end of them", 30)
    assert load.failures == []
    assert len(re.findall(upgrade.TAKES_OVER, server.log())) >= 1
    until(lambda: len(server.workers()) == 2, "two workers")


@pytest.mark.parametrize("rules", [
    "pipe2:EMFILE,in=master", "write:ENOSPC,in=master", "open:ENFILE,in=master",
    "waitid:EINTR,in=master,times=3", "socketpair:EMFILE,in=master", "fork:EAGAIN,in=master",
    "read:EINTR,in=master,times=5", "malloc:ENOMEM,in=master"])
def test_a_call_that_fails_costs_no_request(upgraded, rules):
    """The rules hold for the master of either program."""
    server = upgraded.begin(INI + "log-master = true\n", faults="")
    replace(upgraded)
    with Load(server.http, clients=1, target="/hello") as load:
        server.faults.set(rules)
        seen = len(server.log())
        server.send(signal.SIGHUP)
        until(lambda: re.search("^(reloaded: |error: reload given up)", server.log()[seen:], re.M),
              "the end of the reload", 30)
        server.faults.set("")
        load.wait_more(5)
        assert server.hup()
        load.wait_more(5)
    assert load.failures == [] and not server.ended()
