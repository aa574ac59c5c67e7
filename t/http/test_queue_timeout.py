# SPDX-License-Identifier: MIT
"""queue-timeout: a request that has waited for too long is refused without the application."""
import time

import pytest

from lib import http
from lib.address import unread
from lib.busy import Held
from lib.house import DIRECT, SOCKETS
from lib.wait import until

INI = SOCKETS + "module = basic\n"
# A busy machine makes no request wait so long.
SHORT, LONG = INI + "queue-timeout = 1\n", INI + "queue-timeout = 5\n"
TOO_LONG_S = 1.1


def wait_behind(server, target, seconds, address=None):
    """Sends a request that waits so long behind another one, counted from when the server has it."""
    address = address or server.http
    with Held(server, connection=http.Connection(address)) as first, \
            http.Connection(address) as second:
        second.send(http.request_bytes(target))
        if address == server.router:
            until(lambda: unread(second.socket) == 0, "the router to have the request")
        time.sleep(seconds)
        assert first.end().status == 200
        return second.read()


@pytest.fixture
def server(start):
    return start(SHORT)


def test_who_waits_behind_another_one_for_too_long_is_refused(server):
    answer = wait_behind(server, "/hello?late", TOO_LONG_S)
    assert (answer.status, answer.body) == (503, b"Service Unavailable\n")
    assert answer.header("Retry-After") == "1"
    server.wait_log(r"warning: a request that has waited for [\d.]+ s is answered with 503 "
                    r"\(queue-timeout\)")
    server.wait_log(r"GET /hello\?late => .* \(HTTP/1.1 503\)")
    assert http.request(server.http, "/hello").status == 200


def test_the_router_s_clients_are_waited_for_as_well(server):
    assert wait_behind(server, "/hello", TOO_LONG_S, server.router).status == 503


def test_who_waits_less_is_served(start):
    assert wait_behind(start(LONG), "/hello", 0.1).status == 200


@pytest.mark.parametrize("threads", [1, 2])
def test_what_the_proxy_says_counts(start, threads):
    """Whatever is spoken; nothing of it reaches the application."""
    server = start(LONG + f"threads = {threads}\n")
    for way, request in DIRECT.items():
        def ask(ago_s, ask=request, address=server.names[way]):
            began = ("X-Request-Start", f"t={time.time() - ago_s:.3f}")
            return ask(address, "/sleep?s=0", headers=[began], timeout=20)
        assert ask(9).status == 503
        assert ask(0).status == 200
    assert server.log().count("sleeping in") == len(DIRECT)
    assert server.log().count("queue-timeout") <= threads
