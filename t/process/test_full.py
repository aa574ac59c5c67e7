# SPDX-License-Identifier: MIT
"""Clients that hold all places, idle or with half a request, keep nobody out; whose request runs or
is coming in keeps his."""
import contextlib
import re

import pytest

from lib import fastcgi, http, proc, scgi, uwsgi
from lib.address import connect
from lib.wait import until

FEW = ["prlimit", "--nofile=64"]        # of these, 48 are for connections
CLIENTS = 70

INI = """
http-socket = {http}
http = {router}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
module = basic
processes = 1
listen = 128
"""

HTTP_IDLE = http.request_bytes("/hello")
HTTP_HALF = b"GET /hello HTTP/1.1\r\nHo"
FASTCGI_IDLE = fastcgi.request_bytes("/hello", keep=True)
FASTCGI_HALF = fastcgi.begin(keep=True)
UWSGI_HALF = uwsgi.request_bytes("/hello")[:9]

WAYS = [("http", http.request, HTTP_IDLE), ("http", http.request, HTTP_HALF),
        ("router", http.request, HTTP_IDLE), ("router", http.request, HTTP_HALF),
        ("fastcgi", fastcgi.request, FASTCGI_IDLE), ("fastcgi", fastcgi.request, FASTCGI_HALF),
        ("uwsgi", uwsgi.request, UWSGI_HALF),
        ("scgi", scgi.request, scgi.request_bytes("/hello")[:40])]


@contextlib.contextmanager
def held(address, first, count=CLIENTS):
    """So many clients who have said this and say no more."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(count):
            clients.append(stack.enter_context(connect(address)))
            clients[-1].sendall(first)
        yield clients


@pytest.mark.parametrize("name, request_, first", WAYS, ids=[
    "http-socket, idle", "http-socket, half a head", "http, idle", "http, half a head",
    "fastcgi-socket, idle", "fastcgi-socket, half a head", "socket, half a packet",
    "scgi-socket, half a netstring"])
def test_a_new_client_is_served_though_all_places_are_held(start, name, request_, first):
    server = start(INI, under=FEW)
    address = server.names[name]
    with held(address, first):
        for _ in range(5):
            assert request_(address, "/hello").body == b"hello\n"
    assert "cannot accept" not in server.log()
    assert len(re.findall(r"closed \d+ connections? that waited longest", server.log())) == 1


def test_the_application_can_open_files_though_all_places_are_held(start, folder):
    with open(f"{folder}/opens.py", "w", encoding="ascii") as f:
        f.write("def application(environ, start_response):\n"
                "    files = [open('/dev/null') for _ in range(8)]\n"
                "    start_response('200 OK', [])\n"
                "    return [b'opened']\n")
    server = start(INI.replace("module = basic", f"wsgi-file = {folder}/opens.py"), under=FEW)
    with held(server.http, HTTP_HALF), held(server.router, HTTP_HALF):
        assert http.request(server.http, "/").body == b"opened"
        assert http.request(server.router, "/").body == b"opened"


@pytest.mark.parametrize("name", ["http", "router"])
def test_who_waited_longest_goes_and_who_spoke_last_stays(start, name):
    server = start(INI + "max-connections = 4\n")
    address = server.names[name]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(http.Connection(address)) for _ in range(4)]
        for client in [*clients, clients[0]]:
            assert client.request("/hello").status == 200
        assert http.request(address, "/hello").status == 200
        assert clients[1].is_closed()
        for i in (0, 2, 3):
            assert clients[i].request("/hello").status == 200


@pytest.mark.parametrize("name", ["http", "router"])
def test_who_is_served_is_not_cut(start, name):
    """One whose request runs, one whose body is coming in, while others take all places."""
    server = start(INI + "threads = 2\nmax-connections = 10\n")
    address = server.names[name]
    with http.Connection(address) as running, http.Connection(address) as sending:
        sending.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n01234")
        running.send(http.request_bytes("/sleep?s=0.5"))
        until(lambda: "sleeping" in server.log(), "the request to run")
        with held(address, HTTP_HALF, 30):
            assert http.request(address, "/hello").status == 200
            sending.send(b"56789")
            assert sending.read().body == b"0123456789"
            assert running.read().status == 200


def test_where_all_are_served_the_next_one_waits(start):
    server = start(INI + "max-connections = 2\n")
    body = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n01234"
    with http.Connection(server.http) as one, http.Connection(server.http) as two:
        one.send(body)
        two.send(body)
        # Only now: a connection that says nothing for a second is accepted, and then makes room.
        with http.Connection(server.http) as next_:
            next_.send(http.request_bytes("/hello"))
            server.wait_log("a worker's thread is full: all of its 2 connections have requests")
            for c in (one, two):
                c.send(b"56789")
                assert c.read().body == b"0123456789"
            assert next_.read().status == 200


def test_the_router_waits_for_a_descriptor(start):
    """Clients of whom each has a request running leave it none for a while."""
    server = start(INI + "threads = 4\n", under=FEW)
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(40):
            clients.append(stack.enter_context(http.Connection(server.router)))
            clients[-1].send(http.request_bytes("/sleep?s=0.02"))
        assert [c.read().status for c in clients] == [200] * 40


# ---- limits ----

def soft_limit(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        return int(re.search(r"^Max open files +(\d+)", f.read(), re.M)[1])


@pytest.mark.parametrize("line, limit", [("", 500), ("max-fd = 200\n", 200)])
def test_the_soft_limit_is_raised_as_far_as_it_may_be(start, line, limit):
    server = start(INI + line, under=["prlimit", "--nofile=100:500"])
    found = {soft_limit(pid) for pid in proc.descendants(server.pid)}
    assert found == {limit}


def test_more_connections_than_descriptors_are_warned_about(start):
    server = start(INI + "max-connections = 1000\n", under=["prlimit", "--nofile=512"])
    assert "max-connections = 1000: there is room for 384, as a process may have 512 " in server.log()
