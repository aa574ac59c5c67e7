# SPDX-License-Identifier: MIT
"""Orders through a FIFO (master-fifo), and the signal that pauses the server."""
import contextlib
import json
import os
import re
import signal
import stat

import pytest

from lib import http, proc
from lib.load import Load
from lib.orders import order
from lib.wait import until

APP = "http-socket = {http}\nmodule = basic\nprocesses = 2\n"
FIFO = "master-fifo = {here}/orders\n"


def waits(server):
    """A client whose request nobody takes."""
    client = http.Connection(server.http)
    client.send(http.request_bytes("/hello"))
    return client


def statuses(server):
    return [w["status"] for w in json.loads(http.raw(server.stats, b""))["workers"]]


def test_it_is_the_servers_alone_from_the_first_instant(start):
    """A FIFO that was there, which others might hold open, makes room."""
    server = start.not_yet(APP + FIFO + "umask = 000\n")
    path = f"{server.folder}/orders"
    os.mkfifo(path, 0o666)
    before = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    server.start()
    seen = os.stat(path)
    assert stat.S_ISFIFO(seen.st_mode) and stat.S_IMODE(seen.st_mode) == 0o600
    assert seen.st_ino != os.fstat(before).st_ino
    os.write(before, b"Q")
    os.close(before)
    assert http.request(server.http, "/hello").status == 200


def test_what_is_no_fifo_stays(start):
    server = start.not_yet(APP + FIFO)
    with open(f"{server.folder}/orders", "w", encoding="utf-8") as f:
        f.write("precious")
    server.start()
    server.wait_log(f"^error: no orders are taken from {server.folder}/orders: .* is no FIFO")
    with open(f"{server.folder}/orders", encoding="utf-8") as f:
        assert f.read() == "precious"


@pytest.mark.parametrize("letter", "rRwWc")
def test_reload(start, letter):
    server = start(APP + FIFO)
    workers = server.workers()
    order(server, letter)
    server.wait_log(rf'^"{letter}" from {server.folder}/orders: reload: ')
    server.wait_log("^reloaded: 2 workers")
    until(lambda: len(set(server.workers()) - set(workers)) == len(server.workers()) == 2,
          "other workers")


def test_q_finishes_what_runs(start):
    server = start(APP + FIFO)
    with http.Connection(server.http) as client:
        client.send(http.request_bytes("/sleep?s=0.3"))
        server.wait_log("sleeping in")
        order(server, "q")
        assert client.read().status == 200
    assert server.wait() == 0


def test_q_in_capitals_stops_at_once(start):
    """Also when a slower end is under way."""
    server = start(APP + FIFO)
    with http.Connection(server.http) as client:
        client.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("sleeping in")
        order(server, "q")
        server.wait_log("stopping")
        order(server, "Q")
        assert server.wait() == 0
    assert re.search('^"Q" from .* again: ending at once$', server.log(), re.M)


def test_more_and_fewer_workers(start):
    server = start(APP + FIFO + "cheaper = 1\ncheaper-algo = manual\n")
    assert len(server.workers()) == 1
    order(server, "+")
    server.wait_log(r'^2 workers instead of 1: "\+" from ')
    until(lambda: len(server.workers()) == 2, "two workers")
    order(server, "-")
    server.wait_log(r'^1 worker instead of 2: "-" from ')


def test_none_until_a_client_connects(start):
    server = start(APP + FIFO)
    order(server, "C")
    server.wait_log('^0 workers instead of 2: "C" from ')
    until(lambda: not server.workers(), "all to be gone")
    assert http.request(server.http, "/hello").status == 200
    server.wait_log("^2 workers instead of 0: a client has connected")


@pytest.mark.parametrize("how", ["p", signal.SIGTSTP])
def test_pause(start, how):
    """Running requests are finished, new connections wait, none is lost."""
    server = start(APP + FIFO + "stats = {stats}\nhttp-timeout = 30\nhealth = {health}\n")

    def is_ready():
        return http.request(server.health, "/ready").status == 200

    def toggle():
        if how == "p":
            order(server, "p")
        else:
            server.send(how)
    with http.Connection(server.http) as busy:
        busy.send(http.request_bytes("/sleep?s=0.3"))
        server.wait_log("sleeping in")
        toggle()
        server.wait_log(": paused; running requests are finished, new connections wait$")
        assert busy.read().status == 200
    until(lambda: not server.workers(), "all to be gone")
    # The master may learn of their ends a moment later.
    until(lambda: statuses(server) == ["pause", "pause"] and not is_ready(), "a pause to be seen")
    client = waits(server)
    assert server.hup()  # which does not end it
    server.wait_log("; the server is paused$")
    assert not server.workers()
    toggle()
    server.wait_log(": going on$")
    assert client.read().body == b"hello\n"
    client.close()
    until(lambda: len(server.workers()) == 2, "both to run")
    until(lambda: statuses(server) == ["idle", "idle"] and is_ready(), "workers to be seen")


def test_a_pause_that_is_said_while_a_reload_is_under_way(start):
    server = start(APP + FIFO)
    order(server, "rp")
    server.wait_log("^reloaded: ")
    until(lambda: not server.workers(), "all to be gone")
    order(server, "p")
    assert http.request(server.http, "/hello").status == 200


def test_no_request_is_lost_over_pauses(start):
    server = start(APP + FIFO)
    with Load(server.http, clients=4) as load:
        for _ in range(3):
            order(server, "pp")
            load.wait_more(10)
    assert not load.failures


def test_kept_connections_wait_too(start):
    """A request that was just being sent on one is not lost."""
    server = start(APP + FIFO)
    with http.Connection(server.http) as kept, http.Connection(server.http) as other:
        for client in (kept, other):
            assert client.request("/hello").body == b"hello\n"
        order(server, "p")
        until(lambda: not server.workers(), "all to be gone")
        kept.send(http.request_bytes("/pid"))
        order(server, "p")
        assert int(kept.read().body) in server.workers()
        assert other.request("/hello").body == b"hello\n"


def test_more_kept_connections_than_can_wait(start):
    """A kept connection for which the queue has no room is closed after drain-idle, between two requests."""
    server = start(APP + FIFO + "drain-idle = 1\n")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(http.Connection(server.http)) for _ in range(300)]
        for client in clients:
            assert client.request("/hello").status == 200
        order(server, "p")
        until(lambda: not server.workers(), "all to be gone")
        order(server, "p")
        served = 0
        for client in clients:
            with contextlib.suppress(http.Closed, OSError):
                served += client.request("/hello").status == 200
    assert 20 <= served < 300


def test_a_stop_while_it_is_paused(start):
    server = start(APP + FIFO)
    order(server, "p")
    until(lambda: not server.workers(), "all to be gone")
    order(server, "q")
    assert server.wait() == 0


def test_log_files(start):
    server = start.not_yet(APP + FIFO + "logto = {here}/own.log\n")
    own = server.log_path = f"{server.folder}/own.log"
    with open(own, "w", encoding="utf-8"):
        pass
    server.start()
    os.rename(own, f"{own}.old")
    order(server, "l")
    until(lambda: os.path.exists(own), "another log")
    order(server, "L")
    until(lambda: [n for n in os.listdir(server.folder) if re.match(r"own\.log\.\d", n)],
          "one that was moved aside")


def test_status_and_what_is_not_here(start):
    server = start(APP + FIFO)
    order(server, "s P E x\n")
    server.wait_log(r"^generation 1 worker 2 \(pid \d+\): serving")
    server.wait_log('^"P" from .*: the master\'s pid never changes$')
    server.wait_log('^warning: "E" from .*: nothing here does that$')
    server.wait_log('^warning: "x" from .*: there is no such order$')
    assert http.request(server.http, "/hello").status == 200


def test_a_digit_chooses_another_one(start):
    """So that the next server can have the path of this one."""
    server = start(APP + FIFO + "master-fifo = {here}/other\n")
    assert not os.path.exists(f"{server.folder}/other")
    order(server, "1")
    server.wait_log(f"^orders are taken from {server.folder}/other$")
    with pytest.raises(OSError):  # nobody reads
        order(server, "s")
    assert server.hup()  # which goes on with it
    order(server, "s", "other")
    server.wait_log("^generation 2 began")
    order(server, "0", "other")
    until(lambda: server.log().count(f"taken from {server.folder}/orders\n") == 2, "the first again")
    order(server, "q")
    assert server.wait() == 0
    assert stat.S_ISFIFO(os.stat(f"{server.folder}/orders").st_mode)  # as in uWSGI


def test_a_reload_may_name_another_one(start):
    server = start(APP + FIFO)
    server.write_ini(APP + "master-fifo = {here}/new\n")
    order(server, "r")
    server.wait_log("^reloaded")
    order(server, "q", "new")
    assert server.wait() == 0


def test_a_reload_makes_one_that_was_removed_anew(start):
    server = start(APP + FIFO)
    os.unlink(f"{server.folder}/orders")
    assert server.hup()
    order(server, "q")
    assert server.wait() == 0


def test_nothing_of_it_is_inherited(start):
    server = start(APP + FIFO)
    has = {pid for pid in [server.pid, *proc.descendants(server.pid)]
           if f"{server.folder}/orders" in proc.open_files(pid)}
    assert server.workers() and has == {server.pid}


def test_it_is_the_servers_users(start, as_root):
    server = start.not_yet(APP + FIFO + "uid = nobody\n")
    os.chown(server.folder, 65534, -1)
    server.start()
    found = os.stat(f"{server.folder}/orders")
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (65534, 0o600)
    order(server, "q")
    assert server.wait() == 0


def test_root_follows_no_link_of_another_user(start, as_root):
    """Else that user could have root make a FIFO in any folder."""
    server = start.not_yet(APP + "uid = nobody\nmaster-as-root = 1\nmaster-fifo = {here}/theirs/x/f\n")
    os.mkdir(f"{server.folder}/roots")
    os.mkdir(f"{server.folder}/theirs")
    os.chown(f"{server.folder}/theirs", 65534, -1)
    os.symlink("../roots", f"{server.folder}/theirs/x")
    os.chown(f"{server.folder}/theirs/x", 65534, -1, follow_symlinks=False)
    server.start()
    server.wait_log("^error: no orders are taken from .*: x is a symbolic link that another user")
    assert not os.listdir(f"{server.folder}/roots")
