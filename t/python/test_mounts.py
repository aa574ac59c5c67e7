# SPDX-License-Identifier: MIT
"""Several applications in one server, code from other places, and reloads when it changes."""
import json
import os
import time

import pytest

from lib import http, uwsgi
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
    with open(f"{folder}/apps.py", "w", encoding="ascii") as f:
        f.write(APP.replace('make("one")', 'make("changed")'))
    server.wait_log("module apps was changed")
    until(lambda: ask(server, "/")[0] == "changed", "the changed application")


def test_a_changed_module_that_is_broken_leaves_the_old_one(served, folder):
    server = served("module = apps\ncallable = one\npy-autoreload = 1\n")
    with open(f"{folder}/apps.py", "w", encoding="ascii") as f:
        f.write("def broken(:\n")
    server.wait_log("reload given up")
    assert ask(server, "/")[0] == "one"
    with open(f"{folder}/apps.py", "w", encoding="ascii") as f:
        f.write(APP.replace('make("one")', 'make("mended")'))
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
