# SPDX-License-Identifier: MIT
"""The files in ini/ for service managers: what they start, reload and stop does so with
production.ini, but for paths."""
import configparser
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from lib import files, proc, uwsgi
from lib.notify import Manager
from lib.server import BASE_ENV, COMMAND, ROOT
from lib.wait import until

APP = """
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'hello']
"""


@pytest.fixture
def site(as_root, folder):
    """/srv/app, /run/app, /var/log/app and /etc/app of the files, in a folder of the test."""
    for name in ("run", "srv", "logs"):
        os.makedirs(f"{folder}/{name}")
        shutil.chown(f"{folder}/{name}", "www-data", "www-data")
    write_app(folder, APP)
    with open(f"{folder}/uwsgi.ini", "w", encoding="ascii") as f:
        f.write(text_of("production.ini", folder))
    return folder


def write_app(folder, text):
    files.replace(f"{folder}/srv/wsgi.py", text)


def text_of(name, site):
    with open(f"{ROOT}/ini/{name}", encoding="ascii") as f:
        text = f.read()
    for path, here in (("/usr/local/bin/uwsgi", os.path.realpath(COMMAND[0])), ("/srv/app", "srv"),
                       ("/run/app", "run"), ("/var/log/app", "logs"), ("/etc/app/", "")):
        text = text.replace(path, here if here.startswith("/") else f"{site}/{here}")
    return text


def parsed(name, site):
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#", ";"))
    parser.optionxform = str
    parser.read_string(text_of(name, site))
    return parser


def words(line):
    return shlex.split(line)


def run(line):
    return subprocess.run(words(line), env=BASE_ENV, capture_output=True, text=True, timeout=30,
                          check=False)


@pytest.fixture
def service(start, site):
    """The [Service] of app.service, started with a notify socket; not waited for."""
    manager = Manager(f"{site}/notify")

    def begin(before=()):
        unit = parsed("systemd/app.service", site)["Service"]
        server = start.not_yet("", folder=site, plain=True, env={"NOTIFY_SOCKET": manager.name})
        server.write_ini(text_of("production.ini", site))
        server.command = [*before, *words(unit["ExecStart"])]
        return unit, server.spawn(), manager
    yield begin
    manager.close()


def test_systemd_starts_reloads_and_stops(service, site):
    unit, server, manager = service()
    assert unit["Type"] == "notify"
    manager.until_ready()
    assert manager.sender == server.pid
    assert uwsgi.request(f"{site}/run/app.sock").body == b"hello"
    write_app(site, APP.replace("hello", "again"))
    assert run(unit["ExecReload"]).returncode == 0
    assert manager.read()["RELOADING"] == "1" and manager.until_ready()
    # The old generation may still take what comes in the moment after.
    until(lambda: uwsgi.request(f"{site}/run/app.sock").body == b"again", "the new release")
    write_app(site, "import no_such_module\n")
    done = run(unit["ExecReload"])
    assert done.returncode == 1 and "no_such_module" in done.stderr
    assert uwsgi.request(f"{site}/run/app.sock").body == b"again"
    manager.read(), manager.until_ready()
    server.send(signal.SIGTERM)
    assert manager.read()["STOPPING"] == "1"
    assert server.wait() == 0
    assert int(unit["TimeoutStopSec"]) > 60


def test_systemd_opens_the_socket(service, site):
    path = parsed("systemd/app.socket", site)["Socket"]["ListenStream"]
    activate = [sys.executable, f"{ROOT}/t/lib/activate.py", path, "--"]
    _, server, manager = service(activate)
    manager.until_ready()
    assert f"socket listens on {path}, passed on by the service manager" in server.log()
    assert uwsgi.request(path).body == b"hello"
    server.send(signal.SIGTERM)
    assert server.wait() == 0 and os.path.exists(path)


def test_systemd_sends_hup_by_itself(service, site):
    """As the drop-in says: it takes a RELOADING for the answer to its signal by the time in it."""
    unit = parsed("systemd/notify-reload.conf", site)["Service"]
    assert unit["Type"] == "notify-reload" and unit["ExecReload"] == ""
    _, server, manager = service()
    manager.until_ready()
    sent_us = time.monotonic_ns() // 1000
    server.send(signal.SIGHUP)
    said = manager.read()
    assert said["RELOADING"] == "1" and int(said["MONOTONIC_USEC"]) >= sent_us
    assert manager.until_ready()["STATUS"].startswith("reloaded")


def test_systemd_is_told_how_long_a_stop_takes(service, site):
    """TimeoutStopSec may be shorter."""
    _, server, manager = service()
    manager.until_ready()
    server.send(signal.SIGTERM)
    said = manager.read()
    assert said["STOPPING"] == "1"
    assert 60e6 < int(said["EXTEND_TIMEOUT_USEC"]) < 120e6
    assert server.wait() == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_understands_its_files(site):
    names = ["app.service", "app.socket", "app@.service"]
    for name in names:
        with open(f"{site}/{name}", "w", encoding="ascii") as f:
            f.write(text_of(f"systemd/{name}", site))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *[f"{site}/{n}" for n in names]],
                          capture_output=True, text=True, timeout=30, check=False)
    said = [line for line in done.stderr.splitlines() if site in line]
    assert (done.returncode, said) == (0, [])


def test_supervisor_starts_reloads_and_stops(start, site):
    program = parsed("supervisor.conf", site)["program:app"]
    server = start.not_yet("", folder=site, plain=True)
    server.write_ini(text_of("production.ini", site))
    server.command = words(program["command"])
    server.start()
    assert server.hup()
    assert uwsgi.request(f"{site}/run/app.sock").body == b"hello"
    server.send(getattr(signal, "SIG" + program["stopsignal"]))
    assert server.wait() == 0
    assert int(program["stopwaitsecs"]) > 60


def test_logrotate_lets_the_server_begin_a_new_file(start, site):
    """With logrotate itself, where it is there."""
    rules = text_of("logrotate.conf", site)
    log = f"{site}/logs/uwsgi.log"
    lines = [line.lstrip("# ") for line in rules.splitlines() if line.startswith("#     ")]
    server = start.not_yet("", folder=site, plain=True)
    server.write_ini(text_of("production.ini", site) + "\n".join(lines) + "\n")
    server.command = words(parsed("systemd/app.service", site)["Service"]["ExecStart"])
    server.spawn()
    until(lambda: os.path.exists(log) and "serving: " in read(log), "the server to serve", 20)
    with open(f"{site}/rules", "w", encoding="ascii") as f:
        f.write(rules)
    if shutil.which("logrotate"):
        done = run(f"logrotate --force --state {site}/state {site}/rules")
        assert done.returncode == 0, done.stderr
    else:
        os.rename(log, log + ".1")
        open(log, "wb").close()
        shutil.chown(log, "www-data", "adm")
        script = rules.partition("postrotate\n")[2].partition("endscript")[0]
        subprocess.run(["/bin/sh", "-c", script], check=True)
    until(lambda: log in proc.open_files(server.pid) and read(log), "lines in the new file")
    assert "serving: " in read(f"{log}.1") and "serving: " not in read(log)
    assert server.stop() == 0


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()
