# SPDX-License-Identifier: MIT
"""The configurations in ini/ that people start from: each starts and serves as it is but for its
paths, ports and names."""
import glob
import os
import re
import shutil
import stat

import pytest

from lib import fastcgi, http, proc, uwsgi
from lib.address import free_address, free_port
from lib.nginx import nginx_file
from lib.server import APPS, ROOT
from lib.wait import until

INI = os.path.join(ROOT, "ini")
WSGI = """
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'hello\\n' + environ['wsgi.input'].read()]
"""


@pytest.fixture
def site(folder):
    """/srv/app and /run/app of the files, in a folder of the test."""
    os.makedirs(f"{folder}/run")
    os.makedirs(f"{folder}/srv")
    if os.geteuid() == 0:
        shutil.chown(f"{folder}/run", "www-data", "www-data")
    with open(f"{folder}/srv/wsgi.py", "w", encoding="ascii") as f:
        f.write(WSGI)
    shutil.copy(f"{APPS}/flask_app.py", f"{folder}/srv/app.py")
    shutil.copytree(f"{APPS}/django_site/site_django", f"{folder}/srv/site_django")
    return folder


def copy(name, site, words):
    """The file with the test's paths, and with other words where words says so."""
    with open(f"{INI}/{name}", encoding="utf-8") as f:
        text = f.read().replace("/srv/app", f"{site}/srv").replace("/run/app", f"{site}/run")
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    with open(f"{site}/{name}", "w", encoding="utf-8") as f:
        f.write(text)
    return f"{site}/{name}"


def run(start, site, name, words=None, env=None):
    copy(name, site, words or {})
    server = start.not_yet("", folder=site, plain=True, args=["{here}/" + name], env=env)
    server.start()
    assert "warning: " not in re.sub("warning: running as root.*", "", server.log())
    return server


def test_every_file_is_tested_here():
    tested = {"minimal.ini", "flask.ini", "django.ini", "behind-nginx.ini", "fastcgi.ini",
              "http.ini", "production.ini", "nginx.conf", "fastcgi-nginx.conf",
              "supervisor.conf", "logrotate.conf"}
    assert {os.path.basename(p) for p in glob.glob(f"{INI}/*.*")} == tested
    units = {"app.service", "app.socket", "app@.service", "notify-reload.conf"}
    assert set(os.listdir(f"{INI}/systemd")) == units


def test_minimal(start, site):
    address = free_address()
    run(start, site, "minimal.ini", words={"127.0.0.1:8080": address})
    assert http.request(address).body == b"hello\n"


def test_flask(start, site):
    pytest.importorskip("flask")
    run(start, site, "flask.ini")
    assert uwsgi.request(f"{site}/run/app.sock").body == b"hello from flask\n"


def test_django(start, site):
    pytest.importorskip("django")
    server = run(start, site, "django.ini")
    assert uwsgi.request(f"{site}/run/site_django.sock").body == b"hello from django\n"
    assert len(server.workers()) == 4


def test_fastcgi(start, site):
    address = free_address()
    run(start, site, "fastcgi.ini", words={"127.0.0.1:9000": address})
    assert fastcgi.request(address).body == b"hello\n"


def test_http(start, site):
    port = free_port("0.0.0.0")
    run(start, site, "http.ini", env={"PORT": str(port)})
    assert http.request(f"127.0.0.1:{port}").body == b"hello\n"
    big = http.request(f"127.0.0.1:{port}", "/", "POST", body=b"x" * (10 << 20))
    assert big.status == 200
    assert http.request(f"127.0.0.1:{port}", "/", "POST",
                        body=b"x" * ((10 << 20) + 1)).status == 413


def web_server(started, site, name, words):
    if not os.path.exists("/usr/sbin/nginx"):
        pytest.skip("nginx is not installed")
    part = copy(name, site, words)
    whole = f"{site}/whole.conf"
    with open(whole, "w", encoding="ascii") as f:
        f.write(f"pid {site}/nginx.pid; error_log {site}/error.log; events {{}}\n"
                f"http {{ access_log off; client_body_temp_path {site}/b; proxy_temp_path {site}/p;"
                f" uwsgi_temp_path {site}/u; fastcgi_temp_path {site}/f; scgi_temp_path {site}/s;"
                f" include {part}; }}\n")
    started.append(nginx_file(site, whole, words["listen 80"].split()[1]))
    return started[-1]


def test_behind_nginx(as_root, start, started, site):
    server = run(start, site, "behind-nginx.ini")
    front = web_server(started, site, "nginx.conf", {"listen 80": f"listen {free_address()}"})
    assert http.request(front.http).body == b"hello\n"
    assert http.request(front.http, "/", "POST", body=b"x" * 300000).body[6:] == b"x" * 300000
    with open(f"{site}/run/app.pid", encoding="ascii") as f:
        assert int(f.read()) == server.pid
    assert server.hup()
    assert http.request(front.http).body == b"hello\n"


def test_fastcgi_behind_nginx(start, started, site):
    address = free_address()
    run(start, site, "fastcgi.ini", words={"127.0.0.1:9000": address})
    front = web_server(started, site, "fastcgi-nginx.conf",
                       {"listen 80": f"listen {free_address()}", "127.0.0.1:9000": address})
    for _ in range(3):
        assert http.request(front.http).body == b"hello\n"


def test_production(as_root, start, site):
    server = run(start, site, "production.ini")
    sock = f"{site}/run/app.sock"
    assert uwsgi.request(sock).body == b"hello\n"
    assert stat.S_IMODE(os.stat(sock).st_mode) == 0o660
    assert proc.status(server.pid, "Uid") == ["33"] * 4
    assert all(proc.title(p).startswith("app-") for p in [server.pid, *server.workers()])
    assert uwsgi.request(sock, body=b"x", method="POST",
                         extra=[("CONTENT_LENGTH", str(30 << 20))]).status == 413
    assert server.hup()
    assert uwsgi.request(sock).body == b"hello\n"
    assert server.stop() == 0
    until(lambda: not os.path.exists(sock), "the socket to be removed")
    assert "GET / =>" not in server.log()
