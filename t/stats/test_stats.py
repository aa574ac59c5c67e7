# SPDX-License-Identifier: MIT
"""The statistics server: what its readers decode, that it is true, and that nothing holds it up."""
import json
import os
import signal
import socket
import stat
import subprocess
import threading

import pytest

from lib import http, proc, uwsgi
from lib.http import raw
from lib.server import command
from lib.wait import until

# What uwsgitop reads without asking whether it is there, and the rest of its row.
ROW = {"id", "pid", "requests", "exceptions", "status", "avg_rt", "rss", "vsz", "tx", "respawn_count",
       "harakiri_count", "running_time", "last_spawn"}
PROGRAM = """
def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise ValueError("planted")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * 1000]
"""

# /?0.3 takes that long when the file is gone.
HELD = """
import os, time
def application(environ, start_response):
    while os.path.exists({!r}):
        time.sleep(0.01)
    time.sleep(float(environ["QUERY_STRING"] or 0))
    start_response("200 OK", [])
    return []
"""


@pytest.fixture
def serve(start):
    def run(ini="", app="module = basic"):
        server = start(f"http-socket = {{http}}\nstats = {{stats}}\n{app}\n{ini}\n")
        server.wait_log(r"^stats 1 \(pid \d+\) runs$")
        return server
    return run


@pytest.fixture
def held(serve, tmp_path):
    """A server whose requests wait until the file goes, and that file."""
    def run(ini=""):
        gate = tmp_path / "held"
        gate.touch()
        (tmp_path / "app.py").write_text(HELD.format(str(gate)), encoding="utf-8")
        return serve(ini, app=f"wsgi-file = {tmp_path}/app.py"), gate
    return run


def ask(address):
    return json.loads(raw(address, b""))


def worker_of(server, number=1):
    return next(w for w in ask(server.stats)["workers"] if w["id"] == number)


def wait_for(server, condition, what):
    return until(lambda: condition(worker_of(server)), what)


def integers(value):
    """All numbers are whole: readers in Go decode nothing else."""
    if isinstance(value, dict):
        value = list(value.values())
    return all(map(integers, value)) if isinstance(value, list) else not isinstance(value, (float, bool))


def test_uwsgitop_finds_what_it_reads(serve):
    server = serve("processes = 2\nthreads = 2\n")
    for _ in range(5):
        http.request(server.http, "/hello")
    seen = until(lambda: (s := ask(server.stats)) and sum(w["requests"] for w in s["workers"]) == 5 and s,
                 "five requests")
    assert integers(seen)
    assert (seen["version"], seen["pid"], seen["uid"]) == ("2.0.30", server.pid, os.getuid())
    assert seen["gid"] == os.getgid() and seen["listen_queue"] == 0
    assert os.path.samefile(seen["cwd"], os.readlink(f"/proc/{server.pid}/cwd"))
    assert [w["id"] for w in seen["workers"]] == [1, 2]
    assert sorted(w["pid"] for w in seen["workers"]) == server.workers()
    for w in seen["workers"]:
        assert w.keys() >= ROW and w["status"] == "idle" and w["accepting"] == 1
        assert w["rss"] > 1 << 20 and w["vsz"] >= w["rss"] and w["respawn_count"] == 1
        assert [core["id"] for core in w["cores"]] == [0, 1]
        assert sum(core["requests"] for core in w["cores"]) == w["requests"] == w["delta_requests"]


# Of uWSGI 2.0.30.
TOP = {"version", "listen_queue", "listen_queue_errors", "signal_queue", "load", "pid", "uid", "gid", "cwd",
       "daemons", "locks", "caches", "sockets", "workers", "spoolers", "crons", "legions"}
SOCKET = {"name", "proto", "queue", "max_queue", "shared", "can_offload"}
WORKER = ROW | {"accepting", "delta_requests", "signals", "signal_queue", "uss", "pss", "apps", "cores"}
APP = {"id", "modifier1", "mountpoint", "startup_time", "requests", "exceptions", "chdir"}
CORE = {"id", "requests", "static_requests", "routed_requests", "offloaded_requests", "write_errors",
        "read_errors", "in_request", "vars", "req_info"}


def test_nothing_of_uwsgis_is_missing(serve):
    server = serve()
    http.request(server.http, "/hello")
    wait_for(server, lambda w: w["requests"] == 1, "the request")
    seen = ask(server.stats)
    assert integers(seen) and not TOP - seen.keys() and not SOCKET - seen["sockets"][0].keys()
    worker = seen["workers"][0]
    assert not WORKER - worker.keys() and not CORE - worker["cores"][0].keys()
    assert worker["apps"] == [{"id": 0, "modifier1": 0, "mountpoint": "", "startup_time": 0, "requests": 1,
                               "exceptions": 0, "chdir": ""}]
    assert worker["rss"] >= worker["pss"] >= worker["uss"] > 0
    for name in ("daemons", "locks", "caches", "spoolers", "crons", "legions"):
        assert seen[name] == []


# An instance of its own, which only these processes see.
HIDDEN = ["unshare", "-m", "sh", "-c", "mount -t proc -o hidepid=2 none /proc && exec \"$@\"", "sh"]


@pytest.mark.usefixtures("as_root")
def test_memory_is_true_where_proc_hides_the_workers(start):
    """The service has the user of the workers, but they were root's once."""
    # Before Linux 5.8 all mounts of a PID name space are one, and all would get the option.
    if tuple(map(int, os.uname().release.split(".")[:2])) < (5, 8):
        pytest.skip("a mount of /proc is not private here")
    if subprocess.run([*HIDDEN, "true"], check=False, capture_output=True).returncode:
        pytest.skip("/proc cannot be mounted here")
    server = start.not_yet("http-socket = {http}\nstats = {stats}\nmodule = basic\nuid = nobody\n",
                           under=HIDDEN).start()
    worker = wait_for(server, lambda w: w["pid"] and w, "the worker")
    assert worker["vsz"] >= worker["rss"] > 0
    worker = wait_for(server, lambda w: w["pss"] and w, "its share")
    seen = int(proc.status(worker["pid"], "VmRSS")[0]) * 1024
    assert seen / 2 < worker["rss"] < 2 * seen and worker["rss"] >= worker["pss"]


def test_connections_that_a_full_queue_turned_away_are_counted(serve):
    server = serve("listen = 1\nno-defer-accept = true\n")
    worker = server.workers()[0]
    proc.stop(worker)
    host, port = server.http.rsplit(":", 1)
    waiting = []
    try:
        for _ in range(8):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((host, int(port)))
            waiting.append(s)
        until(lambda: ask(server.stats)["listen_queue_errors"] > 0, "one to be turned away")
    finally:
        os.kill(worker, signal.SIGCONT)
        for s in waiting:
            s.close()


@pytest.mark.parametrize("more", ["", "no-defer-accept = true\n"])
def test_connections_that_were_taken_are_not_counted_as_turned_away(serve, more):
    server = serve(more)
    for _ in range(5):
        http.request(server.http, "/hello")
    assert ask(server.stats)["listen_queue_errors"] == 0


def test_it_counts_bytes_failures_and_time(serve, tmp_path):
    (tmp_path / "app.py").write_text(PROGRAM, encoding="utf-8")
    server = serve(app=f"wsgi-file = {tmp_path}/app.py")
    http.request(server.http, "/")
    wait_for(server, lambda w: w["requests"] == 1 and 1000 < w["tx"] < 1300, "a request")
    assert http.request(server.http, "/fails").status == 500
    w = wait_for(server, lambda w: w["requests"] == 2 and w, "the other one")
    assert w["exceptions"] == 1
    assert w["running_time"] > 0 and w["avg_rt"] <= w["running_time"]


def test_a_slow_request_is_seen_while_it_runs_and_its_time_after(held):
    server, gate = held()
    slow = threading.Thread(target=http.request, args=(server.http, "/?0.3"))
    slow.start()
    w = wait_for(server, lambda w: w["status"] == "busy" and w, "the request")
    core = w["cores"][0]
    assert core["in_request"] == 1 and core["req_info"]["request_start"] >= w["last_spawn"]
    assert core["vars"] == ["REQUEST_METHOD=GET", "REQUEST_URI=/?0.3"]
    gate.unlink()
    slow.join()
    w = wait_for(server, lambda w: w["status"] == "idle" and w["requests"] and w, "its end")
    assert w["running_time"] >= 300_000 and w["avg_rt"] >= 150_000 and w["cores"][0]["vars"] == []


def test_bytes_that_are_no_text_do_not_spoil_it(held):
    server, gate = held("socket = {packets}\n")
    slow = threading.Thread(target=uwsgi.request, args=(server.packets, "/"), kwargs={
        "extra": [("REQUEST_URI", b"/\xff\x80caf\xc3\xa9" + b"\xc3\xa9" * 200)]})
    slow.start()
    w = wait_for(server, lambda w: w["status"] == "busy" and w, "the request")
    assert w["cores"][0]["vars"][1].startswith("REQUEST_URI=/\ufffd\ufffdcaf\u00e9\u00e9")
    gate.unlink()
    slow.join()


def test_a_worker_that_is_replaced_goes_on_counting(serve):
    server = serve()
    http.request(server.http, "/hello")
    old = wait_for(server, lambda w: w["requests"] == 1 and w["pid"], "a request")
    os.kill(old, signal.SIGKILL)
    w = wait_for(server, lambda w: w["respawn_count"] == 2 and w, "its successor")
    assert w["pid"] not in (0, old) and (w["requests"], w["delta_requests"]) == (1, 0) and w["tx"] > 0


def test_counters_go_on_through_reloads(serve):
    server = serve()
    for reloads in range(1, 3):
        old = worker_of(server)["pid"]
        http.request(server.http, "/hello")
        wait_for(server, lambda w: w["requests"] == reloads, "the request")
        assert server.hup()
        proc.wait_gone(old)     # which may take one more request
        w = wait_for(server, lambda w: w["pid"] not in (0, old) and w["status"] == "idle" and w, "the new one")
        assert (w["requests"], w["delta_requests"], w["respawn_count"]) == (reloads, 0, reloads + 1)
    http.request(server.http, "/hello")
    wait_for(server, lambda w: (w["requests"], w["delta_requests"]) == (3, 1) and w["tx"] > 200, "the third")


def test_workers_that_a_reload_takes_away_are_gone(serve):
    server = serve("processes = 3\n")
    with open(server.ini_path, encoding="utf-8") as f:
        text = f.read()
    server.write_ini(text.replace("processes = 3", "processes = 1"))
    assert server.hup()
    until(lambda: [w["id"] for w in ask(server.stats)["workers"]] == [1], "one worker")


def test_who_leaves_does_not_accept(held):
    server, gate = held()
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/"))
        wait_for(server, lambda w: w["status"] == "busy" and w["accepting"], "the request")
        os.kill(server.pid, signal.SIGTERM)
        wait_for(server, lambda w: w["status"] == "busy" and not w["accepting"], "the stop")
        gate.unlink()
        assert c.read().status == 200


def test_harakiri_is_counted(serve):
    server = serve("harakiri = 1\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        wait_for(server, lambda w: w["harakiri_count"] == 1 and w["respawn_count"] == 2, "the kill")


def test_it_answers_while_every_worker_is_stuck_and_sees_who_waits(serve):
    server = serve("socket = {app_unix}\nno-defer-accept = true\n")
    worker = server.workers()[0]
    proc.stop(worker)
    waiting = [http.Connection(a) for a in (server.http, server.http, server.app_unix)]
    queues = {"http": 2, "uwsgi": 1}
    try:
        seen = until(lambda: (s := ask(server.stats)) and
                     {x["proto"]: x["queue"] for x in s["sockets"]} == queues and s, "all of them to wait")
    finally:
        os.kill(worker, signal.SIGCONT)
        for c in waiting:
            c.close()
    assert {s["name"] for s in seen["sockets"]} == {server.http, server.app_unix}
    assert all(s["max_queue"] > 1 for s in seen["sockets"])
    assert seen["listen_queue"] == seen["load"] == 2


def test_a_reload_does_not_end_it(serve):
    server = serve()
    service, old = server.services()[0], worker_of(server)["pid"]
    assert server.hup()
    wait_for(server, lambda w: w["pid"] not in (0, old), "the new worker")
    assert server.services() == [service] and proc.alive(service)


def test_it_sees_sockets_that_a_reload_brings_and_refuses_nobody_meanwhile(serve):
    server = serve()
    with open(server.ini_path, encoding="utf-8") as f:
        text = f.read()
    server.write_ini(text + "uwsgi-socket = {packets}\n")
    asked = threading.Event()

    def ask_on():
        while not asked.is_set():
            ask(server.stats)       # a refused connection would fail here
    asking = threading.Thread(target=ask_on)
    failures, before = [], threading.excepthook
    threading.excepthook = failures.append
    asking.start()
    assert server.hup()
    until(lambda: server.packets in [s["name"] for s in ask(server.stats)["sockets"]], "the new socket")
    asked.set()
    asking.join()
    threading.excepthook = before
    assert failures == []


def test_a_killed_one_is_started_again(serve):
    server = serve()
    service = server.services()[0]
    os.kill(service, signal.SIGKILL)
    until(lambda: len(server.services()) == 2, "another one")
    assert ask(server.stats)["pid"] == server.pid
    assert http.request(server.http, "/hello").status == 200


def test_unix_and_abstract_sockets(start):
    name = f"@uwsgi-stats-{os.getpid()}"
    server = start("http-socket = {http}\nmodule = basic\nstats = {st_unix}\n"
                   f"stats-server = {name}\nchmod-socket = 600\nvacuum = true\n")
    assert stat.S_IMODE(os.stat(server.st_unix).st_mode) == 0o600
    assert ask(server.st_unix)["pid"] == server.pid
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0" + name[1:])
        with s.makefile("rb") as f:
            assert json.load(f)["pid"] == server.pid
    server.stop()
    assert not os.path.exists(server.st_unix)


def test_over_http_the_client_speaks_first(serve):
    server = serve("stats-http = true\n")
    response = http.request(server.stats, "/whatever")
    assert response.status == 200 and response.header("content-type") == "application/json"
    assert json.loads(response.body)["pid"] == server.pid
    assert response.header("access-control-allow-origin") is None
    # Who says nothing gets the same, a little later.
    assert raw(server.stats, b"").startswith(b"HTTP/1.0 200 OK\r\n")


def test_silent_clients_keep_nobody_waiting(serve):
    server = serve("stats-http = true\n")
    silent = [http.Connection(server.stats) for _ in range(60)]
    assert http.request(server.stats, "/").status == 200
    for c in silent:
        c.close()


def test_clients_that_take_nothing_keep_nobody_waiting(serve):
    server = serve("threads = 1000\n")
    slow = [http.Connection(server.stats, receive_buffer=2048) for _ in range(20)]
    seen = ask(server.stats)
    assert len(seen["workers"][0]["cores"]) == 1000
    for c in slow:
        c.close()


def test_less_of_it(serve):
    server = serve("stats-minified = true\nstats-no-cores = true\nstats-no-metrics = true\n")
    text = raw(server.stats, b"")
    assert b"\n" not in text and b'": ' not in text
    assert "cores" not in json.loads(text)["workers"][0]


def test_a_server_that_only_tells_of_itself_is_a_mistake(start):
    server = start.not_yet("stats = {st_unix}\nmodule = basic\n")
    assert server.run() == 1
    server.wait_log("nothing to listen on")
    assert not os.path.exists(server.st_unix)


@pytest.mark.parametrize("address, said", [
    ("0.0.0.0:0", True), (":0", True), ("[::]:0", True), ("127.0.0.1:0", False), ("@stats", False)])
def test_an_address_that_others_reach_is_said(folder, address, said):
    with open(f"{folder}/x.ini", "w", encoding="utf-8") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\nmodule = x\nstats = {address}\n")
    checked = command("--check", f"{folder}/x.ini").stderr
    assert (f"whoever reaches this machine can read it at {address}; write" in checked) == said
