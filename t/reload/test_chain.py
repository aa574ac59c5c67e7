# SPDX-License-Identifier: MIT
"""touch-chain-reload with lazy-apps: one worker after the other, and the others serve on."""
import re

import pytest

from lib import files, http, proc
from lib.load import Load
from lib.wait import until

INI = ("http-socket = {http}\nwsgi-file = {here}/mine.py\nprocesses = 3\nlazy-apps = true\n"
       "touch-chain-reload = {here}/touched\n")
APP = """
import os
from basic import application as basic
print('release %s in' % RELEASE, os.getpid(), flush=True)
def application(environ, start_response):
    if environ['PATH_INFO'] != '/release':
        return basic(environ, start_response)
    start_response('200 OK', [])
    return [('%s %d' % (RELEASE, os.getpid())).encode()]
"""


WAITS = """
import os, time
print('waits', flush=True)
while not os.path.exists('{folder}/go'):
    time.sleep(0.01)
"""


def deploy(folder, release, text=APP):
    files.replace(f"{folder}/mine.py", f"RELEASE = '{release}'\n{text}")


def touch(folder):
    files.touch(f"{folder}/touched")


@pytest.fixture
def server(start, folder):
    deploy(folder, "one")
    touch(folder)
    return start(INI, folder=folder)


def releases(server):
    return {http.request(server.http, "/release").body.split()[0] for _ in range(20)}


def test_each_goes_when_the_one_before_it_serves(server, folder):
    before = server.workers()
    deploy(folder, "two")
    with Load(server.http, clients=2) as load:
        touch(folder)
        server.wait_log("touched: chain reload: one worker after the other")
        server.wait_log("^chain reload: 3 workers are replaced$")
        load.wait_more(20)
    assert load.failures == []
    for pid in before:
        proc.wait_gone(pid)
    assert releases(server) == {b"two"}
    steps = re.findall(r"^(worker \d|release two)", server.log(), re.M)
    assert [s for s in steps if s != "release two"] == ["worker 1", "worker 2", "worker 3"]
    assert steps[::2] == ["worker 1", "worker 2", "worker 3"] and set(steps[1::2]) == {"release two"}
    assert server.log().count("serving: ") == 1


@pytest.mark.parametrize("broken, why", [("import no_such_module\n", "no_such_module"),
                                         ("import os\nos._exit(7)\n", "exit code 7")])
def test_the_first_that_fails_ends_it_and_the_old_ones_serve_on(server, folder, broken, why):
    before = server.workers()
    deploy(folder, "two", broken)
    touch(folder)
    server.wait_log(f"^error: chain reload given up after 0 workers: (?s:.*){why}")
    server.wait_log("; the others serve on as they are$")
    assert releases(server) == {b"one"} and server.workers() == before
    deploy(folder, "three")
    touch(folder)
    server.wait_log("^chain reload: 3 workers are replaced$")
    until(lambda: releases(server) == {b"three"}, "the new release")


def test_what_is_asked_for_meanwhile_begins_anew(server, folder):
    deploy(folder, "two", WAITS.format(folder=folder) + APP)
    touch(folder)
    server.wait_log("^waits$")
    deploy(folder, "three")
    touch(folder)
    until(lambda: server.log().count("touched: chain reload") == 2, "the second one")
    files.touch(f"{folder}/go")
    server.wait_log("^chain reload: 3 workers are replaced$")
    until(lambda: releases(server) == {b"three"}, "the new release")
    assert server.log().count("is replaced: chain reload") == 6


def test_a_reload_meanwhile_replaces_all(server, folder):
    deploy(folder, "two", WAITS.format(folder=folder) + APP)
    touch(folder)
    server.wait_log("^waits$")
    deploy(folder, "three")
    assert server.hup()
    files.touch(f"{folder}/go")
    until(lambda: releases(server) == {b"three"}, "the new release")
    assert "workers are replaced" not in server.log()


def test_the_service_manager_hears_of_it(start, folder, manager):
    deploy(folder, "one")
    touch(folder)
    start(INI, folder=folder, env={"NOTIFY_SOCKET": manager.name})
    manager.until_ready()
    touch(folder)
    assert manager.until("RELOADING")["RELOADING"] == "1"
    assert manager.until_ready() == {"READY": "1",
                                     "STATUS": "chain reload: 3 workers are replaced"}
