# SPDX-License-Identifier: MIT
"""What happens to a peer that is left without the rest, and to one that takes nothing."""
import contextlib

import pytest

from lib import fastcgi, http

HOW = {
    "as it comes": "",
    "unbuffered": "fastcgi_buffering off;",
    "kept": "fastcgi_keep_conn on;",
    "kept, unbuffered": "fastcgi_keep_conn on; fastcgi_buffering off;",
}
BROKEN = ["/raise", "/raise?length=100", "/raise?blocks=3&size=70000"]


@pytest.fixture
def ask(start, nginx):
    """ask(name of the socket, target): for each way to set nginx up, all that its client gets until
    the connection ends; a client that is left waiting is the test's time-out."""
    def answers(name, target):
        with contextlib.ExitStack() as stack:
            asked = [(how, stack.enter_context(http.Connection(front.names[f"{name} {how}"])))
                     for how in HOW]
            for _, c in asked:
                c.send(http.request_bytes(target))
            return [(how, c.read_all()) for how, c in asked]
    server = start("fastcgi-socket = {tcp}\nfastcgi-socket = {unix}\nmodule = broken")
    upstreams = {"tcp": server.tcp, "unix": f"unix:{server.unix}"}
    front = nginx("".join(f"upstream {name} {{ server {address}; keepalive 2; }}\n"
                          for name, address in upstreams.items()),
                  {f"{name} {how}": f"fastcgi_pass {name}; {HOW[how]}"
                   for name in upstreams for how in HOW})
    return answers


@pytest.mark.parametrize("target", BROKEN)
def test_over_tcp_nginx_passes_on_what_there_is_and_cuts(ask, target):
    for how, answer in ask("tcp", target):
        assert answer.startswith(b"HTTP/1.1 200 ") and not answer.endswith(b"0\r\n\r\n"), how
        if "as it comes" not in how:    # there, nginx loses what it holds in its last buffer
            assert b"xxxxxxxxxx" in answer, how


@pytest.mark.parametrize("target", BROKEN)
def test_over_a_unix_socket_nginx_does_not_pass_on_half_an_answer_as_a_whole_one(ask, target):
    for how, answer in ask("unix", target):
        assert answer == b"" or answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 502 ")), how
        assert not answer.endswith(b"0\r\n\r\n"), how


def test_one_who_asks_and_takes_no_answer_is_left(served):
    """Memory that answers wait in is bounded: the server closes, and this cannot go on sending."""
    question = fastcgi.record(99, 0) * 8192
    with http.Connection(served.fastcgi) as c:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(2000):
                c.send(question)
    assert fastcgi.request(served.fastcgi, "/hello").body == b"hello\n"
