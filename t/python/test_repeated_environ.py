# SPDX-License-Identifier: MIT
"""The environ of a request that is like one before: of the same variables, in the same order, and with
nothing left of the others."""
import json

import pytest

from lib import http, uwsgi

INI = "http-socket = {http}\nsocket = {uwsgi}\nmodule = basic\n"
TIMES = 4       # the server learns what comes more than once


def over_http(connection, headers, target="/environ"):
    return json.loads(connection.request(target, headers=headers).body)


def over_uwsgi(server, extra):
    return json.loads(uwsgi.request(server.uwsgi, "/environ", extra=extra).body)


def test_each_request_has_its_own_values(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        for i in range(TIMES):
            for value in ("", "short", "x" * 500, "\xe9", f"{i}"):
                said = over_http(c, [("X-A", value), ("Cookie", f"c{i}"), ("X-B", "b")],
                                 f"/environ/{i}?q={len(value)}")
                assert (said["HTTP_X_A"], said["HTTP_COOKIE"], said["HTTP_X_B"]) == \
                    (value, f"c{i}", "b")
                assert (said["PATH_INFO"], said["QUERY_STRING"]) == \
                    (f"/environ/{i}", f"q={len(value)}")


def test_the_same_variables_come_in_the_same_order(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        said = [list(over_http(c, [("X-A", f"{i}"), ("X-B", "b")]).items()) for i in range(TIMES)]
    names = [[name for name, _ in items] for items in said]
    assert names[1:] == names[:-1]
    assert names[0].index("HTTP_X_A") + 1 == names[0].index("HTTP_X_B")
    assert dict(said[-1]) == {**dict(said[0]), "HTTP_X_A": f"{TIMES - 1}"}


def test_clients_that_send_other_headers_do_not_get_into_each_other(start):
    server = start(INI)
    kinds = [[], [("X-A", "1")], [("X-B", "2")], [("X-A", "1"), ("X-B", "2")],
             [("X-B", "2"), ("X-A", "1")], *([("X-%d" % i, "v")] for i in range(30))]
    with http.Connection(server.http) as c:
        for kind in [k for k in kinds for _ in range(TIMES)] + kinds * TIMES:
            said = over_http(c, kind)
            assert [(k, v) for k, v in said.items() if k.startswith("HTTP_X_")] == \
                [("HTTP_" + k.upper().replace("-", "_"), v) for k, v in kind]


def test_of_a_variable_that_comes_twice_the_last_counts(start):
    server = start(INI)
    for first, last in [("a", "b")] * TIMES + [("c", "b"), ("a", "d"), ("b", "a")] * TIMES:
        assert over_uwsgi(server, [("HTTP_X", first), ("HTTP_X", last)])["HTTP_X"] == last


@pytest.mark.parametrize("name", ["UWSGI_SCHEME", "HTTPS", "HTTP_X_FORWARDED_PROTO",
                                  "HTTP_X_FORWARDED_SSL"])
def test_the_scheme_is_that_of_each_request(start, name):
    server = start(INI)
    yes = "https" if name in ("UWSGI_SCHEME", "HTTP_X_FORWARDED_PROTO") else "on"
    for value, scheme in [(yes, "https")] * TIMES + [("", "http"), (yes, "https")] * TIMES:
        extra = [("REMOTE_ADDR", "127.0.0.1"), (name, value)]
        assert over_uwsgi(server, extra)["wsgi.url_scheme"] == scheme


def test_what_an_application_does_to_its_environ_is_gone_with_it(start, folder):
    with open(f"{folder}/changes.py", "w", encoding="ascii") as f:
        f.write("def application(environ, start_response):\n"
                "    start_response('200 OK', [])\n"
                "    said = [environ.get(k) for k in ('HTTP_X_A', 'wsgi.url_scheme', 'mine')]\n"
                "    environ['HTTP_X_A'] = environ['mine'] = 'changed'\n"
                "    del environ['wsgi.url_scheme']\n"
                "    return [repr(said).encode()]\n")
    server = start(f"http-socket = {{http}}\nwsgi-file = {folder}/changes.py")
    with http.Connection(server.http) as c:
        for _ in range(TIMES):
            assert c.request("/", headers=[("X-A", "a")]).body == b"['a', 'http', None]"


def test_what_is_dropped_stays_dropped(start):
    server = start(INI)
    for _ in range(TIMES):
        said = over_uwsgi(server, [("HTTP_PROXY", "a"), ("wsgi.errors", "b"), ("HTTP_X", "c")])
        assert "HTTP_PROXY" not in said and said["wsgi.errors"] != "b" and said["HTTP_X"] == "c"


def test_bodies_are_those_of_each_request(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        for body in [b"a", b"bb", b"c" * 100_000, b""] * TIMES:
            assert c.request("/echo", "POST", body=body).body == body
