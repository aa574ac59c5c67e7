# SPDX-License-Identifier: MIT
"""docs/troubleshooting.md: each log line that it shows is one that this server or nginx has written just
now, in the situation that the page speaks of."""
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from lib import http, pages, uwsgi
from lib.address import accepts, free_address
from lib.nginx import Front
from lib.server import BASE_ENV, command_for_all, undated
from lib.wait import until

PAGE = pages.read("troubleshooting.md")
NO_SANITIZER = pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")),
                                  reason="sanitizers take memory, and signals of crashes")
AS_WWW = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]
APP = """
import ctypes, os, time
kept = []

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/slow":
        os.mkdir("runs")
        time.sleep(30)
    if path == "/kill":
        os.kill(os.getpid(), 9)
    if path == "/crash":
        ctypes.string_at(0)
    if path == "/grow":
        kept.append(b"x" * (80 << 20))
    if path == "/raise":
        raise ValueError("planted")
    start_response("200 OK", [("X-Long", "a" * 9000)] if path == "/long" else [])
    return [b"hello"]
"""
NGINX = """
pid {here}/nginx.pid; events {{}}
http {{
    access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p;
    uwsgi_temp_path {here}/u; fastcgi_temp_path {here}/f; scgi_temp_path {here}/s;
    server {{
        listen {address};
        location / {{
            {more} include /etc/nginx/uwsgi_params; uwsgi_pass unix:{here}/uwsgi.sock;
        }}
    }}
}}
"""


def shown(heading):
    """The log lines of a part of the page."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line for kind, text in pages.blocks(part) if kind == "log"
            for line in text.splitlines()]


def compare(heading, *logs):
    """Lines may come in the moment after an answer."""
    def missed():
        said = "".join(log() for log in logs)
        return [line for line in shown(heading)
                if not re.search(".*".join(map(re.escape, line.split("…"))), said)]
    assert shown(heading)
    try:
        until(lambda: not missed(), "what the page shows")
    except AssertionError as e:
        raise AssertionError(f"{e}: {missed()}\nin\n{''.join(log() for log in logs)}") from None


@pytest.fixture
def site(folder):
    """A folder of www-data's with the application."""
    with open(f"{folder}/app.py", "w", encoding="ascii") as f:
        f.write(APP)
    if os.geteuid() == 0:
        shutil.chown(folder, "www-data", "www-data")
    return folder


@pytest.fixture
def front(as_root, site, started, request):
    """nginx as www-data, in front of uwsgi.sock; get(): what a browser is answered.  Its parameter is more
    of its configuration."""
    if not os.path.exists("/usr/sbin/nginx") or not shutil.which("setpriv"):
        pytest.skip("nginx or setpriv is not installed")
    address = free_address()
    with open(f"{site}/nginx.conf", "w", encoding="ascii") as f:
        f.write(NGINX.format(here=site, address=address, more=getattr(request, "param", "")))
    started.append(Front(site, {"http": address}, AS_WWW + [
        "/usr/sbin/nginx", "-c", f"{site}/nginx.conf", "-e", f"{site}/error.log", "-g",
        "daemon off; master_process off;"], f"{site}/nginx.log"))

    def get(path="/"):
        return http.request(address, path).status

    def log():
        with open(f"{site}/error.log", encoding="utf-8") as f:
            return f.read()
    get.log = log
    return get


INI = "socket = {here}/uwsgi.sock\nchmod-socket = 666\nwsgi-file = app.py\n"


def test_502(start, site, front):
    assert front() == 502                                      # it is not there
    server = start(INI.replace("666", "600"), folder=site)     # it is root's
    assert front() == 502
    os.chmod(f"{site}/uwsgi.sock", 0o666)
    assert front() == 200
    assert [front("/kill"), front("/long")] == [502, 502]
    server.send(signal.SIGKILL)                                # it is left over
    server.wait()
    until(lambda: not accepts(f"{site}/uwsgi.sock"), "its processes to end")
    assert front() == 502
    compare("502 Bad Gateway", server.log, front.log)


@pytest.mark.parametrize("front", [dict(pages.blocks(PAGE))["nginx"]], indirect=True)
def test_large_headers_pass(start, site, front):
    start(INI, folder=site)
    assert front("/long") == 200


def test_every_block_is_looked_at():
    """Lines of logs are, in each part that has some, and what is nginx's."""
    kinds = [kind for kind, _ in pages.blocks(PAGE)]
    assert set(kinds) == {"log", "nginx"} and kinds.count("nginx") == 1
    with open(__file__, encoding="utf-8") as f:
        compared = set(re.findall(r'compare\("([^"]*)"', f.read()))
    parts = [part.partition("\n")[0] for part in PAGE.split("\n## ")[1:]]
    assert {heading for heading in parts if shown(heading)} == compared


def test_502_of_another_protocol(start, site, front):
    server = start(INI.replace("socket = {here}", "http-socket = {here}"), folder=site)
    assert front() in (400, 502)
    compare("400, or 502 with every request", server.log, front.log)


@pytest.mark.parametrize("front", ["uwsgi_read_timeout 100ms;"], indirect=True)
def test_504(start, site, front):
    server = start(INI + "harakiri = 1\n", folder=site)
    assert front("/slow") == 504
    server.wait_log("its client gets 504")
    compare("504 Gateway Time-out", server.log, front.log)


def test_a_queue_that_is_full(start, site, front):
    server = start(INI + "listen = 1\nalarm = ops log:\nalarm-backlog = ops\n", folder=site)
    waiting = []

    def connect():
        waiting.append(socket.socket(socket.AF_UNIX))
        waiting[-1].setblocking(False)
        waiting[-1].connect(f"{site}/uwsgi.sock")
    try:
        connect()
        waiting[0].send(uwsgi.packet([("REQUEST_METHOD", "GET"), ("PATH_INFO", "/slow")]))
        until(lambda: os.path.exists(f"{site}/runs"), "the request to run")
        with pytest.raises(BlockingIOError):
            for _ in range(9):
                connect()
        assert front() == 502
        server.wait_log("is full")
    finally:
        for client in waiting:
            client.close()
    compare("The queue is full", server.log, front.log)


def test_no_application(start, site):
    with open(f"{site}/asgi.py", "w", encoding="ascii") as f:
        f.write("async def app(scope, receive, send):\n    pass\n")
    with open(f"{site}/broken.py", "w", encoding="ascii") as f:
        f.write("import flask_of_tomorrow\n")
    server = start("http-socket = {http}\nwsgi-file = broken.py", folder=site)
    assert http.request(server.http).status == 500
    log = server.log()
    assert server.stop() == 0
    for module in ("app:app", "shop", "asgi:app"):
        ended = start.not_yet(f"http-socket = {{http}}\nmodule = {module}\nneed-app = true",
                              folder=site)
        assert ended.run() == 22
        log += ended.log()
    compare("No app loaded", lambda: log)


def test_permission_denied(as_root, site):
    log, command = "", command_for_all(site)
    for words in (["--socket", "/root/uwsgi.sock"],
                  ["--http-socket", free_address(), "--pidfile", "/root/uwsgi.pid"]):
        done = subprocess.run([*AS_WWW, *command, *words, "--wsgi-file", "app.py"], cwd=site,
                              env=BASE_ENV, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode
        log += undated(done.stderr)
    compare("Permission denied", lambda: log)


def test_address_in_use(start, site):
    first = start("http-socket = {http}\nwsgi-file = app.py", folder=site)
    second = start.not_yet(f"http-socket = {first.http}\nwsgi-file = app.py", folder=site)
    second.spawn().wait_log("already in use")
    compare("Address already in use", second.log)
    second.stop()


@NO_SANITIZER
def test_memory(start, site):
    server = start("http-socket = {http}\nwsgi-file = app.py\nreload-on-rss = 60", folder=site)
    assert http.request(server.http, "/grow").status == 200
    server.wait_log("is replaced")
    compare("Memory grows", server.log)


@NO_SANITIZER
def test_a_worker_that_dies(start, site):
    server = start("http-socket = {http}\nwsgi-file = app.py", folder=site)

    def dies(path):
        with http.Connection(server.http) as client:
            client.send(http.request_bytes(path))
            assert client.is_closed()
    dies("/crash")
    while "keeps dying" not in server.log():
        dies("/kill")
    compare("A worker keeps dying", server.log)


def test_500(start, site):
    server = start("http-socket = {http}\nwsgi-file = app.py", folder=site)
    assert http.request(server.http, "/raise").status == 500
    compare("500 Internal Server Error", server.log)


def test_a_large_head(start, site):
    server = start("http-socket = {http}\nwsgi-file = app.py\nlimit-post = 1000", folder=site)
    assert http.request(server.http, "/", headers=[("X-Long", "a" * 70000)]).status == 431
    assert http.request(server.http, "/", "POST", body=b"x" * 2000).status == 413
    compare("413 and 431", server.log)
