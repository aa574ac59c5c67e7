# SPDX-License-Identifier: MIT
"""What the service manager is told: sd_notify(3) without a library."""
import json
import os
import re
import signal
import time

import pytest

from lib import files, http, proc
from lib.notify import Manager

INI = "http-socket = {http}\nchdir = {here}\nwsgi-file = mine.py\nprocesses = 2\n"
APP = """
import json, os, sys
from basic import ROUTES
def application(environ, start_response):
    start_response('200 OK', [])
    return [json.dumps(sorted(k for k in os.environ if 'NOTIFY' in k or 'WATCHDOG' in k)).encode()]
"""
WAITING = "import time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)\n"


@pytest.fixture(params=["{folder}/notify", "@uwsgi-test-{pid}"])
def manager(request, folder):
    manager = Manager(request.param.format(folder=folder, pid=os.getpid()))
    yield manager
    manager.close()


def write_app(folder, text=APP):
    files.replace(f"{folder}/mine.py", text)


@pytest.fixture
def server(start, folder, manager):
    write_app(folder)
    return start.not_yet(INI, folder=folder, env={"NOTIFY_SOCKET": manager.name}).spawn()


def test_a_life(server, folder, manager):
    assert manager.read() == {"STATUS": "importing the application"}
    assert manager.read() == {"READY": "1",
                              "STATUS": "serving: 2 workers × 1 thread accept requests"}
    assert manager.sender == server.pid
    asked_us = time.monotonic_ns() // 1000
    server.send(signal.SIGHUP)
    reloading = manager.read()
    assert reloading["RELOADING"] == "1" and "importing" in reloading["STATUS"]
    assert int(reloading["MONOTONIC_USEC"]) >= asked_us
    ready = manager.read()
    assert ready["READY"] == "1" and ready["STATUS"].startswith("reloaded: 2 workers")
    server.send(signal.SIGTERM)
    stopping = manager.read()
    assert stopping["STOPPING"] == "1" and "SIGTERM" in stopping["STATUS"]
    assert server.wait() == 0 and manager.silent()


def test_a_reload_that_fails_is_ready_again_and_says_why(server, folder, manager):
    manager.read(), manager.read()
    write_app(folder, "import no_such_module\n")
    server.write_ini(INI + "need-app = true\n")
    server.send(signal.SIGHUP)
    assert manager.read()["RELOADING"] == "1"
    ready = manager.read()
    assert ready["READY"] == "1"
    assert re.match("serving; the last reload was given up: .*no_such_module", ready["STATUS"])


@pytest.mark.parametrize("lazy", ["", "lazy-apps = true\n"])
def test_ready_is_not_said_before_the_workers_accept(start, folder, manager, lazy):
    write_app(folder, "import os\nprint('importing', flush=True)\n" + WAITING + APP)
    server = start.not_yet(INI + lazy, folder=folder, env={"NOTIFY_SOCKET": manager.name}).spawn()
    assert manager.read() == {"STATUS": "importing the application"}
    server.wait_log("^importing")
    assert manager.silent()
    with open(f"{folder}/go", "w", encoding="ascii"):
        pass
    assert manager.read()["READY"] == "1"
    assert http.request(server.http).status == 200


def test_a_reload_that_fails_does_not_make_a_start_ready(start, folder, manager):
    write_app(folder, "import os\nprint('importing', flush=True)\n" + WAITING + APP)
    server = start.not_yet(INI + "need-app = true\n", folder=folder,
                           env={"NOTIFY_SOCKET": manager.name}).spawn()
    manager.read()
    server.wait_log("^importing")
    write_app(folder, "import no_such_module\n")
    server.send(signal.SIGHUP)
    assert "RELOADING" in manager.read()
    failed = manager.read()
    assert "READY" not in failed and failed["STATUS"].startswith("starting; the last reload was")
    with open(f"{folder}/go", "w", encoding="ascii"):
        pass
    assert manager.read()["READY"] == "1"


def test_the_application_does_not_see_it(server, manager):
    manager.read(), manager.read()
    assert json.loads(http.request(server.http).body) == []


def test_the_watchdog_hears_of_the_master_and_the_status_what_it_does(start, folder, manager):
    write_app(folder)
    server = start(INI, folder=folder,
                   env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    assert json.loads(http.request(server.http).body) == []
    while not (said := manager.read()).get("STATUS", "").startswith(
            "serving: 2 workers × 1 thread accept requests; 0 busy, 1 requests, "):
        pass
    assert said["WATCHDOG"] == "1" and manager.read()["WATCHDOG"] == "1"
    proc.stop(server.pid)
    while not manager.silent():
        pass
    time.sleep(0.3)     # longer than a watchdog would wait
    assert manager.silent()
    os.kill(server.pid, signal.SIGCONT)
    assert manager.read()["WATCHDOG"] == "1"


def test_what_the_manager_has_no_room_for_is_said_when_it_has(start, folder, manager):
    """A manager may be busy, when a machine starts for instance."""
    write_app(folder)
    manager.fill()
    start(INI, folder=folder, env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    assert manager.until_ready()["STATUS"].startswith("serving: 2 workers")


def test_a_start_that_fails_says_why(start, folder, manager):
    write_app(folder, "import no_such_module\n")
    server = start.not_yet(INI + "need-app = true\n", folder=folder,
                           env={"NOTIFY_SOCKET": manager.name})
    assert server.run() != 0
    manager.read()
    said = manager.read()
    assert said["STOPPING"] == "1" and "no_such_module" in said["STATUS"]


def test_in_the_background_it_says_which_process_is_the_main_one(start, folder, manager):
    write_app(folder)
    server = start.not_yet(INI + "daemonize2 = {here}/own.log\npidfile = {here}/pid\n",
                           folder=folder, env={"NOTIFY_SOCKET": manager.name})
    assert server.run() == 0
    manager.read()
    pid = int(manager.read()["MAINPID"])
    with open(f"{folder}/pid", encoding="ascii") as f:
        assert int(f.read()) == pid != server.pid
    os.kill(pid, signal.SIGINT)
    proc.wait_gone(pid)


def test_after_root_is_given_up(as_root, start, folder, manager):
    write_app(folder)
    start.not_yet(INI + "uid = www-data\n", folder=folder,
                  env={"NOTIFY_SOCKET": manager.name}).spawn()
    manager.read()
    assert manager.read()["READY"] == "1"


@pytest.mark.parametrize("name", ["/nowhere/at/all", "vsock:2:1234", "@", "relative"])
def test_a_socket_that_is_not_there_is_said_and_the_server_starts(start, folder, name):
    write_app(folder)
    server = start(INI, folder=folder, env={"NOTIFY_SOCKET": name})
    server.wait_log("warning: NOTIFY_SOCKET = " + re.escape(name))
    assert http.request(server.http).status == 200
