# SPDX-License-Identifier: MIT
"""The server as a service: whom it runs as, pidfile, background, log files, names."""
import grp
import json
import os
import pwd
import re
import shutil
import signal
import time

import pytest

from lib import http, proc
from lib.address import HOST, connect
from lib.server import command_for_all
from lib.wait import until

INI = "http-socket = {http}\nmodule = basic\n"


# ---- users ----

def ids(pid):
    return {f: [int(w) for w in proc.status(pid, f)] for f in ("Uid", "Gid", "Groups")}


@pytest.mark.parametrize("user, group", [("www-data", "www-data"), ("33", "33"),
                                         ("www-data", "daemon"), ("1234", "2345")])
def test_uid_and_gid_are_dropped_for_good_in_every_process(as_root, start, user, group):
    server = start(INI + f"uid = {user}\ngid = {group}\nprocesses = 2\n")
    uid = int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid
    gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
    assert http.request(server.http, "/hello").status == 200
    for pid in [server.pid, *proc.descendants(server.pid)]:
        found = ids(pid)
        assert found["Uid"] == [uid] * 4
        assert found["Gid"] == [gid] * 4
        assert 0 not in found["Groups"]
        assert proc.status(pid, "CapEff") == ["0" * 16]


def test_uid_alone_brings_the_groups_of_the_user(as_root, start):
    server = start(INI + "uid = www-data\n")
    user = pwd.getpwnam("www-data")
    found = ids(server.workers()[0])
    assert found["Uid"] == [user.pw_uid] * 4
    assert found["Gid"] == [user.pw_gid] * 4
    assert 0 not in found["Groups"]


def test_supplementary_groups_are_added(as_root, start):
    server = start(INI + "uid = www-data\ngid = www-data\nadd-gid = daemon\n")
    assert grp.getgrnam("daemon").gr_gid in ids(server.workers()[0])["Groups"]


@pytest.mark.parametrize("line", ["uid = nobody-of-that-name", "gid = no-such-group"])
def test_an_unknown_user_or_group_is_an_error(as_root, start, line):
    server = start.not_yet(INI + line)
    assert server.run() == 1
    server.wait_log(line.split()[-1])


def test_the_application_is_never_run_as_root(as_root, start, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import os\nprint('imported as', os.getuid(), os.getgid(), flush=True)\n"
                "from basic import application\n")
    server = start("http-socket = {http}\nwsgi-file = mine.py\nuid = www-data\ngid = www-data\n",
                   folder=folder)
    assert re.findall(r"imported as .*", server.log()) == ["imported as 33 33"]


def test_a_privileged_port_is_bound_before_root_is_given_up(as_root, start):
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        if int(f.read()) <= 81:
            pytest.skip("every port is unprivileged here")
    server = start(f"http-socket = {HOST}:81\nmodule = basic\nuid = www-data\ngid = www-data\n")
    assert http.request(f"{HOST}:81", "/hello").status == 200
    assert ids(server.pid)["Uid"] == [pwd.getpwnam("www-data").pw_uid] * 4


def test_a_reload_after_root_was_given_up_works(as_root, start, folder):
    server = start("http-socket = {http}\nsocket = {here}/s\nchmod-socket = 660\nmodule = basic\n"
                   "uid = www-data\ngid = www-data\n", folder=folder)
    for _ in range(2):
        assert server.hup()
        assert http.request(server.http, "/hello").status == 200
    connect(f"{folder}/s").close()


def test_vacuum_works_after_root_was_given_up(as_root, start, folder):
    os.chmod(folder, 0o777)
    server = start("http-socket = {http}\nsocket = {here}/s\nmodule = basic\nuid = www-data\n"
                   "gid = www-data\nvacuum = true\npidfile = {here}/pid\n", folder=folder)
    server.stop()
    assert not os.path.exists(f"{folder}/s") and not os.path.exists(f"{folder}/pid")


def test_without_root_uid_is_left_alone_and_said(as_root, start, folder):
    """Started by an ordinary user, an ini that names a user still works."""
    os.chmod(folder, 0o777)
    server = start.not_yet(INI + "uid = www-data\n", folder=folder)
    server.command = ["/usr/bin/setpriv", "--reuid=1234", "--regid=1234", "--clear-groups",
                      *command_for_all(folder)]
    if not os.path.exists("/usr/bin/setpriv"):
        pytest.skip("needs setpriv (util-linux)")
    os.chmod(server.ini_path, 0o644)
    server.start()
    server.wait_log("(?i)root")
    assert http.request(server.http, "/hello").status == 200


# ---- pidfile and background ----

def test_pidfile_is_the_pid_and_a_newline(start, folder):
    server = start(INI + "pidfile = {here}/pid\n", folder=folder)
    with open(f"{folder}/pid", encoding="ascii") as f:
        assert f.read() == f"{server.pid}\n"


def test_pidfile_stays_right_over_a_reload(start, folder):
    server = start(INI + "pidfile = {here}/pid\n", folder=folder)
    assert server.hup()
    with open(f"{folder}/pid", encoding="ascii") as f:
        assert f.read() == f"{server.pid}\n"


def test_a_pidfile_that_cannot_be_written_is_an_error(start):
    server = start.not_yet(INI + "pidfile = /nowhere/at/all/pid\n")
    assert server.run() == 1
    server.wait_log("/nowhere/at/all/pid")


class Background:
    """A server that has left its parent; found by its pidfile."""

    def __init__(self, folder):
        self.folder = folder
        until(lambda: os.path.exists(f"{folder}/pid") and self.pid, "the pidfile")
        until(lambda: "serving: " in self.log(), "the background server")

    @property
    def pid(self):
        with open(f"{self.folder}/pid", encoding="ascii") as f:
            return int(f.read() or 0)

    def log(self):
        try:
            with open(f"{self.folder}/own.log", encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        pid = self.pid
        os.kill(pid, signal.SIGINT)
        proc.wait_gone(pid)


@pytest.mark.parametrize("line, args", [("daemonize = {here}/own.log", []), ("", ["-d", "own.log"]),
                                        ("daemonize = own.log", [])])
def test_daemonize_goes_to_the_background_with_a_log_file(start, folder, line, args):
    server = start.not_yet(INI + "pidfile = {here}/pid\n" + line, folder=folder, args=args)
    assert server.run() == 0
    background = Background(folder)
    try:
        assert http.request(server.http, "/hello").status == 200
        assert os.getsid(background.pid) != os.getsid(0)
        until(lambda: "GET /hello" in background.log(), "the request in the log file")
        os.kill(background.pid, signal.SIGHUP)
        until(lambda: "reloaded: " in background.log(), "a reload in the background")
    finally:
        background.stop()


def test_what_systemd_thinks_of_daemonize_is_said_at_the_start_only(start, folder):
    server = start.not_yet(INI + "pidfile = {here}/pid\ndaemonize = {here}/own.log\n",
                           folder=folder, env={"INVOCATION_ID": "1"})
    assert server.run() == 0
    assert "systemd waits for" in server.log()
    background = Background(folder)
    try:
        os.kill(background.pid, signal.SIGHUP)
        until(lambda: "reloaded: " in background.log(), "a reload in the background")
        assert "systemd waits for" not in background.log()
    finally:
        background.stop()


def test_daemonize_with_an_error_is_told_to_the_caller(start, folder):
    """What is wrong before the server goes to the background is not only in the log file."""
    server = start.not_yet("http-socket = nonsense:port:0\nmodule = basic\n"
                           "daemonize = {here}/own.log\n", folder=folder)
    assert server.run() == 1
    server.wait_log("nonsense")


def test_logto_takes_the_log(start, folder):
    server = start.not_yet(INI + "logto = {here}/own.log\n", folder=folder).spawn()
    server.wait_listening("http")
    assert http.request(server.http, "/hello").status == 200
    until(lambda: "GET /hello" in open(f"{folder}/own.log", encoding="utf-8").read(),
          "the request in the log file")
    assert "GET /hello" not in server.log()


def test_what_the_application_prints_is_in_the_log(start):
    server = start(INI)
    server.wait_log("^imported basic in")


def test_logto_that_cannot_be_opened_is_an_error(start):
    server = start.not_yet(INI + "logto = /nowhere/at/all/log\n")
    assert server.run() == 1
    server.wait_log("/nowhere/at/all/log")


# ---- names ----

def test_auto_procname_names_master_and_workers(start):
    server = start(INI + "processes = 2\nauto-procname = true\n")
    assert "master" in proc.title(server.pid)
    titles = [proc.title(p) for p in server.workers()]
    assert all("worker" in t for t in titles)
    assert len(set(titles)) == 2


def test_procname_prefix_stands_before_the_names(start):
    server = start(INI + "auto-procname = true\nprocname-prefix = shop-\n")
    for pid in [server.pid, *server.workers()]:
        assert proc.title(pid).startswith("shop-")


def test_environment_survives_the_names(start, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write("import os, json\ndef application(e, s):\n s('200 OK', [])\n"
                " return [json.dumps(dict(os.environ)).encode()]\n")
    server = start("http-socket = {http}\nwsgi-file = mine.py\nauto-procname = true\n"
                   "procname-prefix = " + "long " * 100 + "\nenv = MINE=1\n", folder=folder)
    seen = json.loads(http.request(server.http).body)
    assert seen["MINE"] == "1" and seen["HOME"] == "/tmp"


# ---- frugality ----

def test_an_idle_server_does_not_wake_up(start):
    """No timers tick in workers while nothing is asked of them."""
    server = start(INI + "processes = 2\nthreads = 2\n")
    assert http.request(server.http, "/hello").status == 200
    workers = server.workers()

    def wakes(seconds):
        """How often they wake up meanwhile."""
        sums = []
        for pause in (0, seconds):
            time.sleep(pause)
            sums.append(sum(int(proc.status(p, "voluntary_ctxt_switches")[0]) for p in workers))
        return sums[1] - sums[0]

    until(lambda: wakes(0.2) == 0, "the end of that request")
    until(lambda: wakes(2) <= 1, "two seconds of sleep", 20)


WAITS = "epoll_wait,epoll_pwait,poll,ppoll,select,pselect6,nanosleep,clock_nanosleep"


def test_no_process_waits_for_time_to_pass_until_the_first_response(start, folder):
    """Starting takes what the work takes: nobody sleeps, and no wait ends by its timeout."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    seen = f"{folder}/strace"
    server = start(INI, folder=folder, under=[
        "strace", "-D", "-f", "-qq", "-o", seen, "-e", f"trace={WAITS},writev,sendmsg,sendto",
        "-e", "signal=none"])
    assert http.request(server.http, "/hello").status == 200

    def until_response():
        with open(seen, encoding="utf-8", errors="replace") as f:
            before, response, _ = f.read().partition("HTTP/1.1 200")
        return response and before.splitlines()
    calls = until(until_response, "the response in what strace saw")
    assert [c for c in calls if "epoll" in c], "strace saw nothing"
    assert [c for c in calls if re.search(r"sleep\(|(?<!, 0)\) += 0( |$)", c)] == []


def test_the_master_is_small(start):
    """What it has written to: clean pages are the file's, and whoever else maps it shares them."""
    server = start(INI)
    if os.environ.get("UWSGI_SANITIZED"):
        pytest.skip("sanitizers take memory of their own")
    with open(f"/proc/{server.pid}/smaps_rollup", encoding="ascii") as f:
        kib = sum(int(line.split()[1]) for line in f if line.startswith("Private_Dirty"))
    assert kib < 2048


def test_no_descriptor_is_left_open_by_a_reload(start):
    server = start(INI + "processes = 2\n")
    before = len(proc.open_files(server.pid))
    for _ in range(5):
        assert server.hup()
        until(lambda: len(proc.children(server.pid)) == 3, "the old generation to leave")
        until(lambda: len(proc.open_files(server.pid)) == before, f"{before} descriptors")
