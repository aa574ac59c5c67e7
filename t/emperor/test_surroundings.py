# SPDX-License-Identifier: MIT
"""What a vassal finds around it, where its emperor looks, what an emperor tells, and what else it may
be."""
import json
import os
import re
import signal

from lib import http, proc
from lib.emperor import APP, Emperor, write
from lib.server import COMMAND, command
from lib.wait import until


# ---- what it finds ----

def test_folder_names_and_variables(start):
    e = Emperor(start, env={"UWSGI_VASSAL_PRINT": "for a vassal", "UWSGI_PRINT": "for the emperor"},
                a=APP + "chdir = .\nattach-daemon = echo folder $PWD; env | grep UWSGI; echo end; "
                "exec sleep 60\n")
    e.serves("a.ini")
    e.said("^end$")
    assert f"folder {e.folder}" in e.server.log()
    for whom in ("the emperor", "a vassal"):
        assert len(re.findall(f"^for {whom}$", e.server.log(), re.M)) == 1
    assert "UWSGI_EMPEROR_FD" not in e.server.log() and "UWSGI_VASSAL" not in e.server.log()


def test_it_begins_as_any_program(start):
    """No signal is ignored or blocked but by itself, and nothing of the emperor's is open."""
    e = Emperor(start, "stats = {here}/emperor.stats\n", a=APP, b=APP.replace("http}", "other}"))
    pids = [e.serves("a.ini"), e.serves("b.ini")]
    for pid in pids:
        sockets = {target for target in proc.open_files(pid) if "socket:" in target}
        others = set(proc.open_files(e.server.pid))
        assert not sockets & others
        assert os.getsid(pid) == pid


def test_daemonize_names_a_log_and_nothing_else(start):
    e = Emperor(start, a=APP + "daemonize = {here}/own.log\n")
    pid = e.serves("a.ini")
    with open(f"{e.server.folder}/own.log", encoding="utf-8") as f:
        assert "accept requests" in f.read()
    e.server.stop(signal.SIGTERM)
    assert not proc.alive(pid) and "unexpectedly" not in e.server.log()


def test_root_is_given_up_before_a_vassal_starts(start, as_root, reachable):
    e = Emperor(start, "uid = nobody\ngid = nogroup\n", a=APP)
    assert proc.status(e.serves("a.ini"), "Uid")[0] == "65534"


def test_a_vassal_of_a_root_emperor_gives_it_up_itself(start, as_root):
    e = Emperor(start, a=APP + "uid = nobody\n")
    pid = e.serves("a.ini")
    assert proc.status(pid, "Uid")[0] == "65534"
    e.server.send(signal.SIGKILL)
    proc.wait_gone(pid)


def test_what_others_may_write_and_root_runs_is_said(start, as_root, reachable):
    """Once for each; the folder first."""
    e = Emperor(start, a=APP)
    e.serves("a.ini")
    assert "not only root" not in e.server.log()
    os.chown(f"{e.folder}/a.ini", 65534, 0)
    e.said(r"^warning: emperor: vassals/a.ini: not only root may write it, and what it says is done")
    os.chmod(e.folder, 0o777)
    e.said("^warning: emperor: vassals: not only root may write it")
    e = Emperor(start, "uid = nobody\n", a=APP)
    os.chown(e.folder, 65534, 0)
    e.write("b.ini", APP.replace("http}", "other}"))
    e.serves("b.ini")
    assert "not only root" not in e.server.log()


# ---- a heartbeat ----

def test_one_whose_heart_stops_is_started_again(start):
    # The machine itself may stand still for a beat or two.
    e = Emperor(start, "emperor-required-heartbeat = 3\nemperor-throttle = 10\n",
                a=APP + "heartbeat = 1\n", b=APP.replace("http}", "other}"))
    pid, other = e.serves("a.ini"), e.serves("b.ini")
    os.kill(pid, signal.SIGSTOP)
    e.said(rf"^error: vassal a.ini \(pid {pid}\) killed: no heartbeat for 3 s")
    e.serves("a.ini", 2)
    assert proc.alive(other)


# ---- where it looks ----

def test_a_pattern(start):
    server = start.not_yet("emperor = */uwsgi.conf\nemperor-freq = 1\n")
    for name in ("one", "two"):
        os.mkdir(f"{server.folder}/{name}")
        write(server, f"{server.folder}/{name}/uwsgi.conf", APP.replace("http}", f"{name}}}"))
    server.start()
    for name in ("one", "two"):
        server.wait_log(rf"^vassal {name}/uwsgi.conf \(pid \d+\) serves")
        assert http.request(server.names[name], "/hello").status == 200


def test_links_and_endings(start):
    """A link is followed, unless it is not to be."""
    def emperor(ini):
        server = start.not_yet("emperor = vassals\nemperor-freq = 1\n" + ini)
        os.mkdir(f"{server.folder}/vassals")
        write(server, f"{server.folder}/shop.skeleton",
              "module = basic\nhttp-socket = {here}/%n.sock\n")
        os.symlink("../shop.skeleton", f"{server.folder}/vassals/one.ini")
        return server.start()

    server = emperor("emperor-extra-extension = .skeleton\n")
    server.wait_log(r"^vassal one.ini \(pid \d+\) serves")
    os.link(f"{server.folder}/shop.skeleton", f"{server.folder}/vassals/two.skeleton")
    server.wait_log(r"^vassal two.skeleton \(pid \d+\) serves")
    assert os.path.exists(f"{server.folder}/one.sock")
    os.utime(f"{server.folder}/shop.skeleton")
    server.wait_log(r"^vassal one.ini \(pid \d+\) has reloaded")

    server = emperor("emperor-nofollow = true\n")
    server.wait_log(r"^vassal one.ini \(pid \d+\) serves")
    os.utime(f"{server.folder}/shop.skeleton")
    os.utime(f"{server.folder}/vassals/one.ini", follow_symlinks=False)
    server.wait_log(r"^vassal one.ini \(pid \d+\) has reloaded")
    assert server.log().count("was touched") == 1


def test_a_folder_that_is_not_there_yet(start):
    server = start("emperor = later\nemperor-freq = 1\n")
    server.wait_log("^warning: emperor = later: No such file or directory")
    os.mkdir(f"{server.folder}/later")
    write(server, f"{server.folder}/later/a.ini", "module = basic\nsocket = {here}/a.sock\n")
    server.wait_log(r"^vassal a.ini \(pid \d+\) serves")
    assert server.log().count("No such file") == 1


def test_vassals_outlive_their_folder(start):
    """What has replaced it says which of them end."""
    e = Emperor(start, a=APP, b=APP.replace("http}", "other}"))
    pids = [e.serves("a.ini"), e.serves("b.ini")]
    os.rename(e.folder, f"{e.folder}.old")
    e.said("^warning: emperor = vassals: No such file or directory")
    os.mkdir(f"{e.folder}.new")
    write(e.server, f"{e.folder}.new/a.ini", APP)
    os.rename(f"{e.folder}.new", e.folder)
    e.said("^vassal b.ini: its file is gone; it ends")
    e.said(rf"^vassal a.ini \(pid {pids[0]}\) has reloaded")
    assert e.ask("http") == b"hello\n"


def test_what_is_no_folder_is_said():
    done = command("--emperor", "pg://host=db dbname=emperor;SELECT 1", "--check")
    assert done.returncode == 1
    assert "emperor;SELECT 1: expected a folder, or a pattern of files such as" in done.stderr
    done = command("--emperor", "/etc/uwsgi/vassals", "--check")
    assert done.returncode == 0 and done.stderr == "configuration: 0 errors, 0 warnings\n"


# ---- what it tells ----

def stats(e):
    return json.loads(http.raw(f"{e.server.folder}/stats", b""))


def test_statistics_as_uwsgitop_reads_them(start):
    e = Emperor(start, "emperor-stats = {here}/stats\nemperor-throttle = 90000\n",
                a=APP + "heartbeat = 30\n", b="module = basic\n")
    pid = e.serves("a.ini")
    e.said("it is started again in 90.0 s")
    seen = until(lambda: (s := stats(e))["blacklist"] and s["vassals"][0]["ready"] and s,
                 "what the log has said")
    a, b = seen["vassals"]
    assert (a["id"], a["pid"], a["ready"], a["loyal"], a["accepting"]) == ("a.ini", pid, 1, 1, 1)
    assert a["last_heartbeat"] >= a["first_run"] > 1e9
    assert (b["id"], b["pid"], b["ready"], b["cursed"]) == ("b.ini", 0, 0, 1)
    assert [each["id"] for each in seen["blacklist"]] == ["b.ini"]
    assert seen["emperor"] == ["vassals"] and seen["pid"] == e.server.pid
    names = {"id", "pid", "born", "last_mod", "last_heartbeat", "loyal", "ready", "accepting",
             "last_loyal", "last_ready", "last_accepting", "first_run", "last_run", "cursed",
             "zerg", "on_demand", "uid", "gid", "monitor", "respawns"}
    assert set(a) == names


def test_inspect_shows_all_with_their_own(start):
    e = Emperor(start, "inspect = {look}\nemperor-throttle = 90000\npidfile = {here}/pid\n",
                a=APP + "inspect = {own}\n", b="module = basic\n")
    pid = e.serves("a.ini")
    e.said("it is started again in 90.0 s")

    def vassals():
        return json.loads(http.request(e.server.names["look"], "/vassals", host="localhost").body)
    a, b = until(lambda: (v := vassals())[1].get("why") and v[0]["state"] != "starting" and v,
                 "what the log has said")
    assert (a["name"], a["state"], a["pid"]) == ("a.ini", "serving", pid)
    assert a["inspect"] == e.server.names["own"]
    assert (b["name"], b["state"], b["pid"]) == ("b.ini", "waiting", 0)
    assert b["why"] == "ended while it started: exit code 1" and b["again"] > b["started"]
    for probe in ("ready", "startup", "live"):
        assert http.request(e.server.names["look"], f"/{probe}", host="localhost").status == 200
    said = command("--status", f"{e.server.folder}/pid").stdout
    assert re.search(rf"^ *{pid}  serving .* vassals/a.ini$", said, re.M)
    assert re.search(r"^ *0  waiting .* vassals/b.ini: ended while it started", said, re.M)
    assert [v["name"] for v in json.loads(command(
        "--status=json", f"{e.server.folder}/pid").stdout)["vassals"]] == ["a.ini", "b.ini"]


def test_usr1_tells_the_log(start):
    e = Emperor(start, a=APP)
    pid = e.serves("a.ini")
    e.server.send(signal.SIGUSR1)
    e.said(rf"^vassal a.ini \(pid {pid}\): serves")


# ---- what else it may be ----

def test_an_emperor_with_an_application(start):
    e = Emperor(start, "http-socket = {own}\nmodule = basic\n", a=APP)
    e.serves("a.ini")
    assert e.ask("own") == e.ask("http") == b"hello\n"
    with http.Connection(e.server.names["http"]) as c:
        c.send(http.request_bytes("/sleep?s=0.3"))
        e.said("^sleeping in")
        e.server.send(signal.SIGTERM)
        assert c.read().status == 200
    assert e.server.wait() == 0


def test_an_emperor_of_emperors(start):
    e = Emperor(start)
    os.mkdir(f"{e.folder}/more")
    e.write("more/a.ini", APP)
    e.write("more.ini", "emperor = more\nemperor-freq = 1\n")
    e.serves("more.ini")
    pid = e.serves("a.ini")
    e.server.send(signal.SIGKILL)
    proc.wait_gone(pid)


def test_a_reload_that_takes_the_emperor_away_ends_its_vassals(start):
    e = Emperor(start, "http-socket = {own}\nmodule = basic\n", a=APP)
    pid = e.serves("a.ini")
    e.server.write_ini("http-socket = {own}\nmodule = basic\n")
    assert e.server.hup()
    proc.wait_gone(pid)
    assert e.ask("own") == b"hello\n"


def test_a_reload_that_leaves_nothing_to_do_is_given_up(start):
    e = Emperor(start, a=APP)
    pid = e.serves("a.ini")
    e.server.write_ini("processes = 2\n")
    assert not e.server.hup()
    e.said("reload given up: nothing to listen on")
    assert proc.alive(pid) and e.ask("http") == b"hello\n"


def test_a_vassal_of_uwsgis_emperor(start_oracle):
    """It says that it serves, reloads when its file is touched and ends when that is gone."""
    server = start_oracle.not_yet("emperor = {here}/vassals\nemperor-freq = 1\nbinary-path = " +
                                  COMMAND[0] + "\n")
    server.ready = r"vassal a.ini is now loyal"
    os.mkdir(f"{server.folder}/vassals")
    path = f"{server.folder}/vassals/a.ini"
    write(server, path, APP)
    server.start()
    assert http.request(server.names["http"], "/hello").body == b"hello\n"
    os.utime(path, (4e9, 4e9))   # it looks at seconds
    server.wait_log("the emperor says so: reload")
    server.wait_log("reloaded: 1 worker")
    os.remove(path)
    server.wait_log("the emperor says so: stopping")
    server.wait_log("goodbye")
