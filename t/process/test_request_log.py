# SPDX-License-Identifier: MIT
"""The request line of the log: tools parse it, so it is uWSGI's default format byte for byte."""
import itertools
import json
import math
import re
import socket
import struct
import time

import pytest

from lib import cgi, fastcgi, http, uwsgi
from lib.address import connect
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


def timed(server, target):
    """How many milliseconds its client has waited, which is at least what the server counts."""
    began = time.monotonic()
    assert http.request(server.http, target).status == 200
    return math.ceil((time.monotonic() - began) * 1000)


def test_the_time_that_a_request_took_is_in_the_line(server):
    waited = timed(server, "/sleep?s=0.25")
    assert 240 <= int(last_line(server, "/sleep?s=0.25")["took"]) <= waited + 1


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


# ---- log-format ----

LOGGED = "http-socket = {http}\nmodule = logged\n"


@pytest.fixture(params=["ours", "uWSGI"])
def both(request):
    return request.getfixturevalue("start" if request.param == "ours" else "start_oracle")


FORMATS = {
    r"%(method) %(uri) %(proto) %(status)": r"POST /a\?b=1 HTTP/1\.1 200",
    r'%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(size) "%(referer)" '
    r'"%(uagent)"':
        r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] '
        r'"POST /a\?b=1 HTTP/1\.1" 200 \d+ "http://r/" "-"',
    r"%(host)|%(rsize)|%(cl)|%(core)|%(wid)": r"name|6|3|0|1",
    r"%(msecs) %(micros) %(secs)": r"\d+ \d+ \d+\.\d{6}",
    r"%(time) %(epoch) %(tmsecs) %(tmicros)": r"\d{10} \d{10} \d{13} \d{16}",
    r"%(ctime)|%(ftime)": r"[A-Z]\w\w [A-Z]\w\w [ \d]\d [\d:]{8} \d{4}\|\d\d/\w\w\w/[\d:]+ [+-]\d+",
    r"%(var.HTTP_X_A) %(var.NONE) %(nobody)": r"one -( -)",
    r"%(rerr) %(werr) %(ioerr) %(modifier1) %(modifier2)": r"0 0 0 0 0",
    r"100%% (uri) %(uri)": r"100% \(uri\) /a\?b=1",
}


@pytest.mark.parametrize("text", FORMATS)
def test_formats(both, text):
    server = both(LOGGED + f"log-format = <{text.replace('{', '{{')}>\n")
    http.request(server.http, "/a?b=1", "POST",
                 [("Host", "name"), ("X-A", "one"), ("Referer", "http://r/")], b"xyz")
    server.wait_log(f"^<{FORMATS[text]}>$")


def test_an_unknown_variable_is_told_at_start(start):
    server = start(LOGGED + "log-format = %(uri) %(staus) %(var.X)\n")
    assert len(re.findall(r"warning: log-format: there is no %\((\w+)\)", server.log())) == 1
    server.wait_log(r"there is no %\(staus\)")


def test_words_of_the_application(both):
    server = both(LOGGED + "log-format = <%(uri) %(who) %(nobody)>\n")
    http.request(server.http, "/logvar?x")
    http.request(server.http, "/hello")
    server.wait_log(r"^</logvar\?x ann x>$")
    server.wait_log(r"^</hello - ->$")


def test_the_date_of_log_date_in_a_format(both):
    server = both(LOGGED + "log-date = %%Y\nlog-format-strftime = true\n"
                  "log-format = <%(ftime) %(ltime)>\n")
    http.request(server.http, "/")
    server.wait_log(r"^<\d{4} \d\d/\w{3}/\d{4}:\S+ \S+>$")


def test_no_client_breaks_a_line_or_a_quotation(start):
    server = start(LOGGED + 'socket = {uwsgi}\nlog-format = {{"uri": "%(uri)", "agent": '
                   '"%(uagent)", "status": %(status)}}\n')
    agent = b'a"b\\c\nd\x1b[1m \xff ' + "€".encode()
    uwsgi.request(server.uwsgi, "/x", extra=[("HTTP_USER_AGENT", agent)])
    found = json.loads(server.wait_log(r'^\{"uri".*$')[0])
    assert found == {"uri": "/x", "agent": 'a"b\\c\nd\x1b[1m ÿ €', "status": 200}


# ---- which requests, and how they are told ----

@pytest.mark.parametrize("line, logged", [
    ("log-zero = true", ["/no-body"]),
    ("log-big = 1000", ["/stream?1"]),
    ("log-big = 7", ["/stream?1"]),
    ("log-big = 6", ["/hello", "/stream?1"]),
    ("log-slow = 0", []),
    ("log-sendfile = true", ["/file"])])
def test_requests_that_are_logged_in_any_case(both, line, logged):
    server = both(LOGGED + f"disable-logging = true\n{line}\nlog-format = <%(uri)>\n")
    for path in ("/no-body", "/hello", "/stream?1") + (("/file",) if "sendfile" in line else ()):
        http.request(server.http, path)
    if logged:
        server.wait_log(f"^<{re.escape(logged[-1])}>$")  # uWSGI answers first, and may end before
    server.stop()
    assert re.findall(r"^<(.*)>$", server.log(), re.M) == logged


def test_slow_requests_are_logged_in_any_case(both):
    server = both(LOGGED + "disable-logging = true\nlog-slow = 300\nlog-format = <%(uri)>\n")
    targets = (f"/hello?{i}" for i in itertools.count())
    quick = until(lambda: (t := next(targets)) and timed(server, t) < 300 and t, "a quick answer")
    http.request(server.http, "/late")
    server.wait_log("^</late>$")
    server.stop()
    assert f"<{quick}>" not in server.log()


@pytest.mark.parametrize("path", ["/stream?400", "/late"])
def test_requests_whose_client_is_gone_are_logged(start, path):
    server = start(LOGGED + "disable-logging = true\nlog-ioerror = true\n"
                   "log-format = <%(uri) %(werr)>\n")
    http.request(server.http, "/hello")
    with connect(server.http) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        if path != "/late":
            client.recv(1000)
    server.wait_log(rf"^<{re.escape(path)} 1>$")
    server.stop()
    assert len(re.findall("^<", server.log(), re.M)) == 1


def test_the_default_line_in_microseconds_and_of_a_file(both):
    server = both(LOGGED + "log-micros = true\n")
    http.request(server.http, "/file")
    server.wait_log(r"GET /file => generated \d+ bytes in \d+ micros via sendfile\(\) \(HTTP/1.1 200\)")


@pytest.mark.parametrize("line", ["", "log-format = <%(addr) ()>\n"])
def test_the_address_that_was_forwarded(both, line):
    server = both(LOGGED + "log-x-forwarded-for = true\n" + line)
    http.request(server.http, "/", headers=[("X-Forwarded-For", "192.0.2.1, 192.0.2.2")])
    server.wait_log(r"192\.0\.2\.1, 192\.0\.2\.2 \(\)")


def test_times_are_those_of_the_zone_that_env_names(both):
    server = both(LOGGED + "env = TZ=Asia/Tokyo\nlog-format = <%(ltime)>\n")
    http.request(server.http, "/")
    server.wait_log(r"^<.* \+0900>$")
