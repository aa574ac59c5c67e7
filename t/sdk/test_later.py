# SPDX-License-Identifier: MIT
"""An application in C that runs its requests side by side, on every way to it."""
import os
import resource
import signal
import socket
import threading

import pytest

from lib import fastcgi, http, proc, scgi, uwsgi
from lib.address import free_address
from lib.backend import HttpBackend
from lib.wait import until

INI = """
plugin = {plugin}
later = true
http-socket = {{http}}
http = {{router}}
socket = {{uwsgi}}
fastcgi-socket = {{fastcgi}}
scgi-socket = {{scgi}}
processes = 1
"""
SPEAK = {"http": http, "router": http, "uwsgi": uwsgi, "fastcgi": fastcgi, "scgi": scgi}
# A router hands on whole requests, and what is behind one it reads later.
STREAMS = [way for way in SPEAK if way != "router"]
MIB = 1 << 20


@pytest.fixture
def later(start, plugin):
    path = plugin("later", flags=("-Wl,--no-as-needed", "-lev"))
    return lambda more="", **how: start(INI.format(plugin=path) + more, **how)


@pytest.fixture
def descriptors():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def open_at(server, way):
    speak = SPEAK[way]
    return getattr(speak, "Connection", http.Connection)(server.names[way])


def ask(server, way, target, method="GET", body=b""):
    c = open_at(server, way)
    c.send(SPEAK[way].request_bytes(target, method, body=body))
    return c


def body_of(c):
    """The body of a large answer, which lib's clients read slowly."""
    if isinstance(c, fastcgi.Connection):
        return c.read().body
    head = c.read_head()
    body, length = bytearray(c.buffer), int(head.header("Content-Length") or 1 << 40)
    c.buffer = b""
    if head.header("Transfer-Encoding"):
        return unchunked(c, body)
    while len(body) < length and (data := c.socket.recv(MIB)):
        body += data
    return body


def unchunked(c, data):
    body = bytearray()
    while True:
        line, _, rest = data.partition(b"\r\n")
        if not _ or len(rest) < int(line, 16) + 2:
            data += c.socket.recv(MIB)
        elif line == b"0":
            return body
        else:
            body += rest[:int(line, 16)]
            data = rest[int(line, 16) + 2:]


def peak(server):
    """The most memory that the worker has ever had; a sanitizer adds its own."""
    if os.environ.get("UWSGI_SANITIZED"):
        return 0
    return int(proc.status(server.workers()[0], "VmHWM")[0]) << 10


@pytest.mark.parametrize("way", SPEAK)
def test_answers_come_from_anywhere(later, way):
    server = later()
    for target, body in (("/hello", b"hello\n"), ("/sleep?20", b"later\n"), ("/thread", b"thread\n")):
        assert SPEAK[way].request(server.names[way], target).body == body


@pytest.mark.parametrize("way", SPEAK)
def test_a_thousand_requests_wait_for_each_other_in_one_lane(later, descriptors, way):
    server = later("max-connections = 3000\nlisten = 1024\n")
    clients = [ask(server, way, "/meet?1000") for _ in range(1000)]
    for c in clients:
        assert c.read().body == b"met\n"
        c.socket.close()
    # Lines come behind the answers.
    assert len(server.wait_each(r"/meet\?1000 => generated 4 bytes", 1000)) == 1000


@pytest.mark.parametrize("way", SPEAK)
def test_a_body_of_50_mb_comes_back_and_is_never_all_there(later, way):
    server = later()
    before, body = peak(server), os.urandom(MIB) * 50
    data = SPEAK[way].request_bytes("/echo", "POST", body=body)
    c = open_at(server, way)
    sender = threading.Thread(target=c.send, args=(data,))
    sender.start()
    assert body_of(c) == body
    sender.join()
    c.socket.close()
    assert peak(server) - before < 8 * MIB
    assert SPEAK[way].request(server.names[way], "/hello").body == b"hello\n"


@pytest.mark.parametrize("way", STREAMS)
def test_no_more_is_said_than_is_taken(later, way):
    """Nothing of 20 MB goes to memory or files while nobody reads; then all of it comes."""
    server = later("response-file-max = 0\n")
    before, c = peak(server), ask(server, way, "/stream?300")
    c.socket.recv(1, socket.MSG_PEEK)
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert len(body_of(c)) == 300 * 65536
    assert peak(server) - before < 8 * MIB
    c.socket.close()


def test_a_chunked_body_comes_back_as_it_comes(later):
    """Each part is answered before the next one is sent."""
    server = later()
    with http.Connection(server.http) as c:
        c.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        head = c.read_head()
        assert head.header("Transfer-Encoding") == "chunked"
        assert head.header("Connection") == "close"
        assert (c._line(), c._line()) == ("1", "a")
        for word in (b"one", b"two"):
            c.send(b"3\r\n" + word + b"\r\n")
            assert (c._line(), c._line()) == ("3", word.decode())
        c.send(b"0\r\n\r\n")
        assert c.read_all() == b"0\r\n\r\n"


@pytest.mark.parametrize("way", STREAMS)
def test_an_answer_that_does_not_wait_for_the_body_arrives(later, way):
    server = later()
    data = SPEAK[way].request_bytes("/first", "POST", body=bytes(3 * MIB))
    c = open_at(server, way)
    sender = threading.Thread(target=c.send, args=(data,))
    sender.start()
    assert c.read().body == b"hello\n"
    sender.join()
    c.socket.close()


def test_kept_and_pipelined_requests_follow_each_other(later):
    server = later()
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?50") + http.request_bytes("/hello") +
               http.request_bytes("/echo", "POST", body=b"body") + http.request_bytes("/thread"))
        assert [c.read().body for _ in range(4)] == [b"later\n", b"hello\n", b"body", b"thread\n"]
        body = bytes(70000)
        assert c.request("/first", "GET").body == b"hello\n"
        assert c.request("/echo", "POST", body=body).body == body


@pytest.mark.parametrize("way", SPEAK)
def test_a_client_that_leaves_is_told_of(later, way):
    server = later()
    c = ask(server, way, "/hang")
    http.request(server.http, "/hello")
    c.socket.close()
    server.wait_log("later: a client is gone")
    assert SPEAK[way].request(server.names[way], "/hello").body == b"hello\n"
    assert "the client gets" not in server.log()


@pytest.mark.parametrize("way", STREAMS)
def test_a_client_that_leaves_within_its_body_is_told_of(later, way):
    server = later()
    c = open_at(server, way)
    c.send(SPEAK[way].request_bytes("/echo", "POST", body=bytes(5000))[:-2000])
    c.socket.close()
    server.wait_log("later: a client is gone")
    assert SPEAK[way].request(server.names[way], "/hello").body == b"hello\n"


def test_a_kept_connection_that_leaves_is_told_of_at_once(later):
    server = later()
    with http.Connection(server.router) as c:
        assert c.request("/hello").body == b"hello\n"
        c.send(http.request_bytes("/hang"))
    server.wait_log("later: a client is gone")


def test_a_body_that_is_none_ends_its_request(later):
    server = later()
    with http.Connection(server.http) as c:
        c.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        c.read_head()
        c.send(b"xyz\r\n")
        assert b"0\r\n\r\n" not in c.read_all()
    server.wait_log("with 400: ")
    server.wait_log("later: a client is gone")


def test_a_body_that_falls_silent_ends_its_request(later):
    server = later("http-timeout = 1\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", body=bytes(5000))[:-10])
        assert len(c.read_all()) < 5200
    server.wait_log("with 408: the body did not come in time")


def test_a_body_beyond_limit_post_is_413(later):
    server = later("limit-post = 100000\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", body=bytes(100001))[:2000])
        assert c.read_head().status == 413
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/echo", "POST", [("Transfer-Encoding", "chunked")],
                                  http.chunked(bytes(60000), bytes(60000))))
        assert b"0\r\n\r\n" not in c.read_all()
    server.wait_log("with 413: ")


def test_a_connection_may_be_taken_over(later):
    server = later()
    for _ in range(3):
        with http.Connection(server.http) as c:
            c.send(http.request_bytes("/detach") + b"and this is no HTTP")
            assert c.read_all() == b"and this is no HTTP"
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/detach") + bytes(5000))
        assert c.read().body == b"not possible\n"
    server.stop(signal.SIGTERM)


# ---- deadlines and ends ----

def test_harakiri_gives_up_one_request_and_the_others_go_on(later):
    server = later("harakiri = 2\n")
    pid = http.request(server.http, "/pid").body
    with ask(server, "http", "/sleep?9000") as other, ask(server, "uwsgi", "/hang?a\x1bb") as hung:
        assert hung.read().status == 504
        server.wait_log(r"GET /hang\?a\\x1bb ran [\d.]+ s \(harakiri 2\); it is given up, others go on")
        assert http.request(server.http, "/pid").body == pid
        assert other.read().status == 504


def test_a_loop_that_stands_still_costs_the_worker(later):
    server = later("harakiri = 1\n")
    pid = http.request(server.http, "/pid").body
    with ask(server, "http", "/spin?30000") as c:
        assert c.read_all() == b""
    server.wait_log(r"GET /spin\?30000 ran \d+ s \(harakiri 1\)")
    assert http.request(server.http, "/pid").body != pid


@pytest.mark.parametrize("way", SPEAK)
def test_a_reload_loses_no_answer_that_is_pending(later, descriptors, way):
    server = later("processes = 2\n")
    clients = [ask(server, way, "/sleep?600") for _ in range(50)]
    streams = [ask(server, way, "/stream?30") for _ in range(5)]
    assert SPEAK[way].request(server.names[way], "/hello").body == b"hello\n"
    server.hup()
    for c in clients:
        assert c.read().body == b"later\n"
        c.socket.close()
    for c in streams:
        assert len(c.read().body) == 30 * 65536
        c.socket.close()


def test_a_stop_finishes_what_is_pending(later):
    server = later()
    with ask(server, "http", "/sleep?400") as c:
        http.request(server.http, "/hello")
        server.send(signal.SIGTERM)
        assert c.read().body == b"later\n"
    assert server.wait() == 0


def test_an_answer_without_end_ends_when_the_server_leaves(later):
    server = later()
    with ask(server, "http", "/ever") as c:
        c.socket.recv(1, socket.MSG_PEEK)
        assert server.hup()
        body = c.read().body
        assert body and not body.replace(b"tick\n", b"")


def test_max_requests_recycles_without_a_loss(later):
    server = later("max-requests = 5\n")
    for i in range(20):
        assert http.request(server.http, "/sleep?1").body == b"later\n"
    server.wait_log("max-requests reached")


def test_it_serves_when_it_is_ready_and_not_before(later):
    server = later("later-startup-ms = 300\nthreads = 3\n")
    assert http.request(server.http, "/hello").body == b"hello\n"
    took = int(server.wait_log(r"accept requests after (\d+) ms")[1])
    assert took >= 300


def test_one_that_cannot_start_is_said_and_a_reload_to_it_changes_nothing(later):
    server = later()
    ini = open(server.ini_path, encoding="utf-8").read()
    server.write_ini(ini + "later-startup-ms = 99999\n")
    assert not server.hup()
    server.wait_log("reload given up: .*later: the start has failed")
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_handlers_stand_before_it(later, plugin):
    server = later(f"plugin = {plugin('capitals')}\ncapitals = true\n")
    assert http.request(server.http, "/sleep?1").body == b"LATER\n"
    for size in (100, 22000):
        answer = http.request(server.http, "/echo", "POST", body=b"abc" * size)
        assert answer.body == b"ABC" * size


def test_other_servers_answer_beside_it(later, backends):
    """A route passes requests on.  A body that is not whole yet is refused: servers are sent whole
    ones."""
    def say(connection, _seen, _read):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MIB + b"x" * MIB)
    address = free_address()
    backends(HttpBackend, address, say)
    server = later(f"route = ^/to/ http:{address}\n")
    for way in SPEAK:
        with ask(server, way, "/to/") as c:
            assert body_of(c) == b"x" * MIB
    with http.Connection(server.http, receive_buffer=4096) as slow:
        slow.send(http.request_bytes("/to/"))
        assert http.request(server.http, "/hello").body == b"hello\n"
        assert slow.read().body == b"x" * MIB
    with http.Connection(server.http) as c:
        c.send(b"POST /to/ HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nfirst")
        assert c.read_head().status == 501
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/to/"))
    assert http.request(server.http, "/hello").body == b"hello\n"
