# SPDX-License-Identifier: MIT
"""Too few descriptors, no room on the disk, no more processes: the server starts or says why not;
when it runs it refuses what it cannot do, says so, and is well when there is enough again."""
import contextlib
import os
import re
import signal
import subprocess

import pytest

from lib import http, mixed
from lib.address import connect
from lib.server import command_for_all
from lib.wait import until

INI = mixed.INI.replace("threads = 2", "threads = 1")
NOBODY = 65534


def serves(server):
    """False: it has said why it does not, and it hears that it shall end."""
    until(lambda: server.ended() or re.search(r"\b(serving|error): ", server.log()), "a word")
    if re.search(r"\bserving: ", server.log()):
        return True
    if not server.ended():
        server.stop(signal.SIGTERM)
    assert re.search(r"\berror: .", server.log())
    return False


# ---- descriptors ----

@pytest.mark.parametrize("descriptors", [6, 10, 14, 18, 22])
def test_with_few_descriptors_it_serves_or_says_why_not(start, descriptors):
    server = start.not_yet(INI, under=["prlimit", f"--nofile={descriptors}"])
    server.spawn()
    if not serves(server):
        return
    assert http.request(server.http, "/hello?id=1").body == b"hello 1"
    assert server.stop(signal.SIGTERM) == 0


def connected(address, count):
    """As many as the server's queue takes: clients that begin a request and stop."""
    clients = []
    for _ in range(count):
        with contextlib.suppress(OSError):
            clients.append(connect(address, timeout=1))
            clients[-1].sendall(b"GET /he")
    return clients


@pytest.mark.parametrize("front", ["http", "router"])
def test_clients_that_would_take_all_descriptors_stop_no_reload(start, front):
    server = start(INI + "processes = 1\nlisten = 64\n", under=["prlimit", "--nofile=40"])
    clients = connected(server.names[front], 60)
    assert http.request(server.names[front], "/hello?id=1").body == b"hello 1"
    assert server.hup()
    assert http.request(server.names[front], "/hello?id=2").body == b"hello 2"
    for c in clients:
        c.close()


# ---- the disk ----

@pytest.fixture
def disk(as_root, folder):
    """A file system of one megabyte."""
    path = f"{folder}/disk"
    os.mkdir(path)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "none", path],
                      check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    with contextlib.suppress(OSError), open(f"{path}/fill", "wb", buffering=0) as f:
        while f.write(bytes(4096)):
            pass


@pytest.mark.parametrize("way", ["http", "router"])
def test_a_body_for_which_there_is_no_room_is_refused(start, disk, way):
    server = start(INI, env={"TMPDIR": disk})
    address = server.names[way]
    assert http.request(address, "/echo?id=1", "POST", body=bytes(200_000)).status == 200
    response = http.request(address, "/echo?id=2", "POST", body=bytes(3_000_000))
    assert response.status == 507
    with http.Connection(address) as c:
        c.send(http.request_bytes("/echo?id=2", "POST", [("Transfer-Encoding", "chunked")],
                                  http.chunked(bytes(3_000_000))))
        assert c.read().status == 507
    server.wait_log("cannot store the request body in .*: No space left on device")
    # Its client has the answer before the file is closed.
    until(lambda: os.statvfs(disk).f_bfree == os.statvfs(disk).f_blocks, "the disk to be empty")
    assert http.request(address, "/echo?id=3", "POST", body=bytes(200_000)).status == 200


@pytest.mark.parametrize("more", ["", "log-master = true\n"])
def test_a_full_disk_under_the_log_costs_lines_only(start, disk, more):
    server = start.not_yet(f"{INI}logto = {disk}/log\n{more}".replace("disable-logging = true", ""))
    server.spawn()
    server.wait_listening("http")
    fill(disk)
    for n in range(50):
        assert http.request(server.http, f"/hello?id={n}").body == b"hello %d" % n
    server.send(signal.SIGHUP)
    os.unlink(f"{disk}/fill")

    def is_logged():
        assert http.request(server.http, "/hello?id=again").status == 200
        with open(f"{disk}/log", encoding="utf-8", errors="replace") as f:
            return "id=again" in f.read()
    until(is_logged, "lines in the log again")
    assert server.stop(signal.SIGTERM) == 0


def test_a_pidfile_for_which_there_is_no_room(start, disk):
    fill(disk)
    server = start.not_yet(f"{INI}pidfile = {disk}/pid\n")
    assert server.run() == 1
    server.wait_log("No space left on device")


# ---- processes ----

@pytest.mark.parametrize("processes", [2, 4, 5, 7])
def test_with_few_processes_it_serves_or_says_why_not(as_root, start, folder, processes):
    """The limit is one of a user that nobody else is."""
    user = 12400 + os.getpid() % 1000
    os.chown(folder, user, NOBODY)
    server = start.not_yet(INI + "reload-timeout = 2\n", folder=folder, under=[
        "setpriv", f"--reuid={user}", f"--regid={NOBODY}", "--clear-groups",
        "prlimit", f"--nproc={processes}"])
    server.command = command_for_all(folder)
    server.spawn()
    if not serves(server):
        return
    server.hup()
    assert http.request(server.http, "/hello?id=1").body == b"hello 1"
    assert server.stop(signal.SIGTERM) == 0
