# SPDX-License-Identifier: MIT
"""Reloads that a file asks for, and workers that go because of their age."""
import signal
import time

import pytest

from lib import busy, http, proc
from lib.files import touch
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


def pid_of(server):
    return int(http.request(server.http, "/pid").body)


@pytest.mark.parametrize("option", ["touch-reload", "touch-workers-reload", "touch-chain-reload",
                                    "fs-reload"])
def test_a_touched_file_reloads(start, option):
    server = start(INI + f"{option} = %p\n")
    first = pid_of(server)
    touch(server.ini_path)
    server.wait_log("uwsgi.ini was touched")
    until(lambda: pid_of(server) != first, "a new generation")
    assert server.log().count("was touched") == 1


def test_a_file_that_comes_later_counts_as_touched(start):
    server = start(INI + "touch-reload = {here}/one\ntouch-reload = {here}/two\n")
    first = pid_of(server)
    touch(f"{server.folder}/two")
    until(lambda: pid_of(server) != first, "a new generation")


def test_a_folder_is_watched_with_what_lies_in_it(start, folder):
    touch(f"{folder}/inside")
    server = start(INI + f"fs-reload = {folder}\n")
    first = pid_of(server)
    touch(f"{folder}/inside")
    until(lambda: pid_of(server) != first, "a new generation")


def test_a_server_that_ends_watches_nothing(start):
    """What it has watched goes with the last generation."""
    server = start(INI + "touch-reload = {here}/one\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=1.5"))
        server.wait_log("^sleeping in")
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        touch(f"{server.folder}/one")
        assert c.read().status == 200
    assert server.wait() == 0
    assert "was touched" not in server.log()


def test_a_reload_watches_what_the_new_configuration_names(start):
    server = start(INI + "touch-reload = {here}/one\n")
    server.write_ini(INI + "touch-reload = {here}/two\n")
    assert server.hup()
    first = pid_of(server)
    touch(f"{server.folder}/two")
    until(lambda: pid_of(server) != first, "a new generation")


def test_a_touch_with_a_broken_configuration_leaves_all_as_it_is(start):
    server = start(INI + "touch-reload = {here}/one\n")
    first = pid_of(server)
    server.write_ini(INI + "processes = none\n")
    touch(f"{server.folder}/one")
    server.wait_log("reload given up")
    assert pid_of(server) == first
    server.write_ini(INI + "touch-reload = {here}/one\n")
    time.sleep(0.02)        # another time of change than the first one's
    touch(f"{server.folder}/one")
    until(lambda: pid_of(server) != first, "a new generation")


def test_exit_on_reload_stops(start):
    server = start(INI + "exit-on-reload = true\n")
    server.send(1)
    assert server.wait() == 0
    server.wait_log("exit-on-reload: stopping")


# ---- age ----

def test_max_worker_lifetime_replaces_by_age_and_not_all_at_once(start):
    server = start(INI + "processes = 2\nmax-worker-lifetime = 1\nmax-worker-lifetime-delta = 600\n"
                   "disable-logging = true\n")
    pids = server.workers()
    assert "is replaced" not in server.log()
    time.sleep(2.5)         # nothing may happen: the delta keeps both
    assert sorted(server.workers()) == sorted(pids)
    server.write_ini(INI + "max-worker-lifetime = 1\n")
    assert server.hup()
    server.wait_log(r"is replaced: it has served for \d+ s \(max-worker-lifetime 1\)")


def test_max_requests_delta_adds_a_share_for_each_worker(start):
    server = start(INI + "processes = 1\nmax-requests = 5\nmax-requests-delta = 10\n")
    first = pid_of(server)
    for _ in range(13):
        assert pid_of(server) == first
    pid_of(server)
    until(lambda: pid_of(server) != first, "a new worker")


def test_min_worker_lifetime_holds_a_worker_back(start):
    began = time.monotonic()
    server = start(INI + "max-requests = 2\nmin-worker-lifetime = 3\n")
    first = pid_of(server)
    until(lambda: pid_of(server) != first, "a new worker", 20)
    assert time.monotonic() - began > 3
    server.wait_log("it has asked to be, and min-worker-lifetime is over")


@pytest.mark.parametrize("option, killed", [("evil-reload-on-rss = 100", True),
                                            ("reload-on-uss = 100", False),
                                            ("reload-on-pss = 100", False)])
def test_limits_of_memory(start, option, killed):
    server = start(INI + option + "\n")
    first = pid_of(server)
    grower = busy.begin(server, "/grow?mb=120")     # it may be killed before it answers
    server.wait_log("killed: .*" + option.split()[0] if killed else "replaced: .*" + option.split()[0])
    proc.wait_gone(first)   # a request to one that is killed has no answer
    grower.join()
    assert pid_of(server) != first
