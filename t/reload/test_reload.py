# SPDX-License-Identifier: MIT
"""A reload puts a new generation beside the old one: nobody waits, nobody is cut off, and a
deploy that is broken never replaces what works."""
import os
import re
import signal
import socket

import pytest

from lib import files, http
from lib.address import HOST, refuses
from lib.load import Load
from lib.server import command
from lib.wait import until

INI = """
http-socket = {http}
http-socket = {http_unix}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
chdir = {here}
wsgi-file = mine.py
processes = 2
threads = 2
reload-mercy = 10
"""
APP = """
import os
from basic import ROUTES
def application(environ, start_response):
    route = environ['PATH_INFO'] != '/' and ROUTES.get(environ['PATH_INFO'])
    if route:
        return route(environ, start_response)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'version {version} ' + b'%d' % os.getpid()]
"""


def write_app(folder, version=1, text=None):
    files.replace(f"{folder}/mine.py",
                  text if text is not None else APP.replace("{version}", str(version)))


@pytest.fixture
def server(start, folder):
    write_app(folder)
    return start(INI, folder=folder)


def version(server):
    return http.request(server.http).body.split()[1].decode()


def wait_version(server, wanted):
    """The old generation may still take what comes in the moment after the new one is ready."""
    until(lambda: version(server) == wanted, f"version {wanted}")


def test_a_reload_brings_the_new_code_and_keeps_the_master(server):
    before = server.workers()
    assert version(server) == "1"
    write_app(server.folder, 2)
    assert server.hup()
    wait_version(server, "2")
    assert not server.ended()
    until(lambda: len(server.workers()) == 2, "two workers")
    assert not set(server.workers()) & set(before)


def test_a_reload_reads_the_ini_again(server):
    server.write_ini(INI.replace("processes = 2", "processes = 3"))
    assert server.hup()
    until(lambda: len(server.workers()) == 3, "three workers")
    server.write_ini(INI.replace("processes = 2", "processes = 1"))
    assert server.hup()
    until(lambda: len(server.workers()) == 1, "one worker")
    assert version(server) == "1"


def test_a_reload_may_add_and_drop_sockets(server):
    server.write_ini(INI + "http-socket = {more}\n")
    assert server.hup()
    assert http.request(server.more).status == 200
    server.write_ini(INI)
    assert server.hup()
    until(lambda: refuses(server.more), "the dropped socket to be closed")
    assert version(server) == "1"


@pytest.mark.seconds(120)
@pytest.mark.parametrize("how", ["new connections", "kept connections", "unix"])
def test_twenty_reloads_under_load_lose_no_request(server, how):
    address = server.http_unix if how == "unix" else server.http
    with Load(address, keep_alive=how == "kept connections") as load:
        for i in range(20):
            write_app(server.folder, i)
            assert server.hup()
            load.wait_more(5)
    assert load.failures == []
    assert len(load.bodies) > 20


@pytest.mark.seconds(120)
@pytest.mark.parametrize("proxy", ["uwsgi_pass {uwsgi};", "fastcgi_pass {fastcgi};",
                                   "scgi_pass {scgi};",
                                   "fastcgi_pass fast; fastcgi_keep_conn on;",
                                   "proxy_pass http://{http};",
                                   "proxy_pass http://kept; proxy_set_header Connection '';"])
def test_twenty_reloads_under_load_lose_no_request_behind_nginx(server, nginx, proxy):
    front = nginx(f"upstream kept {{ server {server.http}; keepalive 4; }}"
                  f"upstream fast {{ server {server.fastcgi}; keepalive 4; }}",
                  {"to": proxy.format_map(server.names)})
    with Load(front.to, keep_alive=True) as load:
        for _ in range(20):
            assert server.hup()
            load.wait_more(5)
    assert load.failures == [], front.log()


def test_a_running_request_is_finished_by_the_old_generation(server):
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=1"))
        server.wait_log("^sleeping in")
        write_app(server.folder, 2)
        assert server.hup()
        wait_version(server, "2")
        response = c.read()
        assert (response.status, response.complete) == (200, True)


def test_a_request_longer_than_reload_mercy_is_ended_with_its_worker(start, folder):
    write_app(folder)
    server = start(INI.replace("reload-mercy = 10", "reload-mercy = 1"), folder=folder)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        server.wait_log("^sleeping in")
        assert server.hup()
        assert c.is_closed()
    server.wait_log("(?i)killed")
    assert version(server) == "1"


def test_a_half_sent_request_survives_the_reload(server):
    """The old generation still reads what it has accepted."""
    data = http.request_bytes("/echo", "POST", body=b"0123456789")
    with http.Connection(server.http) as c:
        c.send(data[:-4])
        http.request(server.http)
        assert server.hup()
        c.send(data[-4:])
        assert c.read().body == b"0123456789"


# ---- broken deploys ----

BROKEN_APPS = {
    "syntax error": ("def application(:\n", "SyntaxError"),
    "exception": ("raise RuntimeError('broken deploy')\n", "broken deploy"),
    "missing import": ("import not_installed_anywhere\n", "not_installed_anywhere"),
    "no callable": ("x = 1\n", "application"),
    "exit": ("import os\nos._exit(3)\n", "3"),
    "crash": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "(?i)kill|signal 9"),
}


@pytest.mark.parametrize("lazy", ["", "lazy-apps = true\n"], ids=["once", "lazy"])
@pytest.mark.parametrize("name", BROKEN_APPS)
def test_a_broken_application_does_not_replace_the_one_that_serves(start, folder, name, lazy):
    write_app(folder)
    server = start(INI + lazy, folder=folder)
    before = server.workers()
    text, said = BROKEN_APPS[name]
    write_app(folder, text=text)
    seen = len(server.log())
    with Load(server.http) as load:
        assert not server.hup()
        load.wait_more(5)
    assert load.failures == []
    assert re.search(said, server.log()[seen:])
    assert version(server) == "1"
    until(lambda: server.workers() == before, "only the workers that serve")
    write_app(folder, 3)
    assert server.hup()
    wait_version(server, "3")


def test_an_import_that_hangs_is_given_up_after_reload_timeout(start, folder):
    write_app(folder)
    server = start(INI + "reload-timeout = 2\n", folder=folder)
    write_app(folder, text="import time\ntime.sleep(1000)\n")
    with Load(server.http, pause_s=0.01) as load:
        assert not server.hup()
    assert load.failures == []
    server.wait_log(r"reload given up.*\b2 s")
    assert version(server) == "1"
    server.write_ini(INI)   # the next one may take longer
    write_app(folder, 2)
    assert server.hup()
    wait_version(server, "2")


@pytest.mark.parametrize("line", ["processes = many", "http-socket = host:notaport",
                                  "strict = true\nprocesess = 4",
                                  "chdir = /nowhere/at/all"])
def test_a_broken_ini_does_not_replace_the_one_that_serves(server, line):
    server.write_ini(INI + line + "\n")
    seen = len(server.log())
    assert not server.hup()
    assert re.search(r"uwsgi\.ini:\d+|host:notaport|/nowhere/at/all", server.log()[seen:])
    assert version(server) == "1"
    server.write_ini(INI)
    assert server.hup()


def test_a_missing_ini_does_not_end_the_server(server):
    os.rename(server.ini_path, server.ini_path + ".away")
    assert not server.hup()
    assert version(server) == "1"


def test_an_address_in_use_does_not_end_the_server(server):
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        server.write_ini(INI + f"http-socket = {HOST}:{other.getsockname()[1]}\n")
        assert not server.hup()
    assert version(server) == "1"


def test_hup_during_a_reload_is_followed_by_another(start, folder):
    write_app(folder)
    server = start(INI, folder=folder)
    write_app(folder, text="import time\ntime.sleep(0.5)\n" + APP.replace("{version}", "2"))
    server.send(signal.SIGHUP)
    server.wait_log("^.*reload: reading")
    write_app(folder, 3)
    server.send(signal.SIGHUP)
    wait_version(server, "3")


# ---- commands ----

def test_reload_by_pidfile(start, folder):
    write_app(folder)
    server = start(INI + "pidfile = {here}/pid\n", folder=folder)
    write_app(folder, 2)
    assert command("--reload", f"{folder}/pid").returncode == 0
    server.wait_log("reloaded: ")
    wait_version(server, "2")


def test_stop_by_pidfile(start, folder):
    write_app(folder)
    server = start(INI + "pidfile = {here}/pid\n", folder=folder)
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert server.wait() == 0


@pytest.mark.parametrize("option", ["--reload", "--stop"])
@pytest.mark.parametrize("content", [None, "", "rubbish", "-1", "0", "1", "4194300"])
def test_a_wrong_pidfile_is_an_error_and_harms_nobody(folder, option, content):
    path = f"{folder}/pid"
    if content is not None:
        with open(path, "w", encoding="ascii") as f:
            f.write(content)
    done = command(option, path)
    assert done.returncode not in (0, None)
    assert path in done.stderr + done.stdout or "4194300" in done.stderr + done.stdout


def test_the_application_may_ask_for_a_reload(start):
    server = start("http-socket = {http}\nmodule = pep")
    assert http.request(server.http, "/uwsgi_reload").body == b"asked"
    server.wait_log("reloaded: ")
    assert http.request(server.http, "/generator").body == b"onetwo"
