# SPDX-License-Identifier: MIT
"""How Debian's init script of uWSGI starts, reloads and stops a site: two ini files, the name of the
site in the environment, start-stop-daemon with a pidfile."""
import os
import shutil
import signal
import subprocess

import pytest

from lib import http, proc
from lib.server import BASE_ENV, COMMAND
from lib.wait import until

# The package's default.ini, with the test's folder for /run.
DEFAULT = """
[uwsgi]
declare-option = deb-confnamespace=$1
declare-option = deb-confname=$1
master = true
workers = 2
no-orphans = true
pidfile = HERE/run/%(deb-confnamespace)/%(deb-confname)/pid
socket = HERE/run/%(deb-confnamespace)/%(deb-confname)/socket
chown-socket = www-data
chmod-socket = 660
log-date = true
uid = www-data
gid = www-data
"""
SITE = "[uwsgi]\nplugins = python3\nhttp-socket = {http}\npythonpath = {apps}\nmodule = basic\n"
DAEMON = "/sbin/start-stop-daemon"


class Site:
    """One site of the init script."""

    def __init__(self, folder, names, site=SITE):
        self.folder, self.http = folder, names["http"]
        self.pidfile = f"{folder}/run/app/shop/pid"
        os.makedirs(f"{folder}/run/app/shop")
        if os.geteuid() == 0:
            shutil.chown(f"{folder}/run/app/shop", "www-data", "www-data")
        for name, text in (("default.ini", DEFAULT.replace("HERE", folder)),
                           ("shop.ini", site.format_map(names))):
            with open(f"{folder}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        self.binary = os.path.realpath(COMMAND[0])

    def daemon(self, *words):
        env = {**BASE_ENV, "UWSGI_DEB_CONFNAMESPACE": "app", "UWSGI_DEB_CONFNAME": "shop"}
        return subprocess.run([DAEMON, "--quiet", "--pidfile", self.pidfile, *words], env=env,
                              cwd=self.folder, timeout=50, check=False).returncode

    def start(self):
        before = self.log().count("serving: ")
        code = self.daemon("--start", "--exec", self.binary, "--",
                           "--ini", f"{self.folder}/default.ini",
                           "--ini", f"{self.folder}/shop.ini",
                           "--daemonize", f"{self.folder}/shop.log")
        if code == 0:
            until(lambda: self.log().count("serving: ") > before, "the site to serve")
        return code

    def stop(self):
        pid = self.pid
        with subprocess.Popen([DAEMON, "--stop", "--quiet", "--retry=QUIT/30/KILL/5", "--pidfile",
                               self.pidfile, "--name", "uwsgi"], env=BASE_ENV) as stopping:
            proc.wait_gone(pid)   # and reaped, as init does it
            return stopping.wait(50)

    def log(self):
        try:
            with open(f"{self.folder}/shop.log", encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    @property
    def pid(self):
        with open(self.pidfile, encoding="ascii") as f:
            return int(f.read())

    def end(self):
        if os.path.exists(self.pidfile):
            pid = self.pid
            os.kill(pid, signal.SIGINT)
            proc.wait_gone(pid)


@pytest.fixture
def site(no_process_left, as_root, start, folder):
    if not os.path.exists(DAEMON):
        pytest.skip("needs start-stop-daemon (dpkg)")
    site = Site(folder, start.not_yet("", folder=folder).names)
    yield site
    site.end()


def test_the_life_of_a_site(site):
    assert site.start() == 0
    pid = site.pid
    assert http.request(site.http, "/hello").status == 200
    assert site.start() == 1, "it runs already"
    for number, name in enumerate(("HUP", "TERM"), 1):   # reload, force-reload
        assert site.daemon("--stop", f"--signal={name}", "--name", "uwsgi") == 0
        until(lambda n=number: site.log().count("reloaded: ") == n, f"the reload of {name}")
        assert http.request(site.http, "/hello").status == 200
        assert site.pid == pid
    assert site.stop() == 0
    assert not os.path.exists(site.pidfile)
    assert "killed" not in site.log()
    assert site.start() == 0, "restart"
    assert "SIGTERM reloads, as Debian's init script wants it" in site.log()
    assert "warning: " not in site.log() and "error: " not in site.log()


@pytest.mark.parametrize("line", ["die-on-term = true\n", "die-on-term\n", "hook-master-start = "
                                  "unix_signal:15 gracefully_kill_them_all\n"])
def test_term_stops_who_is_told_so(start, line):
    server = start("http-socket = {http}\nmodule = basic\n" + line,
                   env={"UWSGI_DEB_CONFNAMESPACE": "app"})
    assert "SIGTERM reloads" not in server.log()
    server.send(signal.SIGTERM)
    assert server.wait() == 0


def test_term_reloads_only_with_debians_mark(start):
    ini = "http-socket = {http}\nmodule = basic\ndie-on-term = false\n"
    marked = start(ini, env={"UWSGI_DEB_CONFNAMESPACE": "app"})
    marked.send(signal.SIGTERM)
    marked.wait_log("reloaded: ")
    plain = start(ini)
    plain.send(signal.SIGTERM)
    assert plain.wait() == 0


# ---- the program's name ----

@pytest.mark.parametrize("name, said", [
    ("uwsgi_python3", None), ("uwsgi_python", None), ("uwsgi_", None), ("uwsgi-more", None),
    ("uwsgi_python999", r'plugin "python999" not found')])
def test_the_name_of_the_program_asks_for_a_plugin(start, folder, name, said):
    server = start.not_yet("http-socket = {http}\nmodule = basic\n", folder=folder)
    os.symlink(os.path.abspath(COMMAND[0]), f"{folder}/{name}")
    server.command = [f"{folder}/{name}"]
    server.start()
    assert http.request(server.http, "/hello").status == 200
    if said:
        server.wait_log(said)
    else:
        assert "not found" not in server.log()
