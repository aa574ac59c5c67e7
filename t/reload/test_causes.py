# SPDX-License-Identifier: MIT
"""The log says what caused a reload or a stop."""
import os
import re
import signal
import subprocess
import sys

import pytest

from lib import http, proc
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


@pytest.mark.parametrize("number, what", [(signal.SIGHUP, "reload: reading"),
                                          (signal.SIGTERM, "stopping"),
                                          (signal.SIGINT, "stopping"),
                                          (signal.SIGQUIT, "stopping")])
def test_a_signal_is_named_with_its_sender(start, number, what):
    server = start(INI)
    with open("/proc/self/comm", encoding="ascii") as f:
        comm = re.escape(f.read().strip())
    server.send(number)
    server.wait_log(rf"{number.name} from pid {os.getpid()} \({comm}\), user \S+: {what}")


def test_a_sender_that_is_gone_is_named_by_its_pid(start):
    """Its name cannot be read any more when the master gets to it."""
    server = start(INI)
    server.send(signal.SIGSTOP)
    until(lambda: proc.status(server.pid, "State")[0] == "T", "the master to stand still")
    sender = subprocess.Popen([sys.executable, "-c",
                               f"import os; os.kill({server.pid}, {signal.SIGHUP:d})"])
    sender.wait()
    server.send(signal.SIGCONT)
    server.wait_log(rf"SIGHUP from pid {sender.pid}, user \S+: reload")


def test_a_name_that_would_break_the_line_does_not(start):
    server = start(INI)
    script = ("import os, sys; open('/proc/self/comm', 'w').write('a\\nb\\x1b'); "
              f"os.kill({server.pid}, {signal.SIGHUP:d}); sys.stdin.read()")
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as sender:
        server.wait_log(rf"SIGHUP from pid {sender.pid} \(a\?b\?\), user ")


def test_the_second_signal_of_a_stop_is_named_too(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        server.send(signal.SIGTERM)
        server.wait_log(r"SIGTERM from pid \d+ .*again: ending at once")


def test_signals_that_nohup_would_ignore_are_heard(start):
    server = start.not_yet(INI)
    server.command = ["/usr/bin/nohup", *server.command]
    server.start()
    assert server.hup()


def test_the_application_s_signals_are_not_blocked(start, folder):
    """The master blocks its own, to read them from a descriptor; its children have none blocked."""
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import signal\nat_import = signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
                "def application(e, s):\n s('200 OK', [])\n"
                " return [b'%d' % len(at_import | signal.pthread_sigmask(signal.SIG_BLOCK, []))]\n")
    server = start("http-socket = {http}\nhttp = {router}\nwsgi-file = mine.py\n", folder=folder)
    assert http.request(server.http).body == b"0"
    assert proc.status(server.routers()[0], "SigBlk") == ["0" * 16]
