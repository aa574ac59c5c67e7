# SPDX-License-Identifier: MIT
"""uwsgi --stop and --reload: they find the server by the lock on its pidfile, signal nobody else,
and wait until it has done what they ask for."""
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from lib import files, http, proc
from lib.server import BASE_ENV, COMMAND, command
from lib.wait import until

INI = "http-socket = {http}\nsocket = {here}/s\nmodule = basic\npidfile = {here}/pid\n"


@pytest.fixture
def server(start, folder):
    return start(INI, folder=folder)


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def read(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def busy(server, seconds):
    """A connection on which a request runs."""
    connection = http.Connection(server.http)
    connection.send(http.request_bytes(f"/sleep?s={seconds}"))
    server.wait_log("sleeping in")
    return connection


def complaints(stderr):
    """What a command has said, but that it still waits, which it says after five seconds."""
    return re.sub(r"(?m)^--\w+: process \d+ .*; waiting \d+ s more at most\n", "", stderr)


# ---- --stop ----

def test_stop_returns_when_the_server_has_ended(server, folder):
    with busy(server, 0.5):
        done = command("--stop", f"{folder}/pid")
        assert not proc.alive(server.pid)
    assert (done.returncode, done.stdout, complaints(done.stderr)) == (0, "", "")
    assert server.wait() == 0


def test_a_start_right_after_stop_works(start, folder):
    """What restart scripts do, while a request runs."""
    for _ in range(3):
        server = start(INI, folder=folder)
        with busy(server, 0.3):
            assert command("--stop", f"{folder}/pid").returncode == 0
    assert http.request(start(INI, folder=folder).http, "/hello").status == 200


def test_no_wait_only_sends_the_signal(server, folder):
    server.send(signal.SIGSTOP)
    try:
        done = command("--stop", f"{folder}/pid", "--no-wait")
        assert proc.alive(server.pid)
    finally:
        server.send(signal.SIGCONT)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.wait() == 0


def test_stop_gives_up_after_a_while(server, folder):
    server.send(signal.SIGSTOP)
    try:
        done = command("--wait", "1", "--stop", f"{folder}/pid")
    finally:
        server.send(signal.SIGCONT)
    assert done.returncode == 1
    assert f"process {server.pid} has not ended after 1 s" in done.stderr


@pytest.mark.parametrize("seconds", ["many", "-1", "1m"])
def test_a_wrong_time_is_an_error_and_nobody_is_signalled(server, folder, seconds):
    done = command("--stop", f"{folder}/pid", f"--wait={seconds}")
    assert done.returncode == 1 and "wait" in done.stderr
    assert http.request(server.http, "/hello").status == 200


# ---- --reload ----

APP = "from basic import application\n"
OWN = ("http-socket = {http}\nchdir = {here}\nwsgi-file = mine.py\npidfile = {here}/pid\n"
       "reload-timeout = 20\n")


def deploy(folder, text):
    files.replace(f"{folder}/mine.py", text)


@pytest.fixture
def own(start, folder):
    deploy(folder, APP)
    return start(OWN, folder=folder)


def reload_in_background(folder, *words):
    return subprocess.Popen([*COMMAND, *words, "--reload", f"{folder}/pid"], env=BASE_ENV,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finishes(process):
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout, complaints(stderr)) == (0, "", "")


def slow_import(folder):
    """Until a file is there."""
    deploy(folder, "import os, time\nprint('importing', flush=True)\n"
                   "while not os.path.exists('go'):\n    time.sleep(0.01)\n" + APP)


def test_reload_returns_when_the_new_workers_serve(own, folder):
    for n in range(2):
        done = command("--reload", f"{folder}/pid")
        assert (done.returncode, done.stdout, complaints(done.stderr)) == (0, "", "")
        assert own.log().count("reloaded: ") == n + 1


@pytest.mark.parametrize("text, reason", [
    ("import no_such_module_at_all\n", "No module named 'no_such_module_at_all'"),
    ("import os\nos._exit(3)\n", "exit code 3"), ("application = 1\n", "not callable")])
def test_reload_says_why_it_failed(own, folder, text, reason):
    deploy(folder, text)
    own.write_ini(OWN + "need-app = true\n")
    done = command("--reload", f"{folder}/pid")
    said = complaints(done.stderr)
    assert done.returncode == 1 and reason in said and len(said.splitlines()) == 1
    assert f"reload given up: {said.partition(': ')[2].strip()}" in own.log()
    assert http.request(own.http, "/hello").status == 200


def test_reload_says_that_the_configuration_is_wrong(own, folder):
    own.write_ini("processes = many\n")
    done = command("--reload", f"{folder}/pid")
    assert done.returncode == 1 and "the configuration has errors" in done.stderr


def test_whoever_asks_during_a_reload_waits_for_the_next(own, folder):
    slow_import(folder)
    first = reload_in_background(folder)
    own.wait_log("^importing")
    second = reload_in_background(folder)
    own.wait_log("another follows when it is done")
    write(f"{folder}/go", "")
    for process in (first, second):
        finishes(process)
    assert own.log().count("reloaded: ") == 2


def test_signals_that_the_kernel_merges_are_sent_again(own, folder):
    own.send(signal.SIGSTOP)
    both = [reload_in_background(folder) for _ in range(2)]
    until(lambda: proc.status(own.pid, "ShdPnd")[0] != "0" * 16, "a pending signal")
    until(lambda: all(proc.status(p.pid, "State")[0] == "S" for p in both), "both to wait")
    own.send(signal.SIGCONT)
    for process in both:
        finishes(process)


def test_a_master_that_is_busy_is_waited_for(own, folder):
    """Longer than one that never answers."""
    own.send(signal.SIGSTOP)
    waiting = reload_in_background(folder)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(3.2)
    own.send(signal.SIGCONT)
    finishes(waiting)


def test_one_that_cannot_hear_has_reloaded_once(as_root, own, folder):
    """In another network the master cannot reach the command's socket."""
    unshare = ["/usr/bin/unshare", "--net"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no new network namespace can be made here")
    done = subprocess.run([*unshare, *COMMAND, "--reload", f"{folder}/pid"], env=BASE_ENV,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and "does not say how the reload goes; its log does" in done.stderr
    own.wait_log("^reloaded: ")
    assert own.log().count("reload: ") == own.log().count("reloaded: ") == 1


def test_a_stop_ends_the_wait_for_a_reload(own, folder):
    slow_import(folder)
    waiting = reload_in_background(folder)
    own.wait_log("^importing")
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert "stopping" in waiting.communicate(timeout=20)[1] and waiting.returncode == 1


def test_reload_gives_up_after_a_while(own, folder):
    slow_import(folder)
    done = command("--wait=1", "--reload", f"{folder}/pid")
    assert done.returncode == 1 and "not done after 1 s" in done.stderr


def test_reload_without_waiting(own, folder):
    slow_import(folder)
    done = command("--reload", f"{folder}/pid", "--no-wait")
    assert (done.returncode, done.stderr) == (0, "")
    own.wait_log("^importing")


def test_a_reload_finds_the_server_as_soon_as_there_is_a_pidfile(start, folder):
    """Also before the master listens to signals."""
    server = start.not_yet(INI, folder=folder).spawn()
    until(lambda: os.path.exists(f"{folder}/pid") and read(f"{folder}/pid"), "the pidfile")
    assert command("--reload", f"{folder}/pid").returncode == 0
    assert http.request(server.http, "/hello").status == 200


def test_exit_on_reload_has_done_what_was_asked_for(start, folder):
    server = start(INI + "exit-on-reload = true\n", folder=folder)
    assert command("--reload", f"{folder}/pid").returncode == 0
    server.wait()


MASTER = """
import fcntl, os, signal, sys
f = open(sys.argv[1], "w+")
f.write(f"{os.getpid()}\\n"); f.flush()
fcntl.lockf(f, fcntl.LOCK_EX, 1, 0x75777367)
signal.signal(signal.SIGHUP, lambda *_: os._exit(0))
print("locked", flush=True)
while os.read(0, 1):
    pass
"""


def test_a_master_that_ends_instead_of_reloading(folder):
    with subprocess.Popen([sys.executable, "-c", MASTER, f"{folder}/pid"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as master:
        assert master.stdout.readline() == b"locked\n"
        done = command("--reload", f"{folder}/pid")
        master.stdin.close()
        master.wait(20)
    assert done.returncode == 1 and "the server has ended" in done.stderr


# ---- whom they signal ----

@pytest.mark.parametrize("option", ["--reload", "--stop"])
def test_the_process_that_an_old_pidfile_names_is_left_alone(folder, stranger, option):
    write(f"{folder}/pid", f"{stranger.pid}\n")
    done = command(option, f"{folder}/pid")
    assert done.returncode == 1
    assert "nobody holds its lock" in done.stderr and str(stranger.pid) in done.stderr
    assert proc.alive(stranger.pid)


LOCKS = """
import fcntl, os, sys
f = open(sys.argv[1], "w+")
f.write(f"{os.getpid()}\\n"); f.flush()
fcntl.lockf(f, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("option", ["--reload", "--stop"])
def test_a_program_that_locks_a_file_of_its_own_is_left_alone(folder, option):
    with subprocess.Popen([sys.executable, "-c", LOCKS, f"{folder}/pid"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"locked\n"
        done = command(option, f"{folder}/pid")
        other.stdin.close()
        assert other.wait(20) == 0
    assert done.returncode == 1 and "nobody holds its lock" in done.stderr


def test_a_killed_server_leaves_a_pidfile_that_stops_nobody(server, start, folder):
    server.send(signal.SIGKILL)
    server.wait()
    assert read(f"{folder}/pid") == f"{server.pid}\n"
    assert command("--stop", f"{folder}/pid").returncode == 1
    assert http.request(start(INI, folder=folder).http, "/hello").status == 200


def test_the_number_in_the_file_does_not_count(server, folder, stranger):
    with open(f"{folder}/pid", "r+", encoding="ascii") as f:
        f.write(f"{stranger.pid}\n")
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert server.wait() == 0 and proc.alive(stranger.pid)


def test_another_user_is_told_who_may(as_root, server, folder):
    done = subprocess.run(["/usr/bin/setpriv", "--reuid=1234", "--regid=1234", "--clear-groups",
                           *COMMAND, "--stop", f"{folder}/pid"], env=BASE_ENV, text=True,
                          capture_output=True, timeout=20, check=False)
    if "Permission denied" in done.stderr and "pidfile" not in done.stderr:
        pytest.skip("the binary lies where only root can run it")
    assert done.returncode == 1 and "only that user and root" in done.stderr
    assert http.request(server.http, "/hello").status == 200


def test_a_server_of_another_container_is_said(as_root, server, folder):
    unshare = ["/usr/bin/unshare", "--pid", "--fork"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no new pid namespace can be made here")
    done = subprocess.run([*unshare, *COMMAND, "--stop", f"{folder}/pid"], env=BASE_ENV,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "another container" in done.stderr
    assert http.request(server.http, "/hello").status == 200


def test_daemonized_servers_are_found(start, folder):
    server = start.not_yet(INI + "daemonize2 = {here}/own.log\n", folder=folder)
    assert server.run() == 0
    pid = int(read(f"{folder}/pid"))
    assert pid != server.pid and proc.alive(pid)
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert not proc.alive(pid)


# ---- the pidfile ----

def test_the_pidfile_goes_at_the_end_also_without_vacuum(server, folder):
    server.stop()
    assert not os.path.exists(f"{folder}/pid")


def test_a_pidfile_that_somebody_has_removed_comes_back_with_a_reload(server, folder):
    os.unlink(f"{folder}/pid")
    server.send(signal.SIGHUP)
    server.wait_log("^reloaded: ")
    until(lambda: os.path.exists(f"{folder}/pid") and read(f"{folder}/pid"), "the pidfile")
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert server.wait() == 0


def test_a_pidfile_that_is_another_servers_by_now_stays(server, folder):
    os.unlink(f"{folder}/pid")
    write(f"{folder}/pid", "123\n")
    server.stop()
    assert read(f"{folder}/pid") == "123\n"


def test_a_running_servers_pidfile_is_not_taken(server, start, folder):
    other = start.not_yet(f"http-socket = {{http}}\nmodule = basic\npidfile = {folder}/pid\n")
    assert other.run() == 1
    other.wait_log(f"it is that of a running server, pid {server.pid}; stop that first")
    assert read(f"{folder}/pid") == f"{server.pid}\n"
    assert command("--stop", f"{folder}/pid").returncode == 0


def test_two_options_may_name_the_same_file(start, folder):
    start(INI + "safe-pidfile = {here}/pid\npidfile2 = {here}/pid\n", folder=folder)
    assert command("--stop", f"{folder}/pid").returncode == 0
    assert not os.path.exists(f"{folder}/pid")


def test_a_start_that_fails_leaves_no_pidfile(start, folder):
    server = start.not_yet(INI + "pidfile2 = /nowhere/at/all\n", folder=folder)
    assert server.run() == 1
    assert not os.path.exists(f"{folder}/pid")


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_no_other_file_is_overwritten_by_a_link(start, folder, make):
    """Whoever may write to the folder could have root empty any file, and give it away."""
    write(f"{folder}/treasure", "gold\n")
    make(f"{folder}/treasure", f"{folder}/pid")
    server = start.not_yet(INI, folder=folder)
    assert server.run() == 1
    server.wait_log("symbolic link|another name")
    assert read(f"{folder}/treasure") == "gold\n"


def test_workers_have_no_descriptor_of_it(server, folder):
    until(server.workers, "a worker")
    assert f"{folder}/pid" in proc.open_files(server.pid)
    for pid in proc.descendants(server.pid):
        assert f"{folder}/pid" not in proc.open_files(pid)


def test_it_is_found_after_root_was_given_up(as_root, start, folder):
    os.makedirs(f"{folder}/run")
    shutil.chown(f"{folder}/run", "www-data")
    start("http-socket = {http}\nmodule = basic\nuid = www-data\npidfile = {here}/run/pid\n",
          folder=folder)
    assert command("--stop", f"{folder}/run/pid").returncode == 0
    assert os.listdir(f"{folder}/run") == []
