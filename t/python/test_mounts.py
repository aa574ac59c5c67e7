# SPDX-License-Identifier: MIT
"""Several applications in one server, code from other places, and reloads when it changes."""
import json
import os
import time

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.files import replace
from lib.wait import until

APP = """
import json

def make(name):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps([name, environ.get("SCRIPT_NAME"), environ["PATH_INFO"]]).encode()]
    return application

one, two, three = make("one"), make("two"), make("three")
application = make("file")
"""
INI = "http-socket = {http}\nsocket = {uwsgi}\npythonpath = {here}\n"


@pytest.fixture
def served(start, folder):
    def run(lines):
        with open(f"{folder}/apps.py", "w", encoding="ascii") as f:
            f.write(APP)
        return start(INI.replace("{here}", str(folder)) + lines.replace("{here}", str(folder)))
    return run


def ask(server, path):
    response = http.request(server.http, path)
    return json.loads(response.body) if response.status == 200 else response.status


MOUNTS = "mount = /=apps:one\nmount = /two=apps:two\nmount = /two/deep={here}/apps.py\n"


def test_the_longest_mount_below_which_a_path_lies_answers(served):
    server = served(MOUNTS + "manage-script-name = true\n")
    assert ask(server, "/") == ["one", "", "/"]
    assert ask(server, "/x") == ["one", "", "/x"]
    assert ask(server, "/two") == ["two", "/two", ""]
    assert ask(server, "/two/x") == ["two", "/two", "/x"]
    assert ask(server, "/twofold") == ["one", "", "/twofold"]
    assert ask(server, "/two/deep/x") == ["file", "/two/deep", "/x"]


def test_without_manage_script_name_the_web_server_says_it(served):
    server = served(MOUNTS)
    assert ask(server, "/two") == ["one", "", "/two"]
    response = uwsgi.request(server.uwsgi, "/x", extra=[("SCRIPT_NAME", "/two"), ("PATH_INFO", "/x")])
    assert json.loads(response.body) == ["two", "/two", "/x"]


def test_what_no_mount_is_for(served):
    only = "mount = /one=apps:one\nmount = /two=apps:two\nmanage-script-name = true\n"
    assert ask(served(only), "/x")[0] == "one"
    assert ask(served(only + "no-default-app = true\n"), "/x") == 404
    assert ask(served(only + "module = apps:three\n"), "/x")[0] == "three"


HOSTS = "mount = a.example|=apps:one\nmount = B.example|/two/=apps:two\n"


@pytest.mark.parametrize("way", ["http-socket", "http", "socket", "fastcgi-socket", "scgi-socket"])
def test_a_mount_for_a_host(served, way):
    server = served(f"{way} = {{peer}}\n{HOSTS}mount = /two=apps:three\nvhost-host = true\nmodule = apps\n"
                    "manage-script-name = true\n")

    def get(host, path):
        speak = {"socket": uwsgi, "fastcgi-socket": fastcgi, "scgi-socket": scgi}.get(way, http)
        return json.loads(speak.request(server.peer, path, headers=[("Host", host)]).body)
    for host in ("a.example", "A.Example:8080"):
        assert get(host, "/x") == ["one", "", "/x"]
    assert get("a.example", "/two/x") == ["one", "", "/two/x"]  # before one for all hosts
    assert get("b.example:1", "/two/x") == ["two", "/two", "/x"]
    assert get("c.example", "/two/x") == ["three", "/two", "/x"]
    for host in ("b.example", "c.example", "xa.example", "a.example.org", "[::1]:80", ""):
        assert get(host, "/x") == ["file", "", "/x"]


def test_a_host_by_its_name_and_nobody_else_s_application(served):
    server = served(HOSTS + "vhost = true\n")

    def get(name, script=""):
        answer = uwsgi.request(server.uwsgi, "/x", extra=[("SERVER_NAME", name), ("SCRIPT_NAME", script)])
        return json.loads(answer.body)[0] if answer.status == 200 else answer.status
    assert [get("a.example"), get("b.example", "/two"), get("b.example"), get("c.example")] == \
        ["one", "two", 404, 404]


def test_a_mount_for_a_host_needs_to_be_told_apart(start):
    server = start(INI + "module = basic\nmount = a.example|=basic\n")
    server.wait_log(r"warning: mount = .*a.example\|=basic is for one host, which needs vhost-host")


def test_vhost_alone_changes_nothing(served):
    server = served("module = apps\nvhost = true\nstrict = true\n")
    assert ask(server, "/x")[0] == "file" and "vhost" not in server.log()


def test_a_mount_that_cannot_be_loaded_is_named(served):
    server = served("mount = /one=apps:none\n")
    server.wait_log("cannot load application: module apps: .*none")


def test_a_mount_without_a_path_is_an_error(start):
    server = start.not_yet(INI + "mount = apps:one\n")
    assert server.run() == 1
    server.wait_log("mount = apps:one: expected /path=module:callable")


def test_eval(served):
    assert ask(served("eval = import apps; application = apps.three\n"), "/x")[0] == "three"


def test_modules_are_imported_by_the_way(served, folder):
    for name in ("before", "shared"):
        with open(f"{folder}/{name}.py", "w", encoding="ascii") as f:
            f.write(f"print('importing {name}', flush=True)\n")
    server = served("module = apps:one\nimport = before\nshared-import = {here}/shared.py\n"
                    "import = missing\nlazy-apps = true\nprocesses = 2\n")
    server.wait_log("No module named 'missing'")
    assert ask(server, "/")[0] == "one"
    assert server.log().count("importing shared") == 1
    assert server.log().count("importing before") == 2


# ---- py-autoreload ----

@pytest.mark.parametrize("lazy", ["", "lazy-apps = true\n"])
def test_a_changed_module_reloads(served, folder, lazy):
    server = served("module = apps\ncallable = one\npy-autoreload = 1\n" + lazy)
    assert ask(server, "/")[0] == "one"
    replace(f"{folder}/apps.py", APP.replace('make("one")', 'make("changed")'))
    server.wait_log("module apps was changed")
    until(lambda: ask(server, "/")[0] == "changed", "the changed application")


def test_a_changed_module_that_is_broken_leaves_the_old_one(served, folder):
    server = served("module = apps\ncallable = one\npy-autoreload = 1\n")
    replace(f"{folder}/apps.py", "def broken(:\n")
    server.wait_log("reload given up")
    assert ask(server, "/")[0] == "one"
    replace(f"{folder}/apps.py", APP.replace('make("one")', 'make("mended")'))
    until(lambda: ask(server, "/")[0] == "mended", "the mended application")


def test_an_ignored_module_does_not_reload(served, folder):
    with open(f"{folder}/other.py", "w", encoding="ascii") as f:
        f.write("")
    server = served("module = apps:one\nimport = other\npy-autoreload = 1\n"
                    "py-auto-reload-ignore = other\n")
    for name in ("other", "apps"):
        os.utime(f"{folder}/{name}.py", (time.time(), time.time() + 5))
    server.wait_log("module apps was changed")
    assert "module other" not in server.log()


def test_odd_entries_of_sys_modules_hide_no_change(served, folder):
    """A name that has no UTF-8 raises; the module behind it computes where its file is."""
    with open(f"{folder}/odd.py", "w", encoding="ascii") as f:
        f.write("import sys\n"
                "class Computed:\n"
                "    @property\n"
                f"    def __file__(self): return '{folder}/watched'\n"
                "sys.modules[42] = sys.modules['\\udc80'] = sys\n"
                "sys.modules['computed'] = Computed()\n")
    with open(f"{folder}/watched", "w", encoding="ascii"):
        pass
    server = served("module = apps:one\nimport = odd\npy-autoreload = 1\n")
    os.utime(f"{folder}/watched", (time.time(), time.time() + 5))
    server.wait_log("module computed was changed")
