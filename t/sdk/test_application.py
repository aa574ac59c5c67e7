# SPDX-License-Identifier: MIT
"""An application runner that the server has never heard of."""
import pytest

from lib import http
from lib.server import command
from lib.wait import until


@pytest.fixture
def constant(start, plugin):
    return lambda ini: start(f"plugin = {plugin('constant')}\nhttp-socket = {{http}}\n{ini}")


def test_the_configuration_chooses_the_plugin(constant):
    server = constant("constant-text = hello\nthreads = 2\nprocesses = 2\n")
    assert "application plugin constant" in server.log()
    assert http.request(server.http).body == b"hello"
    assert constant("module = basic\n").log().count("application plugin python") == 1


def test_what_it_lends_comes_back(constant):
    server = constant("constant-text = hello\npost-buffering = 64k\n")
    for size in (0, 1, 5000, 300000):
        body = b"x" * size
        assert http.request(server.http, method="POST", body=body).body == body


def test_two_applications_are_refused(plugin):
    done = command("--check", "--plugin", plugin("constant"), "--constant-text", "hello",
                   "--module", "basic", "--http-socket", ":0")
    assert done.returncode == 1
    assert "applications of constant and of python" in done.stderr


def test_a_reload_may_change_the_application(constant):
    server = constant("constant-text = hello\n")
    server.write_ini(open(server.ini_path, encoding="utf-8").read().replace(
        "constant-text = hello", "module = basic"))
    server.hup()
    until(lambda: http.request(server.http, "/hello").body == b"hello\n", "the new application")
