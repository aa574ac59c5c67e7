# SPDX-License-Identifier: MIT
"""How Debian's package uwsgi-emperor runs it: its ini file, its init script's arguments, its unit."""
import os
import re
import signal
import socket
import subprocess

import pytest

from lib import http, proc
from lib.server import APPS, BASE_ENV, command_for_all
from lib.wait import until

# The package's emperor.ini, with the test's folder for /etc.
EMPEROR = """
[uwsgi]
master = true
workers = 2
no-orphans = true
log-date = true
uid = www-data
gid = www-data
emperor = HERE/vassals
"""
DAEMON = "/sbin/start-stop-daemon"


@pytest.fixture
def etc(no_process_left, as_root, start, folder):
    """A server that is not started, in a folder with the package's file and one vassal."""
    server = start.not_yet("", folder=folder)
    server.names["http"]
    os.mkdir(f"{folder}/vassals")
    for name, text in (("emperor.ini", EMPEROR.replace("HERE", folder)),
                       ("vassals/shop.ini", f"[uwsgi]\nplugins = python3\npythonpath = {APPS}\n"
                        f"module = basic\nhttp-socket = {server.names['http']}\n")):
        with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
    server.binary = command_for_all(folder)
    return server


def log(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def test_the_init_script(etc):
    if not os.path.exists(DAEMON):
        pytest.skip("needs start-stop-daemon (dpkg)")
    where, here = f"{etc.folder}/emperor.log", etc.folder
    assert subprocess.run(
        [DAEMON, "--start", "--quiet", "--pidfile", f"{here}/pid", "--exec", etc.binary[0], "--",
         "--ini", f"{here}/emperor.ini", "--die-on-term", "--pidfile", f"{here}/pid",
         "--daemonize", where], env=BASE_ENV, check=False, timeout=20).returncode == 0
    match = until(lambda: re.search(r"vassal shop.ini \(pid (\d+)\) serves", log(where)),
                  "the vassal to serve")
    with open(f"{here}/pid", encoding="ascii") as f:
        emperor, vassal = int(f.read()), int(match[1])
    assert http.request(etc.http, "/hello").body == b"hello\n"
    assert proc.status(vassal, "Uid")[0] == proc.status(emperor, "Uid")[0] != "0"
    os.kill(emperor, signal.SIGUSR1)    # the script's reload
    until(lambda: f"vassal shop.ini (pid {vassal}): serves" in log(where), "its state in the log")
    os.kill(emperor, signal.SIGTERM)
    proc.wait_gone(emperor)
    assert not proc.alive(vassal)
    assert "unexpectedly" not in log(where) and "error: " not in log(where)


def test_the_unit(etc):
    """Type=notify, NotifyAccess=all, KillSignal=SIGQUIT."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"{etc.folder}/notify")
        manager.settimeout(10)
        with open(f"{etc.folder}/own.log", "wb") as own:
            server = subprocess.Popen(
                [etc.binary[0], "--ini", f"{etc.folder}/emperor.ini"], stderr=own, stdout=own,
                env={**BASE_ENV, "NOTIFY_SOCKET": f"{etc.folder}/notify"})
        try:
            while b"READY=1" not in manager.recv(4096):
                pass
            until(lambda: "shop.ini" in log(f"{etc.folder}/own.log") and
                  "accept requests" in log(f"{etc.folder}/own.log"), "the vassal to serve")
            # What the vassal says is not the manager's business.
            manager.settimeout(0)
            with pytest.raises(BlockingIOError):
                while b"READY=1" not in manager.recv(4096):
                    pass
        finally:
            server.send_signal(signal.SIGQUIT)
            assert server.wait(10) == 0
