# SPDX-License-Identifier: MIT
"""Sockets that the service manager has opened and passed on (LISTEN_FDS)."""
import contextlib
import os
import socket
import sys

import pytest

from lib import http, proc, uwsgi
from lib.address import accepts
from lib.server import ROOT
from lib.wait import until

ACTIVATE = [sys.executable, os.path.join(ROOT, "t", "lib", "activate.py")]
APP = """
import json, os
def application(environ, start_response):
    start_response('200 OK', [])
    return [json.dumps([k for k in os.environ if k.startswith('LISTEN_')]).encode()]
"""


@pytest.fixture
def activate(start):
    """A server that is given sockets at these addresses."""
    def run(ini, addresses, **how):
        server = start.not_yet("module = basic\n" + ini, **how)
        server.command = [*ACTIVATE, *[a.format_map(server.names) for a in addresses], "--",
                          *server.command]
        return server
    return run


@contextlib.contextmanager
def holds_port():
    """Holds the port on all addresses: if it were held on one, another test run could take it there."""
    with socket.socket(socket.AF_INET6) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            s.bind(("::", 0))
        except OSError:
            pytest.skip("no IPv6 here")
        yield s.getsockname()[1]


def listens(server):
    return [line for line in server.log().splitlines() if " listens on " in line]


def test_sockets_without_an_option_speak_uwsgi(activate):
    server = activate("", ["{tcp}", "{a_unix}"]).start()
    assert uwsgi.request(server.tcp, "/hello").body == b"hello\n"
    assert uwsgi.request(server.a_unix, "/hello").body == b"hello\n"
    assert listens(server) == [
        f"socket listens on {a}, passed on by the service manager"
        for a in (server.tcp, server.a_unix)]


def test_protocol_says_what_they_speak(activate):
    server = activate("protocol = http\n", ["{tcp}", "{a_unix}"]).start()
    for address in (server.tcp, server.a_unix):
        assert http.request(address, "/hello").body == b"hello\n"


def test_an_option_with_that_address_says_what_it_speaks(activate):
    server = activate("http-socket = {tcp}\nsocket = {other}\n", ["{tcp}", "{a_unix}"]).start()
    assert http.request(server.tcp, "/hello").body == b"hello\n"
    assert uwsgi.request(server.a_unix, "/hello").body == b"hello\n"
    assert uwsgi.request(server.other, "/hello").body == b"hello\n"
    assert len(listens(server)) == 3


def test_the_router_takes_one_too(activate):
    server = activate("http = {tcp}\n", ["{tcp}"]).start()
    assert http.request(server.tcp, "/hello").body == b"hello\n"


def test_a_port_alone_means_the_ipv6_socket_of_that_port(activate):
    """ListenStream=8080 is [::]:8080, http-socket = :8080 is 0.0.0.0:8080."""
    with holds_port() as port:
        server = activate(f"http-socket = :{port}\n", [f"[::]:{port}"]).start()
        assert len(listens(server)) == 1
        assert http.request(f"127.0.0.1:{port}", "/hello").body == b"hello\n"


def test_they_survive_reloads_whatever_the_configuration_says(activate):
    server = activate("protocol = http\n", ["{tcp}", "{a_unix}"]).start()
    assert server.hup()
    assert http.request(server.tcp, "/hello").body == b"hello\n"
    server.write_ini("module = basic\nhttp-socket = {tcp}\n")
    assert server.hup()
    # The old worker may take one connection more while it is told to leave.
    assert http.request(server.tcp, "/hello").body == b"hello\n"
    until(lambda: uwsgi.request(server.a_unix, "/hello").body == b"hello\n", "uwsgi is spoken")
    server.write_ini("module = basic\nprotocol = http\n")
    assert server.hup()
    for address in (server.tcp, server.a_unix):
        until(lambda a=address: http.request(a, "/hello").body == b"hello\n", "HTTP is spoken")


def test_vacuum_leaves_their_paths_to_the_service_manager(activate):
    server = activate("vacuum = true\nsocket = {own_unix}\n", ["{a_unix}"]).start()
    assert server.stop() == 0
    assert os.path.exists(server.a_unix) and not os.path.exists(server.own_unix)


def test_the_application_sees_nothing_of_it(activate, folder):
    with open(f"{folder}/mine.py", "w", encoding="ascii") as f:
        f.write(APP)
    server = activate("protocol = http\nwsgi-file = mine.py\n", ["{tcp}"], folder=folder)
    server.write_ini("protocol = http\nwsgi-file = mine.py\n")
    server.start()
    assert http.request(server.tcp).body == b"[]"


def test_in_the_background_too(activate, folder):
    server = activate("protocol = http\ndaemonize2 = {here}/own.log\npidfile = {here}/pid\n",
                      ["{tcp}"], folder=folder)
    assert server.run() == 0
    assert http.request(server.tcp, "/hello").body == b"hello\n"
    with open(f"{folder}/pid", encoding="ascii") as f:
        pid = int(f.read())
    os.kill(pid, 2)
    proc.wait_gone(pid)
    assert not accepts(server.tcp)


def test_those_of_another_process_are_not_taken(activate):
    server = activate("http-socket = {http}\n", ["{tcp}"], env={"LISTEN_PID": "1"}).start()
    assert len(listens(server)) == 1
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_a_datagram_socket_is_an_error(activate):
    server = activate("", ["{tcp}", "udp:{udp}"])
    assert server.run() == 1
    server.wait_log(r"descriptor 4, .*LISTEN_FDS.* is not a listening stream socket")


def test_workers_do_not_pass_them_on(activate):
    """Close-on-exec: programs of the application have none of them."""
    server = activate("protocol = http\n", ["{tcp}"]).start()
    until(server.workers, "a worker")
    with open(f"/proc/{server.workers()[0]}/fdinfo/3", encoding="ascii") as f:
        flags = next(line for line in f if line.startswith("flags:"))
    assert int(flags.split()[1], 8) & os.O_CLOEXEC
