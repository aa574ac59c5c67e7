# SPDX-License-Identifier: MIT
"""The router process behind `http =`: it holds the clients, and whole requests go to whoever
answers: the workers, or a uwsgi server somewhere else."""
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from lib import http, proc, uwsgi
from lib.address import connect, free_address
from lib.backend import UwsgiBackend
from lib.load import Load
from lib.wait import until

INI = "http = {http}\nmodule = basic\nprocesses = 2\n"
TO = "http = {http}\nhttp-to = {to}\nmodule = basic\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def say(*parts):
    def answer(connection, _variables, _read):
        for part in parts:
            connection.sendall(part)
    return answer


@pytest.fixture
def backend(backends):
    return functools.partial(backends, UwsgiBackend)


# ---- what a uwsgi server gets to see ----

def test_the_packet_has_the_variables_and_modifiers_that_were_asked_for(start, backend):
    address = free_address()
    server = start(TO + "http-modifier1 = 5\nhttp-modifier2 = 7\nhttp-var = COLOUR=blue\n"
                   "http-var = EMPTY=\n", to=address)
    other = backend(address, say(OK))
    assert http.request(server.http, "/a%20b?c", headers=[("X-Y", "z")]).body == b"ok"
    modifier1, modifier2, seen = other.seen[0]
    assert (modifier1, modifier2) == (5, 7)
    assert seen["COLOUR"] == "blue" and seen["EMPTY"] == ""
    assert seen["UWSGI_ROUTER"] == "http" and seen["HTTP_X_Y"] == "z"
    assert seen["PATH_INFO"] == "/a b" and seen["REQUEST_URI"] == "/a%20b?c"


def test_a_body_in_chunks_has_a_length_behind_the_router(start, backend):
    address = free_address()
    bodies = []

    def answer(connection, variables, read):
        bodies.append(read(int(variables["CONTENT_LENGTH"])))
        connection.sendall(OK)
    server = start(TO, to=address)
    other = backend(address, answer)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/", "POST", [("Transfer-Encoding", "chunked")],
                                  http.chunked(b"abc", b"d" * 100000)))
        assert c.read().body == b"ok"
    assert bodies == [b"abc" + b"d" * 100000]
    assert "HTTP_TRANSFER_ENCODING" not in other.seen[0][2]


def test_a_head_that_fits_no_packet_is_refused(start, backend):
    address = free_address()
    server = start(TO + "buffer-size = 1m\n", to=address)
    backend(address, say(OK))
    headers = [(f"X-{i}", "v" * 1000) for i in range(66)]
    assert http.request(server.http, headers=headers).status == 431
    assert http.request(server.http, headers=headers[:60]).status == 200


def test_a_head_of_any_size_reaches_the_workers(start):
    """The path is twice in it, so what is passed on is larger than what has come."""
    server = start(INI)
    assert http.request(server.http, "/hello?" + "x" * 65000).body == b"hello\n"
    assert http.request(server.http, "/hello/" + "x" * 65000).status in (200, 404)
    server = start(INI + "buffer-size = 1m\n")
    headers = [(f"X-{i}", "v" * 10000) for i in range(80)]
    environ = http.request(server.http, "/environ", headers=headers)
    environ = json.loads(environ.body)
    assert all(environ[f"HTTP_X_{i}"] == "v" * 10000 for i in range(80))


def bodies_on_disk(folder, pids):
    return [f for pid in pids for f in proc.open_files(pid)
            if f.startswith(folder) and f.endswith("(deleted)")]


def wait_for_no_bodies(server):
    """A client has its answer before the file of its body is closed."""
    until(lambda: not bodies_on_disk(server.folder, proc.descendants(server.pid)),
          "the file to be closed")


def test_a_large_body_is_stored_once(start, folder):
    """The worker has the file of the router, not one of its own."""
    server = start("http = {http}\nmodule = basic\nprocesses = 1\nthreads = 2", folder=folder,
                   env={"TMPDIR": folder})
    body = os.urandom(300_000)
    assert http.request(server.http, "/echo", "POST", body=body).body == body
    wait_for_no_bodies(server)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/meet", "POST", body=body))
        worker, = server.workers()
        until(lambda: bodies_on_disk(folder, [worker]), "the body to be with the worker")
        files = bodies_on_disk(folder, proc.descendants(server.pid))
        assert len(files) == 2 and len(set(files)) == 1
        http.request(server.http, "/meet")
        assert c.read().body == b"met"
    wait_for_no_bodies(server)


def test_http_buffer_size_bounds_the_router_only(start):
    server = start(INI + "http-buffer-size = 2k\nhttp-socket = {direct}\n")
    headers = [("X", "v" * 4000)]
    assert http.request(server.http, headers=headers).status == 431
    assert http.request(server.direct, headers=headers).status == 200


# ---- several servers ----

def test_servers_take_turns(start, backend, folder):
    one, two = f"{folder}/one.sock", free_address()
    server = start(TO + "http-to = {two}\n", to=one, two=two)
    for address, body in (one, b"1"), (two, b"2"):
        backend(address, say(b"HTTP/1.0 200 OK\r\n\r\n" + body))
    assert sorted(http.request(server.http).body for _ in range(4)) == [b"1", b"1", b"2", b"2"]


def test_a_server_that_is_down_is_passed_over(start, backend):
    address = free_address()
    server = start(TO + "http-to = {here}/nobody.sock\n", to=address)
    backend(address, say(OK))
    assert [http.request(server.http).status for _ in range(4)] == [200] * 4


# ---- answers that are none ----

def test_502_when_nobody_is_there(start):
    server = start(TO, to=free_address())
    assert http.request(server.http, "/x").status == 502
    server.wait_log(r"^error: http: GET /x: nobody takes connections at the address of http-to; the client gets 502$")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"rubbish\r\n\r\n",
                                    b"HTTP/1.1 2x0 OK\r\n\r\n", b"HTTP/1.1 200 OK\n\n",
                                    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
                                    b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"x" * 100000])
def test_502_for_what_is_no_answer(start, backend, answer):
    address = free_address()
    server = start(TO, to=address)
    backend(address, say(answer))
    assert http.request(server.http).status == 502


@pytest.mark.parametrize("head, why", [
    (b"A: " + b"x" * 66000 + b"\r\n", "it is larger than 64 KiB"),
    (b"A: x\r\n" * 257, "too many header fields")], ids=["long", "many"])
def test_a_head_that_is_too_large_is_refused_for_that(start, backend, head, why):
    address = free_address()
    server = start(TO, to=address)
    backend(address, say(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n"))
    assert http.request(server.http, "/x").status == 502
    server.wait_log(f"^error: http: GET /x: the head of the answer is refused: {why}; "
                    "the client gets 502$")


def test_the_chunks_of_another_server_are_read(start, backend):
    address = free_address()
    server = start(TO, to=address)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (n, b"x" * n) for n in (1, 5000, 70000, 300, 4096, 4097))
    other = backend(address, say())
    for end, complete in (b"0\r\n\r\n", True), (b"", False), (b"x", False):
        other.say = say(head, body, end)
        answer = http.request(server.http)
        assert (answer.body, answer.complete) == (b"x" * 83494, complete)


def test_small_chunks_to_a_slow_client_do_not_pile_up(start):
    """The worker waits for the client; all of it in the router would be some hundred MB for some."""
    server = start("http = {http}\nmodule = broken\nprocesses = 2\nsocket-sndbuf = 64k\n"
                   "response-file-max = 0\n")
    with http.Connection(server.http, receive_buffer=131072) as slow:
        slow.send(http.request_bytes("/?blocks=20000&size=1000"))
        head = slow.read_head()
        for _ in range(20):
            time.sleep(0.05)
            slow.buffer += slow.socket.recv(10)
        assert "generated" not in server.log()
        assert slow.read_body(head).body[-1000:] == b"x" * 1000
    server.wait_log("generated 20000000 bytes")


def test_an_answer_that_breaks_off_is_seen_to_be_cut(start, backend):
    address = free_address()
    server = start(TO, to=address)
    backend(address, say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"))
    response = http.request(server.http)
    assert (response.body, response.complete) == (b"short", False)


def test_504_when_no_answer_comes_in_time(start):
    server = start(INI + "http-timeout = 1\n")
    with Load(server.http):     # the other worker goes on
        assert http.request(server.http, "/sleep?s=5").status == 504
    server.wait_log(r"^error: http: GET /sleep\?s=5: no answer came within http-timeout")


def test_502_when_the_worker_dies_of_the_request(start):
    server = start(INI + "http-keepalive = true\n")
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=20"))
        pid = int(server.wait_log(r"^sleeping in (\d+)")[1])
        os.kill(pid, signal.SIGKILL)
        assert c.read().status == 502
        assert c.request("/hello").status == 200    # the connection lives on


def test_an_early_answer_to_a_long_body_arrives(start, backend):
    address = free_address()
    server = start(TO, to=address)
    backend(address, say(OK))
    assert http.request(server.http, "/", "POST", body=b"x" * 20_000_000).body == b"ok"


# ---- clients ----

def test_a_connection_is_kept_as_long_as_is_asked_for(start):
    server = start(INI + "http-keepalive = 2\nhttp-timeout = 30\n")
    with http.Connection(server.http) as c:
        for _ in range(3):
            assert c.request("/hello").status == 200
        assert c.is_closed()


def test_a_connection_is_closed_when_that_is_asked_for(start):
    server = start(INI + "http-keepalive = false\n")
    with http.Connection(server.http) as c:
        assert c.request("/hello").header("Connection") == "close"
        assert c.is_closed()


def test_pipelined_requests_are_answered_in_order(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(b"".join(http.request_bytes(f"/environ/{i}") for i in range(100)))
        for i in range(100):
            assert b'"/environ/%d"' % i in c.read().body


def test_a_client_that_goes_does_not_harm(start):
    server = start(INI)
    for path in "/sleep?s=0.3", "/big?n=30000000":
        for _ in range(5):
            with http.Connection(server.http) as c:
                c.send(http.request_bytes(path))
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert len(server.routers()) == 1


def test_a_client_that_reads_slowly_keeps_no_worker(start):
    server = start("http = {http}\nmodule = basic\n")
    with http.Connection(server.http, receive_buffer=4096) as slow:
        slow.send(http.request_bytes("/big?n=200000"))
        assert http.request(server.http, "/hello").body == b"hello\n"
        assert len(slow.read().body) == 200000


def test_a_client_that_takes_nothing_is_given_up(start):
    server = start(INI + "so-send-timeout = 1\n")
    with http.Connection(server.http, receive_buffer=4096) as slow:
        slow.send(http.request_bytes("/big?n=30000000"))
        slow.socket.recv(1, socket.MSG_PEEK)
        until(lambda: connected_to(slow) not in sockets_of(server.routers()[0]),
              "the router to close the connection")


def connected_to(client):
    return client.socket.getsockname()[1]


def sockets_of(pid):
    """The ports of the peers of its TCP connections."""
    inodes = {f[8:-1] for f in proc.open_files(pid) if f.startswith("socket:[")}
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [int(row[2].split(":")[1], 16) for row in rows if row[9] in inodes]


# ---- processes ----

def test_a_reload_loses_nothing(start):
    server = start(INI)
    with Load(server.http, keep_alive=True) as kept, Load(server.http) as load:
        for _ in range(3):
            assert server.hup()
            kept.wait_more(20)
            load.wait_more(20)
    assert not kept.failures and not load.failures and not kept.again


def test_a_stop_lets_running_requests_end(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=1"))
        server.wait_log(r"^sleeping in \d+")
        server.send(signal.SIGTERM)
        assert c.read().body.startswith(b"slept")
    assert server.wait() == 0


def test_a_router_that_dies_is_replaced(start):
    server = start(INI)
    os.kill(server.routers()[0], signal.SIGKILL)
    server.wait_log(r"^error: http 1 \(pid \d+\) ended unexpectedly: killed by signal 9")
    until(lambda: len(server.routers()) == 2, "another router")
    assert http.request(server.http, "/hello").status == 200


def test_a_router_that_stands_still_is_replaced(start):
    # Much longer than a router waits for a processor on a busy machine.
    server = start(INI + "http-harakiri = 1\n", faults="accept4:delay=30000ms,in=http")
    with http.Connection(server.http):
        server.wait_log(r"^error: http 1 \(pid \d+\) ended unexpectedly: killed by signal 14")
    assert http.request(server.http, "/hello").status == 200
    assert http.request(server.http, "/sleep?s=1.5").status == 200
    assert server.log().count("ended unexpectedly") == 1


def test_as_many_routers_as_are_asked_for(start):
    server = start(INI + "http-processes = 3\n")
    assert len(server.routers()) == 3
    server.send(signal.SIGUSR1)
    server.wait_log(r"^generation 1 http 3 \(pid \d+\): serving$")
    server.wait_log(r"^generation 1 worker 2 \(pid \d+\): serving, 0 requests$")
    with Load(server.http, clients=6):
        pass


def test_max_requests_does_not_show(start):
    server = start(INI + "max-requests = 20\nmin-worker-lifetime = 0\n")
    with Load(server.http, clients=6, keep_alive=True) as load:
        server.wait_log(r"is replaced: max-requests")
        load.wait_more(100)
    assert not load.failures


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_nobody_else_reaches_the_workers(start):
    server = start(INI)
    until(lambda: names_of(server.workers()[0]), "the workers' socket")
    name, = names_of(server.workers()[0])
    script = ("import os, socket, sys\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\n"
              f"s.connect('\\0' + {name!r})\ntry:\n s.sendall({uwsgi.request_bytes('/hello')!r})\n"
              " print(s.recv(100))\nexcept OSError as e:\n print(e)\n")
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          check=True, timeout=10).stdout
    assert "200" not in said
    with socket.socket(socket.AF_UNIX) as own:
        own.connect("\0" + name)
        own.sendall(uwsgi.request_bytes("/hello"))
        assert b" 200 " in own.recv(1000)


def names_of(pid):
    """The abstract sockets that it listens on."""
    inodes = {f[8:-1] for f in proc.open_files(pid) if f.startswith("socket:[")}
    with open("/proc/net/unix", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [row[7][1:] for row in rows if len(row) > 7 and row[6] in inodes and row[7][0] == "@"]


# ---- WebSockets ----

UPGRADE = [("Upgrade", "websocket"), ("Connection", "Upgrade")]


def echo_back(connection, _variables, _read):
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
    while data := connection.recv(65536):
        connection.sendall(data.upper())


def test_a_websocket_is_a_tunnel(start, backend):
    address = free_address()
    server = start(TO + "http-websockets = true\nhttp-timeout = 2\n", to=address)
    backend(address, echo_back)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/ws", headers=UPGRADE) + b"early ")
        assert c.read_head().status == 101
        c.send(b"x" * 500_000)
        assert c._bytes(500_006) == b"EARLY " + b"X" * 500_000
        assert c.is_closed()        # after http-timeout in silence


def test_without_the_option_an_upgrade_is_a_request_like_any_other(start):
    server = start(INI)
    with http.Connection(server.http) as c:
        for _ in range(2):
            assert c.request("/hello", headers=UPGRADE).body == b"hello\n"


@pytest.mark.parametrize("target", ["/hello", "/sleep?s=1.2"])
def test_a_client_that_closes_its_half_of_the_connection_gets_its_answer(start, target):
    server = start("http = {router}\nmodule = basic\n")
    with http.Connection(server.router) as c:
        c.send(http.request_bytes(target))
        c.finish_sending()
        assert c.read().status == 200
    assert "the client gets" not in server.log()
