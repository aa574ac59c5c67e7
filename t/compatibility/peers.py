# SPDX-License-Identifier: MIT
"""Who serves, and how: this server, uWSGI and gunicorn, each with two workers, once with an
application that is loaded before the fork, once with one that each worker loads."""
import os
from dataclasses import dataclass
from typing import Callable

import venvs

OURS = os.environ.get("UWSGI_BIN") or os.path.join(venvs.ROOT, "uwsgi")
APPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "apps")


@dataclass(frozen=True)
class Setup:
    module: str
    venv: str
    address: str
    daemon: str     # a command that runs beside the application; "": none


@dataclass(frozen=True)
class Peer:
    name: str
    way: str        # how the application comes into the workers
    command: Callable[[Setup], list]
    daemons: bool   # whether it starts the command beside the application itself


def _ini(binary, *more):
    def command(setup):
        argv = [binary(), "--http-socket", setup.address, "--master", "--processes", "2",
                "--home", setup.venv, "--pythonpath", APPS, "--module", setup.module,
                "--need-app", "--disable-logging", "--die-on-term", "--enable-threads", *more]
        return argv + (["--attach-daemon", setup.daemon] if setup.daemon else [])
    return command


def _gunicorn(*more):
    return lambda setup: [
        f"{setup.venv}/bin/gunicorn", "-b", setup.address, "-w", "2", "--pythonpath", APPS,
        "--log-level", "warning", *more, f"{setup.module}:application"]


def ours():
    return OURS


def theirs():
    return venvs.program("uWSGI")


FORKED, LAZY = [], ["--lazy-apps", "--threads", "2"]
# uwsgidecorators lies in uWSGI's own environment; --home names the application's.
BESIDE = ["--pythonpath", f"{venvs.FOLDER}/uwsgi/lib/python3*/site-packages"]
PEERS = [
    Peer("this server", "forked", _ini(ours, *FORKED), True),
    Peer("this server", "lazy-apps", _ini(ours, *LAZY), True),
    Peer("uWSGI", "forked", _ini(theirs, *BESIDE, *FORKED), True),
    Peer("uWSGI", "lazy-apps", _ini(theirs, *BESIDE, *LAZY), True),
    Peer("gunicorn", "--preload", _gunicorn("--preload"), False),
    Peer("gunicorn", "gthread", _gunicorn("-k", "gthread", "--threads", "2"), False),
]
