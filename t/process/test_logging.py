# SPDX-License-Identifier: MIT
"""The server log: what its lines begin with, where they go, and that none is lost or torn."""
import glob
import os
import pwd
import re
import signal
import socket
import subprocess
import threading

import pytest

from lib import http, proc
from lib.address import HOST
from lib.server import undated
from lib.wait import until

LONG = "x" * 9  # what only the lines of /lines/ hold; no name of a folder does
LOGGED = "http-socket = {http}\nmodule = logged\n"


@pytest.fixture(params=["ours", "uWSGI"])
def both(request):
    return request.getfixturevalue("start" if request.param == "ours" else "start_oracle")


# ---- what lines begin with ----

@pytest.mark.parametrize("line, begin", [
    ("log-date = %%Y-%%m-%%d %%H:%%M", r"\d{4}-\d\d-\d\d \d\d:\d\d - "),
    ("logdate = true", r"[A-Z]\w\w [A-Z]\w\w [ \d]\d [\d:]{8} \d{4} - "),
    ("log-prefix = my server", "my server - ")])
def test_each_line_of_the_server_begins_with_the_date(both, line, begin):
    server = both(LOGGED + line + "\n")
    http.request(server.http, "/print")
    server.wait_log("GET /print")
    server.stop()
    lines = [text for text in server.log().splitlines()
             if not re.match(r"\[pid: |printed$|to stderr$|\[uWSGI\]|\*\*\*", text)]
    assert len(lines) > 4
    assert [text for text in lines if not re.match(begin, text)] == []


@pytest.mark.parametrize("line", ["log-date = false", "log-date = no"])
def test_no_date(start, line):
    server = start(LOGGED + line + "\n")
    assert re.search("^serving: ", server.dated_log(), re.M)
    assert not re.search("false|no - ", server.log())


def own_lines(dated_log):
    return [line for line in dated_log.splitlines()
            if not re.match(r"\[pid: |printed$|to stderr$", line)]


def test_the_servers_own_lines_begin_with_the_time_by_default(start):
    server = start(LOGGED + "no-such-option = 1\n", env={"TZ": "JST-9"})
    http.request(server.http, "/print")
    server.wait_log(r"^\[pid: .* GET /print")  # which is not one of them
    assert server.hup()
    server.stop()
    lines = own_lines(server.dated_log())
    assert len(lines) > 6
    form = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0900 - \S"
    assert [line for line in lines if not re.match(form, line)] == []
    assert lines == sorted(lines, key=lambda line: line[:25])


def in_journal(server):
    """The environment of a service whose standard error is the journal, here the test's log."""
    with open(server.log_path, "wb") as f:
        stat = os.fstat(f.fileno())
    server.env["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
    return server


@pytest.mark.parametrize("line, dated", [("", False), ("log-date = now", True)])
def test_the_journal_has_the_time_of_each_line_already(start, line, dated):
    server = in_journal(start.not_yet(LOGGED + line + "\n")).start()
    assert re.search("^now - serving: " if dated else "^serving: ", server.dated_log(), re.M)


def test_a_log_file_of_a_service_has_the_time(start):
    server = in_journal(start.not_yet(LOGGED + "logto = x.log\n")).spawn()
    wait_text(f"{server.folder}/x.log", "^serving: ")
    with open(f"{server.folder}/x.log", encoding="utf-8") as f:
        assert re.search(r"^\d{4}-[\d: -]+\+\d{4} - serving: ", f.read(), re.M)


def test_an_encoder_gets_the_line_without_the_time(start):
    server = start.not_yet(LOGGED + "log-encoder = format ${{unix}} ${{msg}}\nlog-encoder = nl\n")
    server.start()
    server.wait_log(r"^\d+ serving: ")


def test_the_name_alone_means_the_default(start):
    start(LOGGED + "logdate\n").wait_log(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4} - serving: ")


def test_the_date_follows_a_reload(start):
    server = start(LOGGED + "log-date = one\n")
    server.write_ini(LOGGED + "log-date = two\n")
    assert server.hup()
    server.wait_log("^two - reloaded: ")


# ---- where lines go ----

def text(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return undated(f.read())


def logs(server, pattern="x.log*"):
    return sorted(glob.glob(f"{server.folder}/{pattern}"))


def mode(path):
    return os.stat(path).st_mode & 0o777


def wait_text(path, pattern, seconds=10):
    """The server's own log file says it."""
    until(lambda: os.path.exists(path) and re.search(pattern, text(path), re.M),
          f"{pattern!r} in {path}", seconds)


def start_logging_to(starter, path, lines, **how):
    """A server whose lines do not come to standard error."""
    server = starter.not_yet(LOGGED + lines, **how).spawn()
    wait_text(f"{server.folder}/{path}", server.ready)
    http.request(server.http, "/")  # uWSGI does not hear a signal that comes earlier
    return server


@pytest.mark.parametrize("lines, access", [
    ("logto = x.log\n", 0o640),
    ("logto = {here}/x.log\nlogfile-chmod = 604\n", 0o604)])
def test_a_log_file(both, lines, access):
    server = start_logging_to(both, "x.log", lines)
    http.request(server.http, "/print")
    wait_text(f"{server.folder}/x.log", "^printed$")
    wait_text(f"{server.folder}/x.log", "^to stderr$")
    wait_text(f"{server.folder}/x.log", "GET /print")
    assert mode(f"{server.folder}/x.log") == access


@pytest.mark.parametrize("lines, kept", [("", True), ("log-truncate = true\n", False)])
def test_a_log_file_that_is_there_already(both, folder, lines, kept):
    with open(f"{folder}/x.log", "w", encoding="ascii") as f:
        f.write("before\n")
    start_logging_to(both, "x.log", "logto = x.log\n" + lines, folder=folder)
    assert text(f"{folder}/x.log").startswith("before\n") == kept


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("lines, owner", [
    ("logto = x.log\n", "root"),
    ("logto = x.log\nlogfile-chown = true\n", "nobody"),
    ("logto2 = x.log\n", "nobody")])
def test_who_owns_the_log_file(both, folder, lines, owner):
    os.chmod(folder, 0o777)
    start_logging_to(both, "x.log", "uid = nobody\n" + lines, folder=folder)
    assert os.stat(f"{folder}/x.log").st_uid == pwd.getpwnam(owner).pw_uid


def test_a_log_file_that_cannot_be_opened_ends_the_start(start):
    server = start.not_yet(LOGGED + "logto = {here}/none/x.log\n")
    assert server.run() == 1
    assert re.search(r"error: cannot open log file .*/none/x.log: there is no folder", server.log())


def test_standard_output_may_be_a_socket(start):
    """As under systemd: such a /dev/stdout cannot be opened."""
    ours, theirs = socket.socketpair()
    server = start.not_yet(LOGGED + "logto = /dev/stdout\n")
    open(server.log_path, "wb").close()
    with ours, theirs:
        server.process = subprocess.Popen([*server.command, "--ini", server.ini_path],
                                          stdout=theirs, stderr=subprocess.DEVNULL,
                                          env=server.env, start_new_session=True)
        ours.settimeout(10)
        seen = b""
        while b"serving: 1 worker" not in seen:
            seen += ours.recv(4096)


def test_lines_to_a_udp_server(both):
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind((HOST, 0))
        receiver.settimeout(10)
        server = both.not_yet(LOGGED + f"logto = {HOST}:{receiver.getsockname()[1]}\n").spawn()
        seen = ""
        while not re.search(server.ready, seen):
            seen += receiver.recv(65536).decode()
        http.request(server.http, "/")


# ---- in the background ----

def run_in_background(starter, lines):
    """The exit code of the command; the server is ended after the test."""
    server = starter.not_yet(LOGGED + lines + "pidfile = {here}/pid\n")
    server.run(20)
    return server


def end_background(server):
    pid = int(text(f"{server.folder}/pid"))
    os.kill(pid, signal.SIGINT)
    proc.wait_gone(pid, 10)


def test_daemonize2_ends_when_the_server_serves(start):
    server = run_in_background(start, "daemonize2 = x.log\n")
    assert server.process.returncode == 0
    assert http.request(server.http, "/").status == 200
    assert re.search("^serving: ", text(f"{server.folder}/x.log"), re.M)
    end_background(server)


def test_daemonize2_ends_with_the_code_of_a_server_that_cannot(start):
    server = start.not_yet("http-socket = {http}\nmodule = nothing_here\nneed-app = true\n"
                           "daemonize2 = x.log\n")
    assert server.run(20) == 22
    assert "the server did not start; x.log says why" in server.log()
    assert "nothing_here" in text(f"{server.folder}/x.log")


# ---- the master writes ----

def say_lines(server, requests, count, length):
    """Each request has its worker write so many lines."""
    threads = [threading.Thread(target=http.request,
                                args=(server.http, f"/lines/{count}/{length}"))
               for _ in range(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def assert_lines_are_whole(files, requests, count, length):
    lines = [line for path in files for line in text(path).splitlines() if LONG in line]
    assert len(lines) == requests * count
    whole = [f"<{i:06d} {'x' * length}>" for i in range(count)] * requests
    assert sorted(lines) == sorted(whole)


@pytest.mark.parametrize("length", [50, 4080])
def test_rotation_loses_and_tears_no_line(start, length):
    count, limit = (500, 20000) if length < 100 else (50, 50000)
    server = start_logging_to(start, "x.log", f"logto = x.log\nlog-maxsize = {limit}\n"
                              "processes = 3\nthreads = 2\n")
    say_lines(server, 6, count, length)
    server.stop()
    files = logs(server)
    assert len(files) > 4
    assert all(os.path.getsize(path) <= limit for path in files)
    assert_lines_are_whole(files, 6, count, length)
    assert text(f"{server.folder}/x.log").endswith("goodbye\n")


def test_rotation_to_one_name(start):
    server = start_logging_to(start, "x.log",
                              "logto = x.log\nlog-maxsize = 5000\nlog-backupname = old\n")
    say_lines(server, 1, 300, 50)
    server.stop()
    assert logs(server) == [f"{server.folder}/x.log"]
    assert os.path.getsize(f"{server.folder}/old") <= 5000


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_folder_where_no_file_can_be_made(start, folder):
    """Root's folder, and the server is nobody: it goes on in the file that it has."""
    server = start_logging_to(start, "x.log", "uid = nobody\nlogto = x.log\nlog-maxsize = 5000\n",
                              folder=folder)
    say_lines(server, 2, 200, 50)
    assert http.request(server.http, "/").status == 200
    server.stop()
    assert_lines_are_whole(logs(server), 2, 200, 50)
    assert 1 <= text(f"{folder}/x.log").count("cannot rename") < 10


def test_a_touched_file_rotates(start):
    server = start_logging_to(start, "x.log", "logto = x.log\ntouch-logrotate = {here}/now\n")
    with open(f"{server.folder}/now", "w", encoding="ascii"):
        pass
    until(lambda: len(logs(server)) == 2, "a second log file")
    http.request(server.http, "/print")
    wait_text(f"{server.folder}/x.log", "^printed$")


@pytest.mark.parametrize("how", ["touch", "reload"])
def test_a_file_that_was_moved_away_is_opened_again(start, how):
    server = start_logging_to(start, "x.log", "logto = x.log\n" + (
        "touch-logreopen = {here}/now\n" if how == "touch" else "log-reopen = true\n"))
    os.rename(f"{server.folder}/x.log", f"{server.folder}/moved")
    http.request(server.http, "/print")
    wait_text(f"{server.folder}/moved", "^printed$")
    if how == "touch":
        with open(f"{server.folder}/now", "w", encoding="ascii"):
            pass
    else:
        server.send(signal.SIGHUP)
        wait_text(f"{server.folder}/x.log", "^reloaded: ")
    wait_text(f"{server.folder}/x.log", "opened again")
    # The old generation may take one more request, and has the old file.
    until(lambda: http.request(server.http, "/print") and
          re.search("^printed$", text(f"{server.folder}/x.log"), re.M), "a line in the new file")


def test_a_reload_may_name_another_file(start):
    server = start_logging_to(start, "x.log", "logto = x.log\n")
    server.write_ini(LOGGED + "logto = y.log\n")
    server.send(signal.SIGHUP)
    wait_text(f"{server.folder}/y.log", "^reloaded: ")


@pytest.mark.parametrize("line", ["log-master = true", "threaded-logger = true"])
def test_the_master_writes_for_all(start, line):
    server = start(LOGGED + line + "\nprocesses = 2\n")
    say_lines(server, 4, 200, 50)
    http.request(server.http, "/print")
    server.wait_log("^to stderr$")
    worker = server.workers()[0]
    assert os.readlink(f"/proc/{worker}/fd/2").startswith("pipe:")
    os.kill(worker, signal.SIGKILL)
    server.wait_log(r"worker \d \(pid \d+\) ended")
    assert server.hup()
    server.stop()
    assert server.log().endswith("goodbye\n")
    assert_lines_are_whole([server.log_path], 4, 200, 50)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("lines", ["", "master-as-root = true\n"])
def test_the_pipe_can_be_opened_by_its_name(start, lines):
    """Programs write to /dev/stderr; those of another user must be able to."""
    server = start(LOGGED + "uid = nobody\nlog-master = true\n" + lines)
    assert http.request(server.http, "/open").status == 200
    server.wait_log(f"^opened by {pwd.getpwnam('nobody').pw_uid}$")


@pytest.fixture
def unread(start):
    """A server whose log is a pipe that nobody reads yet, and the pipe."""
    ours, theirs = os.pipe()
    server = start.not_yet(LOGGED + "log-master = true\nprocesses = 2\n")
    open(server.log_path, "wb").close()
    server.process = subprocess.Popen([*server.command, "--ini", server.ini_path],
                                      stdout=theirs, stderr=theirs, env=server.env,
                                      start_new_session=True)
    os.close(theirs)
    server.wait_listening("http")
    yield server, ours
    server.stop()
    os.close(ours)


def test_nobody_reads_the_log(unread):
    """The master goes on, although its own lines do not get out."""
    server, _ = unread
    say_lines(server, 2, 2000, 100)
    kill_some(server, 1)
    assert http.request(server.http, "/").status == 200


def test_what_was_not_read_at_once_comes_later(unread):
    server, ours = unread
    say_lines(server, 2, 2000, 100)
    os.set_blocking(ours, False)
    said = b""

    def all_came():
        nonlocal said
        try:
            said += os.read(ours, 65536)
        except BlockingIOError:
            pass
        return said.count(b"xx>") == 4000
    until(all_came, "all lines")
    whole = [b"<%06d %s>" % (i, b"x" * 100) for i in range(2000)] * 2
    assert sorted(line for line in said.splitlines() if LONG.encode() in line) == sorted(whole)


def fill(kind, fd):
    """Until it takes no more.  Its flags, which the server shares, stay as they are."""
    if kind == "socket":
        with socket.socket(fileno=os.dup(fd)) as s:
            send = lambda text: s.send(text, socket.MSG_DONTWAIT)  # noqa: E731
            _fill(send)
    else:
        again = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
        _fill(lambda text: os.write(again, text))
        os.close(again)


def _fill(write):
    for size in (4096, 1):
        try:
            while True:
                write(b"." * (size - 1) + b"\n")
        except BlockingIOError:
            pass


class Unread:
    """A server whose standard error is a pipe or socket that was filled and is not read."""

    def __init__(self, start, kind, ini):
        if kind == "socket":
            self.ours, theirs = (s.detach() for s in socket.socketpair())
        else:
            self.ours, theirs = os.pipe()
        self.said = b""
        self.server = start.not_yet(ini)
        open(self.server.log_path, "wb").close()
        self.server.process = subprocess.Popen(
            [*self.server.command, "--ini", self.server.ini_path], stdout=theirs, stderr=theirs,
            env=self.server.env, start_new_session=True)
        os.set_blocking(self.ours, False)
        until(lambda: b"serving: " in self.read(), "the server to serve")
        fill(kind, theirs)
        os.close(theirs)

    def read(self):
        try:
            self.said += os.read(self.ours, 1 << 20)
        except BlockingIOError:
            pass
        return self.said


@pytest.fixture(params=["pipe", "socket"])
def full(request, start):
    log = Unread(start, request.param, "http-socket = {http}\nmodule = basic\nprocesses = 2\n"
                 "disable-logging = true\nreload-mercy = 2\n")
    yield log
    log.server.stop()
    os.close(log.ours)


def kill_some(server, count):
    """Workers, one after the other: the master has a line for each."""
    before = set(proc.children(server.pid))
    for _ in range(count):
        worker = int(http.request(server.http, "/pid").body)
        os.kill(worker, signal.SIGKILL)
        proc.wait_gone(worker)
        until(lambda: len(set(proc.children(server.pid)) - {worker}) == len(before),
              "another worker")


def test_the_master_goes_on_while_nobody_reads_the_log(full):
    kill_some(full.server, 2)
    assert full.server.stop(signal.SIGTERM) == 0


def test_what_the_master_says_meanwhile_comes_later(full):
    kill_some(full.server, 2)
    full.server.send(signal.SIGHUP)
    until(lambda: b"reloaded: " in full.read(), "the end of the reload")
    assert full.server.stop(signal.SIGTERM) == 0
    full.read()
    expected = [b"serving: ", b"ended unexpectedly", b"ended unexpectedly", b"reload: ",
                b"application imported", b"reloaded: ", b"SIGTERM", b"goodbye"]
    lines = full.said[full.said.index(b"serving: "):].splitlines()
    found = [next((e for e in expected if e in line), None) for line in lines]
    assert [f for f in found if f] == expected
    assert b"are lost" not in full.said


def test_what_the_pipe_holds_at_the_end_is_written(start):
    """More than the master takes at once, with its buffer this small and full of whole lines."""
    server = start_logging_to(start, "x.log", "logto = x.log\nlog-master = true\n"
                              "log-master-bufsize = 1024\n")
    server.send(signal.SIGSTOP)
    say_lines(server, 1, 14000, 54)
    server.send(signal.SIGTERM)
    for child in proc.children(server.pid):
        os.kill(child, signal.SIGKILL)
    server.send(signal.SIGCONT)
    until(server.ended, "the server to end")
    assert_lines_are_whole([f"{server.folder}/x.log"], 1, 14000, 54)


def test_the_disk_is_full(start):
    server = start.not_yet(LOGGED + "logto = /dev/full\nlog-master = true\n").spawn()
    server.wait_listening("http")
    for _ in range(20):
        assert http.request(server.http, "/print").status == 200


def test_the_disk_is_full_without_log_master(start):
    server = start.not_yet(LOGGED + "logto = /dev/full\n").spawn()
    server.wait_listening("http")
    for _ in range(20):
        assert http.request(server.http, "/").status == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_what_a_full_disk_has_lost_is_told_when_there_is_room(start, folder):
    os.mkdir(f"{folder}/disk")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", f"{folder}/disk"],
                      check=False).returncode:
        pytest.skip("no small disk can be mounted")
    server = start.not_yet(LOGGED + "logto = {here}/disk/x.log\nlog-master = true\n",
                           folder=folder).spawn()
    log = f"{folder}/disk/x.log"

    def says(pattern):
        """Empties the file each time that it is full: lines of before may fill it again."""
        found = re.search(pattern, text(log), re.M)
        if not found and os.path.getsize(log) == 65536:
            os.truncate(log, 0)
            http.request(server.http, "/print")
        return found

    try:
        wait_text(log, server.ready)
        # More than the pipe holds: some of it is lost before the answer comes.
        say_lines(server, 1, 40000, 50)
        assert http.request(server.http, "/").status == 200
        until(lambda: says(r"^error: \d+ bytes of the log are lost here: No space"), "the loss")
        until(lambda: says("^printed$"), "a line that is there")
    finally:
        server.stop()
        subprocess.run(["umount", f"{folder}/disk"], check=True)
