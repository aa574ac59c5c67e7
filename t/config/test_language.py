# SPDX-License-Identifier: MIT
"""Conditions, loops and the size of files, with real servers."""
import os
import resource
import signal
import subprocess

import pytest

from lib import http
from lib.server import COMMAND
from lib.wait import until

SHOW = """
import os
def application(environ, start_response):
    start_response('200 OK', [])
    return [os.environ.get('SHOWN', 'unset').encode()]
"""
BASE = "http-socket = {http}\nwsgi-file = {here}/show.py\nmaster = true\n"


@pytest.fixture
def show(start, folder):
    with open(f"{folder}/show.py", "w", encoding="utf-8") as f:
        f.write(SHOW)
    return lambda text, **more: start(BASE + text, folder=folder, **more)


def shown(server):
    return http.request(server.http).body.decode()


def test_a_block_for_reloads_counts_from_the_first_reload_on(show):
    server = show("if-reload =\nenv = SHOWN=again\nelse =\nenv = SHOWN=first\nendif =\n")
    assert shown(server) == "first"
    os.kill(server.pid, signal.SIGHUP)
    until(lambda: shown(server) == "again", "the new generation")


def test_relative_paths_are_seen_from_the_folder_of_the_start(show, folder):
    os.makedirs(f"{folder}/else where[1]*")
    for name in ("one", "two"):
        with open(f"{folder}/{name}.part", "w", encoding="utf-8"):
            pass
    text = ("chdir = {here}/else where[1]*\nif-exists = one.part\na = exists\nendif =\n"
            "if-file = one.part\nb = file\nendif =\nif-dir = else where[1]*\nc = dir\nendif =\n"
            "if-not-exists = none.part\nd = none\nendif =\n"
            "for-glob = *.part\nset-ph = glob-%(_)=%(_)\nendfor =\n"
            "env = SHOWN=%(a) %(b) %(c) %(d) %(glob-one.part) %(glob-two.part)\n")
    server = show(text)
    first = shown(server)
    assert first == "exists file dir none one.part two.part"
    server.hup()
    assert shown(server) == first


def test_a_file_with_a_colon_in_its_name_is_found_again(show, folder):
    os.mkdir(f"{folder}/sub")
    with open(f"{folder}/my:part.ini", "w", encoding="ascii") as f:
        f.write("[uwsgi]\nif-reload =\nenv = SHOWN=again\nelse =\nenv = SHOWN=first\nendif =\n")
    server = show("chdir = {here}/sub\nini = my:part.ini\n")
    assert shown(server) == "first"
    assert server.hup()
    # The old worker takes requests until it has heard that it is to leave.
    until(lambda: shown(server) == "again", "the new worker")


@pytest.mark.parametrize("name, there", [("python", True), ("python3", True), ("http", True),
                                         ("psgi", False)])
def test_a_block_for_a_plugin(show, name, there):
    server = show(f"env = SHOWN=no\nif-plugin = {name}\nenv = SHOWN=yes\nendif =\n")
    assert shown(server) == ("yes" if there else "no")


def test_variables_from_a_file_of_lines(show, folder):
    with open(f"{folder}/vars", "w", encoding="utf-8") as f:
        f.write("OTHER=1\n\nSHOWN=from a file")
    assert shown(show("for-readline = %dvars\nenv = %(_)\nendfor =\n")) == "from a file"


@pytest.mark.parametrize("lines", ["unknown{} = 1\n", "env = A{}=x\n", "k{} = %(k{})\n"])
def test_ten_thousand_lines(folder, lines):
    with open(f"{folder}/long.ini", "w", encoding="ascii") as f:
        f.write("[uwsgi]\n" + "".join(lines.format(i, i - 1) for i in range(1, 10000)))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([*COMMAND, "--check", f"{folder}/long.ini"], timeout=60,
                            capture_output=True, check=False)
    assert result.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_exit_ends_with_its_code_before_anything_is_opened(start):
    server = start.not_yet(BASE + "if-env = HOME\nexit = 3\nendif =\n")
    assert server.run() == 3
    server.wait_log("exit = 3")


def test_a_command_runs_once_when_the_server_starts(show, folder):
    server = show("env = SHOWN=@(exec://echo x >>%dran; cat %dran)\n")
    assert shown(server) == "x"


def test_standard_input_is_read():
    text = "[uwsgi]\nif-reload =\nprint = again\nelse =\nprint = first\nendif =\nexit = 0\n"
    result = subprocess.run([*COMMAND, "--ini", "-"], input=text, text=True, timeout=60,
                            capture_output=True, check=False)
    assert result.returncode == 0
    assert "first\n" in result.stderr
