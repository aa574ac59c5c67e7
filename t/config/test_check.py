# SPDX-License-Identifier: MIT
"""uwsgi --check, --check-app and --show-config: what a configuration means, without starting."""
import json
import os

import pytest

from lib import http, proc
from lib.server import APPS, BASE_ENV, COMMAND
from lib.server import command as uwsgi
import subprocess

GOOD = f"http-socket = 127.0.0.1:0\nmodule = basic\npythonpath = {APPS}\n"


@pytest.fixture
def check(folder):
    """The lines that --check prints of an ini text, its exit code last."""
    def run(text, *options, env=None):
        path = f"{folder}/a.ini"
        with open(path, "w", encoding="utf-8") as f:
            f.write("[uwsgi]\n" + text)
        done = subprocess.run([*COMMAND, *(options or ["--check"]), path], capture_output=True,
                              text=True, timeout=30, check=False, cwd=folder,
                              env={**BASE_ENV, **(env or {})})
        return done
    return run


def lines(done):
    return [line.replace(os.path.dirname(line.split(":")[0]) + "/", "", 1)
            for line in done.stderr.splitlines()]


def test_a_right_file_has_nothing_to_be_said_of(check):
    done = check(GOOD)
    assert done.returncode == 0
    assert lines(done) == ["configuration: 0 errors, 0 warnings"]


def test_all_problems_are_said_at_once_errors_first(check):
    done = check(GOOD + "vaccum = true\nprocesses = many\nharakiri = 300\nthreads = two\n")
    assert done.returncode == 1
    said = lines(done)
    assert [line.split(": ")[1] for line in said[:-1]] == ["error", "error", "warning", "warning"]
    assert said[0].startswith("a.ini:6: error: processes = many: expected")
    assert said[1].startswith("a.ini:8: error: threads = two: expected")
    assert 'a.ini:5: warning: unknown option "vaccum"' in said[2]
    assert said[3].startswith("a.ini:7: warning: harakiri = 300: requests may run longer than")
    assert said[4] == "configuration: 2 errors, 2 warnings"


def test_strict_makes_errors_of_unknown_options(check):
    assert check(GOOD + "vaccum = true\n", "--check").returncode == 0
    assert check(GOOD + "vaccum = true\n", "--check", "--strict").returncode == 1


def test_json(check):
    done = check(GOOD + "vaccum = true\nprocesses = many\n", "--check=json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert (said["errors"], said["warnings"]) == (1, 1)
    first = said["diagnostics"][0]
    assert first["severity"] == "error" and first["line"] == 6
    assert first["option"] == "processes" and first["file"].endswith("a.ini")
    assert said["diagnostics"][1]["option"] == "vaccum"


def test_nothing_is_done(check, folder):
    check(GOOD + f"socket = {folder}/s\npidfile = {folder}/p\nlogto = {folder}/l\n")
    assert sorted(os.listdir(folder)) == ["a.ini"]


def test_a_plugin_that_is_missing_does_not_hide_the_rest(check):
    done = check(GOOD + "plugin = pythn3\nvaccum = true\n")
    assert done.returncode == 1
    assert 'plugin "pythn3" not found; did you mean "python3"?' in done.stderr and '"vaccum"' in done.stderr


def test_an_application_is_looked_for_in_a_relative_chdir(check, folder):
    os.mkdir(f"{folder}/site")
    with open(f"{folder}/site/mine.py", "w", encoding="utf-8") as f:
        f.write("")
    assert lines(check(GOOD + "chdir = site\nmodule = mine\n")) == ["configuration: 0 errors, 0 warnings"]
    assert "module = other: neither site nor pythonpath" in check(GOOD + "chdir = site\nmodule = other\n").stderr


# ---- traps ----

@pytest.mark.parametrize("text, said", [
    ("harakiri = 90", "warning: harakiri = 90: requests may run longer than reload-mercy (60)"),
    ("harakiri = 90\nreload-mercy = 90", "longer than worker-reload-mercy (60)"),
    ("http-to = /tmp/x.sock", "warning: http-to = /tmp/x.sock: no effect without http"),
    ("http = :0\nharakiri = 61\nreload-mercy = 90\nworker-reload-mercy = 90",
     "warning: harakiri = 61: the router lets nobody wait longer than http-timeout (60)"),
    ("processes = 4\ncheaper = 4", "warning: cheaper = 4: must be less than processes (4)"),
    ("http-socket = :8123\nhttp = :8123", "error: http = :8123: http-socket has this address"),
    ("http-socket = 127.0.0.1", "warning: http-socket = 127.0.0.1: this is a UNIX socket of the "
                                "name 127.0.0.1; for TCP write 127.0.0.1:8000"),
    ("http = localhost", "warning: http = localhost: .*; for TCP write localhost:8000"),
    ("socket = 8000", "warning: socket = 8000: .*; for TCP write :8000"),
    ("socket = :8000", "note: socket = :8000: uwsgi packets are spoken here"),
    ("socket = /nowhere/s", "warning: socket = /nowhere/s: there is no folder /nowhere"),
    ("socket = nowhere/s", "warning: socket = nowhere/s: there is no folder nowhere"),
    ("socket = nowhere/s\nchdir = /usr", "warning: socket = nowhere/s: there is no folder /usr/nowhere"),
    ("socket = unix:/nowhere/s", "there is no folder /nowhere;"), ("log-format = %(nosuch)", "there is no %(nosuch)"),
    ("listen = 1048576", "listen = 1048576: the kernel allows "), ("mount = /a=/usr/no.py", "there is no such file below"),
    ("mount = /a=no.py", "mount = /a=no.py: there is no such file below"), ("pythonpath = no", "nothing of this name"),
    ("logger = file:/nowhere/x", "there is no folder /nowhere; it gets no lines"), ("error-page-404 = /usr", "cannot be read"),
    ("req-logger = file:/nowhere/x", "warning: req-logger = file:/nowhere/x: cannot open"),
    ("logger = socket:127.0.0.1:99999", "it gets no lines"), ("log-route = a x\nlogger = b stdio", "no logger of this name"),
    ("mimefile = /nowhere", "mimefile = /nowhere: there is no /nowhere"), ("envdir = nowhere", "there is no such folder"),
    ("envdir = /etc/passwd", "there is no such folder"), ("force-cwd = nowhere", "there is no such folder"),
    ("chroot = nowhere", "there is no such folder"), ("metrics-dir = /nowhere", "no files of metrics are written"),
    ("chdir = /etc/passwd", "there is no such folder"),
    ("chdir = /nowhere", "warning: chdir = /nowhere: there is no such folder"),
    ("chdir = nowhere", "warning: chdir = nowhere: there is no such folder"),
    ("home = /nowhere", "error: home = /nowhere: No such file"),
    ("home = /usr/share", "error: home = /usr/share: .*neither a virtualenv"),
    ("module = no_such_module", "warning: module = no_such_module: neither .* hold it"),
    ("wsgi-file = app.py", "warning: wsgi-file = app.py: module = basic is served"),
    ("disable-logging = true\nlog-format = x", "note: log-format = x: disable-logging is set"),
    ("hook-master-start = call:ls", "warning: hook-master-start = call:ls: the action call is left out"),
    ("vacuum = false ; not now", "note: vacuum: the comment is left out; uWSGI .* reads \"false ; not now\" as true"),
    ("callable = app  # mine", "note: callable: the comment is left out.*takes all of \"app  # mine\""),
    ("daemonize = /tmp/x.log\nlogto = /tmp/y.log", "note: daemonize = .*: logto says where")])
def test_traps(check, text, said):
    import re
    assert re.search(said.replace("(", r"\(").replace(")", r"\)"), check(GOOD + text).stderr)


def test_traps_without_an_application_or_a_socket(check):
    said = check("processes = 2\n").stderr
    assert "module: no application is named; write module =" in said
    assert "socket: nothing to listen on; write http-socket = :8000" in said
    assert "there is no such file below" in check("http-socket = :0\nwsgi-file = no.py\n").stderr


def test_daemonize_under_systemd(check):
    text = GOOD + "daemonize = /tmp/x.log\n"
    assert "systemd waits for" not in check(text).stderr
    assert "systemd waits for" in check(text, env={"INVOCATION_ID": "1"}).stderr


def test_the_hook_that_containers_use_is_taken(check, start):
    hook = "hook-master-start = unix_signal:15 gracefully_kill_them_all\n"
    assert "hook" not in check(GOOD + hook).stderr
    server = start("http-socket = {http}\nmodule = basic\n" + hook)
    assert http.request(server.http, "/hello").status == 200
    server.send(15)
    assert server.wait() == 0


@pytest.mark.parametrize("typo, right", [
    ("chmod-sock", "chmod-socket"), ("process", "processes"), ("b", "buffer-size"),
    ("vaccum", "vacuum"), ("vaccuum", "vacuum"), ("application", "callable"),
    ("chown", "chown-socket"), ("gui", "gid"), ("log", "logto"), ("logfile", "logto"),
    ("logging", "disable-logging"), ("no-orphan", "no-orphans"), ("pid", "pidfile"),
    ("port", "http-socket"), ("socker", "socket"), ("strict-mode", "strict"),
    ("thread", "threads"), ("enable-thread", "enable-threads"), ("user", "uid"), ("zuid", "uid"),
    ("env DJANGO_SETTINGS_MODULE", "env = DJANGO_SETTINGS_MODULE"),
    ("disable-write-exceptions", "disable-write-exception"),
    ("static-map /static", "static-map = /static")])
def test_typos_of_real_files(check, typo, right):
    said = check(GOOD + f"{typo} = 1\n").stderr
    assert f'unknown option "{typo}"' in said and f'"{right}' in said


def test_what_is_wrong_with_one_of_several_names_its_line(check):
    done = check(GOOD + """cron2 = legion=l x
cron2 = hour=4 x
attach-daemon2 = cmd=x,ns_pid=1
attach-daemon2 = cmd=y,pidfile=/p,control=1
attach-daemon2 = cmd=z\\,legion=l
hook-touch = /x cd:/
hook-touch = /x print:y
hook-as-user = rpc:x
hook-as-user = print:y
hook-master-start = unix_signal:9 stats
hook-master-start = unix_signal:10 nothing
hook-master-start = unix_signal:15 stats
""")
    assert [line.split(":")[1] for line in lines(done)[:-1]] == ["5", "7", "8", "10", "12", "14", "15"]


@pytest.mark.parametrize("option, value, lines_", [
    ("stats", "0.0.0.0:{}", 2), ("emperor-stats", "0.0.0.0:{}", 2), ("inspect", "0.0.0.0:{}", 2),
    ("mount", "a{}.example|/=basic", 1), ("stats-push", "zabbix:x{}", 2), ("error-page-404", "/nowhere/{}", 2),
    ("metric", "name=a{},tipe=x", 2), ("metric-threshold", "key=a{},valu=1", 2), ("declare-option", "a{}=b", 2),
    ("socket", "/nowhere/{}", 2), ("http-socket", "1{}", 2), ("socket", "127.0.0.1:8{}", 2),
    ("static-map", "/{}=/nowhere", 2), ("check-static", "/nowhere/{}", 2), ("alarm", "a{} x:y", 2),
    ("log-alarm", "nobody{} x", 2), ("route", "^/{} goon:x", 2), ("cron", "x{}", 2),
    ("attach-daemon2", "cmd=a{},legion=x", 2), ("log-route", "x{}", 2), ("hook-post-fork", "exit:{}", 2)])
def test_of_several_settings_the_one_that_is_meant_is_named(check, option, value, lines_):
    said = lines(check(GOOD + f"{option} = {value.format('000')}\n{option} = {value.format('080')}\n"))
    named = [line.split(":")[1] for line in said if line.startswith("a.ini:") and f" {option}" in line]
    assert named == ["5", "6"][:lines_]


def test_an_address_that_is_there_twice_is_named_where_it_comes_again(check):
    said = check(GOOD + "socket = /tmp/a\nsocket = /tmp/a\nsocket = /tmp/b\n").stderr
    assert "a.ini:6: error: socket = /tmp/a: socket has this address already" in said


# ---- files that a start could not open ----

@pytest.mark.parametrize("options", [
    "pidfile = nowhere/x", "safe-pidfile = nowhere/x", "pidfile2 = nowhere/x", "emperor-pidfile = /nowhere/x/y",
    "logto = nowhere/x", "logto2 = nowhere/x", "daemonize2 = nowhere/x", "daemonize = /nowhere/x",
    "pidfile = sub", "logto = sub", "pidfile = link", "pidfile = /dev/null", "logto = 127.0.0.1:99999",
    "socket = sub", "stats = a.ini", "http-socket = unix:sub", "socket = other\nchdir = sub", "env = =x",
    "pidfile = sub/to/x", "pidfile = nowhere/x\nchdir = sub"])
def test_what_a_start_cannot_open_is_said_as_the_start_says_it(check, folder, options):
    os.makedirs(f"{folder}/sub/nowhere")
    os.mkdir(f"{folder}/sub/other")
    os.symlink("sub/new", f"{folder}/link")
    said = check(GOOD + options + "\n")
    began = check(GOOD + options + "\n", "--ini")
    option, value = options.split("\n", maxsplit=1)[0].split(" = ")
    assert said.returncode == 1 and began.returncode == 1
    sentence = said.stderr.split(" error: ")[1].split("\n")[0]
    assert f"error: {sentence}\n" in began.stderr
    assert said.stderr.count(": error: ") == 1 and "/a.ini:5: error: " in said.stderr
    assert json.loads(check(GOOD + options + "\n", "--check=json").stdout)["diagnostics"][0]["option"] == option
    assert value in sentence and ("nowhere" not in value or "there is no folder" in sentence)


@pytest.mark.parametrize("options", [
    "chdir = sub\npidfile = x", "logto = x\ndaemonize2 = nowhere/x", "logto = 127.0.0.1:5140", "logto = /dev/stdout",
    "pidfile = sub/../x", "logto = link", "pidfile2 = nowhere/x\nchroot = /", "pidfile = nowhere/x\nexit = 0"])
def test_what_a_start_opens_is_no_error(check, folder, options):
    os.mkdir(f"{folder}/sub")
    os.symlink("sub/new", f"{folder}/link")
    assert check(GOOD + options + "\n").returncode == 0


def test_a_folder_is_no_application(check):
    said = check("http-socket = :0\nwsgi-file = /usr\n").stderr
    assert "a.ini:3: warning: wsgi-file = /usr: this is a folder, and no file with an application" in said


def test_a_folder_that_a_hook_may_make_is_a_warning(check):
    done = check(GOOD + "hook-asap = mkdir:nowhere\npidfile = nowhere/x\n")
    assert done.returncode == 0
    assert "a.ini:6: warning: pidfile = " in done.stderr and "there is no folder" in done.stderr


# ---- --check-app ----

def test_check_app_imports_and_serves_nothing(check):
    done = check(GOOD, "--check-app")
    assert done.returncode == 0
    assert "imported basic in" in done.stdout


def test_check_app_prints_the_traceback(check, folder):
    with open(f"{folder}/broken.py", "w", encoding="ascii") as f:
        f.write("import os\n\nraise ValueError('not today')\n")
    done = check("http-socket = :0\nmodule = broken\n", "--check-app")
    assert done.returncode == 1
    assert "ValueError: not today" in done.stderr and 'broken.py", line 3' in done.stderr
    assert "configuration: error: the application cannot be imported" in done.stderr


def test_check_app_does_not_wait_for_ever(check, folder):
    with open(f"{folder}/slow.py", "w", encoding="ascii") as f:
        f.write("import time\ntime.sleep(60)\n")
    done = check("http-socket = :0\nmodule = slow\nreload-timeout = 1\n", "--check-app")
    assert done.returncode == 1
    assert "the application is not imported after 1 s" in done.stderr


# Until it is another program the child ends with its parent.
LEAVES_A_CHILD = """
import os
child = os.fork()
if child == 0:
    for fd in range(3):
        os.close(fd)
    os.execv("/bin/sleep", ["sleep", "60"])
while "(sleep) S" not in open(f"/proc/{child}/stat").read():
    pass
with open("left", "w") as f:
    f.write(str(child))
"""


@pytest.mark.parametrize("end, code", [("application = print\n", 0), ("raise ValueError('no')\n", 1)])
def test_check_app_does_not_wait_for_what_the_import_leaves(check, folder, end, code):
    with open(f"{folder}/leaves.py", "w", encoding="ascii") as f:
        f.write(LEAVES_A_CHILD + end)
    done = check("http-socket = :0\nmodule = leaves\nreload-timeout = 20\n", "--check-app")
    with open(f"{folder}/left", encoding="ascii") as f:
        child = int(f.read())
    assert proc.alive(child)
    proc.kill_all([child])
    assert done.returncode == code, done.stderr
    assert "is not imported after" not in done.stderr


def test_check_app_ends_children_of_the_import(check, folder):
    with open(f"{folder}/forks.py", "w", encoding="ascii") as f:
        f.write("import os, sys, time\n"
                "if os.fork() == 0: sys.exit()\n"
                "child = os.fork()\n"
                "while child == 0: time.sleep(60)\n"
                "with open('left', 'w') as f: f.write(str(child))\n"
                "application = print\n")
    done = check("http-socket = :0\nmodule = forks\n", "--check-app")
    assert done.returncode == 0
    assert "SystemExit" not in done.stderr
    with open(f"{folder}/left", encoding="ascii") as f:
        proc.wait_gone(int(f.read()))


# ---- --show-config ----

def test_show_config_tells_values_and_where_they_are_from(check):
    done = check("base = /tmp\n" + GOOD + "workers = 3\nprocesses = 4\nchdir = %(base)\n"
                 "env = A=1\nenv = B=50%%\n", "--show-config", env={"UWSGI_THREADS": "2"})
    text = done.stdout
    assert "\nprocesses = 4\n" in text and "processes = 3" not in text
    assert "\nchdir = /tmp\n" in text and "env = A=1\n" in text and "env = B=50%%\n" in text
    assert "; environment UWSGI_THREADS\nthreads = 2\n" in text
    assert "a.ini:7\nprocesses = 4" in text
    assert ";buffer-size = 64k\n" in text and ";threads" not in text


def test_what_show_config_prints_says_the_same_again(check, folder):
    first = check("base = /tmp\n" + GOOD + "chdir = %(base)\nenv = B=50%%\n", "--show-config")
    again = check(first.stdout.partition("\n")[2], "--show-config")

    def values(text):
        return [line for line in text.splitlines() if not line.startswith(";")]
    assert values(first.stdout) == values(again.stdout)


def test_show_config_as_json(check):
    done = check(GOOD + "vacuum\nmine = 1\n", "--show-config=json")
    said = json.loads(done.stdout)
    assert {"name": "vacuum", "value": "true", "line": 5} == {
        k: v for k, v in said["options"][-1].items() if k != "file"}
    assert said["placeholders"][0]["name"] == "mine"
    assert {"name": "processes", "value": "1", "file": None, "line": None} in said["defaults"]


def test_show_config_shows_the_rest_of_a_file_with_an_error(check):
    done = check(GOOD + "uid = nobody-of-that-name\nthreads = 3\nprocesses = many\n",
                 "--show-config")
    assert done.returncode == 1
    assert "a.ini:5: error: uid = nobody-of-that-name: there is no user" in done.stderr
    assert "a.ini:7: error: processes = many" in done.stderr
    assert "a.ini:6\nthreads = 3\n" in done.stdout
    assert "a.ini:5\nuid = nobody-of-that-name\n" in done.stdout


SECRETS = ("env = DJANGO_SECRET_KEY=pa55\nenv = DB_PASSWORD=pa55=x\nenv = AWS_KEY_2=pa55\n"
           "env = URL=postgres://me:pa55@db:1/x?a=b@c\ndb-password = pa55\napi_key = pa55\n"
           "env = KEYBOARD=us\nenv = MONKEY=chimp\nenv = HOME=/srv\nenv = MAP=http://host/a:b@c\n")


@pytest.mark.parametrize("how", ["--show-config", "--show-config=json"])
def test_secrets_are_hidden(check, how):
    said = check(GOOD + SECRETS, how).stdout
    assert "pa55" not in said and said.count("(hidden)") == 6
    for kept in ("DJANGO_SECRET_KEY=", "postgres://me:(hidden)@db:1/x?a=b@c", "KEYBOARD=us", "MONKEY=chimp",
                 "HOME=/srv", "http://host/a:b@c"):
        assert kept in said
    assert check(GOOD + SECRETS, how, "--show-secrets").stdout.count("pa55") == 6


def test_the_option_show_config_prints_at_start(start):
    server = start("http-socket = {http}\nmodule = basic\nshow-config = true\n")
    server.wait_log(r"^module = basic$")


def test_show_config_of_a_broken_file_says_why(check):
    done = check("processes = many\n", "--show-config")
    assert done.returncode == 1 and "processes = many: expected" in done.stderr


def test_commands_are_in_the_help():
    said = uwsgi("--help").stdout
    assert "--check" in said and "--show-config" in said
