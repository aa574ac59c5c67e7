# SPDX-License-Identifier: MIT
"""SCGI as web servers speak it, and what a hostile peer may send instead."""
import json
import os

import pytest

from lib import http, scgi
from lib.nginx import apache

STOCK = "/etc/nginx/scgi_params"


def still_serves(served):
    assert scgi.request(served.scgi, "/hello").body == b"hello\n"


def answer_to(served, data):
    """All that comes back when nothing is sent behind data."""
    with http.Connection(served.scgi) as c:
        c.send(data)
        c.finish_sending()
        return c.read_all()


def test_variables_reach_the_application_as_they_are(served):
    environ = json.loads(scgi.request(served.scgi, "/environ", extra=[
        ("MY_OWN", "v"), ("SCRIPT_NAME", "/app"), ("EMPTY", ""), ("RAW", b"\xff\xe9")]).body)
    assert environ["MY_OWN"] == "v"
    assert environ["SCRIPT_NAME"] == "/app"
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert environ["EMPTY"] == ""
    assert environ["RAW"] == "\xff\xe9"


def test_the_connection_ends_with_the_response(served):
    response = scgi.request(served.scgi, "/hello")
    assert (response.status, response.body, response.trailing) == (200, b"hello\n", b"")


def test_what_is_said_is_cgi(served):
    answer = answer_to(served, scgi.request_bytes("/status?line=418+Teapot"))
    assert answer.startswith(b"Status: 418 Teapot\r\n") and b"\r\n\r\n" in answer


# ---- what is refused ----

LEAST = [("CONTENT_LENGTH", "0"), ("SCGI", "1"), ("REQUEST_METHOD", "GET"), ("PATH_INFO", "/hello")]
BROKEN = {
    "no number": b"abc:,",
    "a zero before the number": b"012:",
    "a number of ten digits": b"9999999999",
    "no comma": scgi.netstring(LEAST)[:-1] + b";",
    "too short": b"10:" + scgi.netstring(LEAST).partition(b":")[2],
    "half a header": b"24:CONTENT_LENGTH\x000\0SCGI\x001x,",
    "no name": scgi.netstring(LEAST + [("", "v")]),
    "a zero in a value": scgi.netstring(LEAST + [("A", "b\0c")]),
    "no SCGI": scgi.netstring([v for v in LEAST if v[0] != "SCGI"]),
    "another version": scgi.netstring([LEAST[0], ("SCGI", "2"), *LEAST[2:]]),
    "no length": scgi.netstring(LEAST[1:]),
    "the length is not the first": scgi.netstring(LEAST[1:] + LEAST[:1]),
    "an empty length": scgi.netstring([("CONTENT_LENGTH", ""), *LEAST[1:]]),
    "a negative length": scgi.netstring([("CONTENT_LENGTH", "-1"), *LEAST[1:]]),
    "two lengths": scgi.netstring(LEAST + [("CONTENT_LENGTH", "5")]) + b"hello",
    "bytes of a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_request_is_refused_and_does_no_harm(served, name):
    assert answer_to(served, BROKEN[name]).startswith(b"Status: 400 ")
    still_serves(served)


def test_the_least_is_enough(served):
    assert answer_to(served, scgi.netstring(LEAST)).endswith(b"\r\n\r\nhello\n")


def test_http_on_an_scgi_socket_is_recognised_and_said(served):
    answer = answer_to(served, http.request_bytes("/hello"))
    assert answer.startswith(b"Status: 400 ") and b"http-socket" in answer
    served.wait_log("HTTP spoken to an SCGI socket")


def test_a_body_shorter_than_its_length_is_not_run(served):
    data = scgi.request_bytes("/environ/cut-off", "POST", extra=[("CONTENT_LENGTH", "100")])
    assert b"200 OK" not in answer_to(served, data + b"only this")
    still_serves(served)


def test_headers_beyond_buffer_size_are_431(start):
    server = start("scgi-socket = {scgi}\nmodule = basic\nbuffer-size = 4096")
    assert scgi.request(server.scgi, "/hello", extra=[("BIG", "x" * 3000)]).status == 200
    assert scgi.request(server.scgi, "/hello", extra=[("BIG", "x" * 5000)]).status == 431
    with scgi.Connection(server.scgi) as c:
        c.send(b"999999999:" + b"x" * 5000)
        assert c.read().status == 431


# ---- an answer that breaks off ----

BROKEN_OFF = ["/raise", "/raise?length=100", "/raise?blocks=3&size=70000"]


@pytest.mark.parametrize("target", BROKEN_OFF)
def test_the_end_of_half_an_answer_is_a_reset(start, nginx, target):
    server = start("scgi-socket = {scgi}\nmodule = broken")
    front = nginx(listeners={"plain": f"scgi_pass {server.scgi};",
                             "unbuffered": f"scgi_pass {server.scgi}; scgi_buffering off;"})
    with http.Connection(server.scgi) as c, pytest.raises(ConnectionResetError):
        c.send(scgi.request_bytes(target))
        while c.socket.recv(65536):
            pass
    for address in front.plain, front.unbuffered:
        with http.Connection(address) as c:
            c.send(http.request_bytes(target))
            answer = c.read_all()
        assert answer.startswith(b"HTTP/1.1 ") and not answer.endswith(b"0\r\n\r\n")


# ---- web servers as they are delivered ----

@pytest.mark.skipif(not os.path.exists(STOCK), reason="needs nginx's scgi_params")
def test_the_path_with_nginx_s_own_scgi_params(start, folder):
    from lib import nginx as fronts
    from lib.address import free_address
    server, address = start("scgi-socket = {scgi}\nmodule = basic"), free_address()
    with open(f"{folder}/stock.conf", "w", encoding="utf-8") as f:
        f.write(f"pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ access_log off;"
                + "".join(f" {name}_temp_path {folder}/{name};" for name in
                          ("client_body", "proxy", "uwsgi", "fastcgi", "scgi")) +
                f" server {{ listen {address}; location / {{ include {STOCK}; "
                f"scgi_pass {server.scgi}; }} }} }}")
    front = fronts.nginx_file(folder, f"{folder}/stock.conf", address)
    try:
        assert http.request(front.http, "/hello").body == b"hello\n"
        environ = json.loads(http.request(front.http, "/environ/a%20b?q=1").body)
        assert http.request(front.http, "/echo", "POST", body=b"x" * 99999).body == b"x" * 99999
    finally:
        front.end()
    assert (environ["PATH_INFO"], environ["SCRIPT_NAME"]) == ("/environ/a b", "")
    assert environ["QUERY_STRING"] == "q=1"


@pytest.mark.parametrize("socket", ["tcp", "unix"])
def test_apache_mod_proxy_scgi(start, started, folder, socket):
    if not os.path.exists("/usr/lib/apache2/modules/mod_proxy_scgi.so"):
        pytest.skip("Apache with mod_proxy_scgi is not installed")
    server = start("scgi-socket = {tcp}\nscgi-socket = {unix}\nchmod-socket = 666\nmodule = basic")
    to = f"scgi://{server.tcp}/" if socket == "tcp" else f"unix:{server.unix}|scgi://name/"
    front = apache(folder, to, "scgi")
    started.append(front)
    assert http.request(front.http, "/hello").body == b"hello\n"
    body = os.urandom(300000)
    assert http.request(front.http, "/echo", "POST", body=body).body == body
    assert http.request(front.http, "/ignore-body", "POST", body=body).status == 403
    environ = json.loads(http.request(front.http, "/environ/a%20b?q=1").body)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/environ/a b", "q=1")
