# SPDX-License-Identifier: MIT
"""Set-ups are moved by the steps of docs/from-gunicorn.md and docs/from-uwsgi.md, word for word but for
paths: Django behind nginx with systemd and logrotate, Flask in a container's folder, Pyramid with
PasteDeploy, a uwsgi.ini."""
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest

from lib import http, pages
from lib.address import free_address
from lib.notify import Manager
from lib.server import APPS, BASE_ENV, COMMAND
from lib.wait import until

UNIT = """
[Unit]
Description=shop
After=network.target

[Service]
User=www-data
Group=www-data
WorkingDirectory=/srv/shop
Environment=DJANGO_SETTINGS_MODULE=site_django.settings
ExecStart=/usr/bin/gunicorn --workers 2 \\
          --bind unix:/run/shop/gunicorn.sock --error-logfile /var/log/shop/error.log \\
          --access-logfile - site_django.wsgi:application
ExecReload=/bin/kill -s HUP $MAINPID
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
LOGROTATE = """
/var/log/shop/error.log {
	daily
	rotate 14
	postrotate
		kill -USR1 $(cat /run/shop/gunicorn.pid)
	endscript
}
"""
# Of `location /`; TLS ends before it.
NGINX = """
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto https;
    proxy_pass http://unix:/run/shop/gunicorn.sock;
"""
DOCKERFILE = """
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --requirement requirements.txt
ENV GUNICORN_CMD_ARGS="--bind=0.0.0.0:8000 --workers=2"
CMD ["gunicorn", "--threads", "4", "app:app"]
"""
FLASK = """
from flask import Flask
app = Flask(__name__)

@app.route("/")
def index():
    return "hello from flask"
"""
PYRAMID = """
import logging
from pyramid.config import Configurator
from pyramid.response import Response

def hello(request):
    logging.getLogger("shop").info("asked for %s", request.path)
    return Response("hello from " + request.registry.settings["shop.name"])

def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.add_route("hello", "/")
    config.add_view(hello, route_name="hello")
    return config.make_wsgi_app()
"""
PRODUCTION = """
[app:main]
paste.app_factory = shop:main
shop.name = pyramid
pyramid.default_locale_name = en

[server:main]
use = egg:waitress#main
listen = localhost:6543

[loggers]
keys = root, shop
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = WARN
handlers = console
[logger_shop]
level = INFO
handlers =
qualname = shop
[handler_console]
class = StreamHandler
args = (sys.stderr,)
level = NOTSET
formatter = generic
[formatter_generic]
format = %(levelname)s %(name)s %(message)s
"""


class Place:
    """The folder that stands for the root of the machine."""
    FOLDERS = ("srv", "etc", "run", "var")

    def __init__(self, folder):
        self.folder, self.replaced = folder, {}
        os.makedirs(f"{folder}/bin")
        os.symlink(os.path.realpath(COMMAND[0]), f"{folder}/bin/uwsgi")
        self.replaced["/usr/local/bin/uwsgi"] = f"{folder}/bin/uwsgi"

    def named(self, text):
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        return re.sub(rf"(?<![\w.])/({'|'.join(self.FOLDERS)})/", rf"{self.folder}/\1/", text)

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(self.named(text))
        return path

    def read(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8") as f:
            return f.read()

    def sh(self, text, where="."):
        env = {**BASE_ENV, "PATH": f"{self.folder}/bin:{BASE_ENV['PATH']}"}
        done = subprocess.run(["/bin/sh", "-euc", self.named(text)], cwd=f"{self.folder}/{where}",
                              env=env, capture_output=True, text=True, timeout=40, check=False)
        assert done.returncode == 0, text + done.stdout + done.stderr
        return done.stderr

    def steps(self, heading, where=".", page="from-gunicorn.md"):
        """Does what the page says below this heading; its other blocks, by their language."""
        others = {}
        for language, block in pages.part(page, heading):
            if language == "sh":
                self.sh(block, where)
            else:
                others[language] = self.named(block)
        return others


@pytest.fixture
def place(folder):
    return Place(folder)


def service(place, drop_in):
    """[Service] of the unit with the drop-in over it, as systemd reads them."""
    found = {}
    for text in (place.read("etc/systemd/system/shop.service").replace("\\\n", " "), drop_in):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read_string(text.replace("ExecStart=\n", "").replace("ExecReload=\n", ""))
        found.update(parser["Service"])
    return found


def test_django_behind_nginx_with_systemd_and_logrotate(place, start, nginx):
    pytest.importorskip("django")
    shutil.copytree(f"{APPS}/django_site/site_django", f"{place.folder}/srv/shop/site_django")
    for name in ("run/shop", "var/log/shop"):
        os.makedirs(f"{place.folder}/{name}")
    place.write("etc/systemd/system/shop.service", UNIT)
    place.write("etc/logrotate.d/shop", LOGROTATE)
    server = start.not_yet("", folder=place.folder, plain=True,
                           env={"DJANGO_SETTINGS_MODULE": "site_django.settings"})
    drop_in = place.steps("Django behind nginx, with systemd and logrotate")["ini"]
    unit = service(place, drop_in)
    manager = Manager(f"{place.folder}/notify")
    try:
        server.env["NOTIFY_SOCKET"] = manager.name
        server.command = shlex.split(unit["ExecStart"])
        server.spawn()
        while "READY" not in manager.read():
            pass
        front = nginx(listeners={"http": place.named(NGINX)})
        assert http.request(front.http, "/where/a", host="shop.example").body == b"a True shop.example"
        rotate(place)
        place.sh(unit["ExecReload"])
        until(lambda: "reloaded" in place.read("var/log/shop/error.log"), "the reload in the new log")
    finally:
        manager.close()


def rotate(place):
    """What logrotate does with its file."""
    script = re.search(r"postrotate\n(.*?)\s*endscript", place.read("etc/logrotate.d/shop"), re.S)[1]
    log = f"{place.folder}/var/log/shop/error.log"
    os.rename(log, log + ".1")
    place.sh(script)
    until(lambda: os.path.exists(log), "the log to be opened by its name")


def test_flask_in_the_folder_of_a_container(place, start):
    pytest.importorskip("flask")
    address = free_address()
    place.replaced["0.0.0.0:8000"] = address
    place.write("app/app.py", FLASK)
    place.write("app/Dockerfile", DOCKERFILE)
    place.write("app/requirements.txt", "flask\ngunicorn==20.1\n")
    server = start.not_yet("", folder=f"{place.folder}/app", plain=True)
    place.steps("Flask in a container", "app")
    assert place.read("app/requirements.txt") == "flask\nuwsgi-ng\n"
    assert "gunicorn" not in place.read("app/Dockerfile").lower()
    command = json.loads(re.search(r"^CMD (.*)$", place.read("app/Dockerfile"), re.M)[1])
    assert command[0] == "uwsgi"
    server.command = [f"{place.folder}/bin/uwsgi", *command[1:]]
    server.start()
    assert "2 processes × 4 threads" in server.log()
    assert http.request(address).body == b"hello from flask"
    assert server.stop(15) == 0


def test_pyramid_with_paste(place, start):
    pytest.importorskip("pyramid")
    address = free_address()
    place.replaced["localhost:6543"] = address
    place.write("srv/shop.py", PYRAMID)
    place.write("srv/production.ini", PRODUCTION)
    server = start.not_yet("", folder=f"{place.folder}/srv", plain=True, args=["uwsgi.ini"])
    place.steps("Pyramid with PasteDeploy", "srv")
    server.start()
    assert http.request(address).body == b"hello from pyramid"
    server.wait_log("INFO shop asked for /")


UWSGI = """
[uwsgi]
chdir = /srv/shop
module = app:app
master = true
enable-threads = true
socket = /run/shop/shop.sock
chmod-socket = 666
gevent = 10
"""


def test_a_uwsgi_ini(place, start):
    pytest.importorskip("flask")
    address = free_address()
    place.replaced["127.0.0.1:9999"] = address
    place.write("srv/shop/app.py", FLASK)
    os.makedirs(f"{place.folder}/run/shop")
    server = start.not_yet("", folder=f"{place.folder}/srv", plain=True)
    place.write("srv/uwsgi.ini", UWSGI)
    beside = place.steps("In five steps", "srv", "from-uwsgi.md")["shell"]
    server.command = shlex.split(place.named(beside))
    server.command[0] = f"{place.folder}/bin/uwsgi"
    server.start()
    assert http.request(address).body == b"hello from flask"
    assert "gevent" not in server.log()
