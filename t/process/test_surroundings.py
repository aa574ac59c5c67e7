# SPDX-License-Identifier: MIT
"""Names, folders, variables, limits and rights of the processes."""
import json
import os
import pwd

import pytest

from lib import http, proc
from lib.wait import until

INI = "http-socket = {http}\nmodule = process\n"


def inside(server):
    return json.loads(http.request(server.http, "/").body)


# ---- names ----

@pytest.mark.parametrize("lines, master, worker", [
    ("auto-procname = true", "uwsgi master", "uwsgi worker 1"),
    ("procname = shop", "shop", "shop"),
    ("procname-master = the boss", "the boss", None),
    ("procname = shop\nprocname-master = the boss", "the boss", "shop"),
    ("auto-procname = true\nprocname-append =  of shop", "uwsgi masterof shop",
     "uwsgi worker 1of shop"),
    ("procname-prefix = a-\nprocname = shop", "a-shop", "a-shop"),
    ("procname-prefix-spaced = a\nauto-procname = 1", "a uwsgi master", "a uwsgi worker 1")])
def test_processes_are_named(start, lines, master, worker):
    server = start(INI + lines)
    assert proc.title(server.pid) == master
    if worker:
        assert proc.title(inside(server)["pid"]) == worker


# ---- folders and variables ----

def test_chdir2_counts_after_the_import(start, folder):
    server = start(INI + f"chdir = /usr\nchdir2 = {folder}\n")
    said = inside(server)
    assert said["at_import"]["cwd"] == "/usr"
    assert said["cwd"] == str(folder)


def test_force_cwd_comes_first(start):
    said = inside(start(INI + "force-cwd = /usr\nchdir = lib\n"))
    assert said["cwd"] == "/usr/lib"


def test_envdir_sets_a_variable_for_each_file_and_unenv_takes_one_away(start, folder):
    for name, text in {"ONE": "first \t\nsecond", "GONE": "", "TWO": "2"}.items():
        with open(f"{folder}/{name}", "w", encoding="ascii") as f:
            f.write(text)
    server = start(INI + f"envdir = {folder}\nenv = TWO=two\nunenv = TAKEN\n",
                   env={"GONE": "x", "TAKEN": "x"})
    found = inside(server)["environ"]
    assert found["ONE"] == "first"
    assert found["TWO"] == "two"
    assert "GONE" not in found and "TAKEN" not in found


def test_a_missing_envdir_ends_the_start_with_its_name(start):
    server = start.not_yet(INI + "envdir = /nowhere/env\n")
    assert server.run() != 0
    server.wait_log("envdir = /nowhere/env: No such file")


# ---- limits ----

def test_limits_reach_the_workers(start):
    said = inside(start(INI + "max-fd = 2000\nlimit-as = 4000\nlimit-nproc = 5000\nprio = 5\n"))
    assert said["files"] == 2000
    assert said["memory"] == 4000 << 20
    assert said["processes"] == 5000
    assert said["priority"] == 5


def test_limits_that_only_root_may_raise_stay(start):
    user = "uid = nobody\n" if os.geteuid() == 0 else ""
    server = start.not_yet(INI + user + "limit-nproc = 6000\nprio = -5\n")
    server.command = ["prlimit", "--nproc=5000:5000", *server.command]
    server.start()
    said = inside(server)
    assert said["processes"] == 5000 and said["priority"] == os.getpriority(os.PRIO_PROCESS, 0)
    server.wait_log("warning: limit-nproc = 6000: Operation not permitted; it stays 5000")
    server.wait_log("warning: prio = -5: Permission denied; it stays")


def test_each_worker_has_its_processors(start):
    there = sorted(os.sched_getaffinity(0))
    server = start(INI + "cpu-affinity = 1\nprocesses = 2\n")
    until(lambda: len(server.workers()) == 2, "two workers")
    found = sorted(tuple(sorted(os.sched_getaffinity(pid))) for pid in server.workers())
    count = len(there)
    assert found == sorted([(0,), (1 % count,)])


# ---- pidfiles ----

def test_all_pidfiles_are_written_and_removed(start):
    server = start(INI + "pidfile = {here}/a\nsafe-pidfile = {here}/b\npidfile2 = {here}/c\n"
                   "safe-pidfile2 = {here}/d\nvacuum = true\n")
    for name in "abcd":
        with open(f"{server.folder}/{name}", encoding="ascii") as f:
            assert f.read() == f"{server.pid}\n"
    server.stop()
    assert not any(os.path.exists(f"{server.folder}/{name}") for name in "abcd")


# ---- rights ----

NOBODY = pwd.getpwnam("nobody")


def owner(pid):
    return int(proc.status(pid, "Uid")[0])


def test_master_as_root_keeps_only_the_master_root(as_root, start):
    server = start(INI + "uid = nobody\nmaster-as-root = true\n")
    assert inside(server)["uid"] == NOBODY.pw_uid
    assert owner(server.pid) == 0
    assert server.hup()
    assert inside(server)["uid"] == NOBODY.pw_uid


def test_drop_after_apps_imports_as_root(as_root, start):
    said = inside(start(INI + "uid = nobody\ndrop-after-apps = true\n"))
    assert said["at_import"]["uid"] == 0
    assert said["uid"] == NOBODY.pw_uid


def test_immediate_uid_opens_the_sockets_as_that_user(as_root, start, folder):
    os.chmod(folder, 0o777)
    server = start(INI + f"immediate-uid = nobody\nsocket = {folder}/s\n")
    assert os.stat(f"{folder}/s").st_uid == NOBODY.pw_uid
    assert inside(server)["uid"] == NOBODY.pw_uid


def test_pidfile2_is_written_as_the_new_user(as_root, start, folder):
    os.chmod(folder, 0o777)
    start(INI + f"uid = nobody\npidfile2 = {folder}/p\n")
    assert os.stat(f"{folder}/p").st_uid == NOBODY.pw_uid


def test_capabilities_are_kept(as_root, start):
    said = inside(start(INI + "uid = nobody\ncap = SETGID,cap_net_bind_service\n"))
    assert said["uid"] == NOBODY.pw_uid
    assert said["capabilities"] == 1 << 6 | 1 << 10
    assert inside(start(INI + "uid = nobody\n"))["capabilities"] == 0


@pytest.mark.parametrize("lines", [
    "", "uid = nobody\n", "uid = nobody\nmaster-as-root = true\n", "immediate-uid = nobody\n",
    "uid = nobody\ndrop-after-apps = true\n", "uid = nobody\ncap = setgid\n"])
def test_no_new_privileges_only_where_it_is_asked_for(as_root, start, lines):
    for more, flag in (("no-new-privileges = true\n", "1"), ("", "0")):
        server = start(INI + lines + more)
        assert server.workers()
        assert {proc.status(pid, "NoNewPrivs")[0] for pid in server.workers()} == {flag}


@pytest.mark.parametrize("name", ["fly", "7", "cap_", "setgidx"])
def test_an_unknown_capability_is_named(start, name):
    server = start.not_yet(INI + f"cap = setgid,{name}\n")
    assert server.run() == 1
    server.wait_log(f"cap = setgid,{name}: there is no capability {name}$")


def test_no_initgroups_leaves_out_the_users_groups(as_root, start):
    assert inside(start(INI + "uid = nobody\nno-initgroups = true\nadd-gid = 5\n"))["groups"] == [
        5, NOBODY.pw_gid]


def test_chroot_is_the_root_of_all_processes(as_root, start, folder):
    """A folder that has nothing but the system's: / under another name."""
    server = start(INI + "chroot = /\n")
    assert inside(server)["cwd"] == "/"
    server = start.not_yet(INI + f"chroot = {folder}/none\n")
    assert server.run() != 0
    server.wait_log("chroot = .*/none: No such file")
