# SPDX-License-Identifier: MIT
"""PEP 3333 from the application's side, the odd and the wrong included (t/apps/pep.py)."""
import json
import socket
import struct

import pytest

from lib import fastcgi, http, uwsgi

INI = """
http-socket = {http}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
module = pep
processes = 1
threads = 2
socket-timeout = 5
post-buffering = 4096
"""


@pytest.fixture(scope="module")
def server():
    from lib.starter import Starter, make_folder
    things, folders = [], []
    try:
        yield Starter(things, folders)(INI, folder=make_folder())
    finally:
        for thing in things:
            thing.end()


def ask(server, name, **how):
    return http.request(server.http, f"/{name}", **how)


class NewLog:
    """What the log says from now on."""

    def __init__(self, server):
        self.server, self.seen = server, len(server.log())

    def wait(self, pattern):
        from lib.wait import until
        import re
        return until(lambda: re.search(pattern, self.server.log()[self.seen:]),
                     f"{pattern!r} in {self.server.log()[self.seen:]!r}")


@pytest.fixture
def log(server):
    return NewLog(server)


# ---- iterables ----

@pytest.mark.parametrize("name, body", [
    ("list_of_two", b"onetwo"), ("generator", b"onetwo"), ("tuple_of_one", b"tuple"),
    ("bare_bytes", b"bare bytes"), ("empty_list", b""), ("own_length", b"onetwo"),
    ("write", b"one two three"), ("closing", b"onetwo"),
])
@pytest.mark.parametrize("speak", [http, uwsgi, fastcgi], ids=["http", "uwsgi", "fastcgi"])
def test_any_iterable_is_a_body(server, speak, name, body):
    address = server.names[speak.__name__.split(".")[-1]]
    response = speak.request(address, f"/{name}")
    assert (response.status, response.body) == (200, body)


def test_a_generator_may_start_the_response_late(server):
    response = ask(server, "late_start")
    assert (response.status, response.body) == (201, b"made")


def test_an_empty_body_has_length_0(server):
    assert ask(server, "empty_list").header("Content-Length") == "0"


@pytest.mark.parametrize("name", ["tuple_of_one", "bare_bytes"])
def test_one_known_block_gets_its_length(server, name):
    response = ask(server, name)
    assert response.header("Content-Length") == str(len(response.body))


def test_the_first_block_is_not_held_back_until_the_second(server):
    """write() and each item are to be sent before the application is asked for more."""
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/closing_endless"))
        assert c.read_head().status == 200
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_more_bytes_than_declared_are_not_sent(server, log):
    with http.Connection(server.http) as c:
        response = c.request("/too_long")
        assert response.body == b"one"
        try:
            assert c.request("/generator").body == b"onetwo"
        except (http.Closed, BrokenPipeError):
            pass


def test_fewer_bytes_than_declared_are_noticed_by_the_client(server):
    with http.Connection(server.http) as c:
        response = c.request("/too_short")
        assert (response.body, response.complete) == (b"one", False)


# ---- start_response ----

def test_exc_info_before_the_head_is_sent_replaces_it(server):
    response = ask(server, "exc_info_before")
    assert (response.status, response.reason) == (500, "Second Thoughts")
    assert response.header("X-Second") == "2" and response.header("X-First") is None
    assert response.body == b"replaced"


def test_exc_info_after_the_head_is_sent_is_raised(server):
    assert ask(server, "exc_info_after").body == b"sent raised too late"


def test_starting_twice_without_exc_info_raises(server):
    response = ask(server, "start_twice")
    assert response.body in (b"AssertionError", b"RuntimeError", b"TypeError", b"OSError")


@pytest.mark.parametrize("name", [
    "cr", "lf", "nul", "name-lf", "name-colon", "name-empty", "value-bytes", "value-int",
    "value-wide", "status-lf", "status-int", "status-word", "status-bytes", "headers-none",
    "headers-text", "headers-short"])
def test_a_wrong_status_or_header_is_a_500_and_a_log_line(server, log, name):
    response = ask(server, name)
    assert response.status == 500
    assert b"should not be seen" not in response.body
    assert response.header("Set-Cookie") is None
    log.wait(r"(?i)(header|status)")


def test_a_latin1_header_is_sent_as_its_bytes(server):
    assert ask(server, "latin_header").header("X-Name") == "caf\xe9"


# ---- what goes wrong ----

@pytest.mark.parametrize("name, said", [
    ("str_item", "str"), ("returns_none", "None"), ("returns_number", "int"),
    ("no_start", "start_response"), ("closing_str", "str")])
def test_a_wrong_response_is_a_500_and_a_clear_log_line(server, log, name, said):
    assert ask(server, name).status == 500
    log.wait(said)


@pytest.mark.parametrize("speak", [http, uwsgi, fastcgi], ids=["http", "uwsgi", "fastcgi"])
def test_an_exception_is_a_traceback_and_a_500(server, log, speak):
    address = server.names[speak.__name__.split(".")[-1]]
    response = speak.request(address, "/raises")
    assert response.status == 500
    assert b"on purpose" not in response.body
    log.wait(r'Traceback \(most recent call last\):\n(.*\n)*.*File ".*pep.py", line \d+')
    log.wait(r"KeyError: 'on purpose'")


def test_the_connection_serves_on_after_a_500(server):
    with http.Connection(server.http) as c:
        assert c.request("/raises").status == 500
        assert c.request("/generator").body == b"onetwo"


def test_system_exit_is_an_exception_of_the_request(server, log):
    assert ask(server, "raises_exit").status == 500
    log.wait("SystemExit")
    assert ask(server, "generator").body == b"onetwo"


def test_an_exception_after_the_first_chunk_cuts_the_connection(server, log):
    with http.Connection(server.http) as c:
        response = c.request("/raises_after_chunk")
        assert (response.status, response.body, response.complete) == (200, b"one", False)
        assert c.is_closed()
    log.wait("after the first chunk")


def test_an_exception_after_the_first_chunk_on_fastcgi_is_no_clean_end(server, log):
    with fastcgi.Connection(server.fastcgi) as c:
        response = c.request("/raises_after_chunk")
        assert response.body == b"one"
        assert response.end is None or response.end[0] != 0
    log.wait("after the first chunk")


# ---- close ----

@pytest.mark.parametrize("name", ["closing", "closing_no_body", "closing_raises",
                                  "closing_raises_first", "closing_str"])
def test_close_is_always_called(server, log, name):
    ask(server, name)
    log.wait(f"closed {name}")


def test_close_is_called_for_head(server, log):
    ask(server, "closing", method="HEAD")
    log.wait("closed closing")


@pytest.mark.parametrize("speak", [http, uwsgi, fastcgi], ids=["http", "uwsgi", "fastcgi"])
def test_close_is_called_when_the_client_has_gone(server, log, speak):
    address = server.names[speak.__name__.split(".")[-1]]
    with http.Connection(address) as c:
        c.send(speak.request_bytes("/closing_endless"))
        c.socket.recv(1000)
    log.wait("closed closing_endless")


def test_a_client_that_has_gone_is_no_traceback(server, log):
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/closing_endless"))
        c.socket.recv(1000)
    log.wait("closed closing_endless")
    ask(server, "generator")
    assert "Traceback" not in server.log()[log.seen:]


# ---- wsgi.file_wrapper ----

FILE = (b"0123456789" * 20000)[10:]


@pytest.mark.parametrize("speak", [http, uwsgi, fastcgi], ids=["http", "uwsgi", "fastcgi"])
@pytest.mark.parametrize("name, body", [
    ("file_wrapper", FILE), ("file_wrapper_length", FILE[:20]),
    ("file_wrapper_memory", (b"0123456789" * 2000)[5:]), ("file_wrapper_closes", b"noisy"),
    ("file_wrapper_iterated", b"iterated")], ids=lambda v: v if isinstance(v, str) else "")
def test_file_wrapper(server, speak, name, body):
    address = server.names[speak.__name__.split(".")[-1]]
    response = speak.request(address, f"/{name}")
    assert (response.status, response.body) == (200, body)


def test_file_wrapper_closes_what_it_wraps(server, log):
    ask(server, "file_wrapper_closes")
    log.wait("closed noisy file")


def test_file_wrapper_for_head_sends_nothing(server):
    response = ask(server, "file_wrapper_length", method="HEAD")
    assert (response.status, response.body, response.header("Content-Length")) == (200, b"", "20")


# ---- wsgi.input ----

SMALL = b"first\nsecond line\n\nlast without end"
LARGE = SMALL + b"\n" + b"x" * 5000 + b"\n" + b"y" * 9000 + b"\nend"


def expected(way, body):
    lines = body.splitlines(keepends=True)
    return {
        "read": [body, b"", b""], "read-minus": [body, b""], "read-none": [body],
        "read-sizes": [body[:1], b"", body[1:4], body[4:], b""],
        "readline": [*lines, b""],
        "readline-size": [body[:2], lines[0][2:], b"", lines[1]],
        "readlines": [*lines, b""],
        "iterate": lines,
        "mixed": [lines[0], lines[1][:2], lines[1][2:], *lines[2:]],
    }[way]


@pytest.mark.parametrize("coding", ["length", "chunked", "uwsgi", "fastcgi"])
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["memory", "spooled"])
@pytest.mark.parametrize("way", ["read", "read-minus", "read-none", "read-sizes", "readline",
                                 "readline-size", "readlines", "iterate", "mixed"])
def test_wsgi_input(server, way, body, coding):
    target = f"/input_ways?{way}"
    if coding == "uwsgi":
        response = uwsgi.request(server.uwsgi, target, "POST", body=body)
    elif coding == "fastcgi":
        response = fastcgi.request(server.fastcgi, target, "POST", body=body)
    elif coding == "chunked":
        response = http.request(server.http, target, "POST", [("Transfer-Encoding", "chunked")],
                                http.chunked(body[:7], body[7:6000] or b"-", body[6000:] or b"-")
                                if len(body) > 6000 else http.chunked(body[:7], body[7:]))
    else:
        response = http.request(server.http, target, "POST", body=body)
    got = [g.encode("latin-1") for g in json.loads(response.body)]
    assert got == expected(way, body)


def test_readlines_with_a_hint_may_stop_early_and_loses_nothing(server):
    response = http.request(server.http, "/input_ways?readlines-hint", "POST", body=SMALL)
    got = [g.encode("latin-1") for g in json.loads(response.body)]
    assert b"".join(got) == SMALL


def test_wsgi_input_of_a_get_is_empty(server):
    assert json.loads(ask(server, "input_ways?read").body) == ["", "", ""]


def test_wsgi_errors_is_the_log(server, log):
    assert ask(server, "errors").body == b"said"
    log.wait("said to wsgi.errors\nline one\nline two\n")


def test_threads_of_the_application_run(server):
    assert ask(server, "other_thread").body == b"ran"


# ---- the module uwsgi ----

def test_import_uwsgi_works_in_the_application(server):
    known = json.loads(ask(server, "uwsgi_module").body)
    assert known["numproc"] == 1 and known["worker_id"] == 1
    assert known["masterpid"] == server.pid
    assert known["opt"]["module"] == "pep"
    assert known["opt"]["post-buffering"] == "4096"
    assert known["version"]


def test_uwsgi_log_writes_a_line(server, log):
    ask(server, "uwsgi_log")
    log.wait(r"(?m)said through uwsgi.log$")


# ---- environ ----

@pytest.fixture
def environ(served):
    return json.loads(http.request(served.http, "/environ/x?q=1", "POST",
                                   [("Content-Type", "text/x")], b"body").body)


@pytest.mark.parametrize("key, value", [
    ("REQUEST_METHOD", "POST"), ("SCRIPT_NAME", ""), ("PATH_INFO", "/environ/x"),
    ("QUERY_STRING", "q=1"), ("CONTENT_TYPE", "text/x"), ("CONTENT_LENGTH", "4"),
    ("SERVER_PROTOCOL", "HTTP/1.1"), ("REQUEST_URI", "/environ/x?q=1"), ("HTTP_HOST", "t"),
    ("wsgi.version", [1, 0]), ("wsgi.url_scheme", "http"), ("wsgi.multithread", True),
    ("wsgi.multiprocess", True), ("wsgi.run_once", False), ("wsgi.input_terminated", True)])
def test_environ_of_an_http_request(environ, key, value):
    assert environ[key] == value


def test_environ_names_both_ends(environ, served):
    host, port = served.http.rsplit(":", 1)
    assert environ["SERVER_PORT"] == port
    assert environ["SERVER_NAME"]
    assert environ["REMOTE_ADDR"].startswith("127.")
    assert environ["REMOTE_PORT"].isdigit()


def test_environ_has_the_objects_of_wsgi(environ):
    for key in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper"):
        assert environ[key].startswith("<")


def test_one_process_and_one_thread_are_said(start):
    server = start("http-socket = {http}\nmodule = basic\nprocesses = 1\nthreads = 1")
    environ = json.loads(http.request(server.http, "/environ").body)
    assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"]) == (False, False)


@pytest.mark.parametrize("speak", [http, uwsgi, fastcgi], ids=["http", "uwsgi", "fastcgi"])
def test_wsgiref_validates_server_and_application(start, speak):
    server = start("http-socket = {http}\nsocket = {uwsgi}\nfastcgi-socket = {fastcgi}\n"
                   "module = validated")
    address = server.names[speak.__name__.split(".")[-1]]
    for how in ({}, {"method": "POST", "body": b"0123456789abc"}):
        response = speak.request(address, "/a%20b?x", **how)
        assert (response.status, response.body) == (200, b"valid\n"), server.log()
    assert "Warning" not in server.log()
