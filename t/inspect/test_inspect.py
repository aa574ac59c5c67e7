# SPDX-License-Identifier: MIT
"""The server that shows what this one does: what it answers, to whom, and that nothing holds it up."""
import base64
import json
import os
import signal

import pytest

from lib import http, proc
from lib.address import free_port
from lib.busy import Held
from lib.load import Load
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


def test_no_application_takes_who_asks(start, tmp_path):
    """Who asks may say a password."""
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 2\n" +
                   "".join(f"{option} = {tmp_path}/{option}\n" for option in ("inspect", "health", "stats")))

    def those_with_the_sockets():
        with open("/proc/net/unix", encoding="utf-8") as f:
            sockets = {f"socket:[{line.split()[6]}]" for line in f if str(tmp_path) in line}
        return {pid for pid in proc.descendants(server.pid) if sockets & set(proc.open_files(pid))}

    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    server.wait_log(r"^stats 1 \(pid \d+\) runs$")
    assert those_with_the_sockets() == set(server.services())
    assert server.hup()
    assert those_with_the_sockets() <= set(server.services())
    assert ask(f"{tmp_path}/inspect", host="localhost").status == 200


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
    (b"GET http://evil.example/live HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
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
    with Load(server.http, keep_alive=True) as requests:
        os.kill(server.services()[0], signal.SIGKILL)
        until(lambda: len(server.services()) == 2, "another one")
        assert ask(server.inspect, "/ready").status == 200
        requests.wait_more(10)
    assert requests.failures == []


def password_file(folder, text="# who may look\nanna:secret\n", mode=0o600):
    path = f"{folder}/inspect-password"
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def basic(text):
    return [("Authorization", "Basic " + base64.b64encode(text.encode()).decode())]


def test_beyond_this_machine_it_needs_a_password(start):
    server = start.not_yet("http-socket = {http}\nmodule = basic\ninspect = :0\n")
    assert server.run() == 1
    server.wait_log("inspect.*other machines reach :0: it needs inspect-password-file")


def test_a_password(start, folder):
    path = password_file(folder)
    server = start("http-socket = {http}\nmodule = basic\ninspect = 0.0.0.0:{port}\n"
                   f"inspect-password-file = {path}\n", port=free_port("0.0.0.0"))
    server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
    address = f"127.0.0.1:{server.port}"
    refused = ask(address)
    assert refused.status == 401 and refused.header("www-authenticate").startswith("Basic realm=")
    assert ask(address, headers=basic("anna:secret")).status == 200
    assert ask(address, "/ready").status == 200
    password_file(folder, "anna:other\n")      # no reload is needed
    assert ask(address, headers=basic("anna:secret")).status == 401
    assert ask(address, headers=basic("anna:other")).status == 200


@pytest.mark.parametrize("text, mode, why", [
    ("anna:secret\n", 0o644, "others may read or change it"),
    ("anna:secret\n", 0o660, "others may read or change it"),
    ("anna\n:x\n", 0o600, 'it has no line "name:password"'),
    (None, 0, "No such file")])
def test_files_of_passwords_that_are_none(start, folder, text, mode, why):
    path = password_file(folder, text, mode) if text else f"{folder}/none"
    server = start.not_yet("http-socket = {http}\nmodule = basic\ninspect = {inspect}\n"
                           f"inspect-password-file = {path}\n")
    assert server.run() == 1
    server.wait_log(f"inspect-password-file.*{why}")


def test_names_are_given_by_inspect_host(serve):
    server = serve("inspect-host = inspect.example.com\n")
    assert ask(server.inspect, host="inspect.example.com").status == 200
    refused = ask(server.inspect, host="rebound.example.com")
    assert refused.status == 421 and b"inspect-host" in refused.body
    assert ask(server.inspect, headers=[("Origin", "http://evil.example")]).status == 403


def test_queries_are_shown_to_who_is_known(serve):
    abstract = f"@uwsgi-inspect-{os.getpid()}"      # which every user can connect to
    server = serve(f"inspect = {{ins_unix}}\ninspect = {abstract}\n")

    def seen(address):
        return json.loads(ask(address).body)["workers"][0]["cores"][0]["vars"]
    with Held(server) as held:
        assert f"REQUEST_URI=/wait?for={held.fifo}" in seen(server.ins_unix)
        assert "REQUEST_URI=/wait" in seen(server.inspect)
        assert "REQUEST_URI=/wait" in seen(abstract)
        assert held.end().status == 200
