# SPDX-License-Identifier: MIT
"""The server that shows what this one does: what it answers, to whom, and that nothing holds it up."""
import json
import os
import signal

import pytest

from lib import http
from lib.wait import until


@pytest.fixture
def serve(start):
    def run(ini="", address="{inspect}"):
        server = start(f"http-socket = {{http}}\nmodule = basic\ninspect = {address}\n{ini}\n")
        server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
        return server
    return run


def ask(address, target="/stats", method="GET", headers=(), host="127.0.0.1", **more):
    return http.request(address, target, method, headers, host=host, **more)


def test_it_says_what_stats_says(serve):
    server = serve("processes = 2\n")
    answer = ask(server.inspect)
    assert answer.status == 200 and answer.header("content-type") == "application/json"
    seen = json.loads(answer.body)
    assert seen["pid"] == server.pid and [w["id"] for w in seen["workers"]] == [1, 2]


def test_the_page_and_its_policy(serve):
    server = serve()
    answer = ask(server.inspect, "/")
    assert answer.status == 200 and answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.body.startswith(b"<!DOCTYPE html>")
    assert answer.header("content-security-policy").startswith("default-src 'none'")


@pytest.mark.parametrize("path, text", [
    ("/live", b"alive\n"), ("/ready", b"ready\n"), ("/startup", b"started\n")])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_probes(serve, path, text, version):
    server = serve("health = {health}\n")
    for address in (server.inspect, server.health):
        answer = http.request(address, path, version=version, host="balancer.example")
        assert (answer.status, answer.body) == (200, text)
        head = http.request(address, path, "HEAD", version=version, host="balancer.example")
        assert (head.status, head.body, head.header("content-length")) == (200, b"", str(len(text)))
        assert head.header("content-type") == "text/plain; charset=utf-8"
    assert http.request(server.health, "/stats").status == 404


def test_a_connection_is_kept_and_requests_are_pipelined(serve):
    server = serve()
    with http.Connection(server.inspect) as c:
        assert c.request("/live", host="localhost").body == b"alive\n"
        c.send(http.request_bytes("/live", host="localhost") * 3 +
               http.request_bytes("/ready", headers=[("Connection", "close")], host="localhost"))
        assert [c.read().body for _ in range(4)] == [b"alive\n"] * 3 + [b"ready\n"]
        assert c.is_closed()


@pytest.mark.parametrize("request_, status", [
    (b"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"GET /stats%20 HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
    (b"POST /stats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
    (b"DELETE /live HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
    (b"GET /live HTTP/1.1\r\n\r\n", 400),
    (b"GET /live HTTP/1.1\nHost: localhost\n\n", 400),
    (b"GET /live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00", 400),
    (b"GET /live HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
    (b"GET /live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", 413),
    (b"GET /live HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    (b"GET /live HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431)])
def test_what_is_no_request_or_for_nothing(serve, request_, status):
    server = serve()
    with http.Connection(server.inspect) as c:
        c.send(request_)
        answer = c.read()
        assert answer.status == status and answer.body.endswith(b"\n")
        assert status != 405 or answer.header("allow") == "GET, HEAD"
    assert ask(server.inspect, "/live").status == 200


def test_it_answers_while_every_worker_is_stuck(serve):
    server = serve()
    os.kill(server.workers()[0], signal.SIGSTOP)
    try:
        assert ask(server.inspect).status == 200
        assert ask(server.inspect, "/live").status == 200
    finally:
        os.kill(server.workers()[0], signal.SIGCONT)


def test_probes_find_a_place_when_all_others_are_taken(serve):
    server = serve("health = {health}\n")
    silent = [http.Connection(server.inspect) for _ in range(40)]
    assert ask(server.health, "/live").status == 200
    assert ask(server.inspect, "/ready").status == 200
    for c in silent:
        c.close()


def test_a_unix_socket(serve):
    server = serve(address="{ins_unix}")
    assert ask(server.ins_unix).status == 200


def test_a_killed_one_is_back_and_no_request_notices(serve):
    server = serve()
    with http.Connection(server.http) as kept:
        assert kept.request("/hello").status == 200
        os.kill(server.services()[0], signal.SIGKILL)
        assert kept.request("/hello").status == 200
        until(lambda: len(server.services()) == 2, "another one")
        assert ask(server.inspect, "/ready").status == 200
        assert kept.request("/hello").status == 200
