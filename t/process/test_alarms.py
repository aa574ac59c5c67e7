# SPDX-License-Identifier: MIT
"""Alarms: what raises them, what they do, and what never happens to the server by them."""
import os
import re
import signal
import socket

import pytest

from lib import http, proc
from lib.server import command
from lib.wait import until

APP = ("http-socket = {http}\nmodule = alarms\ndisable-logging = true\n"
       "alarm = note cmd:cat >>{here}/note\n")


def ask(server, path):
    return http.request(server.http, path, timeout=20)


def read(server, name="note"):
    path = os.path.join(server.folder, name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as f:
        return f.read()


def wait_read(server, text, name="note"):
    until(lambda: read(server, name) == text, f"{text!r}, not {read(server, name)!r}")


def test_a_command_has_the_text_on_its_standard_input(start):
    server = start(APP + "env = COLOUR=blue\nchdir = {here}\n"
                   "alarm = see cmd:echo $COLOUR $PWD; ls -l /proc/self/fd\n"
                   "alarm-freq = 0\n")
    ask(server, "/raise?note&a%20b")
    wait_read(server, "a b\n")
    ask(server, "/raise?note&a%0Ab")
    wait_read(server, "a b\na\nb\n")
    ask(server, "/raise?see&x")
    server.wait_log(rf"^blue {server.folder}$")
    # Its input, the log twice, and the folder that ls reads.
    until(lambda: len(re.findall(r" \d+ -> ", server.log())) == 4, "what is open")


def test_a_command_is_the_servers_user(start, as_root):
    server = start(APP + "alarm = who cmd:id -u; id -G\nuid = nobody\ngid = nogroup\n"
                   "master-as-root = true\n")
    ask(server, "/raise?who&x")
    server.wait_log(r"^65534\n65534$")


def raise_first(server, text):
    """Until the command has ended and the master knows: what is raised before waits for that."""
    before = proc.children(server.pid)
    ask(server, f"/raise?note&{text}")
    until(lambda: read(server) and proc.children(server.pid) == before, "the command to end")


def test_what_comes_within_alarm_freq_is_collected(start):
    server = start(APP + "alarm-freq = 3600\n")
    raise_first(server, "first")
    assert read(server) == "first\n"
    for text in ("first", "second", "", "second", "third", "sec"):
        ask(server, f"/raise?note&{text}")
    assert read(server) == "first\n"
    # Nothing waits for a server that ends.
    server.stop()
    wait_read(server, "first\nsecond\nthird\nsec\n")


def test_it_says_no_more_than_alarm_msg_size(start):
    server = start(APP + "alarm-freq = 3600\nalarm-msg-size = 64\n")
    raise_first(server, "x" * 100)
    assert read(server) == "x" * 64 + "\n"
    for text in ("a" * 40, "b" * 40, "c" * 40):
        ask(server, f"/raise?note&{text}")
    server.stop()
    wait_read(server, "x" * 64 + "\n" + "a" * 40 + "\n(and 2 more)\n")


def test_lines_of_the_log_raise_them_but_none_of_an_alarm(start):
    """With alarm-freq = 0 nothing but that keeps an alarm from raising itself for ever."""
    server = start(APP + "alarm = log log:so:\nalarm = echo cmd:cat; echo PANIC said\n"
                   "alarm-freq = 0\nlog-alarm = note,log,echo PANIC\n"
                   "not-log-alarm = note,echo spared\nalarm-log = note ^goodbye|^stopping\n")
    ask(server, "/say?PANIC%20one")
    wait_read(server, "PANIC one\n")
    server.wait_log(r"^warning: ALARM log: so: PANIC one$")
    server.wait_log(r"^PANIC one\nPANIC said$")
    ask(server, "/say?PANIC%20spared")
    server.wait_log(r"ALARM log: so: PANIC spared$")
    ask(server, "/say?PANIC%20two")
    wait_read(server, "PANIC one\nPANIC two\n")
    server.wait_log(r"^PANIC two\nPANIC said$")
    server.stop()
    assert server.log().count("ALARM") == 3
    assert server.log().count("PANIC said") == 2


def test_the_masters_own_lines_raise_them(start):
    server = start(APP + "log-alarm = note worker 1 .* ended unexpectedly\n")
    os.kill(server.workers()[0], signal.SIGKILL)
    until(lambda: "killed by signal 9" in read(server), "the alarm")


def test_udp(start, receiver):
    host, port = receiver.getsockname()
    server = start(APP + f"alarm = far udp:{host}:{port}\n")
    ask(server, "/raise?far&it%20burns")
    assert receiver.recv(1000) == b"it burns"


def test_what_cannot_be_sent_is_said(start):
    server = start(APP + "alarm = far udp:127.0.0.1:9\nalarm-msg-size = 65536\n")
    ask(server, "/large?far")
    server.wait_log("error: alarm far: nothing is sent to 127.0.0.1:9: Message too long")


def test_a_signal_is_one_to_the_master(start):
    server = start(APP + "alarm = again signal:HUP\n")
    ask(server, "/raise?again&the%20cache%20is%20full")
    server.wait_log(r"warning: alarm again sends HUP: the cache is full")
    server.wait_log(r"SIGHUP from pid \d+")
    server.wait_log(r"reloaded: 1 worker")


def test_what_is_not_here_goes_to_the_log(start):
    server = start(APP + "alarm = a signal:17\nalarm = b mule:1\nalarm = c curl:http://x.example\n")
    for name, kind in (("a", "signal:17"), ("b", "mule:1"), ("c", "curl:http://x.example")):
        server.wait_log(rf"warning: alarm = {name} {kind}: this kind is not supported yet: what "
                        "the alarm says goes to the log")
        ask(server, f"/raise?{name}&text")
        server.wait_log(rf"warning: ALARM {name}: text$")


@pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")),
                    reason="the sanitizer ends it before the signal")
def test_a_crash(start):
    server = start(APP + "segfault-alarm = note\n")
    pid = server.workers()[0]
    assert http.raw(server.http, b"GET /crash HTTP/1.0\r\n\r\n") == b""
    wait_read(server, f"worker 1 (pid {pid}) crashed: killed by signal 11 (Segmentation fault)\n")


def test_a_descriptor(start, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    server = start(APP + "alarm-fd = note 7:3 somebody calls\nalarm-fd = note 8 nobody\n"
                   "alarm-fd = note 6 nothing\n",
                   under=("sh", "-c", f'exec 7<>{tmp_path}/fifo 6</dev/null; exec "$@"', "sh"))
    server.wait_log("warning: alarm-fd: descriptor 6 has come to its end; it raises nothing more")
    server.wait_log(r"error: alarm-fd = note 8 nobody: the server was not started with this")
    with open(tmp_path / "fifo", "wb") as f:
        f.write(b"abc")
    wait_read(server, "somebody calls\n")


def test_a_full_queue(start):
    server = start(APP + "listen = 2\nalarm-backlog = note\n")
    stopped = server.workers()[0]
    os.kill(stopped, signal.SIGSTOP)
    clients = []
    try:
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((server.http.split(":")[0], int(server.http.split(":")[1])))
            clients.append(s)
        # The master may have looked when the third one was still to come.
        until(lambda: re.search(rf"^the queue of {server.http} is full: 3 connections wait, and 2 "
                                "may", read(server), re.M), "the alarm")
    finally:
        os.kill(stopped, signal.SIGCONT)
        for s in clients:
            s.close()


def test_a_command_that_does_not_end_is_killed(start):
    server = start(APP + "alarm = slow cmd:[ -e {here}/once ] && echo again && exit; >{here}/once; "
                   "sleep 60 & echo I am $$ with $!; wait\nalarm-timeout = 2\nalarm-freq = 0\n")
    ask(server, "/raise?slow&a")
    pid, child = map(int, server.wait_log(r"^I am (\d+) with (\d+)$").groups())
    ask(server, "/raise?slow&b")
    server.wait_log(rf"warning: alarm slow: its command \(pid {pid}\) is killed: it took more than "
                    "alarm-timeout")
    for p in (pid, child):
        proc.wait_gone(p)
    server.wait_log("^again$")
    assert ask(server, "/").status == 200


def test_a_command_that_fails_and_an_alarm_that_is_not_there_are_said(start):
    server = start(APP + "alarm = bad cmd:exit 3\n")
    ask(server, "/raise?bad&x")
    server.wait_log(r"warning: alarm bad: its command \(pid \d+\) ended: exit code 3")
    ask(server, "/raise?worse%1b&x")
    server.wait_log(r"warning: there is no alarm worse\\x1b to be raised")


def test_without_alarms(start):
    server = start("http-socket = {http}\nmodule = alarms\n")
    ask(server, "/raise?note&x")
    server.wait_log(r"warning: alarm note is not raised: the configuration has none")


def test_a_reload_brings_others(start):
    ini = "http-socket = {http}\nmodule = alarms\ndisable-logging = true\n"
    server = start(ini)

    def reload():
        """Until nobody is left who knows the alarms before."""
        before = server.workers()
        assert server.hup()
        for pid in before:
            proc.wait_gone(pid)
    server.write_ini(ini + "alarm = note cmd:cat >>{here}/note\nlog-alarm = note PANIC\n"
                     "alarm-freq = 0\n")
    reload()
    ask(server, "/raise?note&one")
    wait_read(server, "one\n")
    server.write_ini(ini + "alarm = note cmd:cat >>{here}/other\nalarm-freq = 0\n"
                     "log-alarm = note TROUBLE\n")
    reload()
    ask(server, "/say?PANIC")
    ask(server, "/say?TROUBLE")
    wait_read(server, "TROUBLE\n", "other")
    assert read(server) == "one\n"


@pytest.mark.parametrize("line, said", [
    ("alarm = x", "expected NAME KIND:ARGUMENT"),
    ("alarm = x cmd:", "expected cmd:COMMAND"),
    ("alarm = x smoke:y", r'there is no alarm of the kind "smoke"; expected cmd, log, signal or udp'),
    ("alarm = x signal:SEGV", "expected signal:HUP, TERM"),
    ("alarm = x udp:nowhere", "expected udp:HOST:PORT"),
    ("log-alarm = note", "expected a name and an expression"),
    ("log-alarm = note (", "missing closing parenthesis"),
    ("log-alarm = note,fire x", 'there is no alarm "fire"; define it with alarm = fire cmd:COMMAND'),
    ("segfault-alarm = fire", 'there is no alarm "fire"'),
    ("alarm-backlog = fire", 'there is no alarm "fire"'),
    ("alarm-lq = fire", 'there is no alarm "fire"'),
    ("alarm-log = fire x", 'there is no alarm "fire"'),
    ("alarm-fd = fire 3 x", 'there is no alarm "fire"'),
    ("alarm-fd = note x x", r"expected NAME FD\[:BYTES\] TEXT"),
])
def test_mistakes(folder, line, said):
    with open(f"{folder}/x.ini", "w", encoding="utf-8") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\nmodule = x\nalarm = note cmd:cat\n{line}\n")
    checked = command("--check", f"{folder}/x.ini")
    assert checked.returncode == 1
    assert re.search(said, checked.stdout + checked.stderr), checked.stdout + checked.stderr
