# SPDX-License-Identifier: MIT
"""What the pages about nginx and the comments in ini/ tell people to write, taken from there word
for word."""
import os
import re
import shutil
import textwrap

import pytest

import fresh
from lib import http, pages
from lib.address import free_address
from lib.nginx import nginx_file
from lib.server import APPS

FLASK = """
from flask import Flask, url_for
application = Flask(__name__)

@application.route("/p/<int:n>/")
def page(n):
    return url_for("page", n=n)
"""
DJANGO = """
import django.conf
django.conf.settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="x")

from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path, reverse

urlpatterns = [path("p/<int:n>/", lambda request, n: HttpResponse(reverse("page", args=[n])),
                    name="page")]
application = get_wsgi_application()
"""


def blocks(text):
    """The indented blocks of a page."""
    found = re.findall(r"(?:^    .*\n(?:\s*\n(?=    ))?)+", text, re.M)
    return [textwrap.dedent(block) for block in found]


PAGE = [block for _, block in pages.part("frameworks.md", "Behind nginx")]
COMMENT = re.sub("^# ?", "", pages.text("ini/fastcgi.ini").split("[uwsgi]")[0], flags=re.M)
# Which listener the ini has, and what stands in nginx's http block.
RECIPES = {
    "uwsgi": ("socket = /run/myapp/uwsgi.sock", PAGE[1]),
    "fastcgi": ("fastcgi-socket = /run/myapp/fastcgi.sock", PAGE[2]),
    "ini/fastcgi.ini": ("fastcgi-socket = 127.0.0.1:9000", blocks(COMMENT)[0]),
    "ini/fastcgi-nginx.conf": ("fastcgi-socket = 127.0.0.1:9000", pages.text("ini/fastcgi-nginx.conf")),
}


def web_server(folder, recipe, places):
    """An nginx whose http block holds the recipe, with the places of the test."""
    if not os.path.exists("/usr/sbin/nginx"):
        pytest.skip("nginx is not installed")
    address = free_address()
    if "server {\n" not in recipe:
        upstream, location = re.fullmatch(r"(?s)(upstream .*?\}\n)?(.*)", recipe).groups()
        recipe = f"{upstream or ''}server {{\nlisten 80;\n{location}}}\n"
    recipe = re.sub(r"include (\w+_params)", r"include /etc/nginx/\1", recipe)
    for old, new in {**places, "listen 80": f"listen {address}"}.items():
        recipe = recipe.replace(old, new)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in
                        ("client_body", "proxy", "uwsgi", "fastcgi", "scgi"))
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as f:
        f.write(f"pid {folder}/nginx.pid; events {{}}\n"
                f"http {{ access_log off; {temporary}\n{recipe} }}\n")
    return nginx_file(folder, f"{folder}/nginx.conf", address)


@pytest.mark.parametrize("app", [FLASK, DJANGO], ids=["flask", "django"])
@pytest.mark.parametrize("name", RECIPES)
def test_urls_behind_nginx_are_those_that_the_browser_sees(as_root, start, started, folder, name,
                                                           app):
    """A SCRIPT_NAME that is wrong shows in every link that a framework makes."""
    pytest.importorskip("flask" if app is FLASK else "django")
    listener, recipe = RECIPES[name]
    places = {"/run/myapp": folder, "/srv/myapp": folder, "127.0.0.1:9000": free_address()}
    os.makedirs(f"{folder}/myapp")
    with open(f"{folder}/myapp/wsgi.py", "w", encoding="utf-8") as f:
        f.write(app)
    ini = PAGE[0].replace(RECIPES["uwsgi"][0], listener)
    for old, new in places.items():
        ini = ini.replace(old, new)
    server = start(ini, folder=folder)
    assert "warning" not in server.log()
    front = web_server(folder, recipe, places)
    started.append(front)
    for target in ("/p/1/", "/p/2/?q=%2F"):
        answer = http.request(front.http, target)
        assert (answer.status, answer.body.decode()) == (200, target.partition("?")[0])


def test_what_the_demo_says_at_its_end_serves(start, folder):
    pytest.importorskip("flask")
    ini, command = blocks(pages.text("ini/demo/next.txt"))
    address = free_address()
    assert command == "uwsgi uwsgi.ini\n"
    shutil.copy(f"{APPS}/flask_app.py", f"{folder}/app.py")
    start(ini.replace("127.0.0.1:8080", address), folder=folder)
    assert http.request(address).body == b"hello from flask\n"


def test_make_fresh_runs_the_commands_of_readme():
    assert list(fresh.readme_commands().values()) == [
        "apt-get update && apt-get install git make", "make demo", "make check"]
    packages, install, server = fresh.pip_commands()
    assert packages.startswith("apt-get update && apt-get install gcc")
    assert "venv/bin/pip install ./uwsgi flask" in install and server.startswith("venv/bin/uwsgi ")


def test_what_pip_needs_is_what_a_build_needs():
    """And python3-venv, which makes the environment."""
    build = pages.text("buildconf/dependencies.sh").split('build="', 1)[1].split('"', 1)[0].split()
    assert sorted(fresh.pip_commands()[0].split()[5:]) == sorted([*build, "python3-venv"])
