# SPDX-License-Identifier: MIT
"""A request that takes too long: its client is told, its worker replaced, and nobody else notices."""
import concurrent.futures
import os
import re

import pytest

from lib import fastcgi, http, proc
from lib.busy import Held as Innocent   # runs on the other thread
from lib.house import DIRECT, SOCKETS
from lib.load import Load
from lib.wait import until

INI = "http-socket = {http}\nmodule = overdue\nprocesses = 1\nharakiri = 0.3\n"
# Short requests, which a machine that stands still must not make overdue.
SPARED = "route = ^/(wait)?$ harakiri:60\n"
PATIENT = INI + "threads = 2\n" + SPARED


def pid_of(server):
    return int(http.request(server.http, "/").body)


def begin(server, target, **how):
    """A connection whose request the application has begun with."""
    before = server.log().count("begun")
    c = http.Connection(server.http)
    c.send(http.request_bytes(target, **how))
    until(lambda: server.log().count("begun") > before, target)
    return c


def test_the_client_gets_504_whatever_it_speaks(start):
    """All at once, each on a thread of its own; the worker ends with the last of them.  One that comes
    late may be its successor's."""
    server = start(SOCKETS + "module = overdue\nthreads = 10\nharakiri = 0.3\n")
    first = pid_of(server)

    def ask(way):
        return DIRECT[way](server.names[way], "/stand?a", timeout=20)
    with concurrent.futures.ThreadPoolExecutor(len(DIRECT)) as pool:
        answers = dict(zip(DIRECT, pool.map(ask, DIRECT)))
    assert {way: (a.status, a.body) for way, a in answers.items()} == \
        dict.fromkeys(DIRECT, (504, b"Gateway Timeout\n"))
    proc.wait_gone(first)
    assert pid_of(server) != first
    # The successor's, too, which says so behind its answer.
    assert len(server.wait_each(r"worker 1 \(pid \d+\), thread \d+: GET /stand\?a(?: of \S+)? "
                                r"ran [\d.]+ s \(harakiri 0\.3\); its client gets 504", 10)) == 10
    log = server.log()
    assert log.count(f"{first}) is replaced") == 1
    assert "killed" not in log
    assert len(re.findall(r"GET /stand.* \(HTTP/1.1 504\)", log)) == 10


def test_the_log_says_where_that_thread_was(start):
    server = start(PATIENT)
    with Innocent(server) as innocent, begin(server, "/stand") as c:
        assert c.read().status == 504
        lines = server.wait_log(r"it was here:\n((?:  File .*\n)+)")[1]
        assert [line.split()[-1] for line in lines.splitlines()] == \
            ["innermost", "stand", "application"]
        assert innocent.end().status == 200


@pytest.mark.skipif(os.environ.get("UWSGI_SANITIZED") == "tsan", reason="it holds signals back")
def test_it_says_so_of_a_thread_that_holds_the_interpreter(start):
    """Nothing that needs its lock would ever come to an end."""
    server = start(INI)
    first = pid_of(server)
    with begin(server, "/hold") as c:
        assert c.read().status == 504
    server.wait_log(r"it was here:\n  File .*, line \d+ in hold\n")
    proc.wait_gone(first)
    assert http.request(server.http, "/").status == 200


@pytest.mark.skipif(os.environ.get("UWSGI_SANITIZED") == "tsan", reason="it holds signals back")
def test_a_thread_that_says_it_too_late_is_not_taken_for_another(start):
    server = start(PATIENT)
    with begin(server, "/deaf?first") as first, begin(server, "/deaf?second") as second:
        assert first.read().status == 504
        assert second.read().status == 504
        line = server.wait_log(r"GET /deaf\?second of .* its client gets 504(.*)")
    assert "it was here" not in line[1]


def test_a_clock_that_is_set_neither_begins_nor_ends_a_deadline(start):
    server = start(INI.replace("harakiri = 0.3", "harakiri = 60\nqueue-timeout = 50") +
                   "threads = 3\n", faults="")
    with Innocent(server) as innocent, http.Connection(server.http) as kept:
        assert kept.request("/").status == 200
        server.faults.set("wall:EINVAL,times=all")
        assert kept.request("/").status == 200
        with begin(server, "/deaf?after=0.3") as c:
            assert c.read().status == 504
        server.wait_log("GET /deaf.* its client gets 504")
        server.faults.set("")
        assert innocent.end().status == 200


def test_a_successor_serves_and_the_others_of_the_worker_are_finished(start):
    server = start(PATIENT)
    first = pid_of(server)
    with Innocent(server) as innocent, begin(server, "/stand") as guilty:
        assert guilty.read().status == 504
        until(lambda: pid_of(server) != first, "the successor")
        assert int(innocent.end().body) == first
        proc.wait_gone(first)
    assert "ends in order" not in server.log()


def test_one_that_comes_back_too_late_harms_nobody(start):
    """The other thread keeps the worker, which then ends in order."""
    server = start(PATIENT)
    first = pid_of(server)
    with Innocent(server) as innocent, begin(server, "/stand?s=1.5") as c:
        answer = c.read()
        assert (answer.status, answer.body) == (504, b"Gateway Timeout\n")
        assert c.read_all() == b""
        server.wait_log("came back")
        until(lambda: "runs GET /stand" not in server.told(), "the thread to be done with it")
        c.close()
        assert int(innocent.end().body) == first
        proc.wait_gone(first)
    assert server.log().count("ends in order") == 1
    assert server.log().count("GET /stand?s=1.5 =>") == 1


def test_no_other_request_is_lost(start):
    server = start(INI + "threads = 3\n" + SPARED)
    first = pid_of(server)
    with Load(server.http, target="/") as load:
        with begin(server, "/stand") as c:
            assert c.read().status == 504
        proc.wait_gone(first)
        load.wait_more(20)
    assert load.failures == []


def test_connections_of_the_lane_go_to_another(start):
    """The one has sent nothing yet, the other has had an answer before."""
    server = start(PATIENT + "processes = 1\n")
    with Innocent(server) as innocent, http.Connection(server.http) as new, \
            http.Connection(server.http) as kept:
        assert kept.request("/").status == 200
        with begin(server, "/stand") as c:
            assert c.read().status == 504
        assert new.request("/").status == 200
        assert kept.request("/").status == 200
        assert innocent.end().status == 200


def test_an_answer_that_has_begun_is_cut_off_at_once(start):
    server = start(PATIENT + "http = {router}\n")
    with Innocent(server) as innocent:
        with begin(server, "/stream") as c:
            answer = c.read()
            assert (answer.body, answer.complete) == (b"x" * 10, False)
        server.wait_log("its answer is cut off")
        assert innocent.end().status == 200


def test_it_is_reset_where_its_end_would_look_like_the_end_of_a_whole_one(start):
    server = start(PATIENT)
    with Innocent(server) as innocent:
        with begin(server, "/stream", version="1.0") as c, pytest.raises(ConnectionResetError):
            while c.socket.recv(65536):
                pass
        assert innocent.end().status == 200


def test_a_whole_answer_stays_whole(start):
    """What its application does in close() counts."""
    server = start(INI)
    with begin(server, "/close") as c:
        answer = c.read()
        assert (answer.status, answer.body, answer.complete) == (200, b"all", True)
        server.wait_log(r"GET /close .*harakiri 0\.3\); its client has all of its answer")
        server.wait_log(r"GET /close => generated 3 bytes .*HTTP/1.1 200")
        assert c.is_closed()


def test_close_does_not_count_with_harakiri_no_arh(start):
    server = start(INI + "harakiri-no-arh = true\nthreads = 2\n")
    with begin(server, "/close?s=0.6"):
        with begin(server, "/stand") as c:
            assert c.read().status == 504
        server.wait_log(r"GET /stand .*harakiri")
    assert "GET /close of" not in server.log()


@pytest.mark.parametrize("target", ["/stand?", "/user?after=9"])
def test_a_short_request_is_left_alone(start, target):
    """Each of two threads has its own deadline, which others neither end nor put off."""
    server = start("http-socket = {http}\nmodule = overdue\nthreads = 2\nharakiri = 2\n")
    with begin(server, target + "&s=0.5") as c, Load(server.http, clients=1, target="/") as load:
        assert c.read().status == 200
    assert load.failures == []
    with begin(server, "/stand") as c, Load(server.http, clients=1, target="/") as load:
        assert c.read().status == 504
    assert load.failures == []


def test_what_a_client_does_is_not_counted(start):
    """A slow upload is not a running request."""
    server = start(INI.replace("0.3", "1"))
    data = http.request_bytes("/", "POST", body=b"0123456789")
    with http.Connection(server.http) as slow, begin(server, "/stand") as c:
        slow.send(data[:-1])
        assert c.read().status == 504
    with http.Connection(server.http) as slow:
        slow.send(data[:-1])
        for _ in range(6):
            assert http.request(server.http, "/stand?s=0.2").status == 200
        slow.send(data[-1:])
        assert slow.read().status == 200


def test_a_worker_that_leaves_meanwhile_promises_no_other(start):
    server = start(PATIENT + "max-requests = 1\n")
    with Innocent(server, "&stand=0.1") as guilty:
        leaving = pid_of(server)
        server.wait_log(f"{leaving}\\) is replaced: max-requests")
        assert guilty.end().status == 504
    proc.wait_gone(leaving)
    assert server.log().count("is replaced") == 1
    assert "restarting" not in server.log()


def test_harakiri_verbose_tells_where_in_the_kernel_the_thread_was(start):
    server = start(PATIENT + "harakiri-verbose = true\n")
    with Innocent(server) as innocent, begin(server, "/stand") as c:
        assert c.read().status == 504
        server.wait_log(r"worker \d+ \(pid \d+\), thread \d: wchan: \w+")
        server.wait_log(r"worker \d+ \(pid \d+\), thread \d: syscall: \w+")
        innocent.end()


def test_what_a_client_says_forges_no_line(start):
    server = start(INI + "fastcgi-socket = {fastcgi}\n")
    assert fastcgi.request(server.fastcgi, "/stand?a\x1b\nb").status == 504
    server.wait_log(r"GET /stand\?a\\x1b\\x0ab of \S+ ran")


def test_the_master_ends_a_worker_that_is_stopped(start):
    """The master does it alone, since the worker's watchdog is stopped, too."""
    server = start(INI)
    first = pid_of(server)
    with begin(server, "/stop?x") as c:
        server.wait_log(rf"worker 1 \(pid {first}\) killed: GET /stop\?x ran \d s \(harakiri 0\)")
        assert c.is_closed()
    assert http.request(server.http, "/").status == 200


# ---- otherwise ----

def test_harakiri_queue_threshold_lets_it_run_while_nobody_waits(start):
    server = start(INI + "harakiri-queue-threshold = 2\n")
    with begin(server, "/stand") as c:
        server.wait_log(r"GET /stand has run [\d.]+ s; it goes on, as 0 connections wait "
                        r"\(harakiri-queue-threshold 2\)")
        others = [http.Connection(server.http) for _ in range(3)]
        assert c.read().status == 504
        for other in others:
            other.close()


def test_harakiri_graceful_timeout_sends_a_signal_first(start):
    server = start(PATIENT + "harakiri-graceful-timeout = 0.2\nharakiri-graceful-signal = USR2\n")
    with Innocent(server) as innocent, begin(server, "/stand") as c:
        server.wait_log(r"GET /stand has run [\d.]+ s; its worker is sent SIGUSR2, and in 0\.2 s it "
                        "is given up")
        assert c.read().status == 504
        server.wait_log(r"GET /stand of \S+ ran [\d.]+ s \(harakiri 0\.3\)")
        innocent.end()


@pytest.mark.skipif(os.environ.get("UWSGI_SANITIZED") == "tsan", reason="it holds signals back")
def test_its_default_signal_has_the_worker_replaced(start):
    server = start(PATIENT + "harakiri-graceful-timeout = 60\n")
    first = pid_of(server)
    with Innocent(server) as innocent, begin(server, "/stand?s=1.5") as c:
        server.wait_log(rf"{first}\) is replaced: SIGTERM from itself")
        until(lambda: pid_of(server) != first, "the successor")
        assert c.read().status == 200
        assert innocent.end().status == 200
    proc.wait_gone(first)


def test_set_user_harakiri(start):
    server = start("http-socket = {http}\nmodule = overdue\nthreads = 2\n")
    with begin(server, "/user?after=0.2") as c:
        assert c.read().status == 504
    server.wait_log(r"GET /user\?after=0\.2 of \S+ ran [\d.]+ s \(set_user_harakiri 0\.2\)")
    server.wait_log(r"it was here:\n  File .* in innermost")
    assert http.request(server.http, "/user?after=1&none=1&s=1.3").status == 200
