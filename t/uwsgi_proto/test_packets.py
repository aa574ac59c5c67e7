# SPDX-License-Identifier: MIT
"""The native protocol as web servers speak it, and what a hostile peer may send instead."""
import json
import os
import struct

import pytest

from lib import http, uwsgi
from lib.nginx import apache


def environ_of(served, **how):
    return json.loads(uwsgi.request(served.uwsgi, "/environ", **how).body)


def still_serves(served):
    assert uwsgi.request(served.uwsgi, "/hello").body == b"hello\n"


def test_variables_reach_the_application_as_they_are(served):
    environ = environ_of(served, extra=[("MY_OWN", "v"), ("SCRIPT_NAME", "/app"), ("EMPTY", "")])
    assert environ["MY_OWN"] == "v"
    assert environ["SCRIPT_NAME"] == "/app"
    assert environ["REMOTE_ADDR"] == "192.0.2.7"
    assert environ["SERVER_NAME"] == "server.test"
    assert environ["EMPTY"] == ""


def test_a_variable_of_bytes_arrives_as_latin1(served):
    assert environ_of(served, extra=[("RAW", b"\xff\xe9")])["RAW"] == "\xff\xe9"


def test_a_variable_given_twice_has_its_last_value(served):
    data = uwsgi.packet([("REQUEST_METHOD", "GET"), ("PATH_INFO", "/environ"), ("REQUEST_URI", "/"),
                         ("SERVER_PROTOCOL", "HTTP/1.1"), ("QUERY_STRING", ""),
                         ("SERVER_NAME", "a"), ("SERVER_PORT", "1"), ("TWICE", "first"),
                         ("TWICE", "last")])
    with http.Connection(served.uwsgi) as c:
        c.send(data)
        assert json.loads(c.read().body)["TWICE"] == "last"


def test_a_packet_without_a_method_is_no_request(served):
    """A web server whose configuration lacks `include uwsgi_params` sends such ones."""
    for data in (uwsgi.packet([]), uwsgi.packet([("PATH_INFO", "/hello")])):
        answer = http.raw(served.uwsgi, data)
        assert answer.startswith(b"HTTP/1.1 400 ") and b"no REQUEST_METHOD" in answer
    served.wait_log("with 400: it has no REQUEST_METHOD: does the web server pass CGI variables")
    still_serves(served)


@pytest.mark.parametrize("extra, scheme", [
    ([("UWSGI_SCHEME", "https")], "https"), ([("HTTPS", "on")], "https"),
    ([("HTTP_X_FORWARDED_PROTO", "https")], "https"), ([("HTTP_X_FORWARDED_SSL", "on")], "https"),
    ([("HTTP_X_FORWARDED_PROTO", "http"), ("HTTPS", "on")], "https"),
    ([("HTTP_X_FORWARDED_PROTO", "javascript")], "http"),
    ([("UWSGI_SCHEME", "http"), ("HTTP_X_FORWARDED_PROTO", "https")], "http"),
    ([("HTTPS", "1")], "https"), ([("HTTPS", "")], "http"), ([("HTTPS", "off")], "http"), ([], "http"),
])
def test_the_web_server_names_the_scheme(served, extra, scheme):
    assert environ_of(served, extra=extra)["wsgi.url_scheme"] == scheme


def test_the_connection_ends_with_the_response(served):
    response = uwsgi.request(served.uwsgi, "/hello")
    assert (response.status, response.body, response.trailing) == (200, b"hello\n", b"")


def test_a_response_of_unknown_length_is_not_chunked(served):
    response = uwsgi.request(served.uwsgi, "/big?n=100000")
    assert response.header("Transfer-Encoding") is None
    assert len(response.body) == 100000


def test_a_ping_is_answered(served):
    with http.Connection(served.uwsgi) as c:
        c.send(struct.pack("<BHB", 100, 0, 0))
        answer = c.read_all()
    assert len(answer) == 4 and answer[0] == 100 and answer[3] != 0


@pytest.mark.parametrize("modifier1", [5, 7, 9, 30])
def test_modifiers_that_web_servers_are_told_to_send_are_served_or_refused(served, modifier1):
    """5, 7 and 9 name other languages; 30 is the old way to mount an application."""
    with http.Connection(served.uwsgi) as c:
        c.send(bytes([modifier1]) + uwsgi.request_bytes("/hello")[1:])
        answer = c.read_all()
    assert answer.startswith(b"HTTP/1.1 200 ") or b"HTTP/1.1 5" in answer or \
        b"HTTP/1.1 4" in answer
    still_serves(served)


@pytest.mark.parametrize("name", ["UWSGI_FILE", "UWSGI_MODULE", "UWSGI_SCRIPT", "UWSGI_CALLABLE",
                                  "UWSGI_HOME", "UWSGI_PYHOME", "UWSGI_SETENV", "UWSGI_CHDIR",
                                  "UWSGI_APPID", "UWSGI_POSTFILE", "UWSGI_TOUCH_RELOAD"])
def test_variables_that_load_code_are_refused(served, folder, name):
    """An open uwsgi port must not be code execution."""
    loaded = f"{folder}/loaded"
    code = f"{folder}/evil.py"
    with open(code, "w", encoding="ascii") as f:
        f.write(f"open({loaded!r}, 'w')\ndef application(e, s):\n s('200 OK', [])\n return [b'evil']\n")
    response = uwsgi.request(served.uwsgi, "/hello", extra=[(name, code)])
    assert not os.path.exists(loaded)
    assert response.body != b"evil"
    if response.status == 200:
        environ = environ_of(served, extra=[(name, code)])
        assert name not in environ
    else:
        assert response.status in (400, 403)
    still_serves(served)


HEAD = struct.Struct("<BHB")
BROKEN = {
    "a name longer than the packet": HEAD.pack(0, 4, 0) + struct.pack("<H", 500) + b"ab",
    "a value longer than the packet": HEAD.pack(0, 7, 0) + struct.pack("<H1sH2s", 1, b"A", 999,
                                                                       b"ab"),
    "a name without a value": HEAD.pack(0, 3, 0) + struct.pack("<H1s", 1, b"A"),
    "one byte of a length": HEAD.pack(0, 1, 0) + b"A",
    "a size of 65535 in the name": HEAD.pack(0, 4, 0) + b"\xff\xff\xff\xff",
    "nothing at all": HEAD.pack(0, 0, 0),
    "an empty name": uwsgi.packet([("", "v")]),
    "no method": uwsgi.packet([("PATH_INFO", "/")]),
    "a length that is no number": uwsgi.request_bytes(
        "/echo", "POST", extra=[("CONTENT_LENGTH", "12x")]),
    "a negative length": uwsgi.request_bytes("/echo", "POST", extra=[("CONTENT_LENGTH", "-1")]),
    "a length beyond 64 bits": uwsgi.request_bytes("/echo", "POST",
                                                   extra=[("CONTENT_LENGTH", "9" * 30)]),
    "a NUL in a name": uwsgi.packet([("A\0B", "v")]),
    "bytes of a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_packet_is_refused_and_does_no_harm(served, name):
    with http.Connection(served.uwsgi) as c:
        c.send(BROKEN[name])
        c.finish_sending()
        answer = c.read_all()
    assert answer == b"" or answer[:9] == b"HTTP/1.1 " or answer[:9] == b"HTTP/1.0 "
    assert b"evil" not in answer
    still_serves(served)


def test_a_refused_packet_is_answered_with_a_status_and_logged(served):
    with http.Connection(served.uwsgi) as c:
        c.send(BROKEN["a name longer than the packet"])
        assert c.read_all()[9:12] == b"400"
    served.wait_log(r"refused.*400")


def test_http_on_a_uwsgi_socket_is_recognised_and_said(served):
    """The most common mistake of all: a browser or proxy_pass pointed at `socket`."""
    with http.Connection(served.uwsgi) as c:
        c.send(http.request_bytes("/hello"))
        answer = c.read_all()
    assert answer.startswith(b"HTTP/1."), answer[:200]
    assert answer[9:12] == b"400"
    assert b"uwsgi" in answer.lower() and b"http-socket" in answer
    served.wait_log(r"(?i)http.*(spoken|spoke|speaks|sent|request).*uwsgi|uwsgi.*(but|not).*HTTP")


def test_a_body_shorter_than_its_length_is_not_run(served):
    seen = len(served.log())
    with http.Connection(served.uwsgi) as c:
        c.send(uwsgi.request_bytes("/environ/cut-off", "POST",
                                   extra=[("CONTENT_LENGTH", "100")]) + b"only this")
        c.finish_sending()
        assert not c.read_all().startswith(b"HTTP/1.1 200")
    still_serves(served)
    assert "generated" not in "".join(line for line in served.log()[seen:].splitlines()
                                      if "cut-off" in line)


def test_a_packet_beyond_buffer_size_is_refused_with_431(start):
    server = start("socket = {uwsgi}\nmodule = basic\nbuffer-size = 4096")
    response = uwsgi.request(server.uwsgi, extra=[("BIG", "x" * 5000)])
    assert response.status == 431
    server.wait_log("431")
    assert uwsgi.request(server.uwsgi, extra=[("BIG", "x" * 2000)]).status == 200


def test_the_largest_packet_fits_the_default_buffer(served):
    size = 65535 - len(uwsgi.block([("BIG", "")])) - len(uwsgi.request_bytes("/hello")) + 4
    assert uwsgi.request(served.uwsgi, "/hello", extra=[("BIG", "x" * (size - 64))]).status == 200


@pytest.mark.parametrize("protocol, proxy", [("socket", "uwsgi_pass {front};"),
                                             ("fastcgi-socket", "fastcgi_pass {front};"),
                                             ("scgi-socket", "scgi_pass {front};"),
                                             ("http-socket", "proxy_pass http://{front};")])
def test_a_head_beyond_buffer_size_is_431_behind_nginx(start, nginx, protocol, proxy):
    server = start(protocol + " = {front}\nmodule = basic\nbuffer-size = 4096")
    front = nginx(listeners={"to": proxy.format(front=server.front)})
    assert http.request(front.to, headers=[("X-Big", "x" * 5000)]).status == 431
    assert http.request(front.to, headers=[("X-Big", "x" * 1000)]).status == 200


@pytest.mark.parametrize("protocol, proxy", [("socket", "uwsgi_pass {front};"),
                                             ("fastcgi-socket", "fastcgi_pass {front};"),
                                             ("scgi-socket", "scgi_pass {front};"),
                                             ("http-socket", "proxy_pass http://{front};")])
def test_a_body_beyond_limit_post_is_413_behind_nginx(start, nginx, protocol, proxy):
    server = start(protocol + " = {front}\nmodule = basic\nlimit-post = 100000")
    front = nginx(listeners={"to": proxy.format(front=server.front)})
    assert http.request(front.to, "/echo", "POST", body=b"x" * 3000000).status == 413
    assert http.request(front.to, "/echo", "POST", body=b"x" * 90000).status == 200


@pytest.mark.parametrize("socket", ["tcp", "unix"])
def test_apache_mod_proxy_uwsgi(start, started, folder, socket):
    if not os.path.exists("/usr/lib/apache2/modules/mod_proxy_uwsgi.so"):
        pytest.skip("Apache with mod_proxy_uwsgi is not installed")
    server = start("socket = {tcp}\nsocket = {unix}\nchmod-socket = 666\nmodule = basic")
    to = f"uwsgi://{server.tcp}/" if socket == "tcp" else f"unix:{server.unix}|uwsgi://name/"
    front = apache(folder, to)
    started.append(front)
    assert http.request(front.http, "/hello").body == b"hello\n"
    body = os.urandom(300000)
    assert http.request(front.http, "/echo", "POST", body=body).body == body
    assert http.request(front.http, "/ignore-body", "POST", body=body).status == 403
    environ = json.loads(http.request(front.http, "/environ/a%20b?q=1").body)
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/environ/a b", "q=1")
