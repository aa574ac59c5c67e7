# SPDX-License-Identifier: MIT
"""Where one request ends and the next begins: keep-alive, pipelining, chunks, Expect, and what
is refused because two readers could understand it differently (RFC 9112)."""
import json
import socket

import pytest

from lib import http, uwsgi

HELLO = http.request_bytes("/hello")


@pytest.fixture
def client(served):
    with http.Connection(served.http) as c:
        yield c


def test_a_connection_is_kept_by_default(client):
    for _ in range(5):
        assert client.request("/hello").body == b"hello\n"


def test_a_connection_is_kept_after_a_body_and_after_a_chunked_response(client):
    assert client.request("/echo", "POST", body=b"x" * 100000).body == b"x" * 100000
    assert len(client.request("/big?n=200000").body) == 200000
    assert client.request("/hello", "HEAD").status == 200
    assert client.request("/status?line=204+No+Content").status == 204
    assert client.request("/hello").body == b"hello\n"


def test_connection_close_is_obeyed_and_said(client):
    response = client.request("/hello", headers=[("Connection", "close")])
    assert response.header("Connection").lower() == "close"
    assert client.is_closed()


def test_http_1_0_closes_after_one_response(client):
    assert client.request("/hello", version="1.0").body == b"hello\n"
    assert client.is_closed()


def test_http_1_0_may_ask_to_keep_the_connection(client):
    response = client.request("/hello", headers=[("Connection", "keep-alive")], version="1.0")
    if (response.header("Connection") or "").lower() == "keep-alive":
        assert client.request("/hello", version="1.0").body == b"hello\n"
    assert client.is_closed()


def test_a_1_0_client_gets_no_chunks(served):
    response = http.request(served.http, "/big?n=100000", version="1.0")
    assert response.header("Transfer-Encoding") is None
    assert len(response.body) == 100000


def test_a_1_1_client_gets_chunks_when_the_length_is_unknown(client):
    response = client.request("/big?n=100000")
    assert response.header("Transfer-Encoding") == "chunked"
    assert response.header("Content-Length") is None
    assert len(response.body) == 100000


def test_http_1_0_needs_no_host(served):
    assert http.request(served.http, "/hello", version="1.0", host=None).status == 200


def test_pipelined_requests_are_answered_in_order(client):
    client.send(b"".join(http.request_bytes(f"/environ?n={i}") for i in range(20)))
    for i in range(20):
        assert json.loads(client.read().body)["QUERY_STRING"] == f"n={i}"


def test_pipelined_bodies_are_kept_apart(client):
    client.send(http.request_bytes("/echo", "POST", body=b"first") +
                http.request_bytes("/echo", "POST", [("Transfer-Encoding", "chunked")],
                                   http.chunked(b"sec", b"ond")) +
                http.request_bytes("/echo", "POST", body=b"third"))
    assert [client.read().body for _ in range(3)] == [b"first", b"second", b"third"]


def test_empty_lines_before_a_request_are_skipped(client):
    client.send(b"\r\n\r\n" + HELLO)
    assert client.read().body == b"hello\n"


def test_a_client_that_half_closes_is_answered(client):
    client.send(HELLO)
    client.finish_sending()
    assert client.read().body == b"hello\n"
    assert client.is_closed()


# ---- bodies ----

@pytest.mark.parametrize("chunks", [[], [b"a"], [b"hello ", b"world"], [b"x" * 70000, b"y"],
                                    [b"z" * 10] * 1000])
def test_a_chunked_body_arrives_whole(client, chunks):
    response = client.request("/echo", "POST", [("Transfer-Encoding", "chunked")],
                              http.chunked(*chunks))
    assert response.body == b"".join(chunks)


def test_chunk_extensions_and_trailers_are_read_over(client):
    body = b"5;name=value\r\nhello\r\n5 ; q=\"a\"\r\nworld\r\n0\r\nX-Trailer: t\r\nX-More: u\r\n\r\n"
    response = client.request("/echo", "POST", [("Transfer-Encoding", "chunked")], body)
    assert response.body == b"helloworld"
    assert client.request("/hello").status == 200


def test_a_chunked_body_ends_for_the_application(client):
    environ = json.loads(client.request("/environ", "POST", [("Transfer-Encoding", "chunked")],
                                        http.chunked(b"abc")).body)
    assert environ["wsgi.input_terminated"] is True
    assert environ.get("CONTENT_LENGTH") in (None, "", "3")


def test_expect_continue_is_answered_before_the_body(client):
    client.send(http.request_bytes("/echo", "POST", [("Expect", "100-continue"),
                                                     ("Content-Length", "4")]))
    assert client.read_head().status == 100
    client.send(b"body")
    assert client.read().body == b"body"


def test_expect_continue_is_silent_when_the_body_is_there(client):
    client.send(http.request_bytes("/echo", "POST", [("Expect", "100-continue"),
                                                     ("Content-Length", "4")], b"body"))
    first = client.read_head()
    if first.status == 100:
        first = client.read_head()
    assert client.read_body(first).body == b"body"


def test_expect_continue_of_a_chunked_body(client):
    client.send(http.request_bytes("/echo", "POST", [("Expect", "100-Continue"),
                                                     ("Transfer-Encoding", "chunked")]))
    assert client.read_head().status == 100
    client.send(http.chunked(b"body"))
    assert client.read().body == b"body"


def test_a_1_0_client_is_not_told_to_continue(client):
    client.send(http.request_bytes("/echo", "POST", [("Expect", "100-continue")], b"body", "1.0"))
    assert client.read().status == 200


# ---- what is refused ----

def head(*lines, request_line="POST /echo HTTP/1.1"):
    return "\r\n".join([request_line, "Host: t", *lines, "", ""]).encode("latin-1")


AMBIGUOUS = {
    "length beside chunked": head("Content-Length: 5", "Transfer-Encoding: chunked") +
    b"0\r\n\r\n",
    "chunked beside length": head("Transfer-Encoding: chunked", "Content-Length: 5") +
    b"0\r\n\r\n",
    "two different lengths": head("Content-Length: 5", "Content-Length: 6") + b"123456",
    "a list of different lengths": head("Content-Length: 5, 6") + b"123456",
    "a plus sign": head("Content-Length: +5") + b"12345",
    "a minus sign": head("Content-Length: -5") + b"12345",
    "a hexadecimal length": head("Content-Length: 0x5") + b"12345",
    "a length with a blank inside": head("Content-Length: 1 2") + b"123456789012",
    "an empty length": head("Content-Length:"),
    "a length beyond 64 bits": head("Content-Length: 99999999999999999999999999"),
    "a length of 2**64 + 5": head(f"Content-Length: {2 ** 64 + 5}") + b"12345",
    "chunked twice": head("Transfer-Encoding: chunked, chunked") + b"0\r\n\r\n",
    "chunked in two fields": head("Transfer-Encoding: chunked", "Transfer-Encoding: chunked") +
    b"0\r\n\r\n",
    "chunked not last": head("Transfer-Encoding: chunked, identity") + b"0\r\n\r\n",
    "an encoding in quotes": head('Transfer-Encoding: "chunked"') + b"0\r\n\r\n",
    "an encoding with a vertical tab": head("Transfer-Encoding: \x0bchunked") + b"0\r\n\r\n",
    "chunked in HTTP/1.0": head("Transfer-Encoding: chunked",
                                request_line="POST /echo HTTP/1.0") + b"0\r\n\r\n",
    "a blank before the colon": head("Content-Length : 5") + b"12345",
    "a tab before the colon": head("Transfer-Encoding\t: chunked") + b"0\r\n\r\n",
    "a folded line": head("X-One: a", " b"),
    "a folded first line": b"GET / HTTP/1.1\r\n Host: t\r\n\r\n",
    "a line without a colon": head("X-One"),
    "an empty name": head(": value"),
    "a bare CR in a value": head("X-One: a\rX-Two: b"),
    "a bare CR in the request line": b"GET /\rx HTTP/1.1\r\nHost: t\r\n\r\n",
    "a NUL in a value": head("X-One: a\0b"),
    "a NUL in a name": head("X\0One: a"),
    "a NUL in the target": b"GET /a\0b HTTP/1.1\r\nHost: t\r\n\r\n",
    "a name in brackets": head("X(One): a"),
    "two hosts": head("Host: u"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a blank too many in the request line": b"GET  / HTTP/1.1\r\nHost: t\r\n\r\n",
    "a control character in the target": b"GET /\x01 HTTP/1.1\r\nHost: t\r\n\r\n",
    "no version": b"GET /\r\nHost: t\r\n\r\n",
    "a version that is none": b"GET / HTPP/1.1\r\nHost: t\r\n\r\n",
    "a version with two digits": b"GET / HTTP/1.10\r\nHost: t\r\n\r\n",
    "a chunk size with a sign": head("Transfer-Encoding: chunked") + b"+5\r\nhello\r\n0\r\n\r\n",
    "a chunk size with a prefix": head("Transfer-Encoding: chunked") +
    b"0x5\r\nhello\r\n0\r\n\r\n",
    "a chunk size that is none": head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
    "an empty chunk size": head("Transfer-Encoding: chunked") + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": head("Transfer-Encoding: chunked") +
    b"1ffffffffffffffff\r\nhello\r\n",
    "a chunk longer than it said": head("Transfer-Encoding: chunked") +
    b"3\r\nhello\r\n0\r\n\r\n",
}
SMUGGLED = http.request_bytes("/environ/smuggled")


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_framing_is_refused_and_the_connection_closed(served, name):
    """What stands behind the bad request must never be run as another one."""
    answer = http.raw(served.http, AMBIGUOUS[name] + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 "), answer[:300]
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"smuggled" not in answer


@pytest.mark.parametrize("coding", ["gzip, chunked", "xchunked", "identity"])
def test_an_unknown_transfer_coding_is_refused(served, coding):
    answer = http.raw(served.http, head(f"Transfer-Encoding: {coding}") + b"0\r\n\r\n" + SMUGGLED)
    assert answer[9:12] in (b"400", b"501")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_the_same_length_twice_is_refused_or_read_as_one(served):
    """RFC 9112, section 6.3 leaves both open; guessing is neither."""
    answer = http.raw(served.http, head("Content-Length: 5", "Content-Length: 5",
                                        "Connection: close") + b"hello")
    assert answer.startswith(b"HTTP/1.1 400 ") or answer.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("version", ["2.0", "3.0", "0.9"])
def test_another_major_version_is_refused(served, version):
    answer = http.raw(served.http, f"GET / HTTP/{version}\r\nHost: t\r\n\r\n".encode())
    assert answer[9:12] in (b"400", b"505")


def test_a_refusal_says_that_the_connection_ends(served):
    answer = http.raw(served.http, AMBIGUOUS["two hosts"]).lower()
    assert b"\r\nconnection: close\r\n" in answer


def test_a_refusal_is_logged_with_its_reason(served):
    http.raw(served.http, head("Content-Length: +77") + b"x")
    served.wait_log(r"400.*[Ll]ength")


def test_names_with_an_underscore_are_dropped(client):
    environ = json.loads(client.request("/environ", headers=[
        ("X-Real", "dash"), ("X_Real", "underscore"), ("Content_Length", "99"),
        ("X_Alone", "a")]).body)
    assert environ["HTTP_X_REAL"] == "dash"
    assert "HTTP_X_ALONE" not in environ
    assert environ.get("CONTENT_LENGTH") in (None, "")


# ---- targets ----

def environ_of(served, target, method="GET", **how):
    return json.loads(http.request(served.http, target, method, **how).body)


@pytest.mark.parametrize("target, path", [
    ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/../../x", "/x"), ("/a%2fb", "/a/b"), ("/u/a%2f..%2fb", "/u/b"),
    ("/u/..%2f%2e%2e/../etc", "/etc"),
    ("/%61bc", "/abc"), ("/a/b/..", "/a/"), ("/a/b/.", "/a/b/"), ("/a//b", "/a//b"),
    ("/a%20b", "/a b"), ("/%E2%82%AC", "\xe2\x82\xac"), ("/a;b=c", "/a;b=c"), ("/a+b", "/a+b"),
    ("/%2e%2e/x", "/x"), ("/a/%2e%2e/b", "/b"),
])
def test_path_info_is_decoded_and_its_dot_segments_removed(served, target, path):
    environ = environ_of(served, target)
    assert environ["PATH_INFO"].lstrip("/") == path.lstrip("/")
    assert environ["REQUEST_URI"] == target


def test_absolute_form_gives_host_and_path(served):
    environ = environ_of(served, "http://other.test/x?y=1")
    assert environ["PATH_INFO"] == "/x"
    assert environ["QUERY_STRING"] == "y=1"
    assert environ["HTTP_HOST"] == "other.test"


def test_asterisk_form_of_options(served):
    response = http.request(served.http, "*", "OPTIONS")
    assert response.status == 200
    assert json.loads(response.body)["REQUEST_METHOD"] == "OPTIONS"


def test_a_target_that_is_no_form_is_refused(served):
    assert http.request(served.http, "hello").status == 400


@pytest.mark.parametrize("target", ["/%", "/%4", "/%zz", "/%00"])
def test_a_broken_percent_sign_is_no_crash(served, target):
    assert http.request(served.http, target).status in (200, 400)


# ---- limits ----

def test_a_head_beyond_buffer_size_is_answered_431(served):
    with http.Connection(served.http) as c:
        c.send(http.request_bytes("/hello", headers=[("X-Big", "x" * 70000)]))
        assert c.read().status == 431
        assert c.is_closed()


def test_an_endless_head_is_answered_431_before_it_ends(served):
    with http.Connection(served.http) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: t\r\n" + b"X: " + b"y" * 80000)
        assert c.read().status == 431


def test_an_endless_request_line_is_refused(served):
    with http.Connection(served.http) as c:
        c.send(b"GET /" + b"y" * 80000)
        assert c.read().status in (414, 431)


def test_a_head_just_below_buffer_size_is_served(served):
    assert http.request(served.http, headers=[("X-Big", "x" * 60000)]).status == 200


@pytest.mark.parametrize("size", [1000, 4096])
def test_buffer_size_is_exact(start, size):
    """And the answer does not wait for the end of a head that is too long already."""
    server = start("http-socket = {http}\nhttp = {router}\nsocket = {uwsgi}\nmodule = basic\n"
                   f"buffer-size = {size}")
    base = len(http.request_bytes("/hello?", headers=[("Connection", "close")]))
    for address in server.http, server.router:
        most = "/hello?" + "x" * (size - base)
        assert http.request(address, most).body == b"hello\n"
        assert http.request(address, most + "x").status == 431
        with http.Connection(address) as c:
            c.send(b"GET /hello HTTP/1.1\r\nHost: t\r\nX: ".ljust(size, b"x"))
            assert c.read().status == 431
    base = len(uwsgi.request_bytes("/hello", extra=[("X", "")])) - 4
    assert uwsgi.request(server.uwsgi, "/hello", extra=[("X", "y" * (size - base))]).status == 200
    assert uwsgi.request(server.uwsgi, "/hello",
                         extra=[("X", "y" * (size - base + 1))]).status == 431


def test_an_error_before_the_body_was_read_reaches_the_client(start):
    """Without lingering, the unread body would make the kernel reset the connection: a client
    that sends first and reads then would see EPIPE and never the status."""
    server = start("http-socket = {http}\nmodule = basic\nlimit-post = 1000")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", [("Content-Length", "500000")]))
        c.socket.recv(1, socket.MSG_PEEK)
        for _ in range(50):
            c.send(b"x" * 10000)
        response = c.read()
    assert response.status == 413


def test_a_body_of_gigabytes_is_refused_before_it_comes(start):
    """Without limit-post, which the log says; and what no disk holds although it is allowed."""
    server = start("http-socket = {http}\nmodule = basic")
    assert "request bodies may have up to 1 GiB" in server.log()
    for config, length, status in ("", 2**30 + 1, 413), ("limit-post = 0", 10**17, 507):
        server = start("http-socket = {http}\nmodule = basic\n" + config)
        with http.Connection(server.http) as c:
            c.send(http.request_bytes("/echo", "POST", [("Content-Length", str(length)),
                                                        ("Expect", "100-continue")]))
            assert c.read().status == status


def test_limit_post_refuses_chunked_bodies_as_they_grow(start):
    server = start("http-socket = {http}\nmodule = basic\nlimit-post = 1000")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", [("Transfer-Encoding", "chunked")],
                                  http.chunked(b"x" * 900, b"y" * 900)))
        assert c.read().status == 413
        assert c.is_closed()
    assert http.request(server.http, "/echo", "POST", body=b"z" * 1000).body == b"z" * 1000
