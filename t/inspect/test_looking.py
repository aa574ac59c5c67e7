# SPDX-License-Identifier: MIT
"""/stacks and /profile: what all workers do, now and in a while."""
import json
import os
import re
import select
import signal

import pytest

from lib import http, proc
from lib.busy import Busy, begin, let_go
from lib.wait import until


@pytest.fixture
def serve(start):
    def run(ini="", address="{inspect}"):
        server = start("http-socket = {http}\nmodule = looked_at\ndisable-logging = true\n"
                       f"inspect = {address}\n{ini}\n")
        server.wait_log(r"^inspect 1 \(pid \d+\) runs$")
        return server
    return run


def ask(address, target, headers=()):
    return http.request(address, target, "GET", headers, host="127.0.0.1")


def ask_all(address, target="/stacks", headers=()):
    """What all workers say: on a busy machine, one may have no time to answer."""
    def said():
        answer = ask(address, target, headers)
        return b"the machine has no time" not in answer.body and answer
    return until(said, "an answer of all workers")


def begin_profile(server, client):
    """One of a minute.  The next one may be quicker to come and take its place."""
    asked = http.request_bytes("/profile?seconds=60", host="localhost")
    client.send(asked)

    def runs():
        if ask(server.inspect, "/profile?seconds=1").status == 409:
            return True
        if select.select([client.socket], [], [], 0)[0]:
            assert client.read().status == 409
            client.send(asked)
        return False
    until(runs, "the profile")


def folded(answer):
    assert answer.status == 200 and answer.header("content-type") == "text/plain; charset=utf-8"
    return {stack: int(n) for stack, n in
            (line.rsplit(" ", 1) for line in answer.body.decode().splitlines())}


def test_stacks_as_text_and_json(serve, fifo):
    server = serve("processes = 2\nthreads = 2\n")
    waiting = begin(server, f"/slow?outside={fifo}")

    def seen():
        text = ask_all(server.inspect).body.decode()
        return text if " wait_outside\n" in text else None
    text = until(seen, "the request")
    assert re.findall(r"^worker (\d+) \(pid \d+\)$", text, re.M) == ["1", "2"]
    assert text.count(" is idle\n") == 3
    assert re.search(r"^  lane [01] runs GET /slow for \d+\.\d s$", text, re.M)
    assert re.search(r"^  thread uWSGIWorker\dCore[01] runs GET /slow for \d+\.\d s, most recent "
                     r"call first:\n    \S+/looked_at\.py:\d+ wait_outside\n", text, re.M)
    for form in (ask_all(server.inspect, "/stacks?format=json"),
                 ask_all(server.inspect, headers=[("Accept", "application/json")])):
        workers = json.loads(form.body)
        assert form.header("content-type") == "application/json"
        assert [w["worker"] for w in workers] == [1, 2] and workers[0]["trouble"] is None
        thread, = [t for w in workers for t in w["threads"]]
        assert thread["request"]["uri"] == "/slow" and thread["lane"] in (0, 1)
        assert thread["frames"][0]["function"] == "wait_outside"
    let_go(fifo, waiting)


def test_only_who_may_know_sees_queries(serve, fifo):
    server = serve(address="{ins_unix}")
    waiting = begin(server, f"/?outside={fifo}")
    until(lambda: f"GET /?outside={fifo} for" in
          http.request(server.ins_unix, "/stacks", host="localhost").body.decode(), "the request")
    let_go(fifo, waiting)


def test_who_holds_the_gil_is_named(serve, fifo):
    server = serve("processes = 2\n")
    holder = begin(server, f"/stuck?holding={fifo}")
    said = until(lambda: re.search(r"^worker \d \(pid \d+\): holds the GIL, no answer in 500 ms\n"
                                   r"  lane 0 runs GET /stuck for \d+\.\d s\n",
                                   ask(server.inspect, "/stacks").body.decode(), re.M),
                 "the worker that is stuck")
    assert said.string.count("worker ") == 2
    let_go(fifo, holder)
    until(lambda: "GIL" not in ask(server.inspect, "/stacks").body.decode(), "its end")


def test_who_is_stopped_is_not_said_to_hold_anything(serve):
    server = serve()
    proc.stop(server.workers()[0])
    try:
        assert b": no answer in 500 ms: it is stopped" in ask(server.inspect, "/stacks").body
    finally:
        os.kill(server.workers()[0], signal.SIGCONT)


def test_a_profile_is_the_sum_of_all_workers(serve):
    server = serve("processes = 2\n")
    # Long requests: a process that has just woken up may lose the processor at its first lines.
    with Busy(server, "/shop/17?planted=400000", clients=4):
        seen = folded(ask(server.inspect, "/profile?seconds=1&hz=250"))
    planted = {stack: n for stack, n in seen.items() if ":planted:" in stack}
    assert sum(planted.values()) >= 0.9 * sum(seen.values()), seen
    assert all(stack.startswith("GET /shop/*;") for stack in seen)
    assert all(len(re.findall(r";[^;]+:[^;:]+:\d+", stack)) == stack.count(";") for stack in planted)


def test_of_one_worker(serve):
    server = serve("processes = 2\n")
    assert folded(ask(server.inspect, "/profile?seconds=1&worker=2")) == {}
    assert ask(server.inspect, "/profile?worker=3").status == 503
    assert ask(server.inspect, "/stacks?worker=2").body.startswith(b"worker 2 (pid ")


@pytest.mark.parametrize("query", ["seconds=0", "seconds=61", "seconds=", "seconds=1e1", "hz=0",
                                   "hz=251", "seconds=-1", "worker=0", "worker=x",
                                   "hz=99999999999999999999999"])
def test_bounds(serve, query):
    assert ask(serve().inspect, f"/profile?{query}").status == 400


def test_one_at_a_time_and_who_leaves_ends_it(serve):
    server = serve()
    with http.Connection(server.inspect) as c:
        begin_profile(server, c)
        assert ask(server.inspect, "/stacks").status == 200
    until(lambda: ask(server.inspect, "/profile?seconds=1").status == 200, "the next one")


def test_a_reload_in_the_middle(serve):
    server = serve("processes = 2\n")
    with Busy(server, "/?planted=20000"), http.Connection(server.inspect) as c:
        begin_profile(server, c)
        server.hup()
        # Its workers are gone long before: what they saw is the answer, if they could still say it.
        assert c.read().status in (200, 503)


def test_health_alone_looks_into_nobody(start):
    server = start("http-socket = {http}\nmodule = basic\nhealth = {health}\n")
    assert http.request(server.health, "/stacks").status == 404


def test_the_server_stops_in_the_middle(serve):
    server = serve()
    with http.Connection(server.inspect) as c:
        begin_profile(server, c)
        server.send(signal.SIGTERM)
        assert server.wait() == 0


def test_harakiri_in_the_middle(serve, fifo):
    server = serve("harakiri = 1\n")
    with http.Connection(server.inspect) as c:
        begin_profile(server, c)
        stuck = begin(server, f"/stuck?holding={fifo}")
        assert c.read().status in (200, 503)
    stuck.join()
    # On a very busy machine harakiri may strike this one, too.
    until(lambda: http.is_answered(server.http, "/?planted=1"), "a worker that serves")
