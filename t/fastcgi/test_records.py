# SPDX-License-Identifier: MIT
"""FastCGI, responder role: records in every order and shape that the specification allows, and
some that it does not."""
import json
import struct

import pytest

from lib import fastcgi, http


def still_serves(served):
    assert fastcgi.request(served.fastcgi, "/hello").body == b"hello\n"


@pytest.fixture
def client(served):
    with fastcgi.Connection(served.fastcgi) as c:
        yield c


def test_a_request_is_answered_and_completed(client):
    response = client.request("/hello")
    assert (response.status, response.body) == (200, b"hello\n")
    assert response.end == (0, fastcgi.REQUEST_COMPLETE)
    assert client.is_closed()


def test_keep_conn_keeps_the_connection(client):
    for i in range(5):
        response = client.request(f"/environ?n={i}", keep=True)
        assert json.loads(response.body)["QUERY_STRING"] == f"n={i}"
    assert client.request("/hello", keep=False).body == b"hello\n"
    assert client.is_closed()


def test_keep_conn_survives_bodies_and_errors(client):
    body = bytes(range(256)) * 1000
    assert client.request("/echo", "POST", body=body, keep=True).body == body
    assert client.request("/status?line=404+Not+Found", keep=True).status == 404
    assert client.request("/ignore-body", "POST", body=body, keep=True).status == 403
    assert client.request("/hello", "HEAD", keep=True).body == b""
    assert len(client.request("/big?n=300000", keep=True).body) == 300000


def test_the_request_id_comes_back(client):
    assert client.request("/hello", request_id=65535, keep=True).body == b"hello\n"
    assert client.request("/hello", request_id=7).body == b"hello\n"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_streams_in_records_of_any_size_with_padding(served, size):
    response = fastcgi.request(served.fastcgi, "/echo", "POST", body=b"abc" * 50, size=size,
                               padding=5)
    assert response.body == b"abc" * 50


def test_a_variable_of_more_than_127_bytes(served):
    response = fastcgi.request(served.fastcgi, "/environ", extra=[("LONG" * 50, "v" * 1000)])
    assert json.loads(response.body)["LONG" * 50] == "v" * 1000


def test_variables_and_body_without_a_declared_length(served):
    """stdin ends with its empty record: CONTENT_LENGTH is not what ends a body here."""
    response = fastcgi.request(served.fastcgi, "/echo", "POST", body=b"x" * 1000,
                               extra=[("CONTENT_LENGTH", "")])
    assert response.status in (200, 411)
    if response.status == 200:
        assert response.body == b"x" * 1000


def test_stdin_that_does_not_match_its_length_is_no_silent_success(served):
    data = fastcgi.request_bytes("/echo", "POST", body=b"12345", extra=[("CONTENT_LENGTH", "10")])
    with fastcgi.Connection(served.fastcgi) as c:
        c.send(data)
        response = c.read()
    assert response.status == 400 or response.body == b"12345"
    still_serves(served)


def test_get_values_is_answered(client):
    asked = [("FCGI_MAX_CONNS", ""), ("FCGI_MAX_REQS", ""), ("FCGI_MPXS_CONNS", ""),
             ("OTHER", "")]
    client.send(fastcgi.record(fastcgi.GET_VALUES, 0, fastcgi.pairs(asked)))
    kind, request_id, content = client.record()
    assert (kind, request_id) == (fastcgi.GET_VALUES_RESULT, 0)
    values = fastcgi.parse_pairs(content)
    assert values["FCGI_MPXS_CONNS"] == "0"
    assert "OTHER" not in values
    for name in ("FCGI_MAX_CONNS", "FCGI_MAX_REQS"):
        assert name not in values or int(values[name]) > 0
    assert client.request("/hello").body == b"hello\n"


def test_an_unknown_management_type_is_answered(client):
    client.send(fastcgi.record(99, 0, b"whatever"))
    kind, request_id, content = client.record()
    assert (kind, request_id, content[0]) == (fastcgi.UNKNOWN_TYPE, 0, 99)
    assert client.request("/hello").body == b"hello\n"


def test_a_second_request_at_the_same_time_is_refused(client):
    whole = fastcgi.request_bytes("/hello", request_id=1, keep=True)
    half = len(fastcgi.begin(1, True))
    client.send(whole[:half] + fastcgi.begin(2, True) + whole[half:])
    kind, request_id, content = client.record()
    assert (kind, request_id) == (fastcgi.END_REQUEST, 2)
    assert content[4] == fastcgi.CANT_MPX_CONN
    assert client.read(1).body == b"hello\n"


def test_records_of_a_refused_request_are_ignored(client):
    one = fastcgi.request_bytes("/echo", "POST", body=b"one", request_id=1, keep=True)
    two = fastcgi.request_bytes("/echo", "POST", body=b"two", request_id=2, keep=True)
    head = len(fastcgi.begin(1))
    client.send(one[:head] + two + one[head:])
    kind, request_id, content = client.record()
    assert (kind, request_id, content[4]) == (fastcgi.END_REQUEST, 2, fastcgi.CANT_MPX_CONN)
    assert client.read(1).body == b"one"


@pytest.mark.parametrize("role", [2, 3, 77])
def test_another_role_is_refused(client, role):
    client.send(fastcgi.begin(1, True, role))
    kind, request_id, content = client.record()
    assert (kind, request_id, content[4]) == (fastcgi.END_REQUEST, 1, fastcgi.UNKNOWN_ROLE)


def test_abort_before_the_request_is_whole_ends_it(client):
    data = fastcgi.request_bytes("/environ/aborted", keep=True)
    client.send(data[:-8] + fastcgi.record(fastcgi.ABORT_REQUEST, 1))
    kind, request_id, content = client.record()
    assert (kind, request_id, content[4]) == (fastcgi.END_REQUEST, 1, fastcgi.REQUEST_COMPLETE)
    assert client.request("/hello", request_id=1).body == b"hello\n"


def test_after_an_abort_the_connection_is_as_idle_as_before(start):
    """It may stay so, or be closed: but no request of it is refused for being late."""
    server = start("fastcgi-socket = {fastcgi}\nmodule = basic\nsocket-timeout = 1\n")
    data = fastcgi.request_bytes("/hello", keep=True)
    with fastcgi.Connection(server.fastcgi) as idle:
        idle.send(data[:-8] + fastcgi.record(fastcgi.ABORT_REQUEST, 1))
        assert idle.record()[0] == fastcgi.END_REQUEST
        with fastcgi.Connection(server.fastcgi) as late:
            late.send(data[:-8])
            server.wait_log("refused a request .* with 408")
    assert server.log().count("refused a request") == 1


def test_abort_of_a_request_that_is_none_is_ignored(client):
    client.send(fastcgi.record(fastcgi.ABORT_REQUEST, 5))
    assert client.request("/hello").body == b"hello\n"


BROKEN = {
    "another version": b"\x02" + fastcgi.begin()[1:],
    "variables before the beginning": fastcgi.stream(fastcgi.PARAMS, 1, b""),
    "stdin before the beginning": fastcgi.record(fastcgi.STDIN, 1, b"x"),
    "a beginning of the wrong length": fastcgi.record(fastcgi.BEGIN_REQUEST, 1, b"\0\1"),
    "a beginning twice": fastcgi.begin() + fastcgi.begin(),
    "request id 0": fastcgi.request_bytes("/hello", request_id=0),
    "a pair longer than the stream": fastcgi.begin() + fastcgi.stream(
        fastcgi.PARAMS, 1, b"\x05\x7fshort") + fastcgi.record(fastcgi.STDIN, 1),
    "a pair of 2**31 - 1 bytes": fastcgi.begin() + fastcgi.stream(
        fastcgi.PARAMS, 1, b"\xff\xff\xff\xff\xff\xff\xff\xffab") +
    fastcgi.record(fastcgi.STDIN, 1),
    "variables cut off in a length": fastcgi.begin() + fastcgi.stream(
        fastcgi.PARAMS, 1, b"\x80\x00") + fastcgi.record(fastcgi.STDIN, 1),
    "no variables": fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, 1, b"") +
    fastcgi.record(fastcgi.STDIN, 1),
    "stdin before the variables end": fastcgi.begin() + fastcgi.record(
        fastcgi.PARAMS, 1, fastcgi.pairs([("A", "b")])) + fastcgi.stream(fastcgi.STDIN, 1, b"x"),
    "a negative length": fastcgi.request_bytes("/echo", "POST", extra=[("CONTENT_LENGTH", "-5")]),
    "a length that is no number": fastcgi.request_bytes("/echo", "POST",
                                                        extra=[("CONTENT_LENGTH", "1e3")]),
    "a server's record": fastcgi.record(fastcgi.STDOUT, 1, b"hello"),
    "HTTP": http.request_bytes("/hello"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_records_do_no_harm(served, name):
    with http.Connection(served.fastcgi) as c:
        c.send(BROKEN[name])
        c.finish_sending()
        answer = c.read_all()
    if answer and answer[:1] == b"\x01":
        assert struct.unpack(">B", answer[1:2])[0] in (3, 6, 7, 10, 11)
    still_serves(served)


def test_a_beginning_twice_with_another_id_each_time_does_not_grow(served):
    with http.Connection(served.fastcgi) as c:
        c.send(b"".join(fastcgi.begin(i) for i in range(1, 500)))
        c.finish_sending()
        c.read_all()
    still_serves(served)


def test_a_head_beyond_buffer_size_is_refused_with_431(start):
    server = start("fastcgi-socket = {fastcgi}\nmodule = basic\nbuffer-size = 4096")
    with fastcgi.Connection(server.fastcgi) as c:
        c.send(fastcgi.request_bytes(extra=[("BIG", "x" * 5000)]))
        response = c.read()
    assert response.status == 431
    server.wait_log("431")
    assert fastcgi.request(server.fastcgi, extra=[("BIG", "x" * 2000)]).status == 200


@pytest.mark.parametrize("extra, scheme", [([("HTTPS", "on")], "https"),
                                           ([("UWSGI_SCHEME", "https")], "https"),
                                           ([], "http")])
def test_the_web_server_names_the_scheme(served, extra, scheme):
    response = fastcgi.request(served.fastcgi, "/environ", extra=extra)
    assert json.loads(response.body)["wsgi.url_scheme"] == scheme


def test_nginx_keeps_one_connection_for_many_requests(start, nginx):
    server = start("fastcgi-socket = {fastcgi}\nmodule = basic")
    front = nginx(f"upstream kept {{ server {server.fastcgi}; keepalive 2; }}",
                  {"to": "fastcgi_pass kept; fastcgi_keep_conn on;"})
    with http.Connection(front.to) as c:
        ports = set()
        for _ in range(10):
            assert c.request("/hello").body == b"hello\n"
        for _ in range(10):
            ports.add(c.request("/pid").body)
    assert len(ports) == 1
