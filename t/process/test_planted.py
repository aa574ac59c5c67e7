# SPDX-License-Identifier: MIT
"""A folder that the application's user may write to holds what root opens: links and other things
that this user has planted there must not lead root to any other file."""
import os
import pwd
import shutil
import stat
import subprocess

import pytest

from lib import http
from lib.wait import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")

INI = "http-socket = {http}\nmodule = basic\nuid = www-data\n"
PIDFILES = ["pidfile = {here}/run/x\n", "safe-pidfile = {here}/run/x\n"]
LOGS = ["logto = {here}/run/x\n",
        "logto = {here}/run/x\nlogfile-chown = true\n",
        "logto = {here}/run/x\nlogfile-chmod = 666\n",
        "logto = {here}/run/x\nlog-truncate = true\n"]
LOGGERS = ["req-logger = file:{here}/run/x\n", "logger = file:{here}/run/x\n"]


@pytest.fixture
def run(folder):
    """The folder of the user."""
    os.mkdir(f"{folder}/run")
    shutil.chown(f"{folder}/run", "www-data", "www-data")
    return f"{folder}/run"


@pytest.fixture
def treasure(folder):
    """A file of root's, which stays as it is."""
    path = f"{folder}/treasure"
    with open(path, "w", encoding="ascii") as f:
        f.write("gold\n")
    os.chmod(path, 0o640)
    yield path
    found = os.stat(path)
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_size) == (0o640, 0, 5)


def plant(target, path):
    subprocess.run(["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups",
                    "ln", "-s", target, path], check=True)


def plant_what_leads_to(treasure, run, what):
    """The path of the treasure as seen through what was planted."""
    if what == "file":
        plant(treasure, f"{run}/x")
        return "run/x"
    plant(os.path.dirname(treasure), f"{run}/up")
    return "run/up/treasure"


@pytest.mark.parametrize("lines", PIDFILES + LOGS)
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_link_is_refused(start, folder, run, treasure, lines, what):
    path = plant_what_leads_to(treasure, run, what)
    server = start.not_yet(INI + lines.replace("run/x", path), folder=folder)
    assert server.run() == 1
    server.wait_log("is a symbolic link")


@pytest.mark.parametrize("lines", LOGGERS)
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_master_that_stays_root_refuses_links(start, folder, run, treasure, lines, what):
    path = plant_what_leads_to(treasure, run, what)
    server = start(INI + "master-as-root = true\n" + lines.replace("run/x", path), folder=folder)
    assert http.request(server.http, "/hello").status == 200
    server.wait_log("is a symbolic link")


@pytest.mark.parametrize("lines", PIDFILES + LOGS)
def test_a_file_of_two_names_is_refused(start, folder, run, treasure, lines):
    os.link(treasure, f"{run}/x")
    server = start.not_yet(INI + lines, folder=folder)
    assert server.run() == 1
    server.wait_log("has another name")


@pytest.mark.parametrize("lines", [PIDFILES[0], LOGS[1] + "logfile-chmod = 600\n"])
def test_what_was_there_already_is_not_given_away(start, folder, run, lines):
    """The user may have moved it there, a file of root's."""
    with open(f"{run}/x", "w", encoding="ascii"):
        os.chmod(f"{run}/x", 0o644)
    server = start.not_yet(INI + lines, folder=folder).spawn()
    server.wait_listening("http")
    assert http.request(server.http, "/hello").status == 200
    found = os.stat(f"{run}/x")
    assert found.st_uid == 0 and stat.S_IMODE(found.st_mode) == 0o644


@pytest.mark.parametrize("lines", [PIDFILES[0], LOGS[1]])
def test_what_is_created_is_the_users(start, folder, run, lines):
    server = start.not_yet(INI + lines, folder=folder).spawn()
    until(lambda: os.path.exists(f"{run}/x") and
          os.stat(f"{run}/x").st_uid == pwd.getpwnam("www-data").pw_uid, "the user's own file")
    server.wait_listening("http")


def test_roots_own_links_are_followed(start, folder):
    """As /var/run, which leads to /run."""
    os.mkdir(f"{folder}/real")
    os.symlink("real", f"{folder}/run")
    os.symlink("real/elsewhere", f"{folder}/log")
    server = start.not_yet(INI + PIDFILES[0] + "logto = {here}/log\n", folder=folder).spawn()
    until(lambda: os.path.exists(f"{folder}/real/x"), "the pidfile")
    server.wait_listening("http")
    assert sorted(os.listdir(f"{folder}/real")) == ["elsewhere", "x"]


def test_a_rotated_log_goes_nowhere_else(start, folder, run, treasure):
    """log-backupname through a link of the user's would replace a file of root's."""
    plant(folder, f"{run}/up")
    log = f"{folder}/run/x"
    server = start.not_yet(INI + "master-as-root = true\nlogto = {here}/run/x\n"
                           "log-maxsize = 300\nlog-backupname = {here}/run/up/treasure\n",
                           folder=folder).spawn()
    server.wait_listening("http")
    assert http.request(server.http, "/hello").status == 200

    def refused():
        with open(log, encoding="utf-8") as f:
            return "cannot rename" in (text := f.read()) and "symbolic link" in text
    until(refused, "a line that says why")
