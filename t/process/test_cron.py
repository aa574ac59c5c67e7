# SPDX-License-Identifier: MIT
"""Commands that the server runs by the clock and for touched files: cron, touch-exec.  When an entry is
due is tested in t/unit/core/test_crontime.c; here each is due in every minute, and so at the start."""
import datetime
import json
import os
import re
import signal

import pytest

from lib import files, http, proc
from lib.server import command
from lib.wait import until

APP = "http-socket = {http}\nmodule = basic\n"
NOW = "-1 -1 -1 -1 -1"


def runs(server, name):
    """The pids of the server's own processes that stand before a command."""
    return [int(pid) for pid in server.wait_each(rf"^{name} \(pid (\d+)\) runs")]


def said(server, word):
    """The number that a command has said behind this word."""
    return int(server.wait_log(rf"^{word} (\d+)$")[1])


def test_it_runs_when_it_is_due(start):
    """In this minute, as in uWSGI, and not before requests are served."""
    sunday = datetime.datetime.now().isoweekday() == 7
    server = start(APP + f"cron = {NOW} echo ran in $PWD as $COLOUR\nenv = COLOUR=blue\n"
                   "cron = -1 -1 31 2 -1 echo never\ncron = -1 -1 -1 -1 -7 echo sundays\n"
                   f"cron2 = minute=-1 exit 3\ncron = {NOW} kill -USR1 $$\n")
    server.wait_log(rf"^ran in {server.folder} as blue$")
    server.wait_log(r"^cron 1 \(pid \d+\) ended after \d+\.\d s: exit code 0$")
    server.wait_log(r"^error: cron 5 \(pid \d+\) ended after \d+\.\d s: exit code 3$")
    server.wait_log(r"^error: cron 4 .* ended .*: killed by signal 10 \(User defined signal 1\)$")
    assert server.log().index("serving: 1 worker") < server.log().index("cron 1")
    seen = server.log()
    sunday = sunday or datetime.datetime.now().isoweekday() == 7
    assert "cron 2" not in seen and (sunday or "cron 3" not in seen)


def test_it_begins_as_any_program(start):
    server = start(APP + f"cron = {NOW} grep -E '^SigBlk' /proc/self/status; ls -l /proc/self/fd\n")
    server.wait_log(r"^SigBlk:\s0+$")
    server.wait_log(r" 0 -> /dev/null$")
    server.wait_log(r"^cron 1 .* ended")
    assert [fd for fd in re.findall(r" (\d+) -> ", server.log()) if int(fd) > 3] == []


def test_the_time_zone_is_that_of_env(start):
    """The hour in which the zone's day begins is another one than the machine's."""
    now = datetime.datetime.now(datetime.timezone.utc)
    lines = "".join(f"cron = -1 {(now.hour + 11 + i) % 24} -1 -1 -1 echo zone $TZ\n" for i in (0, 1))
    server = start(APP + f"env = TZ=XYZ-11\n{lines}")
    server.wait_log("^zone XYZ-11$")


def test_unique_waits_for_all_that_the_last_one_has_started(start):
    """A reload forgets neither."""
    server = start(APP + f"stats = {{stats}}\nunique-cron = {NOW} sleep 60 & echo child $!\n")
    child = said(server, "child")
    minder, = runs(server, "cron 1")
    assert proc.alive(child) and proc.alive(minder)
    assert server.hup()
    entry, = json.loads(http.raw(server.stats, b""))["crons"]
    assert (entry["pid"], entry["unique"]) == (minder, 1)
    assert proc.alive(child) and len(runs(server, "cron 1")) == 1
    os.kill(child, signal.SIGKILL)
    server.wait_log(r"^cron 1 .* ended after .*: exit code 0$")


@pytest.mark.parametrize("lines", ["cron2 = harakiri=1 {}\n", "cron = -1 -1 -1 -1 -1 {}\ncron-harakiri = 1\n"])
def test_harakiri_kills_all_that_it_has_started(start, lines):
    server = start(APP + lines.format("sleep 60 & trap '' TERM; sleep 60"))
    server.wait_log(r"^error: cron 1 \(pid \d+\) killed: it runs longer than 1 s \(harakiri\): sleep")
    # The zygote and the worker are left.  Orphans would be the master's children.
    until(lambda: len(proc.descendants(server.pid)) == 2, "all of it to be gone")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_the_server(start, number):
    """It is asked first."""
    server = start(APP + f"cron = {NOW} trap 'echo asked; exit' TERM; echo pid $$; sleep 60 & wait\n"
                   f"cron = {NOW} trap '' TERM; echo deaf $$; sleep 60\nreload-mercy = 1\n")
    pids = [said(server, "pid"), said(server, "deaf"), *runs(server, "cron 1"), *runs(server, "cron 2")]
    server.send(number)
    server.wait()
    for pid in pids:
        proc.wait_gone(pid)
    if number != signal.SIGKILL:
        assert re.search("^asked$", server.log(), re.M)
        assert re.search(r"cron 2 \(pid \d+\) killed: it did not leave in time", server.log())


def test_a_reload_takes_entries_away_and_brings_others(start):
    server = start(APP + f"stats = {{stats}}\ncron = {NOW} echo pid $$; exec sleep 60\n"
                   "cron = 1 2 3 4 5 kept\n")
    pid = said(server, "pid")

    def seen():
        return [(c["command"], c["minute"], c["hour"], c["day"], c["month"], c["week"], c["pid"])
                for c in json.loads(http.raw(server.stats, b""))["crons"]]
    assert [c[0] for c in seen()] == ["echo pid $$; exec sleep 60", "kept"]
    server.write_ini(APP + "stats = {stats}\ncron = 1 2 3 4 5 kept\ncron2 = hour=-2,week=7 new\n")
    assert server.hup()
    until(lambda: seen() == [("kept", 1, 2, 3, 4, 5, -1), ("new", -1, -2, -1, -1, 7, -1)],
          "the new list")
    assert proc.alive(pid)


def test_a_reload_that_is_given_up_changes_nothing(start):
    server = start(APP + f"stats = {{stats}}\nunique-cron = {NOW} echo pid $$; exec sleep 60\n")
    pid = said(server, "pid")
    server.write_ini(APP.replace("basic", "nothing_there") + f"need-app = 1\ncron = {NOW} echo new\n")
    assert not server.hup()
    entry, = json.loads(http.raw(server.stats, b""))["crons"]
    assert entry["pid"] == runs(server, "cron 1")[0] and proc.alive(pid)
    assert "echo new" not in server.log()


def test_it_is_the_servers_user(start, as_root):
    server = start(APP + f"uid = nobody\ncron = {NOW} echo I am `id -u`\nmaster-as-root = 1\n")
    server.wait_log("^I am 65534$")


def test_one_that_was_due_in_a_reload_does_not_run_twice(start):
    minute = datetime.datetime.now().minute
    server = start(APP + f"cron = {NOW} echo once\n")
    server.wait_log("^once$")
    assert server.hup()
    http.request(server.http, "/hello")
    times = server.log().count("\nonce\n")
    if datetime.datetime.now().minute == minute:
        assert times == 1


@pytest.mark.parametrize("line,sentence", [
    ("cron = * * * * * x", '"\\*" is no number'), ("cron = 61 1 1 1 1 x", "0 to 59"),
    ("cron = 1 1 0 1 1 x", "1 to 31"), ("cron = 1 1 1 x", "MINUTE HOUR"),
    ("unique-cron = 1 1 1 1 1", "COMMAND"), ("cron2 = hour=4", "COMMAND"),
    ("cron2 = hours=4 x", "did you mean"), ("cron2 = hour=4,harakiri=x x", "no number of seconds"),
    ("cron2 = -1 x", "KEY=VALUE"), ("cron2 = hour=4,legion=l x", "legion does nothing here"),
    (f"cron2 = hour={'4' * 300} x", f'hour: "{"4" * 20}…" is no number'),
    (f"cron2 = {'hours' * 60}=4 x", "there is no key hours"), (f"cron = {'1' * 30} 1 1 1 1 x", "…\" is no number"),
    ("touch-exec = /tmp/x", "FILE COMMAND")])
def test_mistakes_are_said_beforehand(tmp_path, line, sentence):
    (tmp_path / "x.ini").write_text(f"[uwsgi]\nhttp-socket = :0\nmodule = basic\n{line}\n",
                                    encoding="utf-8")
    assert re.search(sentence, command("--check", f"{tmp_path}/x.ini").stderr)


@pytest.mark.parametrize("line", [
    f"cron2 = {','.join(['minute=1'] * 40)} x", f"cron2 = minute={'0' * 300}1 x", f"cron = {'0' * 30} 1 1 1 1 x"])
def test_long_ones_are_as_good(tmp_path, line):
    (tmp_path / "x.ini").write_text(f"[uwsgi]\nhttp-socket = :0\nmodule = basic\n{line}\n", encoding="utf-8")
    assert "error" not in command("--check", f"{tmp_path}/x.ini").stderr.replace(" 0 errors", "")


# ---- touched files ----

def test_touch_exec(start):
    """Each command of a file that is made or touched, or of a folder."""
    server = start.not_yet(APP + "touch-exec = {here}/a echo first\ntouch-exec = {here}/a   echo  second\n"
                           "touch-exec = {here}/b echo other\ntouch-exec = {here}/sub echo inside\n")
    os.mkdir(f"{server.folder}/sub")
    server.start()
    files.touch(f"{server.folder}/a")
    files.touch(f"{server.folder}/sub/file")
    for line in ("first", "second", "inside"):
        server.wait_log(f"^{line}$")
    server.wait_log(rf"^touch-exec \(pid \d+\) runs, {server.folder}/a was touched: echo first$")
    assert "echo other" not in server.log()


def test_touch_exec_ends_with_the_server(start):
    server = start(APP + "touch-exec = {here}/a echo pid $$; exec sleep 60\n")
    files.touch(f"{server.folder}/a")
    pid = said(server, "pid")
    server.stop(signal.SIGTERM)
    assert not proc.alive(pid)
