# SPDX-License-Identifier: MIT
"""A handler that answers later: its lane goes on with others, before applications of both kinds."""
import signal

import pytest

from lib import fastcgi, http, uwsgi
from lib.wait import until

APPS = {"python": "module = basic\n", "later": "later = true\n"}


@pytest.fixture(params=APPS)
def doorman(request, start, plugin):
    later = plugin("later", flags=("-Wl,--no-as-needed", "-lev")) if request.param == "later" else ""

    def run(ms, more=""):
        return start(f"plugin = {plugin('doorman')} {later}\nhttp-socket = {{http}}\n"
                     f"socket = {{uwsgi}}\nfastcgi-socket = {{fastcgi}}\ndoorman-ms = {ms}\n"
                     f"{APPS[request.param]}{more}")
    return run


def test_it_lets_in_or_not_on_every_protocol(doorman):
    server = doorman(10)
    for speak, address in ((http, server.http), (uwsgi, server.uwsgi), (fastcgi, server.fastcgi)):
        assert speak.request(address, "/hello").body == b"hello\n"
        assert speak.request(address, "/closed").status == 403


def test_a_kept_connection_goes_on(doorman):
    server = doorman(5)
    with http.Connection(server.http) as c:
        for _ in range(5):
            assert c.request("/hello").body == b"hello\n"
            assert c.request("/closed").status == 403
        c.send(http.request_bytes("/hello") * 3)  # the next one waits for its turn
        assert [c.read().body for _ in range(3)] == [b"hello\n"] * 3


def test_many_wait_side_by_side_in_one_lane(doorman):
    server = doorman(300)
    connections = [http.Connection(server.http) for _ in range(100)]
    for c in connections:
        c.send(http.request_bytes("/hello"))
    assert [c.read().body for c in connections] == [b"hello\n"] * 100
    for c in connections:
        c.close()


def test_the_time_at_the_door_is_no_wait_for_a_turn(doorman):
    server = doorman(1500, "queue-timeout = 1\n")
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_who_leaves_meanwhile_hurts_nobody(doorman):
    server = doorman(100)
    for _ in range(20):
        with http.Connection(server.http) as c:
            c.send(http.request_bytes("/hello"))
    assert http.request(server.http, "/hello").body == b"hello\n"
    worker = server.workers()
    until(lambda: http.request(server.http, "/closed").status == 403, "an answer")
    assert server.workers() == worker


def test_a_stop_waits_for_those_at_the_door(doorman):
    server = doorman(500)
    with http.Connection(server.http) as first, http.Connection(server.http) as second:
        first.send(http.request_bytes("/closed"))
        assert first.read().status == 403
        # It is read before the next request of the other is answered.
        second.send(http.request_bytes("/hello"))
        first.request("/closed")
        second.send(http.request_bytes("/hello"))
        assert second.read().body == b"hello\n"
        server.send(signal.SIGTERM)
        assert second.read().body == b"hello\n"
    assert server.wait() == 0
