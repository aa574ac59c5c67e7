# SPDX-License-Identifier: MIT
"""Requests as spans at a collector of OpenTelemetry, which a test plays."""
import http.server
import json
import os
import signal
import threading
import time

import pytest

from lib import http as client
from lib.address import HOST
from lib.wait import until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(http.server.ThreadingHTTPServer):
    """Keeps what it is told; hangs: it takes requests and does not answer."""
    daemon_threads = True

    def __init__(self):
        super().__init__((HOST, 0), Handler)
        self.asked, self.status, self.hangs = [], 200, False
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    @property
    def spans(self):
        return [span for _, body in self.asked for resource in body["resourceSpans"]
                for scope in resource["scopeSpans"] for span in scope["spans"]]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        while self.server.hangs:
            time.sleep(0.01)
        if self.server.status == 200:
            self.server.asked.append((self.path, body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    with Collector() as c:
        yield c
        c.hangs = False
        c.shutdown()


@pytest.fixture
def serve(start, collector):
    def run(ini=""):
        server = start(f"http-socket = {{http}}\nmodule = basic\notlp = {collector.url}\n{ini}")
        server.wait_log(r"^otlp 1 \(pid \d+\) runs$")
        return server
    return run


def environ(server, *headers):
    return json.loads(client.request(server.http, "/environ", headers=headers).body)


def attributes(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def test_a_request_is_a_span(serve, collector):
    server = serve("otlp-service = shop\n")
    before_ns = time.time_ns()
    seen = environ(server, ("traceparent", f"00-{TRACE}-{PARENT}-01"))
    span, = until(lambda: collector.spans, "the span")
    (path, body), = collector.asked
    assert path == "/v1/traces"
    assert attributes(body["resourceSpans"][0]["resource"])["service.name"] == "shop"
    assert (span["traceId"], span["parentSpanId"], span["name"], span["kind"]) == \
        (TRACE, PARENT, "GET", 2)
    assert seen["HTTP_TRACEPARENT"] == f"00-{TRACE}-{span['spanId']}-01"
    assert before_ns - 10**8 < int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) \
        <= time.time_ns() + 10**8
    said = attributes(span)
    assert (said["http.request.method"], said["url.path"]) == ("GET", "/environ")
    assert (said["http.response.status_code"], said["uwsgi.worker"]) == ("200", "1")
    assert "status" not in span


def test_who_begins_a_trace_and_what_fails(serve, collector):
    server = serve()
    assert client.request(server.http, "/status?code=500").status == 500
    span, = until(lambda: collector.spans, "the span")
    assert "parentSpanId" not in span and span["status"] == {"code": 2}
    assert len(span["traceId"]) == 32 and len(span["spanId"]) == 16


def test_whoever_called_decides(serve, collector):
    server = serve()
    field = f"00-{TRACE}-{PARENT}-00"
    assert environ(server, ("traceparent", field))["HTTP_TRACEPARENT"] == field
    client.request(server.http, "/hello")
    until(lambda: collector.spans, "the other one")
    assert [attributes(s)["url.path"] for s in collector.spans] == ["/hello"]


def test_all_of_many_come_once(serve, collector):
    server = serve("processes = 2\nthreads = 2\ndisable-logging = true\n")
    with client.Connection(server.http) as c:
        for _ in range(15):
            c.send(client.request_bytes("/hello") * 100)
            assert all(c.read().status == 200 for _ in range(100))
    until(lambda: len(collector.spans) >= 1500, "all spans")
    assert len({span["spanId"] for span in collector.spans}) == len(collector.spans) == 1500


def test_a_collector_that_refuses(serve, collector):
    server = serve()
    collector.status = 503
    assert client.request(server.http, "/hello").status == 200
    server.wait_log("otlp: http://.*: it has answered 503; 1 spans were dropped")
    collector.status = 200
    assert client.request(server.http, "/echo").status == 200
    until(lambda: collector.spans, "what came later")


def test_a_collector_that_hangs_holds_up_nothing(serve, collector):
    server = serve("otlp-timeout = 1\n")
    collector.hangs = True
    assert client.request(server.http, "/hello").status == 200
    server.wait_log("otlp: http://.*: the collector does not answer; 1 spans were dropped")
    collector.hangs = False
    # Several, because a busy machine may need more than a second for one.
    until(lambda: client.request(server.http, "/echo").status == 200 and
          "/echo" in [attributes(s)["url.path"] for s in collector.spans], "what came later")


def test_no_collector(start):
    server = start("http-socket = {http}\nmodule = basic\notlp = http://127.0.0.1:1\n")
    server.wait_log(r"^otlp 1 \(pid \d+\) runs$")
    assert client.request(server.http, "/hello").status == 200
    server.wait_log("otlp: http://127.0.0.1:1: Connection refused; 1 spans were dropped")
    server.stop(signal.SIGTERM)


def test_a_name_that_nobody_knows_yet_holds_up_no_start(start):
    # Where names cannot be looked up, that is to be known soon.
    server = start("http-socket = {http}\nmodule = basic\notlp = http://collector.invalid:4318\n",
                   env={"RES_OPTIONS": "timeout:1 attempts:1"})
    server.wait_log("warning: otlp collector.invalid:4318: .*; looking it up again and again")
    assert client.request(server.http, "/hello").status == 200


def test_a_killed_one_sends_nothing_twice(serve, collector):
    server = serve()
    assert client.request(server.http, "/hello").status == 200
    until(lambda: collector.spans, "the first one")
    killed, = server.services()
    os.kill(killed, signal.SIGKILL)
    until(lambda: server.services() and server.services() != [killed] and
          len(server.log().split("otlp 1 (pid ")) > 3, "another one")
    assert client.request(server.http, "/echo").status == 200
    until(lambda: len(collector.spans) > 1, "the second one")
    assert [attributes(s)["url.path"] for s in collector.spans] == ["/hello", "/echo"]


@pytest.mark.parametrize("url, said", [
    ("https://127.0.0.1:4318", "expected http://HOST:PORT"), ("127.0.0.1:4318", "expected http://"),
    ("http://", "is no host and port"), ("http://a b:1", "is no host and port"),
    ("http://127.0.0.1:x", "x")])
def test_mistakes(url, said):
    from lib.server import command
    done = command("--check", "--otlp", url, "--http-socket", ":0", "--module", "basic")
    assert done.returncode == 1 and said in done.stderr
