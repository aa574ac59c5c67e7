# SPDX-License-Identifier: MIT
"""What holds on every protocol, directly and behind nginx, over TCP and UNIX sockets."""
import hashlib
import json

import pytest

MIB = 1 << 20


def body_of(size):
    """Bytes without a period, so that a lost or doubled block shows."""
    blocks = (hashlib.sha256(b"%d" % i).digest() for i in range(size // 32 + 1))
    return b"".join(blocks)[:size]


BIG_BODY = body_of(16 * MIB)


def test_hello(way):
    response = way.request("/hello")
    assert (response.status, response.body) == (200, b"hello\n")
    assert response.header("Content-Type") == "text/plain"
    assert response.complete


def test_content_length_is_added_to_a_body_of_one_known_block(direct):
    assert direct.request("/hello").header("Content-Length") == "6"


def test_head_has_the_headers_and_no_body(way):
    response = way.request("/hello", "HEAD")
    assert (response.status, response.body) == (200, b"")
    assert response.header("Content-Type") == "text/plain"


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_a_status_without_body_has_none(way, line):
    response = way.request("/status?line=" + line.replace(" ", "+"))
    assert (response.status, response.body) == (int(line[:3]), b"")
    assert response.header("Transfer-Encoding") is None


def test_a_204_says_no_content_length(direct):
    assert direct.request("/status?line=204+No+Content").header("Content-Length") is None


@pytest.mark.parametrize("line", ["200 OK", "201 Created", "404 Not Found", "418 I'm a teapot",
                                  "500 Internal Server Error", "599 Odd"])
def test_status_line_reaches_the_client(way, line):
    response = way.request("/status?line=" + line.replace(" ", "+"))
    assert response.status == int(line[:3])
    assert (response.reason or line[4:]) == line[4:]


def test_headers_keep_their_order_and_repetition(way):
    response = way.request("/status?line=200+OK")
    assert response.header("X-One") == "1"
    assert response.all("X-Two") == ["a", "b"]


def test_query_and_path_reach_the_application(way):
    environ = json.loads(way.request("/environ/a%20b/c?x=1&y=%41").body)
    assert environ["PATH_INFO"] == "/environ/a b/c"
    assert environ["QUERY_STRING"] == "x=1&y=%41"
    assert environ["REQUEST_URI"] == "/environ/a%20b/c?x=1&y=%41"
    assert environ.get("SCRIPT_NAME", "") == ""


def test_a_path_in_utf8_arrives_as_latin1_view_of_its_bytes(way):
    environ = json.loads(way.request("/caf%C3%A9").body)
    assert environ["PATH_INFO"] == "/caf\xc3\xa9"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/caf\u00e9"


def test_request_headers_reach_the_application(way):
    environ = json.loads(way.request("/environ", headers=[("X-Some-Thing", "a, b"),
                                                          ("Cookie", "k=v; l=w")]).body)
    assert environ["HTTP_X_SOME_THING"] == "a, b"
    assert environ["HTTP_COOKIE"] == "k=v; l=w"


def test_a_form_post_arrives(way):
    response = way.request("/echo", "POST", [("Content-Type", "text/x-form")], b"a=1&b=2")
    assert response.body == b"a=1&b=2"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, MIB])
def test_a_body_comes_back_byte_for_byte(way, size):
    response = way.request("/echo", "POST", body=BIG_BODY[:size])
    assert response.status == 200
    assert response.body == BIG_BODY[:size]


@pytest.mark.seconds(120)
def test_a_body_of_16_mib_comes_back_byte_for_byte(way):
    response = way.request("/echo", "POST", body=BIG_BODY)
    assert len(response.body) == len(BIG_BODY)
    assert response.body == BIG_BODY


def test_a_response_of_unknown_length_is_whole(way):
    response = way.request("/big?n=1000001")
    assert (len(response.body), response.complete) == (1000001, True)


def test_an_unread_body_does_not_spoil_the_answer(way):
    response = way.request("/ignore-body", "POST", body=BIG_BODY[:300000])
    assert (response.status, response.body) == (403, b"not read")


def test_a_method_of_any_name_reaches_the_application(way):
    environ = json.loads(way.request("/environ", "PROPFIND").body)
    assert environ["REQUEST_METHOD"] == "PROPFIND"


def test_many_headers_reach_the_application(way):
    headers = [(f"X-H{i}", "v" * 200) for i in range(100)]
    environ = json.loads(way.request("/environ", headers=headers).body)
    assert all(environ[f"HTTP_X_H{i}"] == "v" * 200 for i in range(100))
