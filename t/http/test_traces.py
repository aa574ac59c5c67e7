# SPDX-License-Identifier: MIT
"""The trace that a request belongs to: in the environ, in the log, and made where there is none."""
import json
import re

import pytest

from lib import http

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
FIELD = f"00-{ID}-00f067aa0ba902b7-01"


@pytest.fixture
def traced(start):
    return lambda ini="": start(
        "http-socket = {http}\nmodule = basic\nlog-format = traced %%(uri) [%%(trace_id)]\n" + ini)


def environ(server, *headers):
    return json.loads(http.request(server.http, "/environ", headers=headers).body)


def test_what_came(traced):
    server = traced()
    seen = environ(server, ("traceparent", FIELD), ("tracestate", "a=1"))
    assert (seen["uwsgi.trace_id"], seen["HTTP_TRACEPARENT"]) == (ID, FIELD)
    server.wait_log(rf"traced /environ \[{ID}\]")


def test_each_request_has_its_own(traced):
    server = traced()
    for one in ("a" * 32, "a" * 32, "b" * 32, "c" * 32, "c" * 32):
        seen = environ(server, ("traceparent", f"00-{one}-00f067aa0ba902b7-00"))
        assert seen["uwsgi.trace_id"] == one and seen["wsgi.url_scheme"] == "http"
    assert "uwsgi.trace_id" not in environ(server, ("traceparent", "00-" + "0" * 32))


@pytest.mark.parametrize("headers", [
    (), (("traceparent", FIELD.upper()),), (("traceparent", FIELD), ("traceparent", FIELD))])
def test_none_or_no_valid_one(traced, headers):
    server = traced()
    assert "uwsgi.trace_id" not in environ(server, *headers)
    server.wait_log(r"traced /environ \[-?\]")


def test_one_is_made_for_each_request_that_has_none(traced):
    server = traced("trace-ids = true\nprocesses = 2\nthreads = 2\n")
    made = [environ(server) for _ in range(20)]
    ids = [seen["uwsgi.trace_id"] for seen in made]
    assert len(set(ids)) == 20
    for seen, one in zip(made, ids):
        assert re.fullmatch(f"00-{one}-[0-9a-f]{{16}}-01", seen["HTTP_TRACEPARENT"])
        server.wait_log(rf"traced /environ \[{one}\]")
    assert environ(server, ("traceparent", FIELD))["HTTP_TRACEPARENT"] == FIELD
