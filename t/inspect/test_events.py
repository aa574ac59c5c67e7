# SPDX-License-Identifier: MIT
"""/events: everything at first, then what has changed, and nobody who is slow holds it up."""
import json
import select

import pytest

from lib import http
from lib.busy import Held
from lib.wait import until

ALL = {"t", "started", "version", "generation", "state", "requests", "failed", "sent", "gone", "classes",
       "hist", "workers", "sockets", "vassals", "slow", "log"}


@pytest.fixture
def serve(start):
    def run(ini=""):
        server = start("http-socket = {http}\nmodule = basic\ninspect = {inspect}\ninspect = {ins_unix}\n"
                       f"{ini}\n")
        server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
        return server
    return run


class Events:
    """One reader of them, with everything that it was told."""
    def __init__(self, address, **more):
        self.connection = http.Connection(address, **more)
        self.connection.send(http.request_bytes("/events", host="localhost"))
        self.head = self.connection.read_head()
        self.known = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def next(self):
        """The keys of the next event."""
        line = self.connection._line()
        assert line.startswith("data: ") and self.connection._line() == ""
        event = json.loads(line[len("data: "):].encode("latin-1"))
        self.known.update(event)
        return set(event)

    def until(self, condition):
        while not condition(self.known):
            self.next()
        return self.known


def test_everything_and_then_what_has_changed(serve):
    server = serve("processes = 2\nthreads = 2\n")
    with Events(server.inspect) as events:
        assert events.head.status == 200 and events.head.header("content-type") == "text/event-stream"
        assert events.next() == ALL
        seen = events.known
        assert seen["state"] == "serving" and seen["generation"] == 1
        assert sorted(w["pid"] for w in seen["workers"]) == server.workers()
        assert all([lane["n"] for lane in w["lanes"]] == [0, 1] for w in seen["workers"])
        assert seen["sockets"][0]["name"] == server.http
        assert {"t"} <= events.next() <= {"t", "workers"}
        http.request(server.http, "/hello")
        # A lane counts one thing after the other.
        events.until(lambda seen: seen["requests"] == 1 and seen["hist"]["run"])
        assert seen["classes"] == [0, 1, 0, 0, 0] and seen["hist"]["run"][-1][1] == 1


def test_what_runs_what_was_slow_and_what_was_warned_of(serve):
    server = serve("log-slow = 50\n")
    with Events(server.inspect) as stranger, Events(server.ins_unix) as known:
        with Held(server) as held:
            known.until(lambda s: s and s["workers"][0]["lanes"][0]["ms"] >= 100)
            lane = known.known["workers"][0]["lanes"][0]
            assert (lane["busy"], lane["method"], lane["uri"]) == (True, "GET", f"/wait?for={held.fifo}")
            assert held.end().status == 200
        request = known.until(lambda s: s["slow"])["slow"][0]
        assert (request["uri"], request["status"]) == (f"/wait?for={held.fifo}", 200)
        assert request["run_us"] >= 1e5
        assert stranger.until(lambda s: s.get("slow"))["slow"][0]["uri"] == "/wait"


def test_a_reload_is_seen(serve):
    server = serve()
    with Events(server.inspect) as events:
        events.next()
        assert server.hup()
        events.until(lambda seen: seen["generation"] == 2)
        events.until(lambda seen: {w["generation"] for w in seen["workers"]} == {2})
        assert events.known["state"] == "serving"


def test_who_has_not_taken_one_event_is_not_told_the_next(serve):
    server = serve()
    with Events(server.ins_unix) as deaf:
        select.select([deaf.connection.socket], [], [])
        with Events(server.ins_unix) as events:
            events.next()
            events.next()
        passed_over = events.known["t"]
        assert deaf.next() == ALL and deaf.known["t"] < passed_over
        deaf.next()
        assert deaf.known["t"] > passed_over


def test_who_takes_nothing_keeps_nobody_waiting(serve):
    server = serve("threads = 400\n")
    deaf = [Events(server.inspect, receive_buffer=2048) for _ in range(10)]
    with Events(server.inspect) as events:
        assert events.next() == ALL and "t" in events.next()
    assert http.request(server.inspect, "/live").status == 200
    for one in deaf:
        one.connection.close()


def test_they_leave_places_for_probes_and_for_others_that_come_later(serve):
    server = serve()
    watchers = [Events(server.inspect) for _ in range(12)]
    refused = http.request(server.inspect, "/stats", host="localhost")
    assert refused.status == 503 and refused.header("retry-after") == "1"
    assert http.request(server.inspect, "/ready").status == 200
    for one in watchers:
        one.connection.close()
    until(lambda: http.request(server.inspect, "/stats", host="localhost").status == 200, "a place")


def test_head_is_answered_and_ends(serve):
    server = serve()
    answer = http.request(server.inspect, "/events", "HEAD", host="localhost")
    assert answer.status == 200 and answer.header("content-type") == "text/event-stream"
