# SPDX-License-Identifier: MIT
"""Only the plugins are opened that a configuration needs, and nothing else shows the difference."""
import os
import shutil
import subprocess

import pytest

from lib import fastcgi, http, uwsgi
from lib.server import COMMAND, ROOT, command


def opened(server):
    """Names of the plugins that the master has mapped."""
    with open(f"/proc/{server.pid}/maps", encoding="ascii") as maps:
        files = {line.split()[-1] for line in maps if line.rstrip().endswith("_plugin.so")}
    return {os.path.basename(f).replace("_plugin.so", "") for f in files}


@pytest.mark.parametrize("ini, needed", [
    ("socket = {a}", {"uwsgi_proto"}),
    ("http-socket = {a}", {"uwsgi_proto", "http"}),
    ("http = {a}", {"uwsgi_proto", "http"}),
    ("httprouter = {a}", {"uwsgi_proto", "http"}),
    ("fastcgi-socket = {a}", {"uwsgi_proto", "fastcgi"}),
    ("protocol = fastcgi\nsocket = {a}", {"uwsgi_proto", "fastcgi"}),
    ("socket = {a}\nhttp-timeout = 5", {"uwsgi_proto", "http"}),
    ("socket = {a}\nif-plugin = fastcgi\nfastcgi-socket = {b}\nendif =",
     {"uwsgi_proto", "fastcgi"}),
])
def test_what_is_not_named_is_not_opened(start, ini, needed):
    server = start(f"{ini}\nmodule = basic\n")
    assert opened(server) == needed | {"python"}


def test_on_the_command_line(start):
    server = start(args=("--fastcgi-socket", "{fcgi}", "--enable-proxy-protocol", "--module",
                         "basic", "--pythonpath", "{apps}"), plain=True)
    assert opened(server) == {"uwsgi_proto", "fastcgi", "http", "python"}
    assert fastcgi.request(server.fcgi, "/hello").body == b"hello\n"


def test_an_alias_names_it(start):
    """Debian's files say plugin = python3."""
    server = start("plugin = python3,http,ping\nsocket = {a}\nmodule = basic\n")
    assert opened(server) == {"uwsgi_proto", "http", "python"}


def test_a_reload_opens_what_is_named_now(start):
    server = start("socket = {a}\nmodule = basic\n")
    server.write_ini("socket = {a}\nhttp-socket = {b}\nmodule = basic\nhttp-timeout = 7\n")
    server.hup()
    assert http.request(server.b, "/hello").body == b"hello\n"
    assert uwsgi.request(server.a, "/hello").body == b"hello\n"
    assert "warning: option" not in server.log()


def test_names_of_what_is_not_opened_are_known(start):
    done = command("--check", "--socket", ":0", "--module", "basic", "--fastcgi-sockte", ":0")
    assert 'did you mean "fastcgi-socket"?' in done.stderr
    done = command("--help", "fastcgi-socket")
    assert "listen for FastCGI" in done.stdout


def test_without_the_list_all_are_opened(start, folder):
    """A build that was copied without plugins/manifest, or whose list is another version's."""
    if COMMAND[0] != f"{ROOT}/uwsgi":
        pytest.skip("another binary is under test")
    shutil.copy(COMMAND[0], folder)
    shutil.copytree(f"{ROOT}/plugins", f"{folder}/plugins")
    for text in (None, "manifest 1\nplugin x\n", "", "manifest 3\noption broken\n"):
        if text is None:
            os.remove(f"{folder}/plugins/manifest")
        else:
            with open(f"{folder}/plugins/manifest", "w", encoding="ascii") as f:
                f.write(text)
        done = subprocess.run([f"{folder}/uwsgi", "--show-config", "--http-socket", ":0"],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0 and "http-socket" in done.stdout, done.stderr
