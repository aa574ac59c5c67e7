# SPDX-License-Identifier: MIT
"""An answer that breaks off: over TCP its peer sees a reset, and not the end of a whole one."""
import select
import time

import pytest

from lib import http, uwsgi

INI = "socket = {uwsgi}\nhttp-socket = {http}\nmodule = broken\n"


@pytest.mark.parametrize("size", [10, 600_000])
@pytest.mark.parametrize("way", ["uwsgi", "http"])
def test_all_that_was_said_comes_before_the_reset(start, way, size):
    """More than the peer's buffer holds, and less; the peer is slower than the server."""
    server = start(INI)
    data = {"uwsgi": uwsgi.request_bytes, "http": http.request_bytes}[way](
        f"/raise?blocks=2&size={size}", version="1.0")
    with http.Connection(server.names[way], receive_buffer=131072) as c:
        c.send(data)
        got = 0
        with pytest.raises(ConnectionResetError):
            while True:
                more = c.socket.recv(16384)
                assert more, "the connection was closed as if that were all"
                got += more.count(b"x")
                time.sleep(0.002)
    assert got - 2 * size in range(10)  # those of the head


def test_one_who_takes_nothing_is_not_waited_for(start):
    server = start(INI)
    with http.Connection(server.uwsgi, receive_buffer=4096) as c:
        c.send(uwsgi.request_bytes("/raise?size=20000"))
        server.wait_log("^RuntimeError: broke off")
        assert uwsgi.request(server.uwsgi, "/").body == b"x" * 10
        waiting = select.poll()
        waiting.register(c.socket, 0)
        (_, events), = waiting.poll(20000)
        assert events & select.POLLERR


@pytest.mark.parametrize("buffering", ["on", "off"])
def test_nginx_does_not_pass_on_half_an_answer_as_a_whole_one(start, nginx, buffering):
    server = start(INI)
    front = nginx("", {"to": f"uwsgi_pass {server.uwsgi}; uwsgi_buffering {buffering};"})
    for target in "/raise", "/raise?length=100", "/raise?blocks=3&size=70000":
        with http.Connection(front.to) as c:
            c.send(http.request_bytes(target))
            answer = c.read_all()
        assert answer.startswith(b"HTTP/1.1 200 ") and not answer.endswith(b"0\r\n\r\n")
    assert http.request(front.to, "/?blocks=3").complete
