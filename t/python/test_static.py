# SPDX-License-Identifier: MIT
"""uwsgi-static: the same server with Python inside."""
import json
import os
import subprocess

import pytest

from lib import http
from lib.server import ROOT, Server

BINARY = f"{ROOT}/uwsgi-static"
pytestmark = pytest.mark.skipif(not os.path.exists(BINARY) or bool(os.environ.get("UWSGI_SANITIZED")),
                                reason="make static has not run, or its plugins are sanitized")

APP = """
import ctypes, decimal, json, socket, sqlite3, ssl, zlib

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    with open("/proc/self/exe", "rb") as program:
        inside = b"Py_InitializeFromConfig" in program.read()
    return [json.dumps({"inside": inside, "sqlite": sqlite3.connect(":memory:").execute(
        "select 1 + 1").fetchone()[0], "refs": ctypes.pythonapi.Py_IsInitialized()}).encode()]
"""


class Static(Server):
    command = [BINARY]


@pytest.fixture
def static(folder, started):
    with open(f"{folder}/mine.py", "w", encoding="utf-8") as f:
        f.write(APP)
    started.append(Static(folder, "http-socket = {http}\npythonpath = {here}\nmodule = mine\n"
                          "processes = 2\nthreads = 2\n"))
    return started[-1].start()


def test_extension_modules_find_the_python_inside(static):
    answer = json.loads(http.request(static.http).body)
    assert answer == {"inside": True, "sqlite": 2, "refs": 1}
    assert static.hup()
    assert json.loads(http.request(static.http).body)["sqlite"] == 2


def test_it_takes_the_same_words(folder):
    said = [subprocess.run([binary, "--help-all"], capture_output=True, text=True, check=True,
                           cwd=folder, timeout=10).stdout for binary in (BINARY, f"{ROOT}/uwsgi")]
    assert said[0] == said[1]
