# SPDX-License-Identifier: MIT
"""Kept connections outlive their worker: whoever leaves gives them to whoever stays, between two
requests, so that no web server finds one closed that it has just sent a request on."""
import contextlib
import os
import select
import signal

import pytest

from lib import busy, fastcgi, http, proc
from lib.load import Load
from lib.wait import until

INI = """
http-socket = {http}
http = {router}
fastcgi-socket = {fastcgi}
socket = {uwsgi}
module = basic
reload-mercy = 20
"""


class Kept:
    """One connection, whatever it speaks."""

    def __init__(self, server, way):
        self.way = way
        self.client = (fastcgi if way == "fastcgi" else http).Connection(server.names[way])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.__exit__()

    def send(self, target):
        self.client.send(fastcgi.request_bytes(target, keep=True) if self.way == "fastcgi"
                         else http.request_bytes(target))

    def read(self):
        response = self.client.read()
        assert (response.status, response.complete) == (200, True)
        return response

    def request(self, target="/pid"):
        self.send(target)
        return self.read()

    def pid(self):
        return int(self.request().body)


@pytest.fixture(params=["http", "router", "fastcgi"])
def way(request):
    return request.param


def wait_leaving(server, pid):
    """Until it has been told to leave, which it is after the log says that others serve."""
    until(lambda: f"(pid {pid}): leaving" in server.told(), f"worker {pid} to be told")


# ---- reload ----

@pytest.mark.parametrize("size", ["", "processes = 2\nthreads = 2\n"], ids=["one", "four"])
def test_a_kept_connection_survives_reloads(start, way, size):
    server = start(INI + size)
    with Kept(server, way) as kept:
        pids = {kept.pid()}
        for _ in range(3):
            assert server.hup()
            old = [p for p in pids if proc.alive(p)]
            for pid in old:
                proc.wait_gone(pid)
            pids.add(kept.pid())
        assert len(pids) == 4


def test_more_connections_than_are_on_their_way_at_once(start, way):
    server = start(INI)
    with contextlib.ExitStack() as stack:
        all_kept = [stack.enter_context(Kept(server, way)) for _ in range(400)]
        old = {kept.pid() for kept in all_kept}
        assert server.hup()
        for pid in old:
            proc.wait_gone(pid)
        assert not old & {kept.pid() for kept in all_kept}


def test_one_that_has_not_said_anything_yet_survives_too(start, way):
    server = start(INI)
    with Kept(server, way) as kept, Kept(server, way) as first:
        old = first.pid()
        assert server.hup()
        proc.wait_gone(old)
        assert kept.pid() != old


def test_a_running_request_is_finished_first(start, way):
    server = start(INI)
    with Kept(server, way) as kept:
        kept.send("/sleep?s=0.5")
        server.wait_log("^sleeping in")
        old = server.workers()
        assert server.hup()
        assert int(kept.read().body.split()[1]) in old
        until(lambda: kept.pid() not in old, "an answer of another worker")


def test_what_was_sent_ahead_is_answered_by_the_next_one(start, fifo):
    """More than one turn of the old worker answers."""
    server = start(INI)
    count = 300
    with http.Connection(server.http) as c:
        c.send(http.request_bytes(f"/wait?for={fifo}") + http.request_bytes("/pid") * count)
        old = int(server.wait_log(r"^waiting in (\d+)$")[1])
        assert server.hup()
        wait_leaving(server, old)
        busy.release(fifo)
        assert c.read().status == 200
        pids = [int(c.read().body) for _ in range(count)]
        assert pids[-1] != old


def test_half_a_request_is_read_by_the_one_that_has_the_other_half(start, way):
    server = start(INI)
    data = fastcgi.request_bytes("/pid", keep=True) if way == "fastcgi" else \
        http.request_bytes("/pid")
    with Kept(server, way) as kept:
        old = kept.pid()
        kept.client.send(data[:20])
        assert server.hup()
        kept.client.send(data[20:])
        assert kept.read().status == 200
        # The old worker is told to leave after the log says that the new one serves.
        until(lambda: kept.pid() != old, "an answer of another worker")


def test_whom_a_proxy_speaks_for_moves_along(start):
    server = start(INI + "http-enable-proxy-protocol = true\n")
    with http.Connection(server.http) as c:
        c.send(b"PROXY TCP4 192.0.2.7 192.0.2.1 5555 80\r\n")
        assert c.request("/hello").status == 200
        assert server.hup()
        assert b'"REMOTE_ADDR": "192.0.2.7"' in c.request("/environ").body


@pytest.mark.parametrize("change", [("http-socket = {http}", "http-socket = {other}"),
                                    ("http-socket = {http}",
                                     "http-socket = {http}\nhttp-keepalive = false")],
                         ids=["gone", "another configuration"])
def test_where_the_listener_has_changed_a_connection_ends(start, change):
    server = start(INI)
    with http.Connection(server.http) as c:
        assert c.request("/hello").status == 200
        server.write_ini(INI.replace(*change))
        assert server.hup()
        assert c.is_closed()


def test_a_router_that_nobody_follows_says_goodbye(start):
    server = start(INI)
    with Kept(server, "router") as kept:
        assert kept.request("/hello").status == 200
        server.write_ini(INI.replace("http = {router}", ""))
        assert server.hup()
        until(lambda: kept.request("/hello").header("Connection") == "close", "the last answer")
        assert kept.client.is_closed()


def test_a_connection_waits_for_a_worker_that_has_to_be_started_first(start, fifo):
    """The one that would have taken it is killed."""
    server = start(INI)
    with Kept(server, "http") as kept, Kept(server, "http") as late:
        old = kept.pid()
        late.send(f"/wait?for={fifo}")
        server.wait_log("^waiting in")
        assert server.hup()
        wait_leaving(server, old)
        with http.Connection(server.http) as other:
            other.send(http.request_bytes("/sleep?s=30"))
            killed = int(server.wait_log(r"^sleeping in (\d+)$")[1])
            busy.release(fifo)
            assert late.read().status == 200
            proc.wait_gone(old)
            os.kill(killed, signal.SIGKILL)
            assert kept.pid() not in (old, killed)
            assert late.pid() not in (old, killed)


# ---- recycling ----

def test_a_kept_connection_survives_its_workers(start, way):
    server = start(INI + "max-requests = 5\n")
    with Kept(server, way) as kept:
        pids = set()
        until(lambda: pids.add(kept.pid()) or len(pids) > 3, "four workers")


def test_a_worker_that_is_asked_by_hand_gives_them_away(start, way):
    server = start(INI)
    with Kept(server, way) as kept:
        old = kept.pid()
        os.kill(old, signal.SIGTERM)
        proc.wait_gone(old)
        assert kept.pid() != old


# ---- behind nginx ----

NGINX = {"fastcgi": "fastcgi_pass fast; fastcgi_keep_conn on;",
         "http": "proxy_pass http://kept; proxy_set_header Connection '';",
         "router": "proxy_pass http://router; proxy_set_header Connection '';",
         "uwsgi": "uwsgi_pass {uwsgi};"}


@pytest.mark.parametrize("size", ["processes = 1\n", "processes = 2\nthreads = 2\n"],
                         ids=["one", "four"])
def test_nginx_gets_an_answer_to_each_request(start, nginx, size):
    """While workers are replaced after each 20 requests, and generations, too."""
    server = start(INI + "max-requests = 20\nmax-requests-delta = 7\n" + size)
    front = nginx("".join(f"upstream {name} {{ server {server.names[to]}; keepalive 8; }}"
                          for name, to in [("fast", "fastcgi"), ("kept", "http"),
                                           ("router", "router")]),
                  {name: text.format_map(server.names) for name, text in NGINX.items()})
    with contextlib.ExitStack() as stack:
        loads = [stack.enter_context(Load(front.names[name], 2, True, "/echo", body=body))
                 for name in NGINX for body in (None, b"x" * 900)]
        for _ in range(4):
            assert server.hup()
            for load in loads:
                load.wait_more(20)
    assert [load.failures for load in loads] == [[]] * len(loads), front.log()


# ---- the end of the server ----

def ends_with_an_answer(kept):
    """The worker may not know yet that it is to leave."""
    until(lambda: kept.request("/hello").header("Connection") == "close", "Connection: close")
    assert kept.client.is_closed()


def test_the_last_answer_says_that_it_is_the_last(start):
    server = start(INI)
    with Kept(server, "http") as kept, Kept(server, "router") as routed:
        kept.pid()
        routed.pid()
        server.send(signal.SIGTERM)
        ends_with_an_answer(routed)
        ends_with_an_answer(kept)
    assert server.wait() == 0


def test_silence_ends_a_connection(start, way):
    server = start(INI + "drain-idle = 1\n")
    with Kept(server, way) as kept:
        kept.pid()
        server.send(signal.SIGTERM)
        assert kept.client.is_closed()
        assert server.wait() == 0


def test_no_silence_is_longer_than_the_mercy(start, way):
    server = start(INI.replace("mercy = 20", "mercy = 1") + "drain-idle = 60\n")
    with Kept(server, way) as kept:
        kept.pid()
        server.send(signal.SIGTERM)
        assert kept.client.is_closed()
        assert server.wait() == 0
    assert "killed" not in server.log()


def stop_in_use(server):
    """A FastCGI connection has one request after the other until the server closes it."""
    with Kept(server, "fastcgi") as kept:
        kept.pid()
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        with contextlib.suppress(OSError, ValueError, AssertionError):
            while True:
                kept.request("/hello")
    assert server.wait() == 0


def test_a_fastcgi_connection_ends_with_an_answer_however_busy_it_is(start):
    server = start(INI + "drain-idle = 15\n")
    stop_in_use(server)
    assert "in use" not in server.log()


def test_whoever_has_the_last_answer_of_fastcgi_sees_the_end_of_the_connection(start):
    """In the same packet: nginx must not send another request."""
    server = start(INI, faults="")
    with Kept(server, "fastcgi") as kept:
        kept.pid()
        server.faults.set("close:delay=20ms,times=all,in=worker")
        server.send(signal.SIGTERM)
        server.wait_log("stopping")
        watched = select.poll()
        watched.register(kept.client.socket, select.POLLIN | select.POLLRDHUP)
        seen = select.POLLIN
        while seen == select.POLLIN:
            kept.send("/hello")
            (_, seen), = watched.poll()
            answer = kept.read()
    assert (answer.body, seen) == (b"hello\n", select.POLLIN | select.POLLRDHUP)
    assert server.wait() == 0


def test_those_over_unix_sockets_are_counted(start):
    """There is no such packet: nginx may have the answer a moment before it sees the end."""
    server = start(INI.replace("{fastcgi}", "{here}/fastcgi"))
    server.names["fastcgi"] = f"{server.folder}/fastcgi"
    stop_in_use(server)
    assert "worker 1 closed 1 kept connection in use" in server.log()
