# SPDX-License-Identifier: MIT
"""What is done at certain points of the server's life: hook-*, exec-*, mount-*, wait-for-*."""
import json
import os
import pwd
import re
import signal
import socket
import subprocess

import pytest

from lib import http, proc
from lib.server import command, command_for_all
from lib.wait import until

APP = "http-socket = {http}\nmodule = basic\n"
AS_ROOT = pytest.mark.usefixtures("as_root")


def done(server):
    """The phases in which something was said, with who said it: (phase, pid, uid)."""
    return [(phase, int(pid), int(uid)) for phase, pid, uid in
            re.findall(r"^<(\S+) (\d+) (\d+)>$", server.log(), re.M)]


def saying(*phases):
    return "".join(f"hook-{p} = exec:echo \"<{p} $PPID $(id -u)>\"\n" for p in phases)


START = ["asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "master-start"]
IMPORT = ["pre-app", "post-app"]
WORKER = ["post-fork", "accepting", "accepting-once", "accepting1", "accepting1-once"]


@AS_ROOT
def test_each_phase_has_its_process_its_user_and_its_time(start):
    nobody = pwd.getpwnam("nobody").pw_uid
    server = start(APP + "uid = nobody\nprocesses = 1\n" +
                   saying(*reversed(START + IMPORT + WORKER + ["as-user-atexit"])))
    worker = server.workers()[0]
    at_start = done(server)
    assert [phase for phase, _, _ in at_start] == START + IMPORT + WORKER
    for phase, pid, uid in at_start:
        assert uid == (0 if phase in START[:5] else nobody), phase
        if phase in START:
            assert pid == server.pid, phase
        elif phase in WORKER:
            assert pid == worker, phase
    zygote = at_start[len(START)][1]
    assert zygote == at_start[len(START) + 1][1] != server.pid

    assert server.hup()
    again = done(server)[len(at_start):]
    assert [phase for phase, _, _ in again] == IMPORT + WORKER, "the master starts once"
    assert zygote not in [pid for _, pid, _ in again]

    killed = again[-1][1]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(done(server)) == len(at_start) + len(again) + 3, "another worker")
    assert [phase for phase, _, _ in done(server)[-3:]] == ["post-fork", "accepting", "accepting1"]

    assert server.stop(signal.SIGTERM) == 0
    assert done(server)[-1] == ("as-user-atexit", server.pid, nobody)


def test_hooks_come_before_commands_and_in_their_order(start):
    server = start(APP + "exec-asap = echo c\nhook-asap = exec:echo a\nhook-asap = print:b\n"
                   "exec-asap = echo d\n")
    assert re.findall(r"^[a-d]$", server.log(), re.M) == ["a", "b", "c", "d"]


def test_lazy_applications_have_hooks_of_their_own(start):
    server = start(APP + "lazy-apps = true\nprocesses = 2\n" + saying(*IMPORT))
    workers = server.workers()
    assert sorted(done(server)) == sorted((p, w, os.geteuid()) for p in IMPORT for w in workers)


def test_what_hooks_set_reaches_the_application(start, folder):
    server = start("http-socket = {http}\nmodule = process\nhook-pre-app = putenv:COLOUR=blue\n"
                   f"hook-pre-app = cd:{folder}\nhook-asap = putenv:SHAPE=round\n")
    said = json.loads(http.request(server.http, "/").body)
    assert said["environ"]["COLOUR"] == "blue" and said["environ"]["SHAPE"] == "round"
    assert said["cwd"] == str(folder)


@pytest.mark.parametrize("hook", ["post-fork", "pre-app"])
def test_where_a_hook_goes_a_lazy_application_is_found(start, folder, hook):
    """So is the release that is current when a worker starts, after a chain reload, too."""
    with open(f"{folder}/current.py", "w", encoding="ascii") as f:
        f.write("import os\n\n\ndef application(environ, start_response):\n"
                "    start_response('200 OK', [])\n    return [os.getcwd().encode()]\n")
    server = start("http-socket = {http}\nmodule = current\nlazy-apps = true\nchdir = /\n"
                   f"hook-{hook} = chdir:{folder}\n")
    assert http.request(server.http).body.decode() == str(folder)


@pytest.mark.parametrize("phase, code", [("asap", 1), ("in-jail", 1), ("master-start", 1),
                                         ("pre-app", 22), ("post-app", 22), ("post-fork", 22),
                                         ("accepting", 22), ("accepting1-once", 22)])
def test_a_hook_that_fails_ends_the_start(start, phase, code):
    server = start.not_yet(APP + f"hook-{phase} = exec:exit 3\n")
    assert server.run() == code
    server.wait_log(rf"hook-{phase} = exec:exit 3: the command ended with exit code 3")


@pytest.mark.parametrize("phase", ["pre-app", "accepting"])
def test_a_reload_whose_hook_fails_is_given_up(start, phase):
    server = start(APP + f"hook-{phase} = exec:test ! -e {{here}}/broken\n")
    open(f"{server.folder}/broken", "w", encoding="ascii").close()
    assert not server.hup()
    assert http.request(server.http, "/hello").status == 200
    assert "ended with exit code 1" in server.log()


def test_exit_ends_the_start_with_its_code(start):
    server = start.not_yet(APP + "hook-asap = exit:7\n")
    assert server.run() == 7
    assert "error" not in server.log()


def test_actions(start, folder):
    me = os.geteuid()
    server = start.not_yet(APP + f"""
        hook-asap = mkdir:{folder}/a b
        hook-asap = cd:{folder}
        hook-asap = umask:077
        hook-asap = write:text one two
        hook-asap = appendn:text  three
        hook-asap = writen:line x
        hook-asap = create:empty
        hook-asap = mkfifo:pipe 640
        hook-asap = chmod:line 604
        hook-asap = chown:line {me} {os.getegid()}
        hook-asap = sticky:{folder}/a b
        hook-asap = rename:empty full
        hook-asap = create:gone
        hook-asap = unlink:gone
        hook-asap = safeexec:false
        hook-asap = !exec:echo "secret $((6 * 7))"
        hook-asap = exit:
        """)
    assert server.run() == 0
    with open(f"{folder}/text", encoding="ascii") as f:
        assert f.read() == "one two three\n"
    with open(f"{folder}/line", encoding="ascii") as f:
        assert f.read() == "x\n"
    assert sorted(os.listdir(folder)) == ["a b", "full", "line", "pipe", "text"]
    assert os.stat(f"{folder}/text").st_mode & 0o777 == 0o600
    assert os.stat(f"{folder}/line").st_mode & 0o777 == 0o604
    assert os.stat(f"{folder}/a b").st_mode & 0o1000
    server.wait_log(r"^secret 42$")
    server.wait_log(r"^hook-asap: \(hidden\)$")
    assert "secret $" not in server.log()


@pytest.mark.parametrize("phase", ["pre-app", "post-fork", "accepting", "as-gateway"])
def test_alarms_are_raised(start, phase):
    server = start("http = {http}\nmodule = basic\nalarm = page log:\n"
                   f"hook-{phase} = alarm:page here I am\n")
    server.wait_log("ALARM page: here I am")


def test_a_server_that_accepts_ends_the_one_before(start):
    """As in uWSGI's zerg dance, by the FIFO of that one."""
    old = start(APP + "master-fifo = {here}/fifo\n")
    new = start(APP + f"hook-accepting1-once = writefifo:{old.folder}/fifo Q\n")
    assert old.wait() == 0
    assert http.request(new.http, "/hello").status == 200


def test_what_is_there_already_is_made(start, folder):
    os.mkfifo(f"{folder}/pipe")
    ini = f"hook-asap = mkdir:{folder}\nhook-asap = mkfifo:{folder}/pipe\nhook-asap = exit:\n"
    assert start.not_yet(APP + ini).run() == 0
    wrong = start.not_yet(APP + f"hook-asap = mkdir:{folder}/pipe\n")
    assert wrong.run() == 1
    wrong.wait_log("File exists")


@AS_ROOT
def test_root_follows_no_link_that_another_user_has_planted(start, folder):
    nobody = pwd.getpwnam("nobody").pw_uid
    os.chown(folder, nobody, nobody)
    treasure = f"{start.not_yet().folder}/treasure"
    with open(treasure, "w", encoding="ascii") as f:
        f.write("gold")
    os.symlink(treasure, f"{folder}/link")
    os.lchown(f"{folder}/link", nobody, nobody)
    os.symlink(os.path.dirname(treasure), f"{folder}/down")
    os.lchown(f"{folder}/down", nobody, nobody)
    for hook in ("chown:{}/link nobody nogroup", "chmod:{}/link 777", "write:{}/link x",
                 "chown:{}/down/treasure nobody nogroup", "sticky:{}/down/treasure",
                 "create:{}/down/treasure", "unlink:{}/down/treasure",
                 "rename:{0}/down/treasure {0}/mine"):
        server = start.not_yet(APP + f"hook-as-root = {hook.format(folder)}\n")
        assert server.run() == 1, hook
        server.wait_log("symbolic link")
    assert os.stat(treasure).st_uid == 0 and os.stat(treasure).st_mode & 0o777 == 0o644
    with open(treasure, encoding="ascii") as f:
        assert f.read() == "gold"


def test_a_fifo_is_written_to_when_somebody_reads(start, folder):
    os.mkfifo(f"{folder}/fifo")
    early = start.not_yet(APP + f"hook-asap = writefifo:{folder}/fifo hello\n")
    assert early.run() == 1
    early.wait_log("nobody reads from it")
    server = start.not_yet(APP + f"hook-asap = spinningfifo:{folder}/fifo hello\n"
                           "hook-asap = exit:\n").spawn()
    with open(f"{folder}/fifo", encoding="ascii") as f:
        assert f.read() == "hello"
    assert server.wait() == 0


@AS_ROOT
def test_file_systems_are_mounted(start, folder):
    """In a name space of its own, where nobody else sees them."""
    if subprocess.run(["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("nothing can be mounted here")
    os.mkdir(f"{folder}/a")
    os.mkdir(f"{folder}/b")
    server = start.not_yet(APP + f"mount-asap = tmpfs none {folder}/a nosuid,noexec mode=700\n"
                           f"hook-asap = mkdir:{folder}/a\n"
                           f"mount-asap = none {folder}/a {folder}/b bind,readonly,shared\n"
                           f"exec-asap = grep {folder} /proc/self/mountinfo\n"
                           f"mount-pre-jail = none none {folder}/b rec,private\n"
                           f"exec-pre-jail = ! grep '{folder}/b .*shared:' /proc/self/mountinfo\n"
                           f"wait-for-mountpoint = {folder}/b\n"
                           f"exec-asap = mkdir {folder}/a/c\nmount-in-jail = tmpfs none {folder}/a/c\n"
                           f"umount-as-root = {folder}/b\numount-as-root = {folder}/a rec\n"
                           f"exec-as-root = ! grep {folder} /proc/self/mounts\n"
                           "hook-as-user = exit:\n", under=["unshare", "-m"])
    assert server.run() == 0, server.log()
    server.wait_log(rf"{folder}/a rw,nosuid,noexec.*- tmpfs .*mode=700")
    server.wait_log(rf"{folder}/b ro.* shared:\d+ - tmpfs")


@AS_ROOT
def test_what_is_made_as_root_can_be_the_folder_of_a_socket(start, folder):
    server = start(f"http-socket = {{http}}\nsocket = {folder}/run/s\nmodule = basic\nuid = nobody\n"
                   f"hook-as-root = mkdir:{folder}/run\n"
                   f"hook-as-root = chown:{folder}/run nobody nogroup\nhook-as-user = create:{folder}/run/x\n")
    assert os.stat(f"{folder}/run/x").st_uid == pwd.getpwnam("nobody").pw_uid
    assert os.path.exists(f"{folder}/run/s")
    assert server.stop() == 0


def test_without_root_what_root_should_do_is_left_out(start, folder):
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    server = start.not_yet(APP + saying("as-root", "as-user") + "hook-as-user = exit:\n",
                           under=as_nobody if os.geteuid() == 0 else [])
    server.command = command_for_all(folder)
    assert server.run() == 0
    assert [phase for phase, _, _ in done(server)] == ["as-user"]
    server.wait_log("hooks of as-root are left out")


def test_each_router_has_its_hook(start):
    server = start("http = {http}\nmodule = basic\n" + saying("as-gateway"))
    server.wait_log("http 1 .* takes clients")
    assert [(phase, pid) for phase, pid, _ in done(server)] == [("as-gateway", server.routers()[0])]


@AS_ROOT
@pytest.mark.parametrize("line", ["master-as-root", "drop-after-apps"])
def test_where_the_master_stays_root_others_give_it_up(start, line):
    nobody = pwd.getpwnam("nobody").pw_uid
    server = start(APP + f"uid = nobody\n{line} = true\n" +
                   saying("as-root", "as-user", "post-fork", "as-user-atexit"))
    (_, root, _), (_, zygote, user), (_, _, worker_user) = done(server)
    assert root == server.pid != zygote
    assert user == worker_user == nobody
    server.stop(signal.SIGTERM)     # after INT the hook would have a second only
    assert done(server)[-1] == ("as-user-atexit", server.pid, 0)


@AS_ROOT
@pytest.mark.skipif(bool(os.environ.get("UWSGI_SANITIZED")), reason="sanitizers need /proc at the end")
def test_with_chroot_roots_hook_sees_that_folder(start, folder):
    """Which lacks a Python: the start ends there."""
    server = start.not_yet(APP + f"chroot = {folder}\nhook-pre-jail = create:{folder}/before\n"
                           "hook-as-root = create:/within\nhook-as-user = exit:\n")
    assert server.run() == 0
    assert sorted(os.listdir(folder)) == ["before", "within"]


# ---- signals ----

@pytest.mark.parametrize("number, function, said", [
    (signal.SIGUSR2, "grace_them_all", "reloaded: "),
    (signal.SIGRTMIN, "stats", r"^generation 1 worker 1 \(pid \d+\): serving"),
    (signal.SIGTERM, "grace_them_all", "reloaded: ")])
def test_signals_mean_what_a_hook_says(start, number, function, said):
    server = start(APP + f"hook-master-start = unix_signal:{int(number)} {function}\n")
    server.send(number)
    server.wait_log(said)
    assert http.request(server.http, "/hello").status == 200


def test_a_signal_can_pause_the_server(start):
    server = start(APP + "hook-master-start = unix_signal:12 suspend_resume_them_all\n")
    server.send(12)
    server.wait_log("paused; running requests are finished")
    server.send(12)
    server.wait_log(": going on$")
    assert http.request(server.http, "/hello").status == 200


@pytest.mark.parametrize("function, said", [("gracefully_kill_them_all", "have 60 s to finish"),
                                            ("kill_them_all", "have 1 s to finish")])
def test_signals_can_stop_the_server(start, function, said):
    server = start(APP + f"hook-master-start = unix_signal:12 {function}\n")
    server.send(12)
    assert server.wait() == 0
    server.wait_log(said)


def test_a_touched_file_has_its_hook(start):
    server = start(APP + "hook-touch = {here}/a write:{here}/made one two\n"
                   "hook-touch = {here}/a !exec:echo \"secret $((6 * 7))\"; id -u >{here}/who\n"
                   "hook-touch = {here}/a chmod:{here}/nowhere 600\n")
    open(f"{server.folder}/a", "w", encoding="ascii").close()
    server.wait_log(r"^hook-touch \(pid \d+\) runs, \S+/a was touched: write:\S+/made one two$")
    server.wait_log(r"^hook-touch \(pid \d+\) runs, \S+/a was touched: \(hidden\)$")
    server.wait_log("^secret 42$")
    server.wait_log("hook-touch: No such file or directory")
    until(lambda: os.path.exists(f"{server.folder}/made"), "what the hook makes")
    assert "secret $" not in server.log()
    assert http.request(server.http, "/hello").status == 200


# ---- the end ----

def test_at_the_end_a_failing_hook_does_not_keep_others_from_being_run(start):
    server = start(APP + "hook-as-user-atexit = exec:exit 4\nexec-as-user-atexit = echo over\n")
    assert server.stop(signal.SIGTERM) == 0
    server.wait_log(r"hook-as-user-atexit = exec:exit 4: the command ended with exit code 4")
    server.wait_log(r"(?s)goodbye.*^over$")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_the_end_a_command_that_hangs_is_ended(start, number):
    """After INT it has a second; after TERM, and with another one, no more."""
    server = start(APP + "exec-as-user-atexit = echo $$ >{here}/hangs; sleep 77; echo late\n")
    server.send(number)
    if number == signal.SIGTERM:
        until(lambda: os.path.exists(f"{server.folder}/hangs"), "the command to run")
        server.send(number)
    assert server.wait() == 0
    server.wait_log("the command did not end in time")
    assert not re.search("^late$", server.log(), re.M)
    # That it leaves no process behind is looked at after each test.


@pytest.mark.parametrize("phase", ["asap", "master-start"])
def test_a_command_at_the_start_ends_with_the_server(start, phase):
    server = start.not_yet(APP + f"hook-{phase} = exec:echo hangs; exec sleep 77\n").spawn()
    server.wait_log("^hangs$")
    shell = proc.children(server.pid)[0]
    server.send(signal.SIGTERM)
    server.wait()
    proc.wait_gone(shell, 5)


def test_a_command_of_a_reload_that_takes_too_long_ends_with_it(start):
    server = start(APP + "reload-timeout = 1\nhook-pre-app = exec:test ! -e {here}/slow || "
                   "{{ echo $$ >{here}/hangs; exec sleep 77; }}\n")
    open(f"{server.folder}/slow", "w", encoding="ascii").close()
    # On a busy machine the time may be over before the command runs.
    until(lambda: not server.hup() and os.path.exists(f"{server.folder}/hangs"), "it to hang", 30)
    with open(f"{server.folder}/hangs", encoding="ascii") as f:
        proc.wait_gone(int(f.read()), 5)
    assert http.request(server.http, "/hello").status == 200


# ---- waiting ----

def test_it_waits_for_files_and_folders(start, folder):
    server = start.not_yet(APP + f"wait-for-file = {folder}/file\nwait-for-fs = /tmp\n"
                           f"wait-for-dir = {folder}/dir\nwait-for-interface = lo\n"
                           "wait-for-mountpoint = /proc\nhook-as-root = print:<root>\n").spawn()
    server.wait_log(f"waiting for {folder}/file, at most 60 s")
    os.mkdir(f"{folder}/file.new")
    os.rename(f"{folder}/file.new", f"{folder}/file")  # a folder is no file
    os.rmdir(f"{folder}/file")
    open(f"{folder}/file", "w", encoding="ascii").close()
    server.wait_log(f"waiting for {folder}/dir")
    os.mkdir(f"{folder}/dir")
    server.wait_log("serving: ")


def test_it_waits_for_a_socket_before_the_application_is_imported(start):
    server = start.not_yet(APP + "wait-for-socket = {other}\n" + saying("pre-app"))
    address = server.names["other"]
    server.spawn()
    server.wait_log(f"waiting for {address}, at most 60 s")
    assert not done(server)
    host, port = address.rsplit(":", 1)
    with socket.create_server((host, int(port))):
        server.wait_log("serving: ")
    assert done(server)


@pytest.mark.parametrize("what, said, code", [
    ("wait-for-file = /tmp\nwait-for-fs-timeout = 0", "wait-for-file: /tmp is not there after 0 s", 1),
    ("wait-for-iface = no9\nwait-for-iface-timeout = 0", "wait-for-interface: no9 is not there", 1),
    ("wait-for-socket = {nobody}\nwait-for-socket-timeout = 0", "wait-for-socket: .* is not there", 22)])
def test_what_does_not_come_ends_the_start(start, what, said, code):
    server = start.not_yet(APP + what)
    assert server.run() == code
    server.wait_log(said)


# ---- mistakes ----

@pytest.mark.parametrize("line, said", [
    ("hook-asap = exce:ls", r'error: hook-asap = exce:ls: .*there is no action exce; did you mean "exec"'),
    ("hook-asap = chmod:/x", "expected chmod:FILE MODE"),
    ("hook-asap = chmod:/x rwx", '"rwx" is no octal mode'),
    ("mount-asap = a b c d", "there is no flag d"),
    ("hook-asap = callint:setuid 5", "warning: hook-asap = .*the action callint is left out"),
    ("hook-asap = unix_signal:5 stats", "in hook-master-start only"),
    ("hook-touch = /x", "expected FILE ACTION:WORDS"),
    ("hook-touch = /x exce:ls", 'did you mean "exec"'),
    ("hook-touch = /x cd:/y", "cd changes a process that ends with it"),
    ("hook-touch = /x call:y", "the action is left out"),
    ("hook-as-root = alarm:page x", "while the master runs only"),
    ("hook-pre-app = exit:1", "before the master starts only"),
    ("hook-master-start = unix_signal:9 stats", "takes no signal 9"),
    ("hook-master-start = unix_signal:10 end_me", "the function end_me is not here")])
def test_mistakes_are_named(folder, line, said):
    with open(f"{folder}/x.ini", "w", encoding="ascii") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\n{line}\n")
    assert re.search(said, command("--check", f"{folder}/x.ini").stderr)


def test_checking_does_nothing(folder):
    with open(f"{folder}/x.ini", "w", encoding="ascii") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\nhook-asap = create:{folder}/made\n"
                f"hook-pre-app = create:{folder}/made\nmodule = json\ncallable = dumps\n")
    command("--check", f"{folder}/x.ini")
    command("--check-app", f"{folder}/x.ini")
    command("--show-config", f"{folder}/x.ini")
    assert not os.path.exists(f"{folder}/made")
