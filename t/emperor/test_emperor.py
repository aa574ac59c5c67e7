# SPDX-License-Identifier: MIT
"""An emperor: a server for each configuration file, as the files come, change and go."""
import json
import os
import re
import signal

from lib import files, http, proc
from lib.emperor import APP, Emperor
from lib.server import APPS
from lib.wait import until


def test_files_come_change_and_go(start):
    e = Emperor(start, a=APP)
    pid = e.serves("a.ini")
    assert e.ask("http") == b"hello\n"
    files.replace(f"{e.folder}/b.json", json.dumps({"uwsgi": {
        "http-socket": e.server.names["other"], "module": "basic", "pythonpath": APPS}}))
    e.write("README", "what this is\n")
    e.write("a.ini", APP + "add-header = X-Seen: again\n")
    e.said(rf"^vassal a.ini \(pid {pid}\) has reloaded")
    # The old worker may have taken one more.
    until(lambda: http.request(e.server.names["http"], "/hello").header("X-Seen") == "again",
          "the new settings")
    other = e.serves("b.json")
    assert e.ask("other") == b"hello\n"
    e.remove("b.json")
    e.said("^vassal b.json: its file is gone; it ends")
    proc.wait_gone(other)
    assert proc.alive(pid)
    assert e.server.stop(signal.SIGTERM) == 0
    assert "unexpectedly" not in e.server.log() and "README" not in e.server.log()


def test_a_release_that_fails_leaves_a_vassal_as_it_was(start):
    e = Emperor(start, a=APP)
    pid = e.serves("a.ini")
    e.write("a.ini", APP.replace("basic", "nowhere") + "need-app = true\n")
    e.said(rf"^warning: vassal a.ini \(pid {pid}\) could not reload, and serves on: cannot load")
    assert e.ask("http") == b"hello\n"
    e.write("a.ini", APP)
    e.said(rf"^vassal a.ini \(pid {pid}\) has reloaded")


def test_one_that_fails_waits_and_starts_at_once_when_it_is_mended(start):
    e = Emperor(start, "emperor-throttle = 90000\n", a="module = basic\n", b=APP)
    e.said(r"vassal a.ini \(pid \d+\) ended unexpectedly: exit code 1; it is started again in 90.0 s")
    e.serves("b.ini")
    e.write("a.ini", APP.replace("http}", "other}"))
    e.serves("a.ini")
    assert e.ask("other") == b"hello\n"


def test_the_delay_grows_up_to_its_limit(start):
    e = Emperor(start, "emperor-throttle = 10\nemperor-max-throttle = 30\n", a="module = basic\n")
    e.said("again in 0.0 s", 4)
    delays = re.findall(r"again in (\S+) s", e.server.log())
    assert delays[:4] == ["0.0"] * 4
    assert "keeps dying" not in e.server.log()


def test_one_that_is_killed_comes_back_and_leaves_nobody_behind(start):
    e = Emperor(start, "emperor-throttle = 10\n", a=APP + "workers = 2\nattach-daemon = sleep 60\n")
    pid = e.serves("a.ini")
    family = proc.descendants(pid)
    os.kill(pid, signal.SIGKILL)
    e.said(rf"^error: vassal a.ini \(pid {pid}\) ended unexpectedly: killed by signal 9")
    for each in family:
        proc.wait_gone(each)
    e.serves("a.ini", 2)
    assert e.ask("http") == b"hello\n"


def test_vassals_end_with_a_killed_emperor(start):
    e = Emperor(start, a=APP, b=APP.replace("http}", "other}"))
    family = [e.serves("a.ini"), e.serves("b.ini")]
    family += [child for pid in family for child in proc.descendants(pid)]
    e.server.send(signal.SIGKILL)
    for pid in family:
        proc.wait_gone(pid)
    assert "the emperor is gone: stopping" in e.server.log()


def test_a_running_request_is_finished(start):
    e = Emperor(start, a=APP)
    e.serves("a.ini")
    with http.Connection(e.server.names["http"]) as c:
        c.send(http.request_bytes("/sleep?s=0.4"))
        e.said("^sleeping in")
        e.server.send(signal.SIGTERM)
        assert c.read().status == 200
    assert e.server.wait() == 0


def test_the_second_signal_ends_vassals_at_once(start):
    e = Emperor(start, a=APP)
    e.serves("a.ini")
    with http.Connection(e.server.names["http"]) as c:
        c.send(http.request_bytes("/sleep?s=30"))
        e.said("^sleeping in")
        e.server.send(signal.SIGTERM)
        e.said("^the emperor says so: stopping")
        e.server.send(signal.SIGTERM)
        e.server.wait()


def test_hup_reloads_all_and_another_addition_starts_them_anew(start):
    e = Emperor(start, "vassal-set = env=COLOUR=red\n", a=APP, b=APP.replace("http}", "other}"))
    pids = [e.serves("a.ini"), e.serves("b.ini")]
    assert e.server.hup()
    for name, pid in zip("ab", pids):
        e.said(rf"^vassal {name}.ini \(pid {pid}\) has reloaded")
    e.server.write_ini("emperor = vassals\nemperor-freq = 1\nvassal-set = env=COLOUR=blue\n")
    assert e.server.hup()
    assert e.serves("a.ini", 2) != pids[0] and e.serves("b.ini", 2) != pids[1]
    assert e.ask("other") == b"hello\n"


ADDITIONS = {"before": "who = before\nprint = before: %n %(given) %(who)\n",
             "own": "who = own\nprint = own: %n %(given) %(who)\n",
             "after": "print = after: %n %(given) %(who)\n"}


# %n is each file's own name, and of a name that is set twice the first value counts.
READ = ["before: before yes before", "own: shop yes before", "after: after yes before"]


def additions(server):
    """An emperor's options, with the files that they name."""
    os.mkdir(f"{server.folder}/vassals")
    for name in ("before", "after"):
        with open(f"{server.folder}/{name}.ini", "w", encoding="utf-8") as f:
            f.write("[uwsgi]\n" + ADDITIONS[name])
    with open(f"{server.folder}/vassals/shop.ini", "w", encoding="utf-8") as f:
        f.write("[uwsgi]\n" + ADDITIONS["own"])


EMPEROR_OF_ADDITIONS = ("emperor = {here}/vassals\nvassals-include-before = {here}/before.ini\n"
                        "vassals-include = {here}/after.ini\nvassal-set = given=yes\n")


def test_files_before_and_after_and_names_in_them(start):
    server = start.not_yet(EMPEROR_OF_ADDITIONS)
    additions(server)
    server.start()
    server.wait_log("after: ")
    assert re.findall(r"(?:before|own|after): .*", server.log())[:3] == READ


def test_uwsgi_reads_the_same_in_the_same_order(start_oracle):
    server = start_oracle.not_yet(EMPEROR_OF_ADDITIONS)
    server.ready = "after: "
    additions(server)
    server.start()
    assert re.findall(r"(?:before|own|after): .*", server.log())[:3] == READ
