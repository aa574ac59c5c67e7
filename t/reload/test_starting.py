# SPDX-License-Identifier: MIT
"""Processes that cannot start, or hang, or are lost together with what they are forked from: the
server says so, tries again, and hears its signals all the while."""
import os
import re
import signal
import subprocess

import pytest

from lib import files, http, proc
from lib.address import connect
from lib.wait import until

INI = ("http-socket = {http}\nwsgi-file = mine.py\nreload-timeout = 1\nreload-mercy = 1\n"
       "worker-reload-mercy = 1\n")
PATIENT = INI.replace("timeout = 1", "timeout = 60")
APP = """
import os, time
{before}
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'%d' % os.getpid()]
"""
HANG = """
import uwsgi
if os.path.exists('hang%d' % uwsgi.worker_id()):
    print('worker', uwsgi.worker_id(), 'hangs', flush=True)
    time.sleep(1000)
"""


def write_app(folder, before=""):
    files.replace(f"{folder}/mine.py", APP.replace("{before}", before))


def zygote_of(server):
    return [p for p in proc.children(server.pid)
            if p not in server.workers() and p not in server.routers()][0]


def worker_of(server):
    return int(http.request(server.http).body)


# ---- a lost zygote ----

def test_a_zygote_lost_with_a_failed_reload_is_tried_again(start, folder):
    write_app(folder)
    ini = PATIENT + "processes = 2\n"
    server = start(ini, folder=folder)
    workers = server.workers()
    server.write_ini(ini + "processes = many\n")
    os.kill(zygote_of(server), signal.SIGKILL)
    server.wait_log("no worker can be started until the application is imported again")
    server.wait_log("reload given up")
    os.kill(workers[0], signal.SIGKILL)
    server.wait_log(rf"pid {workers[0]}\).*; no worker can be started")
    server.write_ini(ini)
    server.wait_log("reloaded: ")
    until(lambda: len(server.workers()) == 2, "two workers")
    assert worker_of(server) not in workers


def test_a_lost_zygote_is_replaced_also_with_exit_on_reload(start, folder):
    write_app(folder)
    server = start(PATIENT + "exit-on-reload = true\n", folder=folder)
    os.kill(zygote_of(server), signal.SIGKILL)
    server.wait_log("reloaded: ")
    assert not server.ended()
    server.send(signal.SIGHUP)
    assert server.wait() == 0
    assert "exit-on-reload: stopping" in server.log()


def test_a_stopped_zygote_is_killed_and_replaced(start, folder):
    write_app(folder)
    server = start(INI + "processes = 2\n", folder=folder)
    zygote, workers = zygote_of(server), server.workers()
    server.write_ini(PATIENT + "processes = 2\n")    # for those that follow
    os.kill(zygote, signal.SIGSTOP)
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    server.wait_log(rf"is not forked after 1 s.*pid {zygote}\) does not answer and is killed")
    server.wait_log("reloaded: ")
    assert worker_of(server) not in workers


# ---- a start that hangs ----

def test_a_worker_that_hangs_in_its_own_import_is_killed_and_started_again(start, folder):
    write_app(folder, HANG)
    server = start(INI + "lazy-apps = true\nreload-timeout = 1\n", folder=folder)
    first = worker_of(server)
    files.touch(f"{folder}/hang1")
    os.kill(first, signal.SIGKILL)
    server.wait_log("^worker 1 hangs")
    os.unlink(f"{folder}/hang1")
    server.wait_log(r"worker 1 \(pid \d+\) killed: it takes longer than reload-timeout to start; "
                    "restarting")
    assert worker_of(server) != first


def test_a_first_generation_that_is_not_complete_serves_with_what_there_is(start, folder):
    write_app(folder, HANG)
    files.touch(f"{folder}/hang2")
    ini = INI + "lazy-apps = true\nprocesses = 2\n"
    server = start(ini, folder=folder)
    assert re.search(r"serving: 1 worker × 1 thread accept requests after \d+ ms; 1 more does not "
                     "yet", server.log())
    assert worker_of(server)
    os.unlink(f"{folder}/hang2")
    server.write_ini(ini.replace("timeout = 1", "timeout = 60"))
    assert server.hup()
    until(lambda: len(server.workers()) == 2, "two workers")


def test_a_reload_does_not_wait_for_a_first_generation_that_hangs(start, folder):
    write_app(folder, HANG)
    files.touch(f"{folder}/hang1")
    server = start.not_yet(PATIENT + "lazy-apps = true\n",
                           folder=folder).spawn()
    server.wait_log("^worker 1 hangs")
    os.unlink(f"{folder}/hang1")
    assert server.hup()
    assert worker_of(server)
    until(lambda: len(server.workers()) == 1, "the one that hangs to be gone", 10)


def test_what_does_not_import_ends_a_reload_beside_a_first_generation_that_hangs(start, folder):
    """The one that hangs goes on, for what that is worth, and ends with the server."""
    write_app(folder, HANG)
    files.touch(f"{folder}/hang1")
    server = start.not_yet(PATIENT + "lazy-apps = true\n",
                           folder=folder).spawn()
    server.wait_log("^worker 1 hangs")
    write_app(folder, "raise RuntimeError('broken deploy')")
    assert not server.hup()
    write_app(folder)
    assert server.hup()
    assert worker_of(server)


def test_a_first_generation_that_fails_leaves_the_field_to_the_reload(start, folder):
    write_app(folder, "open('importing', 'w').close()\n"
                      "while not os.path.exists('go'): time.sleep(0.01)\n"
                      "raise RuntimeError('broken deploy')")
    server = start.not_yet(PATIENT + "need-app = true\n"
                           "touch-reload = {here}/touched\npidfile = {here}/pid\n",
                           folder=folder).spawn()
    until(lambda: os.path.exists(f"{folder}/importing"), "the first import")
    write_app(folder, "open('again', 'w').close()\n"
                      "while not os.path.exists('go2'): time.sleep(0.01)")
    with subprocess.Popen([*server.command, "--reload", f"{folder}/pid"]) as asker:
        until(lambda: os.path.exists(f"{folder}/again"), "the second import")
        files.touch(f"{folder}/go")
        server.wait_log("broken deploy.*; going on with the reload")
        files.touch(f"{folder}/go2")
        server.wait_log("serving: 1 worker")
        assert asker.wait(10) == 0
    first = worker_of(server)
    files.touch(f"{folder}/touched")
    until(lambda: worker_of(server) != first, "a reload")


def test_daemonize2_ends_when_no_worker_can_start(start, folder):
    write_app(folder, "os.register_at_fork(after_in_child=lambda: os._exit(9))")
    server = start.not_yet(INI + "daemonize2 = {here}/daemon.log\n", folder=folder)
    assert server.run() == 1
    assert "the server did not start" in server.log()
    with open(f"{folder}/daemon.log", encoding="utf-8") as f:
        assert re.search(r"cannot start: no worker could start in 1 s \(reload-timeout\): worker 1 "
                         r"\(pid \d+\) ended while it started: exit code 9", f.read())


# ---- many ----

@pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")), reason="takes too long")
@pytest.mark.seconds(120)
def test_hundreds_of_processes_serve_and_end(start, folder):
    """More orders to fork than a channel holds."""
    write_app(folder)
    server = start.not_yet(PATIENT + "processes = 350\n",
                           folder=folder).spawn()
    server.wait_log("serving: 350 workers", 80)
    assert worker_of(server)
    assert server.stop(signal.SIGTERM, seconds=20) == 0


# ---- orphans ----

@pytest.mark.parametrize("option", ["", "master-as-root = true\n", "drop-after-apps = true\n"])
def test_another_user_s_zygote_and_router_end_with_a_killed_master(as_root, start, folder, option):
    write_app(folder, "open('/proc/self/comm').read(); print('importing', flush=True)\n"
                      "time.sleep(0 if os.environ.get('QUICK') else 1000)")
    server = start.not_yet(INI + "http = {router}\nuid = www-data\n" + option, folder=folder)
    server.spawn()
    server.wait_log("^importing")
    family = proc.descendants(server.pid)
    assert family
    server.send(signal.SIGKILL)
    server.process.wait()
    for pid in family:
        proc.wait_gone(pid, 5)


@pytest.mark.parametrize("option", ["", "master-as-root = true\n", "drop-after-apps = true\n"])
def test_another_user_s_processes_end_with_a_killed_master(as_root, start, folder, option):
    write_app(folder)
    server = start(INI + "http = {router}\nuid = www-data\n" + option, folder=folder)
    family = proc.descendants(server.pid)
    assert len(family) == 3
    server.send(signal.SIGKILL)
    server.process.wait()
    for pid in family:
        proc.wait_gone(pid, 5)


# ---- sockets ----

def test_an_address_is_taken_back_from_a_generation_that_drains(start):
    ini = "http-socket = {http}\nmodule = basic\n"
    more = ini + "http-socket = {more}\nhttp-socket = {more_unix}\n"
    server = start(more)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=1.5"))
        server.wait_log("^sleeping in")
        server.write_ini(ini)
        assert server.hup()
        server.write_ini(more)
        assert server.hup()
        for address in (server.more, server.more_unix):
            assert http.request(address, "/hello").body == b"hello\n"
        assert c.read().status == 200
    until(lambda: len(server.workers()) == 1, "the old generations to be gone")
    for address in (server.more, server.more_unix):
        assert http.request(address, "/hello").body == b"hello\n"
    connect(server.more).close()
