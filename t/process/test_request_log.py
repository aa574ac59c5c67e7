# SPDX-License-Identifier: MIT
"""The request line of the log: tools parse it, so it is uWSGI's default format byte for byte."""
import re

import pytest

from lib import cgi, fastcgi, http, uwsgi
from lib.server import ROOT
from lib.wait import until

SOCKETS = "http-socket = {http}\nsocket = {uwsgi}\nfastcgi-socket = {fastcgi}\nmodule = basic\n"
LINE = re.compile(
    r"^(?P<memory>\{address space usage: \d+ bytes/\d+MB\} \{rss usage: \d+ bytes/\d+MB\} )?"
    r"\[pid: (?P<pid>\d+)\|app: (?P<app>-?\d+)\|req: (?P<worker>\d+)/(?P<server>\d+)\] "
    r"(?P<address>\S*) \((?P<user>.*?)\) \{(?P<vars>\d+) vars in (?P<size>\d+) bytes\} "
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\] "
    r"(?P<method>\S+) (?P<uri>\S+) => generated (?P<generated>\d+) bytes in (?P<took>\d+) msecs "
    r"\((?P<protocol>HTTP/1\.[01]) (?P<status>\d+)\) (?P<headers>\d+) headers in "
    r"(?P<head>\d+) bytes \((?P<switches>\d+) switches on core (?P<core>\d+)\)$", re.M)


def last_line(server, uri):
    return until(lambda: [m for m in LINE.finditer(server.log()) if m["uri"] == uri],
                 f"the line of {uri} in {server.log()}", 5)[-1]


@pytest.fixture(params=["ours", "uWSGI"])
def server(request):
    """Both print the same line: the expression is tested on the real one."""
    name = "start" if request.param == "ours" else "start_oracle"
    return request.getfixturevalue(name)(SOCKETS)


def test_the_line_of_an_http_request(server):
    http.request(server.http, "/hello?a=1", headers=[("X-A", "b")])
    line = last_line(server, "/hello?a=1")
    assert line["memory"] is None
    assert (line["method"], line["status"], line["protocol"]) == ("GET", "200", "HTTP/1.1")
    assert (line["generated"], line["app"], line["user"], line["core"]) == ("6", "0", "", "0")
    assert line["address"] == "127.0.0.1"
    assert (line["worker"], line["server"]) == ("1", "1")


@pytest.mark.parametrize("speak", [uwsgi, fastcgi], ids=["uwsgi", "fastcgi"])
def test_the_line_of_a_request_from_a_web_server(server, speak):
    address = server.names[speak.__name__.split(".")[-1]]
    speak.request(address, "/status?line=404+Not+Found", extra=[("REMOTE_USER", "ann")])
    line = last_line(server, "/status?line=404+Not+Found")
    assert (line["address"], line["user"], line["status"]) == ("192.0.2.7", "ann", "404")
    assert line["generated"] == "0"


def test_vars_and_bytes_of_a_packet_are_counted_as_uwsgi_does(server):
    data = uwsgi.request_bytes("/hello?vars")
    # It counts names and values: two for each variable.
    count = 2 * len(cgi.variables("/hello?vars"))
    uwsgi.request(server.uwsgi, "/hello?vars")
    line = last_line(server, "/hello?vars")
    assert (line["vars"], line["size"]) == (str(count), str(len(data) - 4))


def test_response_headers_of_the_application_are_counted(server):
    uwsgi.request(server.uwsgi, "/status?line=200+OK")
    line = last_line(server, "/status?line=200+OK")
    # uWSGI counts what the application gave; a Content-Length that was added counts too.
    assert line["headers"] in ("3", "4")
    assert 40 < int(line["head"]) < 120


def test_both_counters_grow(start):
    server = start(SOCKETS + "processes = 2\n")
    for i in range(10):
        http.request(server.http, f"/hello?{i}")
    last_line(server, "/hello?9")
    lines = list(LINE.finditer(server.log()))
    assert sorted(int(m["server"]) for m in lines) == list(range(1, 11))
    for pid in {m["pid"] for m in lines}:
        mine = [int(m["worker"]) for m in lines if m["pid"] == pid]
        assert mine == list(range(1, len(mine) + 1))


def test_the_time_that_a_request_took_is_in_the_line(server):
    http.request(server.http, "/sleep?s=0.25")
    assert 240 <= int(last_line(server, "/sleep?s=0.25")["took"]) < 600


def test_memory_report_stands_before_the_line(start, start_oracle):
    for starter in (start, start_oracle):
        server = starter(SOCKETS + "memory-report = true\n")
        http.request(server.http, "/hello")
        assert last_line(server, "/hello")["memory"]


def test_a_line_cannot_be_forged_by_the_client(start):
    server = start(SOCKETS)
    uwsgi.request(server.uwsgi, "/hello", extra=[("REQUEST_URI", "/a\n[pid: 1|forged"),
                                                 ("REMOTE_USER", "x\ny")])
    uwsgi.request(server.uwsgi, "/hello?end")
    last_line(server, "/hello?end")
    assert not re.search(r"^(\[pid: 1\|forged|y\))", server.log(), re.M)


@pytest.mark.parametrize("line, logged", [
    ("disable-logging = true", []),
    ("disable-logging = true\nlog-4xx = true", ["404"]),
    ("disable-logging = true\nlog-5xx = true", ["500"]),
    ("disable-logging = true\nlog-4xx = true\nlog-5xx = true", ["404", "500"]),
    ("disable-logging = false", ["200", "404", "500"]),
    ("log-4xx = true", ["200", "404", "500"])])
def test_which_requests_are_logged(start, line, logged):
    server = start(SOCKETS + line + "\n")
    for status in ("200 OK", "404 Not Found", "500 Error"):
        http.request(server.http, "/status?line=" + status.replace(" ", "+"))
    server.stop()
    assert [m["status"] for m in LINE.finditer(server.log())] == logged


@pytest.mark.parametrize("option", ["-L"])
def test_logging_is_disabled_by_letter(start, option):
    server = start(SOCKETS, args=[option])
    http.request(server.http, "/hello")
    server.stop()
    assert not LINE.search(server.log())


def test_the_log_says_at_start_what_runs(start):
    server = start(SOCKETS + "processes = 2\nthreads = 3\n")
    log = server.log()
    assert re.search(r"Python.*3\.\d+", log)
    assert re.search(r"imported in \d+ ms", log)
    assert re.search(r"2 workers × 3 threads", log)
    assert server.http in log and server.uwsgi in log and server.fastcgi in log
    with open(f"{ROOT}/VERSION", encoding="ascii") as f:
        assert f.read().strip() in log
