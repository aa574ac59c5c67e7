# SPDX-License-Identifier: MIT
"""A reload after an upgrade: the master executes the new program, and nobody notices.  A program that
is no good is not executed, and the old one reloads as ever."""
import collections
import json
import os
import pwd
import re
import signal
import subprocess
import sys

import pytest

from lib import busy, files, http, mixed, proc, upgrade
from lib.address import accepts, free_port
from lib.load import Load
from lib.orders import order
from lib.server import COMMAND, ROOT, command
from lib.wait import until

INI = """
http-socket = {http}
chdir = {here}
wsgi-file = mine.py
processes = 2
pidfile = {here}/pid
reload-timeout = 20
reload-mercy = 10
"""
APP = """
import os, signal
from basic import ROUTES
def application(environ, start_response):
    route = environ['PATH_INFO'] != '/' and ROUTES.get(environ['PATH_INFO'])
    if route:
        return route(environ, start_response)
    start_response('200 OK', [])
    return [b'version {version}']
"""


def write_app(folder, version=1, text=APP):
    files.replace(f"{folder}/mine.py", text.replace("{version}", str(version)))


@pytest.fixture
def upgraded(start, folder):
    write_app(folder)
    return upgrade.Upgraded(start, folder)


def services(server, count):
    """The pids of all that have run so far, once there are so many; the last one serves alone."""
    pids = until(lambda: (found := server.services())[count - 1:] and found, f"{count} services")
    for pid in pids[:-1]:
        proc.wait_gone(pid)
    return pids


def ask(server, path="/"):
    return http.request(server.http, path).body.decode()


# ---- as it should be ----

def test_the_new_program_goes_on_in_the_same_process(upgraded):
    server = upgraded.begin(INI)
    before = server.workers()
    write_app(server.folder, 2)
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    server.wait_log(rf"^uwsgi 9\.9\.9, pid {server.pid}, has taken over")
    until(lambda: ask(server) == "version 2", "the new application")
    until(lambda: len(server.workers()) == 2 and not set(server.workers()) & set(before),
          "two new workers")
    assert os.readlink(f"/proc/{server.pid}/exe") == upgraded.path
    # Nothing has changed since.
    assert upgrade.reload(server) == (False, True)


def test_the_commands_find_it_and_learn_how_it_went(upgraded):
    server = upgraded.begin(INI)
    upgraded.upgrade()
    done = command("--reload", f"{server.folder}/pid")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(upgrade.TAKES_OVER, server.log()) and "reloaded: 2 workers" in server.log()
    files.replace(f"{server.folder}/mine.py", "import no_such_module\n")
    server.write_ini(INI + "need-app = true\n")
    upgraded.upgrade("8.8.8")
    failed = command("--reload", f"{server.folder}/pid")
    assert failed.returncode == 1 and "no_such_module" in failed.stderr
    assert "uwsgi 8.8.8" in server.log() and ask(server) == "version 1"
    assert command("--stop", f"{server.folder}/pid").returncode == 0
    assert server.wait() == 0 and not os.path.exists(f"{server.folder}/pid")


@pytest.mark.seconds(120)
def test_no_request_is_lost_on_any_protocol(upgraded):
    server = upgraded.begin(mixed.INI + "reload-mercy = 20\n")
    ways = {name: server.names[name] for name in mixed.PEERS}
    with mixed.Mixed(ways, clients=1) as load:
        for n in range(3):
            upgraded.upgrade(f"9.9.{n}")
            assert upgrade.reload(server) == (True, True)
            load.wait_more(5)
    assert load.failures == []


def test_kept_connections_go_on_with_the_new_workers(upgraded):
    server = upgraded.begin(INI)
    with http.Connection(server.http) as kept:
        first = kept.request("/pid").body
        upgraded.upgrade()
        assert upgrade.reload(server) == (True, True)
        until(lambda: kept.request("/pid").body != first, "another worker to answer")


def test_a_running_request_is_finished_by_its_worker(upgraded):
    server = upgraded.begin(INI)
    with http.Connection(server.http) as c:
        c.send(http.request_bytes("/sleep?s=1"))
        server.wait_log("^sleeping in")
        upgraded.upgrade()
        assert upgrade.reload(server) == (True, True)
        response = c.read()
    assert (response.status, response.complete) == (200, True)


def test_a_plugin_that_was_upgraded_counts_too(upgraded):
    server = upgraded.begin(INI)
    with open(upgraded.plugin("python"), "rb") as f:
        upgrade.replace(upgraded.plugin("python"), f.read())
    assert upgrade.reload(server) == (True, True)
    server.wait_log(r"plugins/python/python_plugin\.so has changed")


def test_a_link_to_another_version_counts_too(upgraded):
    os.rename(upgraded.path, f"{upgraded.folder}/one")
    os.symlink("one", upgraded.path)
    server = upgraded.begin(INI)
    os.makedirs(f"{upgraded.folder}/two")
    os.symlink("../plugins", f"{upgraded.folder}/two/plugins")
    with open(f"{upgraded.folder}/one", "rb") as f:
        upgrade.replace(f"{upgraded.folder}/two/uwsgi", f.read())
    os.symlink("two/uwsgi", f"{upgraded.folder}/link")
    os.rename(f"{upgraded.folder}/link", upgraded.path)
    assert upgrade.reload(server) == (True, True)
    assert os.readlink(f"/proc/{server.pid}/exe") == f"{upgraded.folder}/two/uwsgi"


def test_what_has_changed_in_the_file_meanwhile_counts(upgraded):
    server = upgraded.begin(INI + "http-socket = {old}\nattach-daemon = exec sleep 100\n")
    gone = re.search(r"daemon 1 \(pid (\d+)\)", server.log())
    server.write_ini(INI.replace("processes = 2", "processes = 3") + "http-socket = {new}\n")
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    until(lambda: len(server.workers()) == 3, "three workers")
    assert http.request(server.new).status == 200
    proc.wait_gone(int(gone[1]))
    until(lambda: not accepts(server.old), "the old socket to be closed")


def test_even_before_the_first_application_is_imported(upgraded):
    write_app(upgraded.folder, text="import os, time\nprint('imports', flush=True)\n"
              "while not os.path.exists('go'): time.sleep(0.02)\n" + APP)
    server = upgraded.not_yet(INI + "daemonize2 = {here}/lines\n")
    server.log_path = f"{server.folder}/lines"
    server.spawn()
    until(lambda: os.path.exists(server.log_path), "the log")
    server.wait_log("^imports")
    with open(f"{server.folder}/pid", encoding="ascii") as f:
        pid = int(f.read())
    upgraded.upgrade()
    os.kill(pid, signal.SIGHUP)
    server.wait_log(upgrade.TAKES_OVER)
    assert not server.ended()
    files.touch(f"{server.folder}/go")
    assert server.wait() == 0
    server.wait_log("^(serving|reloaded): 2 workers")
    assert ask(server) == "version 1"
    assert command("--stop", f"{server.folder}/pid").returncode == 0


def test_the_log_goes_on_as_it_was(upgraded):
    server = upgraded.begin(INI + "log-date = here\n")
    upgraded.upgrade()
    server.send(signal.SIGHUP)
    server.wait_log("here - reloaded: ")
    assert re.search(f"^here - uwsgi.* {upgrade.TAKES_OVER}", server.log(), re.M)


def test_a_signal_that_comes_meanwhile_is_not_lost(upgraded):
    server = upgraded.begin(INI)
    upgraded.upgrade()
    server.send(signal.SIGHUP)
    server.wait_log("asking the new program")
    server.send(signal.SIGTERM)
    assert server.wait() == 0


def test_a_touch_that_comes_meanwhile_is_not_lost(upgraded):
    """The old program does not look at the files any more, and the new one has not seen them before."""
    files.touch(f"{upgraded.folder}/run")
    server = upgraded.begin(INI + "touch-exec = {here}/run echo done\n"
                            "touch-logreopen = {here}/run\nlog-master = true\n"
                            "attach-daemon2 = cmd=exec sleep 100,touch={here}/run\n")
    upgraded.upgrade()
    server.send(signal.SIGHUP)
    server.wait_log("asking the new program")
    files.touch(f"{server.folder}/run")
    server.wait_log("^done$")
    server.wait_log("daemon 1: .*/run was touched")


def test_two_reloads_at_once_are_two(upgraded):
    server = upgraded.begin(INI)
    upgraded.upgrade()
    server.send(signal.SIGHUP)
    server.wait_log("asking the new program")
    server.send(signal.SIGHUP)
    assert len(server.wait_each("^reloaded: ", 2)) == 2
    assert ask(server) == "version 1"


# ---- what goes on ----

def test_an_application_that_is_broken_leaves_the_old_workers_as_they_were(upgraded):
    """They are those of the program before, and looked after as ever."""
    server = upgraded.begin(INI + "need-app = true\nattach-daemon = exec sleep 100\n")
    until(lambda: "daemon 1 (pid" in server.log(), "the daemon to run")
    beside = proc.children(server.pid)
    write_app(server.folder, text="import no_such_module\n")
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, False)
    assert ask(server) == "version 1"
    until(lambda: proc.children(server.pid) == beside, "the failed generation to be gone")
    victim = int(ask(server, "/pid"))
    os.kill(victim, signal.SIGKILL)
    server.wait_log(rf"\(pid {victim}\) ended unexpectedly: killed by signal 9.*; restarting")
    until(lambda: len(set(proc.children(server.pid)) - set(beside)) == 1, "another worker")
    assert int(ask(server, "/pid")) != victim
    write_app(server.folder, 2)
    assert server.hup()
    until(lambda: ask(server) == "version 2", "the new application")


def test_a_program_beside_the_server_stays_and_hears_of_the_reload(upgraded):
    server = upgraded.begin(INI + "attach-daemon2 = cmd=trap 'echo heard' USR1; echo pid $$; "
                            "while :; do sleep 0.05; done,reloadsignal=USR1\n"
                            "smart-attach-daemon = {here}/smart sleep 100 & echo $! > {here}/smart\n")
    server.wait_log(r"^daemon 2 \(pid \d+\) runs")
    pid = int(server.wait_log(r"^pid (\d+)$")[1])
    with open(f"{server.folder}/smart", encoding="ascii") as f:
        smart = int(f.read())
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    server.wait_log("^heard$")
    assert proc.alive(pid) and proc.alive(smart)
    assert len(re.findall(r"^daemon \d \(pid \d+\) runs", server.log(), re.M)) == 2
    server.stop()
    assert not proc.alive(pid) and proc.alive(smart)
    os.kill(smart, signal.SIGKILL)


def test_a_program_that_is_starting_is_not_started_again(upgraded):
    """It has a pidfile, which it has not written yet."""
    server = upgraded.begin(INI + "attach-daemon2 = cmd=echo slow,pidfile={here}/slow.pid,freq=60\n")
    server.wait_log("^slow$")
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    assert server.log().count("names no process that runs; starting") == 1


def test_commands_by_the_clock_and_orders_go_on(upgraded):
    """Who runs is known still, and nothing runs a second time in this minute."""
    server = upgraded.begin(INI + "stats = {stats}\nmaster-fifo = {here}/first\n"
                            "master-fifo = {here}/second\nunique-cron = -1 -1 -1 -1 -1 "
                            "echo child $$; exec sleep 60\ncron = 1 2 3 4 5 never\n")
    child = int(server.wait_log(r"^child (\d+)$")[1])
    minder = int(server.wait_log(r"^cron 2 \(pid (\d+)\) runs")[1])

    def crons():
        return [(c["command"], c["pid"]) for c in json.loads(http.raw(server.stats, b""))["crons"]]
    until(lambda: [pid for _, pid in crons()] == [-1, minder], "statistics of the two")
    before = crons()
    order(server, "1p", "first")
    server.wait_log("paused; ")
    inode = os.stat(f"{server.folder}/second").st_ino
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    assert "reloaded: 0 workers" in server.log() and os.stat(f"{server.folder}/second").st_ino == inode
    services(server, 2)
    until(lambda: crons() == before, "statistics as before")
    order(server, "p", "second")
    assert ask(server) == "version 1"
    assert proc.alive(child) and server.log().count("cron 2 (pid") == 1
    os.kill(child, signal.SIGKILL)
    server.wait_log(rf"^error: cron 2 \(pid {minder}\) ended after .*: killed by signal 9")


def test_what_the_application_has_forked_stays(upgraded):
    write_app(upgraded.folder, text=APP + """
if os.fork() == 0:
    print('stray', os.getpid(), flush=True)
    signal.pause()
""")
    server = upgraded.begin(INI)
    stray = int(server.wait_log(r"^stray (\d+)$")[1])
    write_app(server.folder)
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    assert proc.alive(stray)
    server.stop()
    proc.wait_gone(stray)


def test_counters_and_services_go_on(upgraded):
    server = upgraded.begin(INI + "stats = {stats}\nstats-http = true\n")
    for _ in range(3):
        ask(server)
    services(server, 1)
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    ask(server)
    assert len(services(server, 2)) == 2

    def said():
        return json.loads(http.request(server.stats).body)
    assert said()["pid"] == server.pid
    until(lambda: sum(w["requests"] for w in said()["workers"]) == 4,
          "the requests of both programs")


def test_what_a_reload_has_taken_away_is_not_missed(upgraded):
    """The new program does not load its plugin."""
    more = ("stats = {stats}\nattach-daemon = exec sleep 100\nalarm = page log:\nlog-alarm = page never\n"
            "master-fifo = {here}/orders\ntouch-exec = {here}/run true\ncron = 1 2 3 4 5 never\n")
    server = upgraded.begin(INI + more)
    for version, text in (("8.8.8", INI), ("9.9.9", INI + more)):
        server.write_ini(text)
        assert server.hup()
        if text == INI:
            proc.wait_gone(services(server, 1)[0])
        upgraded.upgrade(version)
        assert upgrade.reload(server) == (True, True)


@pytest.mark.parametrize("how", ["log-master = true\n",
                                 "req-logger = file:{here}/requests\nlogto = {here}/lines\n",
                                 "daemonize2 = {here}/lines\n"])
def test_each_line_is_in_the_log_once(upgraded, how):
    server = upgraded.not_yet(INI + how)
    if "daemonize" in how:
        assert server.run() == 0
    else:
        server.spawn()
    lines = f"{server.folder}/lines" if "lines" in how else server.log_path

    def log():
        if not os.path.exists(lines):
            return ""
        with open(lines, encoding="utf-8") as f:
            return f.read()
    until(lambda: "serving: 2 workers" in log(), "the server to serve")
    with open(f"{server.folder}/pid", encoding="ascii") as f:
        pid = int(f.read())
    upgraded.upgrade()
    try:
        with Load(server.http, clients=1, target="/hello") as load:
            os.kill(pid, signal.SIGHUP)
            until(lambda: "reloaded: 2 workers" in log(), "the reload")
            load.wait_more(5)
        assert load.failures == []
        asked = load.answers
    finally:
        os.kill(pid, signal.SIGINT)
        until(lambda: "goodbye" in log() and not proc.alive(pid), "the end")
    requests = log()
    if "requests" in how:
        with open(f"{server.folder}/requests", encoding="utf-8") as f:
            requests = f.read()
    assert len(re.findall(r"GET /hello => generated", requests)) == asked
    assert len(re.findall(upgrade.TAKES_OVER, log())) == 1


def test_requests_of_programs_before_are_finished(upgraded):
    """Two generations drain, and each program minds those of the one before it."""
    server = upgraded.begin(INI.replace("reload-mercy = 10", "reload-mercy = 50"))
    with busy.Held(server) as first:
        assert upgrade.reload(server) == (False, True)
        until(lambda: len(server.workers()) == 3, "the idle old worker to leave")
        with busy.Held(server) as second:
            for n in range(2):
                upgraded.upgrade(f"9.9.{n}")
                assert upgrade.reload(server) == (True, True)
            assert [held.end().status for held in (second, first)] == [200, 200]
    until(lambda: len(server.workers()) == 2, "the old generations to be gone")


def test_nothing_piles_up(upgraded):
    server = upgraded.begin(INI + "stats = {stats}\nlog-master = true\nlazy-apps = true\n"
                            "enable-metrics = true\nattach-daemon = exec sleep 100\n")

    def whole():
        return len(proc.children(server.pid)), collections.Counter(
            re.sub(r"\d+", "", to) for to in proc.open_files(server.pid))

    def started():
        return len(re.findall(r"^(daemon|stats|metrics) 1 \(pid \d+\) runs", server.log(), re.M))

    def upgrade_again():
        times = started()
        upgrade.replace(upgraded.path, upgraded.program())
        assert upgrade.reload(server) == (True, True)
        until(lambda: started() >= times + 3, "what runs beside the workers to be started anew")
        until(lambda: len(proc.children(server.pid)) == 6, "the old generation to be gone")
    until(lambda: started() >= 3, "what runs beside the workers")
    upgrade_again()
    children, files_before = whole()
    for _ in range(3):
        upgrade_again()
    # The files of a process that is gone are closed a moment later.
    until(lambda: whole()[0] == children and whole()[1] <= files_before,
          f"{children}, {files_before} and not {whole()}")


def test_an_alarm_of_an_old_worker_is_heard(upgraded):
    server = upgraded.begin(INI.replace("wsgi-file = mine.py", "module = alarms\nneed-app = true") +
                            "alarm = note cmd:cat >> {here}/note\nalarm = slow cmd:sleep 1\n")
    http.request(server.http, "/raise?slow&a")
    server.write_ini(INI.replace("mine.py", "nothing.py") + "need-app = true\n")
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, False)
    http.request(server.http, "/raise?note&heard")

    def noted():
        with open(f"{server.folder}/note", encoding="utf-8") as f:
            return f.read()
    until(lambda: os.path.exists(f"{server.folder}/note") and "heard" in noted(), "the alarm")


# ---- where it runs ----

def test_the_service_manager_hears_of_it_from_the_same_process(upgraded, manager):
    server = upgraded.begin(INI, env={"NOTIFY_SOCKET": manager.name})
    manager.until_ready()
    upgraded.upgrade()
    server.send(signal.SIGHUP)
    assert manager.until("RELOADING")["RELOADING"] == "1"
    ready = manager.until_ready()
    assert ready["READY"] == "1" and ready["STATUS"].startswith("reloaded: 2 workers")
    assert manager.sender == server.pid
    server.stop(signal.SIGTERM)
    assert manager.until("STOPPING")["STOPPING"] == "1"


def test_the_watchdog_goes_on_hearing_and_load_balancers_were_told(upgraded, manager):
    server = upgraded.begin(INI + "on-ready = true\n",
                            env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    manager.until_ready()
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    while not manager.silent():
        pass
    # READY may come a moment later, or was lost where the manager's queue was full of these.
    until(lambda: manager.read().get("WATCHDOG") == "1", "the watchdog to hear of it")
    assert manager.sender == server.pid
    assert server.log().count("on-ready (pid") == 1


def test_sockets_of_the_service_manager_stay(upgraded):
    server = upgraded.not_yet(INI.replace("http-socket", "protocol = http\n#"))
    server.names["http"] = f"127.0.0.1:{free_port('127.0.0.1')}"
    server.command = [sys.executable, f"{ROOT}/t/lib/activate.py", server.http, "--",
                      *server.command]
    server.start()
    upgraded.upgrade()
    with Load(server.http, clients=1, target="/hello") as load:
        assert upgrade.reload(server) == (True, True)
        load.wait_more(5)
    assert load.failures == []
    server.wait_log("^reloaded")


def ids(pid):
    return {f: proc.status(pid, f) for f in ("Uid", "Gid", "Groups", "NoNewPrivs", "CapPrm",
                                              "CapEff", "CapInh", "CapAmb", "CapBnd")}


@pytest.mark.parametrize("who", ["uid = www-data\n", "uid = www-data\ncap = net_bind_service\n",
                                 "uid = www-data\nno-new-privileges = true\n",
                                 "uid = www-data\nmaster-as-root = true\n"])
def test_nobody_gains_or_loses_rights(as_root, upgraded, who):
    os.chmod(upgraded.folder, 0o777)
    server = upgraded.begin(INI.replace("{http}", "127.0.0.1:{port}") + who,
                            port=str(free_port("127.0.0.1")))
    before = ids(server.pid), ids(server.workers()[0])
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    until(lambda: len(server.workers()) == 2, "the old workers to leave")
    assert (ids(server.pid), ids(server.workers()[0])) == before


def test_a_new_log_file_is_still_given_to_the_user(as_root, upgraded):
    os.chmod(upgraded.folder, 0o777)
    server = upgraded.not_yet(INI.replace("{http}", "127.0.0.1:{port}") + "uid = www-data\n"
                              "master-as-root = true\nlogto = {here}/x.log\n"
                              "logfile-chown = true\ntouch-logrotate = {here}/now\n",
                              port=str(free_port("127.0.0.1")))
    server.log_path = f"{server.folder}/x.log"
    open(server.log_path, "wb").close()
    server.spawn()
    server.wait_log("^serving: ")
    upgraded.upgrade()
    assert upgrade.reload(server) == (True, True)
    before = files.inode(server.log_path)
    files.touch(f"{server.folder}/now")
    until(lambda: files.inode(server.log_path) not in (None, before), "a new log file")
    until(lambda: os.stat(server.log_path).st_uid == pwd.getpwnam("www-data").pw_uid,
          "its owner", 5)


# ---- a program that is no good ----

def stub(text):
    return f"#!/bin/sh\n{text}\n".encode()


@pytest.mark.parametrize("content, mode, why", [
    (stub("exit 1"), 0o755, "it ended: exit code 1"),
    (stub("exit 0"), 0o755, "it ended: exit code 0"),
    (stub("echo some words; echo libx.so: cannot open >&2; exit 127"), 0o755,
     "libx.so: cannot open"),
    (stub("kill -SEGV $$"), 0o755, "killed by signal 11"),
    (stub("exec sleep 100"), 0o755, r"says nothing for 1 s \(reload-timeout\)"),
    (b"no program\n", 0o755, "Exec format error"),
    (stub("exit 1"), 0o644, "Permission denied")])
def test_the_old_one_goes_on(upgraded, content, mode, why):
    silent = "says nothing" in why
    server = upgraded.begin(INI.replace("reload-timeout = 20", "reload-timeout = 1") if silent
                            else INI)
    server.write_ini(INI)   # whose time holds for the application
    write_app(server.folder, 2)
    upgrade.replace(upgraded.path, content, mode)
    refused, reloaded = upgrade.reload(server)
    assert re.search(why, refused) and reloaded
    until(lambda: ask(server) == "version 2", "the new application")


@pytest.mark.parametrize("change", ["os.chown({path!r}, 33, -1)", "os.chmod({path!r}, 0o775)"])
def test_root_executes_no_program_of_another_user(as_root, upgraded, change):
    server = upgraded.begin(INI + "uid = www-data\nmaster-as-root = true\n")
    upgraded.upgrade()
    eval(change.format(path=upgraded.path))
    refused, reloaded = upgrade.reload(server)
    assert refused.endswith("has another owner than before, or more users may write to it") and reloaded
    assert ask(server) == "version 1"


def test_a_program_that_is_not_there_any_more(upgraded):
    server = upgraded.begin(INI)
    os.unlink(upgraded.path)
    refused, reloaded = upgrade.reload(server)
    assert refused.endswith("uwsgi: No such file or directory") and reloaded
    done = command("--reload", f"{server.folder}/pid")
    assert done.returncode == 0 and "done, but the new program does not take over: " in done.stderr


def test_who_is_replaced_while_it_is_asked_is_not_executed(upgraded):
    """Another one has the name by then, and is asked, too."""
    server = upgraded.begin(INI)
    program = upgraded.program()
    upgrade.replace(upgraded.path, stub(f"touch {upgraded.folder}/asked\n"
                                        f"while [ ! -e {upgraded.folder}/go ]; do sleep 0.02; done\n"
                                        "echo it can take over"))
    server.send(signal.SIGHUP)
    until(lambda: os.path.exists(f"{upgraded.folder}/asked"), "the first one to be asked")
    upgrade.replace(upgraded.path, program)
    files.touch(f"{upgraded.folder}/go")
    server.wait_log("^reloaded: ")
    assert len(re.findall("asking the new program", server.log())) == 2
    assert os.readlink(f"/proc/{server.pid}/exe") == upgraded.path


def test_a_plugin_that_does_not_fit(upgraded):
    server = upgraded.begin(INI)
    upgrade.replace(upgraded.plugin("python"), b"no library\n")
    refused, reloaded = upgrade.reload(server)
    assert "python_plugin.so" in refused and reloaded


def test_a_plugin_with_another_abi(upgraded):
    server = upgraded.begin(INI)
    with open(f"{server.folder}/other.c", "w", encoding="ascii") as f:
        f.write("#include <uwsgi/plugin.h>\n__attribute__((visibility(\"default\")))\n"
                "const struct plugin uwsgi_plugin = { .abi = UWSGI_ABI + 1, .name = \"python\" };\n")
    subprocess.run(["cc", f"-I{ROOT}/include", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o",
                    f"{server.folder}/other.so", f"{server.folder}/other.c"], check=True, timeout=30)
    os.replace(f"{server.folder}/other.so", upgraded.plugin("python"))
    refused, reloaded = upgrade.reload(server)
    assert "ABI" in refused and reloaded
    assert ask(server) == "version 1"


def test_a_file_that_the_new_program_does_not_understand(upgraded):
    server = upgraded.begin(INI)
    server.write_ini(INI + "processes = many\n")
    upgraded.upgrade()
    refused, reloaded = upgrade.reload(server)
    assert "the configuration has errors" in refused and not reloaded
    assert ask(server) == "version 1"


@pytest.mark.parametrize("state, why", [
    (b"", "not the state of a server"),
    (b"uwsgi->\0" + bytes(24), "version 0 of its state"),
    (b"something else" * 100, "not the state of a server")])
def test_a_state_that_is_none(state, why):
    fd = os.memfd_create("state")
    os.write(fd, state)
    said = subprocess.run([*COMMAND, "--check-takeover", str(fd)], pass_fds=[fd],
                          capture_output=True, text=True, timeout=20, check=False)
    os.close(fd)
    assert said.returncode == 1 and why in said.stdout
