# SPDX-License-Identifier: MIT
"""Who is measured: one row a server.  A mode says how a client reaches it; a server that has no
command for a mode is left out of that mode."""
import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from typing import Callable, Optional

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"
# Environments with the newest releases, filled by t/compatibility/venvs.py; they are measured in these
# cases, and use Debian's frameworks, as all do.
INDEX = os.path.join(ROOT, "build", "apps")
NEWEST_IN = ("hello", "hello-2", "json", "post", "flask", "django", "sleep")

DIRECT = ("keep-alive", "close", "router")


@dataclass(frozen=True)
class Setup:
    """What a server is asked to be: case, mode, a TCP address and a UNIX socket to listen on."""
    case: object
    mode: str
    address: str
    path: str
    folder: str


@dataclass(frozen=True)
class Server:
    name: str
    command: Callable[[Setup], Optional[list]]
    version: Callable[[], str]
    there: Callable[[], bool] = field(default=lambda: True)
    only: tuple = ()        # cases it takes part in; (): all


def _uwsgi(binary, plugin, sockets):
    def command(setup):
        if setup.mode not in sockets:
            return None
        option = sockets[setup.mode]
        where = setup.address if setup.mode in DIRECT else setup.path
        case = setup.case
        argv = [binary, *plugin, f"--{option}", where, "--chmod-socket=666", "--master",
                "--processes", str(case.workers), "--module", case.app, "--pythonpath", HERE,
                "--disable-logging", "--listen", "1024", "--need-app"]
        if setup.mode == "router":
            argv += ["--http-keepalive"]
        if case.threads > 1:
            argv += ["--threads", str(case.threads)]
        return argv
    return command


OURS = {"keep-alive": "http-socket", "close": "http-socket", "router": "http",
        "nginx-uwsgi": "socket", "nginx-fastcgi": "fastcgi-socket",
        "nginx-fastcgi-keep": "fastcgi-socket", "nginx-http-keep": "http-socket"}
THEIRS = {"keep-alive": "http11-socket", "close": "http-socket", "router": "http",
          "nginx-uwsgi": "socket", "nginx-fastcgi": "fastcgi-socket"}


def _newest(name):
    return os.path.join(INDEX, f"newest-{name}", "bin", "python")


def _gunicorn(kind, *program):
    def command(setup):
        if setup.mode not in ("keep-alive", "close", "nginx-http-keep"):
            return None
        if kind == "sync" and (setup.case.threads > 1 or setup.mode != "close"):
            return None     # it closes every connection
        bind = setup.address if setup.mode in DIRECT else f"unix:{setup.path}"
        argv = [*(program or ["gunicorn"]), "-b", bind, "-w", str(setup.case.workers), "-k", kind,
                "--pythonpath", HERE, "--backlog", "1024", "--log-level", "error",
                f"{setup.case.app}:application"]
        if kind == "gthread":
            argv += ["--threads", str(max(setup.case.threads, 2)), "--worker-connections", "2000"]
        return argv
    return command


def _granian(setup):
    if setup.mode not in DIRECT[:2]:
        return None
    host, _, port = setup.address.rpartition(":")
    return [_newest("granian"), "-m", "granian", "--interface", "wsgi", "--http", "1", "--host", host,
            "--port", port, "--workers", str(setup.case.workers), "--blocking-threads",
            str(setup.case.threads), "--backlog", "1024", "--log-level", "error",
            f"{setup.case.app}:application"]


def _python(text, python=PYTHON):
    """A server that is started by a few lines of Python."""
    def command(setup):
        if setup.mode not in ("keep-alive", "close", "nginx-http-keep") or setup.case.workers > 1:
            return None
        host, _, port = setup.address.rpartition(":")
        names = {"host": host, "port": int(port), "app": setup.case.app, "folder": HERE,
                 "threads": setup.case.threads,
                 "path": None if setup.mode in DIRECT else setup.path}
        return [python, "-c", f"N = {names!r}\nimport sys\nsys.path.insert(0, N['folder'])\n"
                "import importlib\napp = importlib.import_module(N['app']).application\n" + text]
    return command


WAITRESS = """
import waitress
where = {'unix_socket': N['path'], 'unix_socket_perms': '666'} if N['path'] else \
    {'listen': '%s:%d' % (N['host'], N['port'])}
waitress.serve(app, threads=N['threads'] if N['threads'] > 1 else 4, backlog=1024,
               connection_limit=2000, **where)
"""
CHEROOT = """
from cheroot import wsgi
server = wsgi.Server(N['path'] or (N['host'], N['port']), app, numthreads=max(N['threads'], 10),
                     request_queue_size=1024)
server.start()
"""
BJOERN = """
import bjoern
if N['path']:
    bjoern.run(app, 'unix:' + N['path'])
else:
    bjoern.run(app, N['host'], N['port'])
"""


def _unit(setup):
    if setup.mode not in ("keep-alive", "close", "nginx-http-keep"):
        return None
    where = setup.address if setup.mode in DIRECT else f"unix:{setup.path}"
    state = os.path.join(setup.folder, "unit")
    os.makedirs(state, exist_ok=True)
    with open(os.path.join(state, "conf.json"), "w", encoding="utf-8") as f:
        json.dump({"listeners": {where: {"pass": "applications/app"}},
                   "applications": {"app": {
                       "type": "python 3", "path": HERE, "module": setup.case.app,
                       "processes": setup.case.workers, "threads": setup.case.threads}}}, f)
    return ["unitd", "--no-daemon", "--statedir", state, "--pid", f"{state}/pid",
            "--control", f"unix:{state}/control", "--log", f"{state}/log"]


def _said(*argv):
    def version():
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    return version


def _module(name):
    return lambda: importlib.util.find_spec(name) is not None


def _package(name, python=PYTHON):
    return _said(python, "-c", "import importlib.metadata as m\n"
                 f"print('{name}', m.version('{name}'))")


STATIC = os.path.join(ROOT, "uwsgi-static")

UWSGI = os.path.join(INDEX, "uwsgi", "bin", "uwsgi")


def _of_index(package, name, command, program=None):
    """A row for what the Python index has, left out where it is not installed."""
    version = _said(program, "--version") if program else _package(package, _newest(package))
    there = program or os.path.join(os.path.dirname(os.path.dirname(_newest(package))), "packages")
    return Server(name, command, version, lambda: os.path.exists(there), NEWEST_IN)


SERVERS = [
    Server("this uwsgi", _uwsgi(os.path.join(ROOT, "uwsgi"), [], OURS),
           _said(os.path.join(ROOT, "uwsgi"), "--version")),
    Server("this uwsgi-static", _uwsgi(STATIC, [], OURS), _said(STATIC, "--version"),
           lambda: os.path.exists(STATIC), ("json", "flask", "django")),
    Server("uWSGI", _uwsgi("/usr/bin/uwsgi", ["--plugins", "http,python3"], THEIRS),
           _said("/usr/bin/uwsgi", "--version"), lambda: os.path.exists("/usr/bin/uwsgi")),
    Server("Unit", _unit, _said("unitd", "--version"), lambda: bool(shutil.which("unitd"))),
    Server("gunicorn sync", _gunicorn("sync"), _said("gunicorn", "--version"),
           lambda: bool(shutil.which("gunicorn"))),
    Server("gunicorn gthread", _gunicorn("gthread"), _said("gunicorn", "--version"),
           lambda: bool(shutil.which("gunicorn"))),
    Server("waitress", _python(WAITRESS), _package("waitress"), _module("waitress")),
    Server("cheroot", _python(CHEROOT), _package("cheroot"), _module("cheroot")),
    # Its environment hides Debian's frameworks, with which the others are measured.
    _of_index("uWSGI", "newest uWSGI",
              _uwsgi(UWSGI, ["--pythonpath", "/usr/lib/python3/dist-packages"], THEIRS), UWSGI),
    _of_index("gunicorn", "newest gunicorn sync",
              _gunicorn("sync", _newest("gunicorn"), "-m", "gunicorn")),
    _of_index("gunicorn", "newest gunicorn gthread",
              _gunicorn("gthread", _newest("gunicorn"), "-m", "gunicorn")),
    _of_index("granian", "newest granian", _granian),
    _of_index("waitress", "newest waitress", _python(WAITRESS, _newest("waitress"))),
    _of_index("bjoern", "newest bjoern", _python(BJOERN, _newest("bjoern"))),
]


def floor(name, program):
    """The C loop that answers a constant."""
    bodies = {"hello": [], "hello-2": [], "hello-60": [], "big": [str(1 << 20)],
              "file": [os.environ.get("BENCH_FILE", "/")]}

    def command(setup):
        if setup.case.name not in bodies or setup.mode not in ("keep-alive", "close"):
            return None
        host, _, port = setup.address.rpartition(":")
        return [program, host, port, "keep" if setup.mode == "keep-alive" else "close",
                str(setup.case.workers), *bodies[setup.case.name]]
    return Server(name, command, lambda: "")
