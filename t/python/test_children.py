# SPDX-License-Identifier: MIT
"""Children that the application forks: they are no workers, and nobody's client hears of them."""
import concurrent.futures
import os
import signal

import pytest

from lib import http, proc, uwsgi
from lib.wait import until

INI = "http-socket = {http}\nsocket = {uwsgi}\nmodule = forks\nworker-reload-mercy = 5\n"


@pytest.fixture(params=["", "threads = 3\n"], ids=["1 thread", "3 threads"])
def server(request, start):
    if request.param and os.environ.get("UWSGI_SANITIZED") == "tsan":
        pytest.skip("the thread sanitizer does not support forks of several threads")
    server = start(INI + request.param)
    yield server
    assert "ended unexpectedly" not in server.log()
    assert len(server.workers()) == 1


def ask(server, target, times=4):
    """On one connection after the other, so that each thread has its turn, and each answer is of its
    own request."""
    answers = {http.request(server.http, target).body for _ in range(times)}
    with http.Connection(server.http) as c:
        answers |= {c.request(target).body for _ in range(2)}
        assert c.request("/pid").body == b"%d" % server.workers()[0]
    answers.add(uwsgi.request(server.uwsgi, target).body)
    return answers


CODES = [("sys.exit", b"5"), ("sys.exit()", b"0"), ("words", b"1"), ("raise", b"1"),
         ("return", b"0"), ("_exit", b"7"), ("kill", b"-15")]


@pytest.mark.parametrize("how, code", CODES)
def test_a_child_of_a_view(server, how, code):
    assert ask(server, f"/in_view?{how}") == {code}
    said = {"words": r"^these words$", "raise": r"Traceback(.*\n)*KeyError: 'in the child'",
            "return": "the child returns"}
    if how in said:
        server.wait_log(said[how])


@pytest.mark.parametrize("how, code", CODES)
def test_a_child_of_an_iterable(server, how, code):
    assert ask(server, f"/in_iterable?{how}") == {b"begun " + code}


@pytest.mark.parametrize("how, code", CODES)
def test_a_child_of_close(server, how, code):
    assert ask(server, f"/in_close?{how}") == {b"closed"}
    until(lambda: server.log().count(f"child of close(): {code.decode()}\n") == 7, "all children")


@pytest.mark.parametrize("how, code", [("_exit", b"7"), ("return", b"0"), ("sys.exit", b"0")])
def test_a_child_of_a_thread(server, how, code):
    assert ask(server, f"/in_thread?{how}") == {code}


def test_a_child_reaches_no_client(server):
    assert ask(server, "/child_writes") == {b"1"}
    server.wait_log("BrokenPipeError: write")


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_a_pool(server, method):
    assert ask(server, f"/pool?{method}", 1) == {b"[0, 1, 4, 9]"}


def test_a_process_can_be_terminated(server):
    assert ask(server, "/terminate") == {b"-15"}


@pytest.mark.parametrize("how", ["", "forked"])
def test_a_program_can_be_terminated(server, how):
    assert ask(server, f"/program?{how}") == {b"-15"}


@pytest.mark.parametrize("how", ["", "forked"])
def test_a_program_of_any_thread_can_be_terminated(start, how):
    server = start(INI + "threads = 3\n")
    with concurrent.futures.ThreadPoolExecutor(3) as clients:
        answers = list(clients.map(lambda _: http.request(
            server.http, f"/program_at_once?{how}").body, range(3)))
    assert answers == [b"-15"] * 3


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_mean_what_they_usually_do(server, name):
    number = getattr(signal, f"SIG{name}")
    assert ask(server, f"/handles?{number:d}", 1) == {b"-%d" % number}


def test_a_child_has_none_of_the_servers_sockets(server):
    with http.Connection(server.http) as idle:
        idle.request("/pid")
        files = http.request(server.http, "/files").body.decode()
    assert "pipe:" in files
    assert "socket:" not in files


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("users", ["", "uid = www-data\n",
                                   "uid = www-data\nmaster-as-root = true\n"])
def test_a_child_ends_with_the_server_and_a_program_does_not(start, request, users, number):
    if users:
        request.getfixturevalue("as_root")
    server = start(INI + "threads = 2\n" + users)
    child = int(http.request(server.http, "/stays").body)
    program = int(http.request(server.http, "/stays?exec").body)
    until(lambda: proc.title(program).startswith("sleep"), "the program")
    worker = server.workers()[0]
    os.kill(worker, signal.SIGKILL)
    server.wait_log("ended unexpectedly")
    assert http.request(server.http, "/pid").status == 200
    assert proc.alive(child) and proc.alive(program)
    server.stop(number)
    proc.wait_gone(child)
    assert proc.alive(program)
    proc.kill_all([program])


def test_a_child_of_the_import_is_no_zygote(start, folder):
    with open(f"{folder}/forking.py", "w", encoding="utf-8") as f:
        f.write("import os, sys\npid = os.fork()\nif pid == 0: sys.exit(3)\n"
                "print('left by', os.WEXITSTATUS(os.waitpid(pid, 0)[1]))\n"
                "pid = os.fork()\n"
                "if pid: print('then by', os.WEXITSTATUS(os.waitpid(pid, 0)[1]))\n"
                "from basic import application\n")
    server = start("http-socket = {http}\nmodule = forking\nprocesses = 2\n", folder=folder)
    server.wait_log("^left by 3$")
    server.wait_log("^then by 0$")
    assert http.request(server.http).body == b"hello\n"
    assert len(server.workers()) == 2
