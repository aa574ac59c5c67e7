# SPDX-License-Identifier: MIT
"""docs/frameworks.md, block by block: what it tells people to write serves.  The blocks about nginx are
those of test_readme.py."""
import os
import shutil

import pytest

from lib import http, pages, uwsgi
from lib.address import free_address
from lib.nginx import apache
from lib.server import APPS
from lib.wait import until

BLOCKS = {heading: pages.part("frameworks.md", heading)
          for heading in ("The application", "Behind nginx", "Behind Apache", "Alone",
                          "As a service")}
DJANGO, FLASK, PYRAMID = (block for _, block in BLOCKS["The application"])
WSGI = """
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]

def factory(settings, **more):
    return application
"""


def write(path, source):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(source)


def run(start, folder, ini, places, more=""):
    """In the test's folder, without an environment of its own."""
    for old, new in places.items():
        assert old in ini, old
        ini = ini.replace(old, new)
    server = start(ini + more, folder=folder)
    assert "error: " not in server.log()
    return server


def environment(name):
    return {f"virtualenv = /srv/{name}/venv\n": ""}


def test_every_block_is_run():
    assert {heading: [kind for kind, _ in found] for heading, found in BLOCKS.items()} == {
        "The application": ["ini"] * 3, "Behind nginx": ["ini", "nginx", "nginx"],
        "Behind Apache": ["apache"], "Alone": ["ini"], "As a service": []}
    assert sum(map(len, BLOCKS.values())) == len(pages.blocks(pages.read("frameworks.md")))


def test_django(start, folder):
    pytest.importorskip("django")
    shutil.copytree(f"{APPS}/django_site/site_django", f"{folder}/site_django")
    write(f"{folder}/static/a.css", "a {}")
    server = run(start, folder, DJANGO, {**environment("mysite"), "/srv/mysite": folder,
                                         "mysite.": "site_django."}, "http-socket = {http}\n")
    assert http.request(server.http).body == b"hello from django\n"
    assert http.request(server.http, "/static/a.css").body == b"a {}"


def test_flask(start, folder):
    pytest.importorskip("flask")
    shutil.copy(f"{APPS}/flask_app.py", f"{folder}/app.py")
    server = run(start, folder, FLASK, {**environment("shop"), "/srv/shop": folder},
                 "http-socket = {http}\n")
    assert http.request(server.http).body == b"hello from flask\n"


def test_pyramid_with_paste(start, folder):
    """The file is PasteDeploy's; which framework the factory comes from does not matter."""
    pytest.importorskip("paste.deploy")
    write(f"{folder}/forum.py", WSGI)
    write(f"{folder}/production.ini", "[app:main]\npaste.app_factory = forum:factory\n")
    server = run(start, folder, PYRAMID, {**environment("forum"), "/srv/forum": folder},
                 "http-socket = {http}\n")
    assert http.request(server.http).body == b"hello"


def site(folder):
    write(f"{folder}/myapp/wsgi.py", WSGI)
    return {"/srv/myapp": folder}


def test_apache(as_root, start, started, folder):
    if not os.path.exists("/usr/lib/apache2/modules/mod_proxy_uwsgi.so"):
        pytest.skip("apache2-bin is not installed")
    run(start, folder, BLOCKS["Behind nginx"][0][1], {**site(folder), "/run/myapp": folder})
    word, path, to = BLOCKS["Behind Apache"][0][1].split()
    assert (word, path) == ("ProxyPass", "/")
    front = apache(folder, to.replace("/run/myapp", folder))
    started.append(front)
    assert http.request(front.http).body == b"hello"
    assert uwsgi.request(f"{folder}/uwsgi.sock").body == b"hello"


def test_alone(start, folder):
    address = free_address()
    server = run(start, folder, BLOCKS["Alone"][0][1],
                 {**site(folder), "0.0.0.0:8000": address})
    until(lambda: len(server.workers()) == 4, "the workers")
    assert http.request(address).body == b"hello"
