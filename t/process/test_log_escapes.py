# SPDX-License-Identifier: MIT
"""No words of a client forge a line of the log, move the cursor or turn the order of letters,
whichever line of the server quotes them."""
import re

import pytest

from lib import fastcgi, http, scgi, uwsgi

SOCKETS = ("socket = {uwsgi}\nfastcgi-socket = {fastcgi}\nscgi-socket = {scgi}\n"
           "http-socket = {http}\nmodule = basic\n")
# CSI in C1, NEL, a line separator, right-to-left override and isolate, a byte that is no UTF-8.
DECEIT = b"\xc2\x9b31m\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xff"
CONTROLS = b"\n\x1b[31m\x7f" + DECEIT
DECEPTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def assert_harmless(server, mark, count):
    """The log says mark that often, each time behind the escapes, and nothing deceives."""
    server.stop()
    with open(server.log_path, "rb") as f:
        log = f.read().decode()
    assert not DECEPTIVE.search(log), log
    assert len(re.findall(r"(?m)^.+" + mark, log)) == count, log


@pytest.mark.parametrize("form", ["", "log-format = %(method) %(uri) %(user) %(addr) %(uagent)\n",
                                  'log-format = {{"u": "%(uri)", "m": "%(method)", "a": "%(addr)", '
                                  '"g": "%(uagent)", "user": "%(user)"}}\n'],
                         ids=["default", "plain", "quoted"])
def test_the_line_of_a_request(start, form):
    server = start(SOCKETS + form)
    words = CONTROLS + b"mark"
    extra = [("REQUEST_URI", b"/" + words), ("REQUEST_METHOD", b"GET" + CONTROLS),
             ("REMOTE_USER", CONTROLS), ("REMOTE_ADDR", CONTROLS), ("HTTP_USER_AGENT", CONTROLS),
             ("SERVER_PROTOCOL", CONTROLS)]
    uwsgi.request(server.uwsgi, "/hello", extra=extra)
    fastcgi.request(server.fastcgi, "/hello", extra=extra)
    scgi.request(server.scgi, "/hello", extra=extra)
    with http.Connection(server.http) as c:
        c.send(b"GET /" + DECEIT + b"mark HTTP/1.1\r\nHost: t\r\nUser-Agent: " + DECEIT + b"\r\n\r\n")
        assert c.read_head().status == 200
    assert_harmless(server, "mark", 4)


def test_the_line_above_a_traceback(start):
    server = start(SOCKETS)
    answer = uwsgi.request(server.uwsgi, "/status", extra=[
        ("REQUEST_METHOD", b"GET" + CONTROLS), ("REQUEST_URI", b"/" + CONTROLS + b"mark")])
    assert answer.status == 500
    assert_harmless(server, r"mark( =>.*|:)$", 2)


@pytest.mark.parametrize("path, more", [("/raise", b"\0"), ("/uwsgi-log", b"")])
def test_words_of_the_client_that_the_application_passes_on(start, path, more):
    """In the message of an exception that it raises, in uwsgi.log(): both are lines of the server."""
    server = start(SOCKETS.replace("basic", "logged") + "disable-logging = true\n")
    uwsgi.request(server.uwsgi, path, extra=[
        ("HTTP_USER_AGENT", CONTROLS.replace(b"\n", b"") + more + b"mark")])
    assert_harmless(server, "mark", 1)


def test_the_line_of_a_router_that_finds_nobody(start):
    server = start("http = {http}\nhttp-to = {here}/nobody.sock\nmodule = basic\n")
    with http.Connection(server.http) as c:
        c.send(b"GET /" + DECEIT + b"mark HTTP/1.1\r\nHost: t\r\n\r\n")
        assert c.read_head().status == 502
    assert_harmless(server, "mark: there is no server", 1)
