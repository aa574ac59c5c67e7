# SPDX-License-Identifier: MIT
"""A server that is started while the one before it has not quite ended."""
import os
import signal
import socket
import subprocess
import sys

import pytest

from lib import http, proc
from lib.address import connect, free_address, free_port

INI = "module = basic\nprocesses = 4\nthreads = 4\n"


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_it_waits_for_whoever_is_about_to_end(start, folder, kind):
    port = free_port("127.0.0.1")
    address = f"{folder}/s" if kind == "unix" else f"127.0.0.1:{port}"
    with socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET) as other:
        other.bind(address if kind == "unix" else ("127.0.0.1", port))
        other.listen()
        server = start.not_yet(f"http-socket = {address}\nmodule = basic").spawn()
        server.wait_log("; waiting 3 s for it to end$")
    server.wait_log(server.ready)
    assert http.request(address, "/hello").status == 200
    assert server.log().count("waiting") == 1


HOLDS = """
import fcntl, os, sys
f = open(sys.argv[1], "w+")
fcntl.lockf(f, fcntl.LOCK_EX, 1, 0x75777367)
print("locked", flush=True)
sys.stdin.read()
"""


def test_it_waits_for_the_pidfile_too(start, folder):
    """Which a server has a little longer than its sockets."""
    with subprocess.Popen([sys.executable, "-c", HOLDS, f"{folder}/pid"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        server = start.not_yet("http-socket = {http}\npidfile = {here}/pid\nmodule = basic",
                               folder=folder).spawn()
        server.wait_log(f"pid {other.pid}; stop that first; waiting 3 s for it to end$")
        other.stdin.close()
    server.wait_log(server.ready)
    with open(f"{folder}/pid", encoding="ascii") as f:
        assert int(f.read()) == server.pid


def test_a_killed_server_is_followed_at_once(start, folder):
    """Its workers and router still exist for some milliseconds, and so do its sockets."""
    router = free_address()
    for _ in range(4):
        server = start(INI + "http-socket = {here}/h\nsocket = {here}/u\nhttp = {router}\n",
                       folder=folder, router=router)
        assert http.request(router, "/hello").status == 200
        children = proc.descendants(server.pid)
        server.send(signal.SIGKILL)
        server.wait()
    for pid in children:
        proc.wait_gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_stops_is_followed_at_once(start, folder, number):
    """As by a script that does not wait; what the first one removes at its end is its own."""
    ini = "http-socket = {here}/s\nvacuum = true\nreload-mercy = 1\n" + INI
    first = start(ini, folder=folder)
    with connect(f"{folder}/s") as client:
        client.sendall(b"GET /sleep?s=60 HTTP/1.1\r\nHost: t\r\n\r\n")
        first.wait_log("^sleeping in")
        first.send(number)
        second = start.not_yet(ini, folder=folder).spawn()
        assert first.wait() == 0
        second.wait_log(second.ready)
    assert http.request(f"{folder}/s", "/hello").status == 200
    assert os.path.exists(f"{folder}/s")
