# SPDX-License-Identifier: MIT
"""Each kind of client that means harm (lib/attacks.py), for a moment and with few connections: others
are answered meanwhile, nobody dies, and nothing of it stays.  What it costs them in time is
t/bench/hostile.py's."""
import dataclasses
import os

import pytest

from lib import http, proc
from lib.attacks import KINDS, SPEAK, Attack
from lib.hostile import ask_proxied
from lib.starter import Starter, make_folder
from lib.wait import until

INI = """
http-socket = {http-socket}
http = {http}
socket = {socket}
fastcgi-socket = {fastcgi-socket}
scgi-socket = {scgi-socket}
module = basic
threads = 2
response-memory = 8m
"""
MOST, MOST_UNREAD = 60, 5
TURNS = 8
MEMORY_KB = 48 << 10
CASES = [(kind, way) for kind in KINDS for way in kind.ways]


@pytest.fixture(scope="module")
def servers():
    """By what the kind sets, one for all."""
    things = []

    def server_for(ini):
        lines = INI + "\n".join(line for line in ini.splitlines() if "proxy" in line)
        for thing in things:
            if thing.lines == lines:
                return thing
        server = Starter(things, [])(lines, folder=make_folder())
        server.lines = lines
        return server
    try:
        yield server_for
    finally:
        for thing in things:
            thing.end()


def held(server):
    """Descriptors and kB of those that clients reach."""
    return {pid: (len(proc.open_files(pid)), int(proc.status(pid, "VmRSS")[0]))
            for pid in (*server.workers(), *server.routers())}


@pytest.mark.parametrize("kind, way", CASES, ids=[f"{k.name}, {way}" for k, way in CASES])
def test_others_are_answered_and_nothing_stays(servers, kind, way):
    server = servers(kind.ini)
    address = server.names[way]
    ask = ask_proxied if "proxy" in kind.ini else lambda a: SPEAK[way].request(a, "/hello")
    few = dataclasses.replace(kind, connections=min(kind.connections,
                                                    MOST if kind.reads else MOST_UNREAD))
    assert ask(address).body == b"hello\n"
    before, attack = held(server), Attack(few, address)
    try:
        attack.build_up()
        for _ in range(TURNS):
            attack.turn()
            assert ask(address).body == b"hello\n"
    finally:
        attack.end()
    assert attack.opened > 0 and attack.refused == 0
    until(lambda: all(now[0] <= before[pid][0] + 1 for pid, now in held(server).items()),
          "what they had open to be closed")
    after = held(server)
    assert list(after) == list(before)
    if not os.environ.get("UWSGI_SANITIZED"):
        assert all(now[1] < before[pid][1] + MEMORY_KB for pid, now in after.items())


def test_long_names_of_headers_are_not_kept(start):
    """A name that is new each time, and takes most of a head."""
    server = start("http-socket = {http}\nmodule = basic\ndisable-logging = true\n")
    with http.Connection(server.http) as c:
        assert c.request("/hello").status == 200
        before = held(server)
        for i in range(600):
            name = f"X-{i}-" + "n" * 60_000
            assert c.request("/hello", headers=[(name, "v")]).status == 200
    if not os.environ.get("UWSGI_SANITIZED"):
        assert all(now[1] < before[pid][1] + (12 << 10) for pid, now in held(server).items())
