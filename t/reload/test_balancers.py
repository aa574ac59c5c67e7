# SPDX-License-Identifier: MIT
"""Commands that tell a load balancer: on-ready before anybody hears that the server serves, on-drain
while it still does."""
import os
import signal
import time

import pytest

from lib import files, http, proc
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"
WAITS = "while ! test -e {here}/go; do sleep 0.01; done"


def let_go(server):
    files.touch(f"{server.folder}/go")


@pytest.fixture
def supervised(start, folder, manager):
    def run(ini):
        return start(INI + ini, folder=folder, env={"NOTIFY_SOCKET": manager.name})
    return run


def test_the_service_manager_hears_of_it_after_on_ready(supervised, manager):
    server = supervised(f"on-ready = {WAITS}\non-ready = echo second; exit 3\non-timeout = 60\n")
    server.wait_log(r"^on-ready \(pid \d+\) runs: while")
    assert http.request(server.http, "/hello").status == 200
    assert "READY" not in manager.unread()
    let_go(server)
    assert manager.until_ready()["STATUS"].startswith("serving: 1 worker")
    assert "second\n" in server.log()
    server.wait_log(r"^warning: on-ready \(pid \d+\) failed: exit code 3; going on")
    assert server.hup()
    manager.until_ready()
    assert server.log().count("on-ready (pid") == 3


def test_one_that_hangs_is_killed_with_what_it_has_started(supervised, manager, folder):
    server = supervised("on-ready = sleep 60 & echo $! >{here}/child; sleep 60\non-timeout = 2\n")
    manager.until_ready()
    server.wait_log(r"on-ready \(pid \d+\) killed: it takes longer than on-timeout")
    with open(f"{folder}/child", encoding="ascii") as f:
        proc.wait_gone(int(f.read()))


def test_a_reload_meanwhile_is_not_ready_either(supervised, manager):
    server = supervised(f"on-ready = {WAITS}\non-timeout = 60\n")
    server.wait_log("^on-ready .* runs")
    assert server.hup()
    said = manager.unread()
    assert "RELOADING" in said and "READY" not in said
    let_go(server)
    assert manager.until_ready()["STATUS"].startswith("reloaded")


def test_a_stop_meanwhile_does_not_wait(start):
    server = start(INI + "on-ready = sleep 60\non-drain = echo drains\n")
    server.wait_log(r"^on-ready .* runs")
    server.send(signal.SIGTERM)
    assert server.wait() == 0
    assert "\ndrains\n" in server.log()


def test_requests_are_served_while_on_drain_runs_and_drain_delay_after_it(start):
    server = start(INI + f"on-drain = {WAITS}\non-drain = touch {{here}}/told\n"
                   "drain-delay = 2\non-timeout = 60\n")
    server.send(signal.SIGTERM)
    server.wait_log(r"^on-drain \(pid \d+\) runs: while")
    assert http.request(server.http, "/sleep?s=0.5").status == 200
    let_go(server)
    until(lambda: os.path.exists(f"{server.folder}/told"), "the second command")
    assert http.request(server.http, "/hello").status == 200
    assert server.wait() == 0
    lasted = time.time() - os.stat(f"{server.folder}/told").st_mtime
    assert lasted > 1.9, "the delay began before the commands had ended"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_who_stops_at_once_tells_nobody(start, number):
    server = start(INI + "on-drain = sleep 60\n")
    assert server.stop(number) == 0
    assert "on-drain" not in server.log()


def test_a_second_term_does_not_wait(start):
    server = start(INI + "on-drain = sleep 60\n")
    server.send(signal.SIGTERM)
    server.wait_log("^on-drain .* runs")
    server.send(signal.SIGTERM)
    assert server.wait() == 0


def test_commands_run_as_the_servers_user_in_its_folder(as_root, start, folder):
    os.chmod(folder, 0o777)
    server = start(INI + "uid = www-data\nchdir = {here}\nenv = NAME=value\n"
                   "on-ready = echo $NAME $(id -un) $(pwd)\n", folder=folder)
    server.wait_log(rf"^value www-data {folder}$")
