# SPDX-License-Identifier: MIT
"""All that a service can see of the server: what it counts through reloads and deaths, how long requests
waited, ran and were sent, what is slow, and what the log warned of."""
import os
import signal
import threading
import time

import pytest

from lib import http
from lib.http import raw
from lib.wait import until

NUMBERS = {"stage", "text", "uri", "method", "trace"}


# Its import waits for one file to go, and /held for another, and then /held?0.5 for so long.
SLOW = """
import os, time
def wait(path):
    while os.path.exists(path):
        time.sleep(0.01)
wait({!r})
def application(environ, start_response):
    if environ["PATH_INFO"] == "/held":
        wait({!r})
        time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [])
    return [repr(environ).encode()]
"""


@pytest.fixture
def witness(start, plugin):
    def run(ini="", listen="http-socket = {http}", app="module = basic"):
        server = start(f"plugin = {plugin('witness')}\nwitness = {{witness}}\n{listen}\n"
                       f"{app}\n{ini}")
        server.wait_log(r"^witness 1 \(pid \d+\) runs$")
        return server
    return run


def ask(server):
    """{"server": [{…}], "process": [{…}, …], …}"""
    seen = {}
    for line in raw(server.witness, b"").decode().splitlines():
        kind, *members = line.split("\t")
        pairs = (m.split("=", 1) for m in members)
        seen.setdefault(kind, []).append({k: v if k in NUMBERS else int(v) for k, v in pairs})
    return seen


def wait_for(server, condition, what):
    def look():
        seen = ask(server)
        return condition(seen) and seen
    return until(look, what)


def requests(server, count):
    """Answered, and sent, which is counted last."""
    return wait_for(server, lambda s: s["server"][0]["requests"] == s["send"][0]["count"] == count,
                    f"{count} requests")


def two_serve(server, but=None):
    return wait_for(server, lambda s: [p["stage"] for p in s.get("process", [])] == ["serving"] * 2 and
                    but not in [p["pid"] for p in s["process"]], "two workers")


def test_counters_survive_reloads_and_deaths(witness):
    server = witness("processes = 2\nthreads = 2\n")
    started, count = ask(server)["server"][0]["started"], 0
    for reload in range(3):
        for _ in range(4):
            assert http.request(server.http, "/hello").status == 200
        assert http.request(server.http, "/status?line=404+No").status == 404
        count += 5
        requests(server, count)
        if reload < 2:
            assert server.hup()
            killed = two_serve(server)["process"][0]["pid"]
            os.kill(killed, signal.SIGKILL)
            two_serve(server, but=killed)
    seen = wait_for(server, lambda s: len(s["generation"]) == 1, "the end of those before")
    one = seen["server"][0]
    assert (one["generation"], one["reloads"], one["failed_reloads"]) == (3, 2, 0)
    assert (one["started"], one["master"]) == (started, server.pid)
    assert (one["ok"], one["not_found"], one["errors"], one["failed"]) == (12, 3, 0, 0)
    assert one["sent"] > 15 * 50
    assert [seen[kind][0]["count"] for kind in ("wait", "run", "send")] == [15] * 3
    assert sum(w["requests"] for w in seen["worker"]) == 15
    assert [g["stage"] for g in seen["generation"]] == ["serving"]


def test_a_worker_that_is_killed_in_the_middle_loses_no_number(witness):
    server = witness("threads = 2\n")
    http.request(server.http, "/hello")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        wait_for(server, lambda s: s["process"][0]["busy"] == 1, "the request")
        http.request(server.http, "/hello")
        requests(server, 2)
        os.kill(server.workers()[0], signal.SIGKILL)
        seen = wait_for(server, lambda s: s["worker"][0]["spawns"] == 2, "its successor")
    assert seen["server"][0]["requests"] == seen["worker"][0]["requests"] == 2
    http.request(server.http, "/hello")
    requests(server, 3)


def test_counts_never_go_back(witness):
    """Not even for a moment, while what a process has done moves to the totals."""
    server = witness("processes = 2\nmax-requests = 20\n")
    seen, over = [], threading.Event()

    def look():
        while not over.is_set():
            seen.append(ask(server)["server"][0]["requests"])
    looking = threading.Thread(target=look)
    looking.start()
    count = 0
    while count < 200 or len(seen) < 20:
        http.request(server.http, "/hello")
        count += 1
    requests(server, count)
    over.set()
    looking.join()
    assert seen == sorted(seen)


def test_both_generations_are_seen_during_a_reload(witness, tmp_path):
    gate, held = tmp_path / "gate", tmp_path / "held"
    (tmp_path / "slow.py").write_text(SLOW.format(str(gate), str(held)), encoding="utf-8")
    server = witness(app=f"wsgi-file = {tmp_path}/slow.py")
    gate.touch()
    held.touch()
    server.send(signal.SIGHUP)
    seen = wait_for(server, lambda s: len(s["generation"]) == 2, "the second one")
    assert [(g["number"], g["stage"]) for g in seen["generation"]] == [(2, "starting"), (1, "serving")]
    assert seen["server"][0]["generation"] == 1
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/held"))
        wait_for(server, lambda s: s["process"][0]["busy"] == 1, "a request of the old one")
        gate.unlink()
        seen = wait_for(server, lambda s: len(s["process"]) == 2, "both workers")
        assert [(p["generation"], p["stage"]) for p in seen["process"]][1][0] == 1
        wait_for(server, lambda s: [g["stage"] for g in s["generation"]] == ["serving", "leaving"],
                 "the old one to leave")
        held.unlink()
    wait_for(server, lambda s: [g["number"] for g in s["generation"]] == [2], "the end of the old one")


def test_a_reload_that_fails_is_counted_and_its_error_kept(witness, tmp_path):
    app = tmp_path / "app.py"
    app.write_text("from basic import application\n", encoding="utf-8")
    server = witness(app=f"wsgi-file = {app}")
    app.write_text("1 / 0\n", encoding="utf-8")
    assert not server.hup()
    seen = ask(server)
    assert (seen["server"][0]["reloads"], seen["server"][0]["failed_reloads"]) == (0, 1)
    texts = [w["text"] for w in seen["warning"]]
    assert any("ZeroDivisionError" in t or "reload failed" in t for t in texts)
    mine = next(w for w in seen["warning"] if w["text"] == "a witness looks at you")
    assert mine["error"] == 0 and mine["pid"] in server.services()


def test_slow_requests_are_kept_the_last_one_first(witness):
    server = witness("log-slow = 100\n")
    before = time.time() * 1e6
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    http.request(server.http, "/sleep?s=0.12")
    http.request(server.http, "/sleep?s=0.11", headers=[("traceparent", f"00-{trace}-00f067aa0ba902b7-01")])
    http.request(server.http, "/hello")
    kept = requests(server, 3)["slow"]
    # On a busy machine /hello may have been slow, too.
    assert all(s["run"] >= 100_000 for s in kept)
    seen = [s for s in kept if s["uri"] != "/hello"]
    assert [s["uri"] for s in seen] == ["/sleep?s=0.11", "/sleep?s=0.12"]
    assert [s["trace"] for s in seen] == [trace, ""]
    assert all(s["run"] >= 110_000 and s["status"] == 200 and s["method"] == "GET" for s in seen)
    assert all(before <= s["at"] <= time.time() * 1e6 and s["worker"] == 1 for s in seen)
    assert server.hup()
    assert ask(server)["slow"][-2:] == seen


def test_what_a_client_takes_slowly_is_the_time_of_sending(witness):
    server = witness("log-slow = 1\n")
    with http.Connection(server.http, receive_buffer=4096) as c:
        c.send(http.request_bytes("/big?n=20000000"))
        wait_for(server, lambda s: s["server"][0]["requests"] == 1, "the end of the request")
        time.sleep(0.1)     # that the client takes nothing
        assert len(c.read().body) == 20000000
    seen = wait_for(server, lambda s: s["send"][0]["count"] == 1, "the answer to be sent")
    assert seen["send"][0]["sum"] >= 100_000
    assert seen["slow"][0]["send"] >= 100_000


LONG_AGO_S = 3000       # and not an hour ago


def test_x_request_start_of_who_is_trusted_is_when_the_wait_began(witness):
    server = witness()
    for form in ("t={:.3f}", "{:.3f}"):
        start = form.format(time.time() - LONG_AGO_S)
        http.request(server.http, "/hello", headers=[("X-Request-Start", start)])
    http.request(server.http, "/hello", headers=[("X-Request-Start", "t=soon")])
    seen = wait_for(server, lambda s: s["wait"][0]["count"] == 3, "three requests")
    assert seen["wait"][0]["sum"] >= 2 * (LONG_AGO_S - 1) * 1_000_000


def test_who_is_not_trusted_does_not_say(witness):
    server = witness("forwarded-allow-ips = 192.0.2.1\n")
    http.request(server.http, "/hello", headers=[("X-Request-Start", f"t={time.time() - LONG_AGO_S}")])
    seen = wait_for(server, lambda s: s["wait"][0]["count"] == 1, "the request")
    assert seen["wait"][0]["sum"] < LONG_AGO_S * 1_000_000


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("listen", ["http-socket = {http}", "http = {http}"])
def test_behind_a_long_request_a_client_has_waited(witness, tmp_path, listen, kept):
    gate, held = tmp_path / "gate", tmp_path / "held"
    (tmp_path / "slow.py").write_text(SLOW.format(str(gate), str(held)), encoding="utf-8")
    held.touch()
    server = witness("", listen, app=f"wsgi-file = {tmp_path}/slow.py")
    long, other = http.Connection(server.http), http.Connection(server.http)
    if kept:
        other.send(http.request_bytes("/hello"))
        other.read()
    long.send(http.request_bytes("/held?0.5"))
    wait_for(server, lambda s: s["process"][0]["busy"] == 1, "the long one")
    other.send(http.request_bytes("/environ"))
    held.unlink()
    assert b"UWSGI_TAKEN" not in other.read().body
    count = 3 if kept else 2
    seen = wait_for(server, lambda s: s["wait"][0]["count"] == count, "both")
    assert seen["wait"][0]["sum"] >= 1000
    long.close()
    other.close()


def test_clients_that_break_off_are_counted(witness):
    server = witness()
    with http.Connection(server.http) as c:
        c.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    wait_for(server, lambda s: s["server"][0]["unread"] == 1, "the request that broke off")
    with http.Connection(server.http):
        pass
    http.request(server.http, "/hello")
    assert requests(server, 1)["server"][0]["unread"] == 1


def test_files_and_routes_are_counted(witness, tmp_path):
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    server = witness(f"static-map = /files={tmp_path}\nroute = ^/gone break:410 Gone\n")
    assert http.request(server.http, "/files/a.txt").body == b"a"
    assert http.request(server.http, "/gone").status == 410
    http.request(server.http, "/hello")
    one = requests(server, 3)["server"][0]
    assert (one["files"], one["routed"]) == (1, 1)


@pytest.mark.parametrize("ini", ["", pytest.param("uid = nobody\ngid = nogroup\n", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become another user"))])
def test_memory_is_known(witness, ini):
    def is_known(seen):
        process = seen["process"][0]
        return process["resident"] > process["share"] > 100_000
    # A worker says it when it serves already.
    wait_for(witness(ini), is_known, "the shares of memory")


@pytest.mark.parametrize("listen", ["http = {http}", "http-socket = {http}\nthreads = 4\nprocesses = 2"])
def test_many_requests_are_all_counted(witness, listen):
    server = witness("log-slow = 100000\n", listen)

    def work():
        with http.Connection(server.http) as c:
            for _ in range(50):
                c.send(http.request_bytes("/hello"))
                c.read()
    workers = [threading.Thread(target=work) for _ in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    seen = requests(server, 400)
    assert [seen[kind][0]["count"] for kind in ("wait", "run", "send")] == [400] * 3
    assert seen["run"][0]["half"] <= seen["run"][0]["p99"] < 10_000_000
