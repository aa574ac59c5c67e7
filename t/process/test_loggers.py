# SPDX-License-Identifier: MIT
"""Loggers: which lines go where, and what becomes of them on the way."""
import json
import os
import re
import signal
import socket

import pytest

from lib import http
from lib.address import HOST
from lib.server import undated
from lib.wait import until

LONG = "x" * 9  # what only the lines of /lines/ hold; no name of a folder does
LOGGED = "http-socket = {http}\nmodule = logged\n"
REQUEST = r"^\[pid: .* GET /print "


def read(server, name):
    try:
        with open(f"{server.folder}/{name}", encoding="utf-8") as f:
            return undated(f.read())
    except FileNotFoundError:
        return ""


def wait_in(server, name, pattern):
    return until(lambda: re.search(pattern, read(server, name), re.M), f"{pattern!r} in {name}")


@pytest.fixture
def both(request):
    """Ours and uWSGI, with its plugins."""
    if request.param == "ours":
        return request.getfixturevalue("start")
    oracle = request.getfixturevalue("start_oracle")
    folder = "/usr/lib/uwsgi/plugins"
    names = ("logfile", "logsocket", "rsyslog")
    if not all(os.path.exists(f"{folder}/{name}_plugin.so") for name in names):
        pytest.skip("uWSGI's plugins for loggers are not installed")
    plugins = "".join(f"plugin = {folder}/{name}_plugin.so\n" for name in names)
    # Not started() by what its log says: that goes elsewhere.
    return lambda ini: oracle.not_yet(plugins + ini).spawn()


each = pytest.mark.parametrize("both", ["ours", "uWSGI"], indirect=True)


def run(starter, ini, in_files=True):
    """A server that has printed and logged, and, with the line in a file, has ended: uWSGI loses
    what it has not read by then."""
    server = starter(LOGGED + ini) if not hasattr(starter, "not_yet") else \
        starter.not_yet(LOGGED + ini).spawn()
    server.wait_listening("http")
    assert http.request(server.http, "/print").status == 200
    if in_files:
        until(lambda: "/print" in server.log() + read(server, "a") + read(server, "b"),
              "the line of the request")
        server.stop()
    return server


@each
def test_all_lines_in_a_file(both):
    server = run(both, "logger = file:{here}/a\n")
    assert re.search("^printed$", read(server, "a"), re.M)
    assert re.search(REQUEST, read(server, "a"), re.M)
    assert re.search(r"(?i)^(\*\*\* Starting )?uwsgi \d", read(server, "a"), re.M)
    assert len(server.log().splitlines()) <= 1


@each
def test_requests_in_a_file_of_their_own(both):
    server = run(both, "req-logger = file:{here}/a\n")
    assert re.fullmatch(REQUEST + ".*\n", read(server, "a"), re.M)
    assert re.search("^printed$", server.log(), re.M)
    assert "GET /print" not in server.log()


@each
def test_both_and_standard_output(both):
    server = run(both, "logger = file:{here}/a\nlogger = stdio\nreq-logger = file:{here}/b\n")
    for text in (read(server, "a"), server.log()):
        assert re.search("^printed$", text, re.M) and "GET /print" not in text
    assert "GET /print" in read(server, "b") and "printed" not in read(server, "b")


@each
def test_routes(both):
    server = run(both, "logger = a file:{here}/a\nlogger = b file:{here}/b\n"
                 "log-route = a ^print\nlog-route = b GET\nlog-route = a PRINT|GET /\n")
    assert re.fullmatch("printed\n.*GET /print .*\n", read(server, "a")), read(server, "a")
    assert re.fullmatch(".*GET /print .*\n", read(server, "b"))
    assert "to stderr" in server.log() and "GET /print" not in server.log()


def test_lines_about_daemons_in_a_file_of_their_own(start):
    """What docs/differences.md has in the place of uwsgi-daemons."""
    server = start(LOGGED + "logger = a file:{here}/a\nlogger = stdio\nattach-daemon = sleep 600\n"
                   r"log-route = a ^(\S+ \S+ \S+ - )?daemon" "\n")
    wait_in(server, "a", r"^daemon 1 \(pid \d+\) runs: sleep 600$")
    server.stop()
    assert "daemon 1" not in server.log()


def test_a_line_that_explodes_an_expression_is_not_lost(start):
    """It goes on as if the route were for other lines, and that is said once."""
    server = start.not_yet(LOGGED + "logger = a file:{here}/a\nlogger = file:{here}/b\n"
                           "log-route = a ^printed|[?](x+)+$\n").spawn()
    server.wait_listening("http")
    for _ in range(2):
        http.request(server.http, "/print?" + 100 * "x")
    server.stop()
    assert read(server, "a") == "printed\nprinted\n"
    assert read(server, "b").count(100 * "x") == 2
    assert read(server, "b").count("(x+)+$: a line takes too many steps; such lines count as") == 1


def test_a_route_has_its_say_on_the_masters_own_lines(start):
    """While they are on their way themselves."""
    server = start.not_yet(LOGGED + "logger = a file:{here}/a\nlogger = file:{here}/b\n"
                           "log-route = a ^(.|.)*nobody$\n").spawn()
    wait_in(server, "b", "^serving: ")
    server.stop()
    lines = read(server, "b")
    assert lines.count("a line takes too many steps") == 1
    assert lines.count("goodbye\n") == 1 and lines.count("serving: ") == 1


@each
def test_a_named_logger_gets_only_what_is_routed(both):
    server = run(both, "logger = a file:{here}/a\nlogger = file:{here}/b\nlog-route = a ^printed\n")
    assert read(server, "a") == "printed\n"
    assert "to stderr" in read(server, "b") and "printed" not in read(server, "b")


@each
def test_the_configuration_of_somebody(both):
    """JSON of the application as it is, all other lines made JSON."""
    server = run(both, "logger = applogger stdio\nlogger = default file:{here}/a\n"
                 "log-format = {{\"uri\": \"%(uri)\"}}\n"
                 "log-route = applogger {{\nlog-route = default ^((?!\\{{).)*$\n"
                 "log-encoder = json:default {{\"line\": \"${{msg}}\"}}\nlog-encoder = nl:default\n")
    assert '{"uri": "/print"}' in server.log().splitlines()
    assert {"line": "printed"} in [json.loads(line) for line in read(server, "a").splitlines()]


@each
def test_encoders(both):
    server = run(both, "log-encoder = prefix <\nlog-encoder = format ${{msg}}> ${{unix}} "
                 "${{micros}} ${{strftime:%%Y}}${{none}}\nlog-encoder = nl\n")
    assert re.search(r"^<printed> \d{10} \d{16} \d{4}$", server.log(), re.M)


def test_encoders_of_requests(start):
    server = run(start, "log-req-encoder = prefix request: \n")
    assert re.search(r"^request: ?\[pid: ", server.log(), re.M)
    assert re.search(r"^printed$", server.log(), re.M)


def received(receiver, word):
    seen = []
    while not seen or word not in seen[-1]:
        seen.append(receiver.recv(65536))
    return seen


@each
def test_datagrams(both, receiver):
    run(both, f"logger = socket:{HOST}:{receiver.getsockname()[1]}\n", False)
    seen = received(receiver, b"GET /print")
    assert b"printed\n" in seen
    assert re.fullmatch(REQUEST.encode() + b".*\n", seen[-1])


@each
def test_remote_syslog(both, receiver):
    run(both, f"logger = rsyslog:{HOST}:{receiver.getsockname()[1]},me\n", False)
    seen = received(receiver, b"GET /print")
    assert any(re.fullmatch(rb"<29>[A-Z]\w\w [ \d]\d \d\d:\d\d:\d\d me: printed", s) for s in seen)


def test_a_unix_socket_that_comes_and_goes(start):
    server = start.not_yet(LOGGED + "logger = socket:{here}/s\n").spawn()
    server.wait_listening("http")
    http.request(server.http, "/print")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(f"{server.folder}/s")
        s.settimeout(10)
        http.request(server.http, "/print?2")   # lines of the first may still be on their way
        assert b"printed\n" in received(s, b"GET /print?2")
    assert http.request(server.http, "/print").status == 200


def test_long_lines_for_syslog_are_cut_or_split(start, receiver):
    port = receiver.getsockname()[1]
    for lines, count in (("", 1), ("rsyslog-split-messages = true\n", 3)):
        server = start.not_yet(LOGGED + f"logger = rsyslog:{HOST}:{port},me\n"
                               f"rsyslog-packet-size = 200\n{lines}").spawn()
        server.wait_listening("http")
        http.request(server.http, "/lines/1/400")
        seen = [s for s in received(receiver, b"GET /lines") if b"xxx" in s]
        assert len(seen) == count and all(len(s) <= 200 for s in seen)
        server.stop()
        receiver.setblocking(False)
        while True:
            try:
                receiver.recv(65536)
            except BlockingIOError:
                break
        receiver.settimeout(10)


def test_a_file_with_a_limit(start):
    server = start.not_yet(LOGGED + "logger = file:logfile={here}/a,maxsize=2000,"
                           "backupname={here}/old\n").spawn()
    server.wait_listening("http")
    http.request(server.http, "/lines/100/50")
    server.stop()
    assert len(read(server, "a")) <= 2000 and 1000 < len(read(server, "old")) <= 2000


def test_a_fifo_that_nobody_reads_holds_nobody_up(start, folder):
    os.mkfifo(f"{folder}/a")
    reader = os.open(f"{folder}/a", os.O_RDONLY | os.O_NONBLOCK)
    server = start.not_yet(LOGGED + "logger = file:{here}/a\n", folder=folder).spawn()
    server.wait_listening("http")
    for _ in range(4):
        assert http.request(server.http, "/lines/1000/1000").status == 200
    assert server.stop(signal.SIGTERM) == 0
    os.close(reader)


def test_a_file_that_cannot_be_renamed_goes_on(start):
    """What is said about that goes to the same file, and does not begin it all again."""
    server = start.not_yet(LOGGED + "logger = file:logfile={here}/a,maxsize=2000,"
                           "backupname={here}/none/old\n").spawn()
    server.wait_listening("http")
    http.request(server.http, "/lines/100/50")
    server.stop()
    assert read(server, "a").count(LONG) >= 100
    assert 1 <= read(server, "a").count("cannot rename") < 10


def test_other_loggers_after_a_reload(start):
    server = start.not_yet(LOGGED + "logger = file:{here}/a\nlog-encoder = prefix 1\n").spawn()
    wait_in(server, "a", "^1serving: ")
    server.write_ini(LOGGED + "logger = file:{here}/b\nlog-encoder = prefix 2\n"
                     "req-logger = file:{here}/c\n")
    server.send(signal.SIGHUP)
    wait_in(server, "b", "^2reloaded: ")
    # A worker that leaves may still take the first of them.
    until(lambda: http.request(server.http, "/print").status == 200 and
          re.search(REQUEST, read(server, "c"), re.M), "the line of a request in c")
    wait_in(server, "b", "^2printed$")
    assert "printed" not in read(server, "a")


def test_a_touched_file_opens_them_again(start):
    server = start.not_yet(LOGGED + "logger = file:{here}/a\n"
                           "touch-logreopen = {here}/now\n").spawn()
    wait_in(server, "a", "^serving: ")
    os.rename(f"{server.folder}/a", f"{server.folder}/old")
    open(f"{server.folder}/now", "wb").close()
    until(lambda: os.path.exists(f"{server.folder}/a"), "a new file")
    http.request(server.http, "/print")
    wait_in(server, "a", "^printed$")


def test_lines_of_many_workers_stay_whole(start):
    server = start.not_yet(LOGGED + "logger = file:{here}/a\nlog-encoder = format <${{msg}}\n"
                           "log-encoder = nl\nprocesses = 4\n").spawn()
    wait_in(server, "a", "^<serving: ")
    for _ in range(8):
        http.request(server.http, "/lines/500/100")
    server.stop()
    lines = [line for line in read(server, "a").splitlines() if LONG in line]
    assert len(lines) == 8 * 500
    assert all(re.fullmatch(r"<<\d{6} x{100}>", line) for line in lines)


@pytest.mark.parametrize("line, said", [
    ("logger = nothing:x", 'there is no logger "nothing"; expected stdio'),
    ("logger = file:logfile=/x,maxsise=1", 'there is no key maxsise; did you mean "maxsize"'),
    ("req-logger = file:logfile=/x,maxsize=1k", 'maxsize: "1k" is no number of bytes'),
    ("logger = file:maxsize=1", "logfile= is missing"),
    ("logger = fd:two", '"two" is no number of a descriptor'),
    ("log-route = a", "expected a name and an expression"),
    ("log-route = a (", r"log-route = a \(: \(: ")])
def test_mistakes(start, line, said):
    server = start.not_yet(LOGGED + line + "\n")
    assert server.run() == 1
    assert re.search(f"error: .*{said}", server.log())


@pytest.mark.parametrize("line, said", [
    ("logger = redislog:127.0.0.1:1", "this kind of logger is not supported yet"),
    ("logger = file:/none/x", "cannot open /none/x"),
    ("log-encoder = gzip", 'there is no encoder "gzip" here'),
    ("log-route = nobody x\nlogger = a stdio", "there is no logger of this name")])
def test_what_is_left_out_is_said(start, line, said):
    server = start(LOGGED + line + "\n")
    server.wait_log(said)
    assert http.request(server.http, "/print").status == 200
