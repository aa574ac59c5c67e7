# SPDX-License-Identifier: MIT
"""Clients that ask for much and take nothing, or take their time: memory stays within its budget, no
lane waits for them, and who reads on gets all."""
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from lib import fastcgi, http, proc, scgi, uwsgi
from lib.server import APPS, COMMAND
from lib.wait import until

INI = """
http-socket = {http}
http = {router}
socket = {uwsgi}
fastcgi-socket = {fastcgi}
scgi-socket = {scgi}
module = basic
processes = 1
socket-sndbuf = 65536
"""
SPEAK = {"http": http, "router": http, "uwsgi": uwsgi, "fastcgi": fastcgi, "scgi": scgi}
MIB = 1 << 20


def ask(server, name, target):
    """A connection whose answer has begun, and of which little fits into the kernel."""
    c = http.Connection(server.names[name], receive_buffer=65536)
    c.send(SPEAK[name].request_bytes(target, version="1.0"))
    c.socket.recv(1, 0x2)  # MSG_PEEK
    return c


def taken(c):
    """All that is still to come, in bytes; a reset ends it, too."""
    n = 0
    try:
        while data := c.socket.recv(MIB):
            n += len(data)
    except ConnectionResetError:
        pass
    c.close()
    return n


def peaks(server):
    """The most memory that the worker and the router have ever had; sanitizers add their own."""
    if os.environ.get("UWSGI_SANITIZED"):
        return [0, 0]
    return [int(proc.status(pid, "VmHWM")[0]) << 10 for pid in
            (*server.workers(), *server.routers())]


@pytest.mark.parametrize("name", SPEAK)
def test_a_slow_reader_holds_no_lane(start, name):
    """One lane; the answer is made whole while its client sleeps."""
    server = start(INI)
    slow = ask(server, name, "/big?n=20000000")
    server.wait_log(r"GET /big.* => generated 20000000 bytes")
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert taken(slow) > 20000000


@pytest.mark.parametrize("name", ["http", "router"])
@pytest.mark.parametrize("target", ["/block?n=3000000", "/big?n=3000000"])
def test_unread_answers_stay_within_their_memory_and_are_sent_whole(start, name, target):
    server = start(INI + "response-memory = 8m\n")
    before = peaks(server)
    clients = [ask(server, name, target) for _ in range(40)]
    assert http.request(server.names[name], "/hello").body == b"hello\n"
    assert all(b - a < 24 * MIB for a, b in zip(before, peaks(server)))
    for c in clients:
        assert taken(c) > 3000000


def test_without_room_in_files_the_client_that_is_furthest_behind_is_reset(start):
    server = start(INI + "response-memory = 8m\nresponse-file-max = 0\n")
    before = peaks(server)
    clients = [ask(server, "http", "/block?n=3000000") for _ in range(20)]
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert peaks(server)[0] - before[0] < 24 * MIB
    whole = [taken(c) > 3000000 for c in clients]
    assert 1 <= sum(whole) <= 3 and whole[-1]
    server.wait_log(r"unread answers hold \d+ KiB of memory \(response-memory\): .* is reset")


def test_a_full_disk_is_said_and_memory_stays_within_its_bounds(start):
    server = start(INI + "response-memory = 8m\n", faults="pwritev:ENOSPC,in=worker,times=all")
    before = peaks(server)
    clients = [ask(server, "http", "/block?n=3000000") for _ in range(20)]
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert peaks(server)[0] - before[0] < 24 * MIB
    assert 1 <= sum(taken(c) > 3000000 for c in clients) <= 3
    server.wait_log("^error: cannot store an answer in /(var/)?tmp: No space left on device; ")


def test_small_blocks_pile_up_nowhere(start):
    server = start(INI)
    before = peaks(server)
    slow = ask(server, "router", "/drops?n=20000")
    server.wait_log(r"GET /drops.* => generated \d+ bytes")
    assert http.request(server.router, "/hello").body == b"hello\n"
    assert taken(slow) > 20000 * 1500
    assert all(b - a < 8 * MIB for a, b in zip(before, peaks(server)))


def test_a_full_file_lets_the_application_wait(start):
    server = start(INI + "response-file-max = 2m\nthreads = 2\n")
    slow = ask(server, "http", "/big?n=20000000")
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert not re.search("GET /big", server.log())
    assert taken(slow) > 20000000
    server.wait_log(r"GET /big.* => generated 20000000 bytes")


def test_harakiri_does_not_count_the_time_of_a_client(start):
    """The other worker's harakiri says that the time is over."""
    server = start(INI.replace("processes = 1", "processes = 2") +
                   "response-file-max = 0\nharakiri = 2\n")
    slow = ask(server, "http", "/big?n=20000000")
    with http.Connection(server.http) as other:
        other.send(http.request_bytes("/sleep?s=30"))
        server.wait_log(r"is replaced: GET /sleep.*harakiri 2\b")
    assert taken(slow) > 20000000
    assert "GET /big" not in re.sub(r"(?m)^\[pid.*", "", server.log())


def test_a_slow_disk_holds_up_no_other_thread(start):
    """The application's thread is in the middle of a write; another one runs Python."""
    server = start(INI + "threads = 2\n", faults="pwritev:delay=30000ms,in=worker")
    slow = ask(server, "http", "/big?n=20000000")
    until(server.faults.hits, "the write")
    assert http.request(server.http, "/hello").body == b"hello\n"
    slow.close()


IN_MEMORY = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /tmp && exec "$@"', "sh"]


@pytest.mark.parametrize("tmpdir", [None, "/tmp"])
def test_where_tmp_is_memory_answers_wait_elsewhere(as_root, start, folders, tmpdir):
    """Unless the administrator wants them there."""
    if COMMAND[0].startswith("/tmp/") or subprocess.run([*IN_MEMORY, "true"], check=False).returncode:
        pytest.skip("needs a name space of its own for /tmp")
    folders.append(tempfile.mkdtemp(prefix="uwsgi-t-", dir="/var/tmp"))
    shutil.copy(f"{APPS}/basic.py", folders[-1])
    server = start("http-socket = {http}\nwsgi-file = {here}/basic.py\n", folder=folders[-1],
                   under=IN_MEMORY, env={"TMPDIR": tmpdir} if tmpdir else {})
    slow = ask(server, "http", "/big?n=20000000")
    server.wait_log(r"GET /big.* => generated 20000000 bytes")
    files = [path for path in proc.open_files(server.workers()[0])
             if path.endswith("(deleted)") and not path.startswith("/memfd:")]
    assert [path.rpartition("/")[0] for path in files] == [tmpdir or "/var/tmp"]
    assert taken(slow) > 20000000
