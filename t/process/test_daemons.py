# SPDX-License-Identifier: MIT
"""Programs that run beside the server: attach-daemon and its relatives."""
import json
import os
import re
import signal

import pytest

from lib import http, proc
from lib.server import command
from lib.wait import until

APP = "http-socket = {http}\nmodule = basic\n"


def runs(server, number=1, after=0):
    """The pid of the server's own process that stands before the program."""
    match = until(lambda: re.search(rf"^daemon {number} \(pid (\d+)\) runs", server.log()[after:],
                                    re.M), f"daemon {number} to run")
    return int(match[1])


def said(server, word):
    """The numbers that a program has said behind this word, once for each start."""
    return [int(n) for n in re.findall(rf"^{word} (\d+)$", server.log(), re.M)]


def wait_said(server, word, times=1):
    return int(server.wait_each(rf"^{word} (\d+)$", times)[times - 1])


def test_it_runs_beside_the_workers_and_its_lines_are_in_the_log(start):
    server = start(APP + "attach-daemon = echo I am $COLOUR in $PWD; echo pid $$; exec sleep 60\n"
                   "env = COLOUR=blue\nchdir = {here}\npythonpath = %d\n")
    server.wait_log(rf"^I am blue in {server.folder}$")
    pid = wait_said(server, "pid")
    assert runs(server) != pid and runs(server) in proc.children(server.pid)
    assert http.request(server.http, "/hello").status == 200
    server.stop(signal.SIGTERM)
    assert not proc.alive(pid)
    assert "unexpectedly" not in server.log()


def test_it_begins_as_any_program(start):
    """No signal is ignored or blocked, and nothing of the server is open."""
    server = start(APP + "attach-daemon = grep -E '^Sig(Ign|Blk)' /proc/self/status; "
                   "ls -l /proc/self/fd; exec sleep 60\n")
    server.wait_log(r"^SigBlk:\s0+$")
    # Whether 32 and 33, which are libc's own, are ignored is what the tests were started with.
    server.wait_log(r"^SigIgn:\s0{7}[01][08]0{7}$")
    server.wait_log(r" 0 -> /dev/null$")
    opened = server.wait_each(r" (\d+) -> (\S+)$", 4)
    assert [(fd, to) for fd, to in opened if int(fd) > 2] == [("3", to) for fd, to in opened[3:]]
    assert all(to.startswith("/proc/") for _, to in opened[3:])


def test_one_that_may_have_gone_to_the_background_is_told_of_once(start):
    server = start(APP + "attach-daemon = true\nattach-daemon = exit 7\n")
    for number, code in ((1, 0), (2, 7)):
        server.wait_each(rf"daemon {number} .* ended unexpectedly: exit code {code}; it keeps dying", 2)
    assert re.findall(r"^warning: (daemon \d): its command ends with 0 as soon as it is started; "
                      "if it goes to the background", server.log(), re.M) == ["daemon 1"]


def test_one_that_ends_is_started_again_later_and_later(start):
    server = start(APP + "attach-daemon = echo pid $$; exit 7\n")
    server.wait_log(r"daemon 1 \(pid \d+\) ended unexpectedly: exit code 7; restarting")
    server.wait_log(r"exit code 7; it keeps dying, so it is started again in 0\.1 s")
    server.wait_log(r"started again in 0\.4 s")
    assert http.request(server.http, "/hello").status == 200


def test_max_throttle_bounds_the_delay(start):
    server = start(APP + "attach-daemon2 = cmd=exit 8,max_throttle=1\n")
    server.wait_log(r"exit code 8; it keeps dying, so it is started again in 1\.0 s", 20)


def test_how_it_was_killed_is_said(start):
    server = start(APP + "attach-daemon = kill -USR1 $$; sleep 60\n")
    server.wait_log(r"ended unexpectedly: killed by signal 10 \(User defined signal 1\)")


FAMILY = "echo pid $$; sleep 60 & echo child $!; (trap '' TERM INT; echo deaf 1; sleep 60); wait"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_that_it_has_started_ends_with_the_server(start, number):
    server = start(APP + f"attach-daemon = {FAMILY}\nreload-mercy = 1\n")
    pids = [wait_said(server, "pid"), wait_said(server, "child"), runs(server)]
    wait_said(server, "deaf")
    pids += proc.descendants(pids[2])
    server.stop(number)
    for pid in pids:
        proc.wait_gone(pid)
    assert re.search(r"daemon 1 \(pid \d+\) killed: it did not leave in time", server.log())


def test_all_that_it_has_started_ends_when_the_master_is_killed(start):
    server = start(APP + f"attach-daemon = {FAMILY}\n")
    wait_said(server, "deaf")
    pids = [runs(server), *proc.descendants(runs(server))]
    assert len(pids) >= 4
    server.send(signal.SIGKILL)
    server.wait()
    for pid in pids:
        proc.wait_gone(pid)


def test_what_a_shell_runs_may_finish_its_work(start):
    """The shell itself ends with the first signal."""
    server = start(APP + "attach-daemon = sh -c \"trap 'sleep 0.3; echo finished; exit' TERM; "
                   "echo pid $$$$; while :; do sleep 0.05; done\"; true\n")
    until(lambda: "pid " in server.log(), "it to run")
    server.stop(signal.SIGTERM)
    assert re.search("^finished$", server.log(), re.M)


def test_what_it_leaves_behind_does_not_outlive_it(start):
    """Else there were one more after each start."""
    server = start(APP + "attach-daemon = sleep 60 & echo child $!; exit 1\n")
    child = wait_said(server, "child")
    wait_said(server, "child", 2)
    proc.wait_gone(child)


def test_it_has_its_own_signal_to_end_by(start):
    server = start(APP + "attach-daemon2 = cmd=trap 'echo asked\\, yes; exit' USR2; echo pid $$; "
                   "while :; do sleep 0.05; done,stopsignal=USR2\n")
    wait_said(server, "pid")
    server.stop(signal.SIGTERM)
    assert re.search("^asked, yes$", server.log(), re.M) and "killed" not in server.log()


def test_a_reload_starts_it_anew(start):
    server = start(APP + "attach-daemon = echo pid $$; exec sleep 60\n"
                   "attach-daemon = echo gone $$; exec sleep 60\n")
    first, gone = wait_said(server, "pid"), wait_said(server, "gone")
    server.write_ini(APP + "attach-daemon = echo new $$; exec sleep 60\n"
                     "attach-daemon = echo pid $$; exec sleep 60\n")
    assert server.hup()
    second = wait_said(server, "pid", 2)
    wait_said(server, "new")
    proc.wait_gone(first)
    proc.wait_gone(gone)
    assert proc.alive(second) and "unexpectedly" not in server.log()


def test_a_reload_that_is_given_up_leaves_it_alone(start):
    server = start(APP + "attach-daemon = echo pid $$; exec sleep 60\n")
    pid = wait_said(server, "pid")
    server.write_ini(APP.replace("basic", "nothing_there") + "need-app = 1\n")
    assert not server.hup()
    assert proc.alive(pid) and said(server, "pid") == [pid]


def test_reloadsignal_instead_of_a_new_start(start):
    server = start(APP + "attach-daemon2 = cmd=trap 'echo told' HUP; echo pid $$; "
                   "while :; do sleep 0.05; done,reloadsignal=HUP\n")
    pid = wait_said(server, "pid")
    assert server.hup()
    server.wait_log("^told$")
    assert proc.alive(pid) and said(server, "pid") == [pid]


def test_a_touched_file_starts_it_anew(start):
    server = start(APP + "attach-daemon2 = cmd=echo pid $$; exec sleep 60,touch={here}/touched\n")
    first = wait_said(server, "pid")
    with open(f"{server.folder}/touched", "w", encoding="utf-8"):
        pass
    wait_said(server, "pid", 2)
    proc.wait_gone(first)
    server.wait_log("daemon 1: .*/touched was touched; it is started anew")


@pytest.mark.parametrize("option", ["attach-control-daemon = ", "attach-daemon2 = control=1,cmd="])
def test_the_server_ends_with_one_that_has_control(start, option):
    server = start(APP + f"{option}while [ ! -e {{here}}/end ]; do sleep 0.05; done; exit 3\n")
    with open(f"{server.folder}/end", "w", encoding="utf-8"):
        pass
    assert server.wait() == 0
    assert re.search(r"daemon 1 \(pid \d+\) ended: exit code 3; the server ends with it",
                     server.log())


def test_folder_and_user_of_its_own(start, as_root):
    server = start(APP + "attach-daemon2 = cmd=echo I am `id -u` `id -g` in $PWD; exec sleep 60,"
                   "uid=nobody,gid=12345,chdir=/usr\n")
    server.wait_log(r"^I am 65534 12345 in /usr$")
    pid = runs(server)
    server.stop()
    assert not proc.alive(pid)


def test_it_is_the_servers_user(start, as_root):
    server = start(APP + "uid = nobody\nmaster-as-root = 1\n"
                   "attach-daemon = echo I am `id -u`; sleep 60 & wait\n")
    server.wait_log(r"^I am 65534$")
    pids = [runs(server), *proc.descendants(runs(server))]
    server.send(signal.SIGKILL)
    server.wait()
    for pid in pids:
        proc.wait_gone(pid)


@pytest.mark.parametrize("line,sentence", [
    ("attach-daemon2 = command=", "cmd=COMMAND"), ("attach-daemon2 = pidfil=/x,cmd=y", "pidfile"),
    ("attach-daemon2 = cmd=x,stopsignal=FOO", "no signal"),
    ("attach-daemon2 = cmd=x,freq=soon", "no number"), ("smart-attach-daemon = x", "PIDFILE COMMAND"),
    ("attach-daemon2 = cmd=x,uid=nosuchuser", "nosuchuser"),
    ("attach-daemon2 = cmd=x,gid=nosuchgroup", "nosuchgroup"),
    ("attach-daemon2 = cmd=x,ns_pid=1", "ns_pid does nothing here"),
    ("attach-daemon2 = cmd=x,pidfile=/y,control=1", "leaves alone")])
def test_mistakes_are_said_beforehand(tmp_path, line, sentence):
    (tmp_path / "x.ini").write_text(f"[uwsgi]\nhttp-socket = :0\nmodule = basic\n{line}\n",
                                    encoding="utf-8")
    assert sentence in command("--check", f"{tmp_path}/x.ini").stderr


def test_statistics_have_them(start):
    server = start(APP + "stats = {stats}\nattach-daemon = echo pid $$; exec sleep 60\n"
                   "attach-daemon = echo once $$; exec sleep 60\n")
    wait_said(server, "pid")
    wait_said(server, "once")

    def seen():
        return [(d["cmd"], d["pid"], d["respawns"]) for d in
                json.loads(http.raw(server.stats, b""))["daemons"]]
    first, other = runs(server), runs(server, 2)
    until(lambda: seen() == [("echo pid $$; exec sleep 60", first, 0),
                             ("echo once $$; exec sleep 60", other, 0)], "both to be seen")
    os.kill(first, signal.SIGKILL)
    wait_said(server, "pid", 2)
    again = until(lambda: [d for d in seen() if d[1] not in (0, first, other)], "another one")[0]
    assert again[2] == 1 and proc.alive(again[1])
    server.write_ini(APP + "stats = {stats}\n")
    assert server.hup()
    until(lambda: not seen(), "both to be gone")


# ---- with a pidfile ----

@pytest.fixture
def strays():
    """Pids that outlive a server, and are ended behind the test."""
    pids = []
    yield pids
    proc.kill_all([pid for pid in pids if proc.alive(pid)])
    for pid in pids:
        proc.wait_gone(pid)


def pid_in(path):
    def read():
        try:
            with open(path, encoding="utf-8") as f:
                return int(f.read() or 0)
        except FileNotFoundError:
            return 0
    return until(read, f"a number in {path}")


OWN_FILE = "smart-attach-daemon = {here}/p sh -c 'echo $$ > {here}/p; exec sleep 60'\n"
THE_SERVERS_FILE = "smart-attach-daemon2 = {here}/p exec sleep 60\n"
KEYED = "attach-daemon2 = pidfile={here}/p,daemonize=1,freq=1,cmd=exec sleep 60\n"


@pytest.mark.parametrize("line", [OWN_FILE, THE_SERVERS_FILE, KEYED])
def test_one_with_a_pidfile_goes_on_without_the_server(start, strays, line):
    server = start(APP + line)
    pid = pid_in(f"{server.folder}/p")
    strays.append(pid)
    server.wait_log(rf"daemon 1 \(pid {pid}\) runs")
    assert server.hup()
    server.stop()
    assert proc.alive(pid)
    seen = len(server.dated_log())
    server.start()
    until(lambda: f"(pid {pid}) runs" in server.dated_log()[seen:], "it to be found")
    assert "starting: " not in server.dated_log()[seen:]
    server.stop()   # it would start another one when strays() ends this one


def test_one_with_a_pidfile_is_started_again(start, strays):
    server = start(APP + KEYED)
    first = pid_in(f"{server.folder}/p")
    server.wait_log(rf"daemon 1 \(pid {first}\) runs")
    os.kill(first, signal.SIGKILL)
    server.wait_log(rf"daemon 1 \(pid {first}\) is gone")
    second = until(lambda: {pid_in(f"{server.folder}/p")} - {first}, "another one").pop()
    strays.append(second)
    server.wait_log(rf"daemon 1 \(pid {second}\) runs")
    server.stop()


def test_a_pidfile_may_be_anything(start):
    """The master waits for no FIFO and believes no nonsense."""
    server = start.not_yet(APP + "smart-attach-daemon = {here}/fifo,60 echo first\n"
                           "smart-attach-daemon = {here}/word,60 echo second\n"
                           "smart-attach-daemon = {here}/one,60 echo third\n")
    os.mkfifo(f"{server.folder}/fifo")
    for name, text in (("word", "x"), ("one", "1")):
        with open(f"{server.folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
    server.start()
    for word in ("first", "second", "third"):
        server.wait_log(f"^{word}$")
    assert http.request(server.http, "/hello").status == 200
