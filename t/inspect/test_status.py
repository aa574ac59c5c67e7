# SPDX-License-Identifier: MIT
"""--status and --top: what a server does, in a terminal, without any option of the server."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import pytest

from lib import http
from lib.busy import Held
from lib.server import BASE_ENV, COMMAND, command
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\nprocesses = 2\nlog-slow = 50\npidfile = {here}/pid\n"


@pytest.fixture
def server(start):
    return start(INI)


def ask(server, *how):
    done = command(*(how or ["--status"]), f"{server.folder}/pid")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_it_says_what_runs_what_was_slow_and_what_was_warned_of(server):
    for _ in range(3):
        http.request(server.http, "/hello")
    with Held(server) as held:
        runs = re.compile(rf"thread 1: GET /wait\?for={held.fifo}, for (\d{{3}} ms|\d+\.\d s)$", re.M)
        text = until(lambda: (t := ask(server)) and runs.search(t) and "requests 3, failed 0" in t and t,
                     "the request that is slow, and those before it")
        assert text.startswith(f"uwsgi 0.1.0, pid {server.pid}, serving, generation 1, up ")
        assert "2xx 3" in text and f"http     {server.http}: 0 of " in text
        assert all(re.search(rf"^ +[12] +{pid} +1  serving ", text, re.M) for pid in server.workers())
        assert held.end().status == 200
    slow = rf"\d (ms|s)  200  GET /wait\?for={held.fifo} \(worker [12]\)$"
    until(lambda: re.search(slow, ask(server), re.M), "it among the slow ones")
    assert not re.search(r"[^\x20-\x7e\n]", ask(server))


def test_json_is_that_of_events(server):
    seen = json.loads(ask(server, "--status=json"))
    assert seen["state"] == "serving" and sorted(w["pid"] for w in seen["workers"]) == server.workers()
    assert seen.keys() >= {"t", "hist", "sockets", "slow", "log"}


def test_a_reload_is_seen(server):
    assert server.hup()
    until(lambda: all(w["generation"] == 2 for w in json.loads(ask(server, "--status=json"))["workers"]),
          "the new generation")
    assert ", generation 2, " in ask(server)


def test_the_log_of_the_server_says_nothing_of_it(server):
    before = server.log()
    ask(server)
    assert server.log() == before


def test_many_at_once(server):
    asking = [subprocess.Popen([*COMMAND, "--status", f"{server.folder}/pid"], env=BASE_ENV,
                               stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert all(p.communicate(timeout=20)[0].startswith("uwsgi ") and p.returncode == 0 for p in asking)


def test_who_cannot_be_asked(server, folder):
    def fails(*how):
        done = command(*how)
        assert done.returncode == 1 and done.stdout == ""
        return done.stderr
    assert fails("--status") == "--status: which pidfile? --status PIDFILE\n"
    assert "cannot read pidfile" in fails("--status", f"{folder}/none")
    assert "this is no terminal" in fails("--top", f"{server.folder}/pid")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert "says nothing: it is stopped" in fails("--status", f"{server.folder}/pid")
    finally:
        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can change users")
def test_another_user_is_told_nothing(start, folder, reachable):
    server = start(INI.replace("{here}", folder))
    os.chmod(f"{folder}/pid", 0o644)
    done = subprocess.run(["/usr/bin/setpriv", "--reuid=1234", "--regid=1234", "--clear-groups",
                           *COMMAND, "--status", f"{folder}/pid"], env=BASE_ENV, text=True,
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 1 and "runs as another user" in done.stderr and done.stdout == ""
    assert server.pid


class Terminal:
    """--top on a terminal of this size."""
    def __init__(self, server, lines, columns):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave, self.shown = slave, ""
        self.resize(lines, columns)
        self.process = subprocess.Popen([*COMMAND, "--top", f"{server.folder}/pid"], env=BASE_ENV,
                                        stdin=slave, stdout=slave, stderr=slave, start_new_session=True)

    def resize(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def wait_for(self, text, count=1):
        while self.shown.count(text) < count:
            self.shown += os.read(self.master, 65536).decode()
        return self.shown

    def end(self):
        code = self.process.wait(10)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        shown = self.shown
        try:
            while True:
                shown += os.read(self.master, 65536).decode()
        except OSError:      # all of it was read
            os.close(self.master)
        assert after == self.before and shown.endswith("\x1b[?25h\x1b[?1049l")
        return code


def test_top_refreshes_itself_and_fits_the_window(server):
    top = Terminal(server, 6, 40)
    shown = top.wait_for("\x1b[J", 2)
    screens = [re.sub(r"\x1b\[[?\d]*\w", "", s).strip("\r\n").split("\r\n") for s in shown.split("\x1b[J")[:2]]
    assert all(len(s) <= 6 and max(map(len, s)) <= 40 for s in screens)
    http.request(server.http, "/hello")
    assert re.search(r"requests \d+ \(\d+\.\d/s\)", top.wait_for("/s)"))
    top.resize(30, 120)
    os.kill(top.process.pid, signal.SIGWINCH)
    top.wait_for("worker     pid  gen")
    os.write(top.master, b"q")
    assert top.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_top_leaves_the_terminal_as_it_was(server, number):
    top = Terminal(server, 24, 80)
    top.wait_for("worker")
    os.kill(top.process.pid, number)
    assert top.end() == 0


def test_top_ends_with_the_server(server):
    top = Terminal(server, 24, 80)
    top.wait_for("worker")
    server.stop()
    top.wait_for("--top: ")      # it has ended, or is not running
    assert top.process.wait(10) == 1
    os.close(top.slave)
    os.close(top.master)
