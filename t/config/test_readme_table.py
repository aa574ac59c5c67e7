# SPDX-License-Identifier: MIT
"""README's table beside uWSGI and gunicorn, cell by cell: figures are those of BENCHMARKS.md, and what
a reload does is seen."""
import contextlib
import os
import re
import shutil
import signal
import subprocess

import pytest

from lib import http
from lib.address import accepts, free_address
from lib.figures import cells, figures
from lib.pages import text
from lib.server import BASE_ENV, ROOT
from lib.wait import until

GOOD = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
"""
BROKEN = "import no_such_module\n"
HERE, UWSGI, GUNICORN = "this uwsgi", "uWSGI", "gunicorn gthread"


def table():
    part = text("README.md").split("\n## Beside uWSGI and gunicorn\n")[1].split("\n## ")[0]
    return [cells(line) for line in part.splitlines() if line.startswith("|")][2:]


def row(begins):
    return next(r for r in table() if r[0].startswith(begins))


@pytest.mark.parametrize("begins, measured", [
    ("20 reloads behind nginx", figures("20 reloads under load", "lost", "worst latency",
                                        where="nginx-uwsgi")),
    ("hello behind nginx", figures("hello, nginx-uwsgi, 32 connections", "requests/s")),
    ("hello, 32 kept", figures("hello, keep-alive, 32 connections", "requests/s")),
    ("system calls", figures("System calls a request, all processes of the server", "calls",
                             where="keep-alive")),
    ("from exec", figures("From exec to the first answer", "ms"))])
def test_a_figure_is_the_measured_one(begins, measured):
    _, here, uwsgi, gunicorn, _ = row(begins)
    assert (here, uwsgi) == (measured[HERE], measured[UWSGI])
    expected = f"{measured[GUNICORN]} (gthread)" if GUNICORN in measured else "not measured"
    assert gunicorn == expected


def test_each_row_has_a_proof_that_exists():
    rows = table()
    assert len(rows) > 8 and all(len(r) == 5 for r in rows)
    for proof in (r[-1] for r in rows):
        names = re.findall(r"`([\w/.-]+)`|\]\(([\w/.-]+)\)", proof)
        assert names and all(os.path.exists(f"{ROOT}/{a or b}") for a, b in names), proof


def test_readme_is_short():
    assert len(text("README.md").splitlines()) < 120


def write(folder, source):
    with open(f"{folder}/app.py", "w", encoding="ascii") as f:
        f.write(source)


def test_here_the_old_release_serves_on(start, folder):
    write(folder, GOOD)
    server = start("http-socket = {http}\nwsgi-file = app.py", folder=folder)
    write(folder, BROKEN)
    assert not server.hup()
    assert row("a reload")[1] == "the old one serves on"
    assert http.request(server.http).body == b"hello"


@pytest.fixture
def peer(folder):
    """peer(words): a running server of somebody else's, with good.py as app.py."""
    processes = []

    def run(*words):
        if not shutil.which(words[0]):
            pytest.skip(f"{words[0]} is not installed")
        write(folder, GOOD)
        address = free_address()
        with open(f"{folder}/log", "wb") as log:
            processes.append(subprocess.Popen(
                [w.replace("ADDRESS", address) for w in words], cwd=folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
                env={**BASE_ENV, "PYTHONDONTWRITEBYTECODE": "1"}))
        until(lambda: accepts(address), f"{words[0]} to accept", 30)
        assert http.request(address).body == b"hello"
        write(folder, BROKEN)
        processes[-1].send_signal(signal.SIGHUP)
        return address, processes[-1]
    yield run
    for process in processes:   # with its workers: how they stop is not what is tested
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_uwsgi_answers_500(peer):
    address, _ = peer("uwsgi_python3", "--http-socket", "ADDRESS", "--wsgi-file", "app.py",
                      "--master", "--die-on-term")

    def status():
        try:
            return http.request(address).status
        except (OSError, http.Closed):
            return 0
    assert row("a reload")[2] == "answers 500"
    until(lambda: status() == 500, "uWSGI to answer 500")


def test_gunicorn_ends(peer):
    _, process = peer("gunicorn", "-b", "ADDRESS", "app:application")
    assert row("a reload")[3] == "the server ends"
    assert process.wait(20) == 3
