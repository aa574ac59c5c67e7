# SPDX-License-Identifier: MIT
"""What pip installs: a server that finds its plugins, its Python and its packages from where it
lies."""
import base64
import hashlib
import json
import os
import re
import subprocess
import zipfile

import pytest

from lib import http, proc
from lib.packages import PYTHON, call_backend, run
from lib.server import BASE_ENV, ROOT

APP = """
import json, sys
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([sys.prefix, sys.executable]).encode()]
"""
# The first of them installs it.
pytestmark = pytest.mark.seconds(120)
WAYS = {"bin/uwsgi": ["bin/uwsgi"], "python -m": ["bin/python", "-m", "uwsgi_ng"]}


@pytest.fixture
def serve(start, folder):
    """serve(venv, WAY): a server with an application of the environment's."""
    def begin(venv, way, ini=""):
        with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
            f.write(APP)
        server = start.not_yet("http-socket = {http}\nmodule = mine\n" + ini, folder=folder)
        server.command = [f"{venv}/{WAYS[way][0]}", *WAYS[way][1:]]
        return server.start()
    return begin


@pytest.mark.parametrize("way", WAYS)
def test_the_environment_that_the_server_lies_in_is_its_home(serve, venv, way):
    server = serve(venv, way)
    prefix, executable = json.loads(http.request(server.http).body)
    assert prefix == venv
    assert os.path.dirname(executable) == f"{venv}/bin"
    assert server.hup()
    assert json.loads(http.request(server.http).body)[0] == venv


def test_what_moves_configurations_is_installed(venv, folder):
    done = subprocess.run([f"{venv}/bin/uwsgi", "--migrate", "gunicorn", "-w3", "mine:app"],
                          cwd=folder, env=BASE_ENV, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and "processes = 3" in done.stdout, done.stderr


def test_another_home_is_taken_when_it_is_named(serve, venv, folder):
    run(PYTHON, "-m", "venv", "--without-pip", f"{folder}/other")
    server = serve(venv, "bin/uwsgi", "home = {here}/other")
    assert json.loads(http.request(server.http).body)[0] == f"{folder}/other"


def test_a_check_knows_the_packages_of_the_environment(venv, folder):
    site = run(f"{venv}/bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    os.makedirs(f"{site.strip()}/only_here", exist_ok=True)
    done = subprocess.run([f"{venv}/bin/uwsgi", "--check", "--module", "only_here.wsgi"],
                          cwd=folder, env=BASE_ENV, capture_output=True, text=True, timeout=10, check=False)
    assert "0 errors, 0 warnings" in done.stderr


def ignored_signals(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return re.search(r"^SigIgn:\s*(\w+)", f.read(), re.M)[1]


def test_python_leaves_no_trace_in_what_it_becomes(serve, venv):
    pids = [serve(venv, way).pid for way in WAYS]
    assert ignored_signals(pids[0]) == ignored_signals(pids[1])
    assert [proc.title(pid).split()[0] for pid in pids] == [f"{venv}/bin/uwsgi"] * 2


def test_words_and_exit_codes_are_passed(venv):
    for way in WAYS.values():
        done = subprocess.run([f"{venv}/{way[0]}", *way[1:], "--check", "/nowhere.ini"], timeout=10,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "/nowhere.ini" in done.stderr


def test_an_installation_finds_its_plugins_wherever_it_is_moved(installed, folder):
    os.rename(installed, f"{folder}/moved")
    try:
        said = run(f"{folder}/moved/usr/bin/uwsgi", "--show-config", "--http-socket", ":0", cwd="/")
        assert "http-socket" in said
        done = subprocess.run([f"{folder}/moved/usr/bin/uwsgi", "--plugin", "nothing", "--check"],
                              capture_output=True, text=True, timeout=10, check=False)
        assert f"tried {folder}/moved/usr/" in done.stderr
        assert f"{folder}/moved/usr/lib/uwsgi/nothing_plugin.so" in done.stderr
    finally:
        os.rename(f"{folder}/moved", installed)


def files_of(folder):
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)


def test_uninstalling_takes_all_of_it_away(venv, wheel, folder):
    run(PYTHON, "-m", "venv", "--without-pip", f"{folder}/v")
    before, pip = files_of(f"{folder}/v"), [f"{venv}/bin/pip", "--python", f"{folder}/v/bin/python"]
    run(*pip, "install", "--no-index", "--no-compile", wheel)
    assert f"{folder}/v/bin/uwsgi" in files_of(f"{folder}/v")
    run(*pip, "uninstall", "--yes", "uwsgi-ng")
    assert files_of(f"{folder}/v") == before


# ---- the wheel ----

def test_the_record_of_a_wheel_has_all_files_with_their_sums(wheel):
    with zipfile.ZipFile(wheel) as z:
        record = next(n for n in z.namelist() if n.endswith("/RECORD"))
        rows = [line.split(",") for line in z.read(record).decode().splitlines()]
        assert [row[0] for row in rows] == z.namelist()
        for name, digest, size in rows[:-1]:
            content = z.read(name)
            sum256 = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
            assert (digest, int(size)) == (f"sha256={sum256.rstrip('=')}", len(content))
        assert rows[-1] == [record, "", ""]


def test_a_wheel_is_for_the_python_that_builds_it(venv, wheel):
    tag = os.path.basename(wheel)[:-len(".whl")].split("-", 2)[2]
    known = run(f"{venv}/bin/pip", "debug", "--verbose")
    assert tag in known.split()


def test_nothing_in_a_wheel_names_a_folder_of_its_builder(wheel):
    with zipfile.ZipFile(wheel) as z:
        assert [n for n in z.namelist() if ROOT.encode() in z.read(n)] == []


def test_two_wheels_of_the_same_are_the_same(wheel, installed, folder):
    name = call_backend(f"backend.pack({installed!r}, {folder!r})", env={"TZ": "Asia/Tokyo"})
    with open(wheel, "rb") as one, open(f"{folder}/{name}", "rb") as other:
        assert one.read() == other.read()


def test_an_environment_of_another_python_is_a_clear_error(installed, folder):
    os.symlink(f"{installed}/usr/lib", f"{folder}/lib")
    os.mkdir(f"{folder}/bin")
    os.link(f"{installed}/usr/bin/uwsgi", f"{folder}/bin/uwsgi")
    with open(f"{folder}/pyvenv.cfg", "w", encoding="ascii") as f:
        f.write("home = /usr/bin\nversion = 3.5.1\n")
    done = subprocess.run([f"{folder}/bin/uwsgi", "--check", "--wsgi-file", "app.py"], cwd=folder,
                          env=BASE_ENV, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert re.search(rf"error: home: {folder} was made for Python 3\.5, and this plugin runs Python 3",
                     done.stderr)
