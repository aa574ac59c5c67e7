# SPDX-License-Identifier: MIT
"""An application runner that the server has never heard of."""
import json
import os

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


# ---- several in one server, each below a path ----

BOTH = "constant-text = C\nmodule = basic\nmount-plugin = /c=constant\n"


def test_a_mount_chooses_the_plugin(constant):
    server = constant(BOTH + "processes = 2\nthreads = 2\n")
    assert ", constant below /c," in server.log()
    for path in ("/c", "/c/", "/c/deep?x=1"):
        assert http.request(server.http, path).body == b"C"
    for path in ("/hello", "/chello", "/"):
        assert http.request(server.http, path).body != b"C"


def test_the_mounted_application_sees_its_path_as_script_name(constant):
    server = constant("constant-text = C\nmodule = basic\nmount-plugin = /p/q=python\n")
    seen = json.loads(http.request(server.http, "/p/q/environ?x=1").body)
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/p/q", "/environ")
    assert seen["REQUEST_URI"] == "/p/q/environ?x=1"
    assert http.request(server.http, "/p/environ").body == b"C"


def test_what_each_of_them_lends_goes_back_to_it(constant):
    """On one connection, and before the answers are read."""
    server = constant(BOTH + "post-buffering = 64k\n")
    body = os.urandom(100000)
    with http.Connection(server.http) as c:
        for _ in range(3):
            c.send(http.request_bytes("/c", "POST", body=body))
            c.send(http.request_bytes("/echo", "POST", body=body))
            c.send(http.request_bytes("/big?n=200000"))
        for _ in range(3):
            assert c.read().body == body
            assert c.read().body == body
            assert len(c.read().body) == 200000
    assert server.log().count("serving:") == 1 and "died" not in server.log()


def test_where_nothing_is_mounted_nothing_is_found(constant):
    server = constant("constant-text = C\nmount-plugin = /c=constant\n")
    assert http.request(server.http, "/c").body == b"C"
    assert http.request(server.http, "/elsewhere").status == 404


def test_one_that_cannot_be_imported_leaves_the_other_one_running(constant):
    server = constant("constant-text = C\nmodule = no_such_module\nmount-plugin = /c=constant\n")
    assert http.request(server.http, "/c").body == b"C"
    assert http.request(server.http, "/hello").status == 500


@pytest.mark.parametrize("mount, said", [
    ("/c=nothing", "no plugin of this name runs applications"),
    ("c=constant", "expected /path=plugin"), ("/=constant", "expected /path=plugin"),
    ("/c", "expected /path=plugin")])
def test_a_mount_that_leads_nowhere_is_an_error(plugin, mount, said):
    done = command("--check", "--plugin", plugin("constant"), "--constant-text", "hello",
                   "--mount-plugin", mount, "--http-socket", ":0")
    assert done.returncode == 1 and said in done.stderr
