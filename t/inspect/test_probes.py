# SPDX-License-Identifier: MIT
"""What orchestrators ask: whether the server lives, has started, and wants requests."""
import os
import signal

import pytest

from lib import http
from lib.busy import Held
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nhealth = {health}\n"


def ask(server, path):
    answer = http.request(server.health, path, host=None, version="1.0")
    return answer.status, answer.body.decode()


def wait_up(server):
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")


def slow_to_import(folder):
    """An application that is imported when the file `go` is there."""
    with open(f"{folder}/slow.py", "w", encoding="utf-8") as f:
        f.write("import os, time\nfrom basic import application\n"
                f"while not os.path.exists('{folder}/go'):\n    time.sleep(0.01)\n")
    return "module = slow\npythonpath = {here}\n"


def test_from_the_start_to_the_first_request(start, folder):
    server = start.not_yet(INI + slow_to_import(folder).replace("{here}", folder))
    server.spawn()
    wait_up(server)
    assert ask(server, "/live") == (200, "alive\n")
    assert ask(server, "/startup") == (503, "no worker has served yet\n")
    assert ask(server, "/ready") == (503, "no worker serves yet\n")
    open(f"{folder}/go", "w", encoding="utf-8").close()
    until(lambda: ask(server, "/ready")[0] == 200, "the first worker")
    assert ask(server, "/startup") == (200, "started\n")


def test_while_it_stops_it_wants_no_more(start):
    server = start(INI + "module = basic\nreload-mercy = 10\n")
    wait_up(server)
    with Held(server) as held:
        server.send(signal.SIGTERM)
        until(lambda: ask(server, "/ready") == (503, "the server stops\n"), "it to stop")
        assert ask(server, "/live")[0] == 200 and ask(server, "/startup")[0] == 200
        assert held.end().status == 200


def test_a_reload_that_takes_long_or_fails_changes_nothing(start, folder):
    open(f"{folder}/go", "w", encoding="utf-8").close()
    server = start(INI + slow_to_import(folder).replace("{here}", folder))
    wait_up(server)
    os.remove(f"{folder}/go")
    server.send(signal.SIGHUP)
    server.wait_log("reload: reading")
    assert ask(server, "/ready") == (200, "ready\n")
    open(f"{folder}/go", "w", encoding="utf-8").close()
    server.wait_log("reloaded: 1 worker")
    with open(f"{folder}/slow.py", "w", encoding="utf-8") as f:
        f.write("raise ValueError")
    assert not server.hup()
    assert ask(server, "/ready") == (200, "ready\n")


def test_when_all_workers_are_lost_it_says_so(start):
    server = start(INI + "module = basic\n", faults="")
    wait_up(server)
    server.faults.set("fork:EAGAIN,in=zygote,times=all")
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: ask(server, "/ready") == (503, "no worker serves\n"), "the loss to be seen")
    assert ask(server, "/live")[0] == 200 and ask(server, "/startup")[0] == 200
    server.faults.set("")
    until(lambda: ask(server, "/ready")[0] == 200, "the next one")


@pytest.mark.seconds(180)
def test_20_reloads_under_load_with_no_probe_and_no_scrape_that_fails(start):
    server = start("http-socket = {http}\nmodule = basic\ninspect = {inspect}\ninspect-host = t\n"
                   "processes = 2\n")
    wait_up(server)
    with Load(server.http, clients=2) as requests, Load(server.inspect, 1, target="/ready") as probes, \
            Load(server.inspect, 1, target="/metrics") as scrapes:
        for _ in range(20):
            assert server.hup()
        scrapes.wait_more(1)
    assert requests.failures == probes.failures == scrapes.failures == []
