# SPDX-License-Identifier: MIT
"""The server is started with some of the descriptors 0, 1 and 2 closed, as by `uwsgi … <&- >&-`:
no socket may get such a number, where it would be taken for standard error."""
import os
import signal

import pytest

from lib import http, proc
from lib.wait import until

CLOSED = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"]
WAYS = ["", "logto = {here}/own.log", "logto = {here}/own.log\nlog-master = true",
        "log-master = true", "daemonize = {here}/own.log", "daemonize2 = {here}/own.log",
        "daemonize = {here}/own.log\nlog-master = true"]


def log_of(folder):
    try:
        with open(f"{folder}/own.log", encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


@pytest.fixture
def pidfile(folder):
    """Who is named there is ended after the test: in the background it is nobody's child."""
    path = f"{folder}/pid"
    yield path
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            pid = int(f.read())
        if proc.alive(pid):
            os.kill(pid, signal.SIGINT)
            proc.wait_gone(pid)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.replace("\n", ",").replace(" = ", "=")
                         .replace("{here}/own.log", "F") or "stderr")
@pytest.mark.parametrize("closed", CLOSED)
def test_closed_at_the_start(start, folder, pidfile, closed, way):
    server = start.not_yet("http-socket = {http}\nmodule = basic\npidfile = {here}/pid\n" + way,
                           folder=folder)
    server.command = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *server.command]
    server.spawn()
    if "daemonize" in way:
        assert server.wait() == 0
    until(lambda: os.path.exists(pidfile) and os.path.getsize(pidfile), "the pidfile")
    with open(pidfile, encoding="ascii") as f:
        pid = int(f.read())
    assert http.request(server.http, "/hello").body == b"hello\n"
    for process in [pid, *proc.descendants(pid)]:
        standard = [os.readlink(f"/proc/{process}/fd/{fd}") for fd in range(3)]
        assert "socket" not in str(standard), standard
    if "own.log" in way:
        until(lambda: "GET /hello" in log_of(folder), "the request in the log file")
