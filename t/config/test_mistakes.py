# SPDX-License-Identifier: MIT
"""What is wrong in a configuration is said once, with file, line and the nearest right name."""
import os
import re
import shutil
import subprocess

import pytest

from lib import http
from lib.server import COMMAND, ROOT
from lib.server import command as uwsgi

# "311": the Python of the plugin.
VERSION = subprocess.run([os.environ.get("UWSGI_PYTHON", "/usr/bin/python3"), "-c",
                          "import sys; print('%d%d' % sys.version_info[:2], end='')"],
                         capture_output=True, text=True, check=True, timeout=20).stdout
GOOD = "http-socket = {http}\nmodule = basic\n"


def line_of(server, text):
    with open(server.ini_path, encoding="utf-8") as f:
        return next(i for i, line in enumerate(f, 1) if line.strip() == text)


@pytest.mark.parametrize("wrong, right", [
    ("process = 4", "processes"), ("vaccum = true", "vacuum"), ("thread = 2", "threads"),
    ("chmod-sock = 664", "chmod-socket"), ("gui = www-data", "gid"), ("socker = x", "socket"),
    ("enable-thread = true", "enable-threads"), ("max-request = 5", "max-requests"),
    ("haraikri = 5", "harakiri"), ("deamonize = x", "daemonize")])
def test_a_typo_is_warned_about_with_the_nearest_name(start, wrong, right):
    server = start(GOOD + wrong)
    name = wrong.split()[0]
    server.wait_log(rf"uwsgi\.ini:{line_of(server, wrong)}\b.*{name}.*\b{right}\b")
    assert http.request(server.http, "/hello").status == 200


def test_a_name_used_as_placeholder_is_no_typo(start):
    server = start("port = {http}\nprocess = 1\nhttp-socket = %(port)\nmodule = basic\n"
                   "processes = %(process)")
    assert "did you mean" not in server.log().lower()
    assert http.request(server.http, "/hello").status == 200


@pytest.mark.parametrize("line, said", [
    ("emperor-tyrant = true", 'warning: option "emperor-tyrant" of uWSGI is not supported.*systemd'),
    ("php-docroot = /srv", "warning: option .* PHP-FPM"),
    ("spooler = /tmp/x", "warning: spooler: not supported yet, ignored"),
    ("file-write = /x=y", "warning: file-write: not supported yet"),
    ("enable-threads = false", "warning: enable-threads = false: always on here; ignored")])
def test_an_option_without_effect_is_named(start, line, said):
    server = start(GOOD + line)
    server.wait_log(rf"uwsgi\.ini:{line_of(server, line)}: {said}")
    assert http.request(server.http, "/hello").status == 200


def test_a_feature_that_is_to_come_and_switched_off_is_not_missed(start):
    server = start(GOOD + "enable-metrics = false")
    assert "enable-metrics" not in server.log()


@pytest.mark.parametrize("line", ["emperor-tyrant = true", "php-docroot = /srv"])
def test_with_strict_an_option_that_will_not_come_ends_the_start(start, line):
    server = start.not_yet(GOOD + "strict = true\n" + line)
    assert server.run() == 1
    server.wait_log(rf"uwsgi\.ini:\d+: error: .*{line.split()[0]}.*not supported")


@pytest.mark.parametrize("line", ["spooler = /x", "farm = a:1"])
def test_with_strict_an_option_that_is_to_come_is_only_warned_about(start, line):
    server = start(GOOD + "strict = true\n" + line)
    name = line.splitlines()[-1].split()[0]
    server.wait_log(rf"uwsgi\.ini:\d+: warning: .*{name}.*not supported yet")
    assert http.request(server.http, "/hello").status == 200


def test_strict_takes_a_feature_that_is_switched_off(start):
    server = start(GOOD + "strict = true\nenable-metrics = false")
    assert "enable-metrics" not in server.log()


@pytest.mark.parametrize("line", ["vaccum = true", "no-such-thing = 1"])
def test_with_strict_an_unknown_option_ends_the_start(start, line):
    server = start.not_yet(GOOD + line + "\nstrict = true")
    assert server.run() == 1
    server.wait_log(rf"uwsgi\.ini:\d+.*{line.split()[0]}")


def test_strict_leaves_a_right_file_alone(start):
    server = start("strict = true\nhere = {here}\nchdir = %(here)\n" + GOOD)
    assert http.request(server.http, "/hello").status == 200


@pytest.mark.parametrize("line, said", [
    ("processes = many", "many"),
    ("processes = 4x", "4x"), ("threads = 1.5", "1.5"), ("harakiri = soon", "soon"),
    ("buffer-size = big", "big"), ("buffer-size = 10q", "10q"),
    ("http-socket = :99999", "99999"), ("http-socket = host:port:more", "host:port:more"),
    ("http-socket = [::1", "::1"), ("chdir = /nowhere/at/all", "/nowhere/at/all"),
    ("uid = nobody-of-that-name", "there is no user"), ("gid = no-such-group", "there is no group"),
    ("chmod-socket = rw", "octal"), ("chown-socket = nobody-of-that-name", "there is no user"),
    ("umask = 9", "octal")])
def test_a_wrong_value_ends_the_start_with_file_and_line(start, line, said):
    server = start.not_yet(GOOD + line)
    assert server.run() == 1
    log = server.log()
    assert said in log
    assert f"uwsgi.ini:{line_of(server, line)}" in log or "chdir" in line or "socket" in line
    assert line.split()[0] in log


@pytest.mark.parametrize("line, taken", [
    ("harakiri = 30 seconds", "taken as 30"), ("http-timeout = 0", "taken as 86400"),
    ("socket-timeout = 0", "taken as 86400"),
    ("reload-mercy = 99999999", "taken as 86400"), ("log-master-bufsize = 0", "taken as 65536"),
    ("processes = 0", "taken as 1"), ("threads = 0", "taken as 1"),
    ("thread-stacksize = 0", "taken as unset"), ("thread-stacksize = 1", "taken as 64"),
    ("http-processes = 0", "taken as 1"), ("max-requests = -1", "taken as 0"),
    ("max-requests = 99999999999999999999999", "taken as 1099511627776"),
    ("limit-post = 99999999999g", "taken as 1125899906842624"), ("prio = -21", "taken as -20"),
    ("buffer-size = -1", "taken as 65536"), ("write-errors-tolerance = -1", "taken as 2147483648")])
def test_a_value_that_uwsgi_takes_does_not_end_the_start(folder, line, taken):
    with open(f"{folder}/x.ini", "w", encoding="ascii") as f:
        f.write(f"[uwsgi]\nhttp-socket = :0\nmodule = basic\n{line}\n")
    done = uwsgi("--check", f"{folder}/x.ini")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"x\.ini:4: warning: {line}: .*{taken}$", done.stderr, re.M), done.stderr


@pytest.mark.parametrize("words", [["--post-buffering", "true"], ["--post-buffering", "4096"],
                                   ["-O", "2"]])
def test_an_option_takes_its_value_on_the_command_line_and_true_is_one(folder, words):
    done = uwsgi("--check", "--http-socket", ":0", "--module", "basic", *words)
    assert done.returncode == 0 and words[0].strip("-") not in done.stderr, done.stderr


def test_a_flag_that_is_neither_true_nor_false_is_true_as_in_uwsgi_and_warned_about(start, folder):
    server = start("http-socket = {here}/s\nmodule = basic\nvacuum = maybe", folder=folder)
    server.wait_log(r"uwsgi\.ini:5\b.*vacuum.*maybe")


@pytest.mark.parametrize("line", ["socket =", "pidfile", "env ="])
def test_an_option_without_its_value_is_warned_about(start, line):
    server = start(GOOD + line)
    server.wait_log(rf"uwsgi\.ini:{line_of(server, line)}\b.*{line.split()[0]}.*no value")


def test_every_mistake_is_reported_at_once(start):
    server = start.not_yet(GOOD + "processes = many\nthreads = few\nharakiri = soon\n")
    assert server.run() == 1
    for word in ("many", "few", "soon"):
        assert word in server.log()


def test_a_missing_file_is_an_error():
    done = uwsgi("--ini", "/nowhere/at/all.ini")
    assert done.returncode == 1
    assert "/nowhere/at/all.ini" in done.stderr


def test_a_file_without_a_uwsgi_section_is_an_error(folder):
    with open(f"{folder}/x.ini", "w", encoding="ascii") as f:
        f.write("[shop]\nmodule = x\n")
    done = uwsgi("--ini", f"{folder}/x.ini")
    assert done.returncode == 1
    assert f"{folder}/x.ini" in done.stderr


@pytest.mark.parametrize("args", [["--no-such-option"], ["--procesess", "4"]])
def test_an_unknown_option_of_the_command_line_is_said(args):
    done = uwsgi(*args)
    assert done.returncode == 1
    assert args[0].lstrip("-") in done.stderr


def test_nothing_to_do_is_an_error_and_not_a_hanging_server():
    done = uwsgi()
    assert done.returncode != 0
    assert done.stderr


def test_help_names_options_with_their_meaning():
    done = uwsgi("--help-all")
    assert done.returncode == 0
    for name in ("--http-socket", "--processes", "--harakiri", "--reload-timeout", "--module"):
        assert name in done.stdout
    assert all(len(line) < 200 for line in done.stdout.splitlines())


def test_version_is_the_version():
    with open(f"{ROOT}/VERSION", encoding="ascii") as f:
        version = f.read().strip()
    done = uwsgi("--version")
    assert done.returncode == 0
    assert version in done.stdout


def test_check_reports_and_starts_nothing(folder):
    path = f"{folder}/x.ini"
    with open(path, "w", encoding="ascii") as f:
        f.write("[uwsgi]\nmodule = basic\nvaccum = 1\n")
    done = uwsgi("--check", path)
    assert "vacuum" in done.stderr + done.stdout
    with open(path, "w", encoding="ascii") as f:
        f.write("[uwsgi]\nmodule = basic\nprocesses = many\n")
    done = uwsgi("--check", path)
    assert done.returncode == 1
    assert f"{path}:3" in done.stderr + done.stdout


# ---- the command line ----

@pytest.mark.parametrize("words, said", [
    ([], r"nothing to listen on: no configuration is named; write uwsgi FILE\.ini, or "
         r"uwsgi --http-socket 127\.0\.0\.1:8080 --module app:app; uwsgi --help tells more$"),
    (["app.py"], r"nothing to listen on: set http-socket \(for instance --http-socket "
                 r"127\.0\.0\.1:8080\), or socket behind nginx$"),
    (["site.wsgi:application"], r'"site\.wsgi:application" is neither .* or \.wsgi; an application '
                                r"is named with --module site\.wsgi:application$"),
    (["nonsense"], r'"nonsense" is neither .* or \.wsgi$')])
def test_what_is_missing_on_the_command_line_is_said(words, said):
    done = uwsgi(*words)
    assert done.returncode == 1 and re.search(said, done.stderr, re.M), done.stderr


# ---- plugins ----

@pytest.mark.parametrize("line", ["plugin = python3", "plugins = python3", "plugins = http,python",
                                  "plugin = python", f"plugin = python{VERSION}",
                                  "plugins = python3, http", "plugin = http\nplugin = python3",
                                  "plugins-dir = /usr/lib/uwsgi/plugins\nplugin = python3",
                                  "plugin = fastcgi"])
def test_plugins_that_are_there_satisfy_every_name_of_theirs(start, line):
    server = start(GOOD + line)
    assert http.request(server.http, "/hello").status == 200


def test_a_plugin_that_is_asked_for_takes_the_place_of_its_namesake(start, folder):
    """As python312 does beside python."""
    os.makedirs(f"{folder}/more")
    shutil.copy(f"{ROOT}/plugins/python/python_plugin.so", f"{folder}/more/python999_plugin.so")
    server = start(GOOD + "plugin-dir = {here}/more\nplugin = python999", folder=folder)
    assert http.request(server.http, "/hello").status == 200
    with open(f"/proc/{server.workers()[0]}/maps", encoding="ascii") as maps:
        assert "python999_plugin.so" in maps.read()


@pytest.mark.parametrize("name, said", [
    ("apparmor", "THE APPLICATION IS NOT CONFINED"), ("gevent", "threads serve requests"),
    ("asyncio_python313", "threads serve requests"),
    ("router_cache", "middleware"), ("stats_pusher_mongodb", "not sent there"),
    ("rrdtool", "not sent there"), ("transformation_tofile", "nginx")])
def test_a_plugin_of_uwsgi_that_is_not_here_is_named(start, name, said):
    server = start(GOOD + f"plugins = python3,{name}")
    line = line_of(server, f"plugins = python3,{name}")
    server.wait_log(rf'uwsgi\.ini:{line}: warning: plugin "{name}" of uWSGI is not here, ignored: '
                    f".*{said}")
    assert http.request(server.http, "/hello").status == 200


def test_a_plugin_that_is_not_missed_is_not_mentioned(start):
    server = start(GOOD + "plugins = python3,corerouter,http,logfile,syslog,transformation_gzip")
    assert "plugin \"" not in server.log()


def test_every_plugin_of_debians_uwsgi_is_known():
    # Some are for one version of Python only: asyncio_python313.
    names = [re.sub(r"(_python3\d*)?_plugin\.so$", lambda m: "_python3" if m[1] else "", name)
             for name in os.listdir("/usr/lib/uwsgi/plugins")] \
        if os.path.isdir("/usr/lib/uwsgi/plugins") else []
    source = open(os.path.join(ROOT, "core", "settings", "uwsgi_names.txt"), encoding="utf-8").read()
    ours = {"http", "python3", "python311"}
    assert [n for n in names if not re.search(rf'\s{n}\s', source) and n not in ours
            and not n.startswith("python3")] == []


@pytest.mark.parametrize("wrong, right", [("aparmor", "apparmor"), ("pyhton3", "python3"),
                                          ("fastgci", "fastcgi"), ("router_statik", "router_static")])
def test_a_mistyped_plugin_is_an_error_with_the_nearest_name(start, wrong, right):
    server = start.not_yet(GOOD + f"plugin = {wrong}")
    assert server.run() == 1
    server.wait_log(rf'uwsgi\.ini:{line_of(server, "plugin = " + wrong)}: error: plugin "{wrong}" '
                    f'not found; did you mean "{right}"')


def test_options_of_a_plugin_that_is_not_there_are_not_called_unsupported(start, folder):
    """As after an installation without the plugins."""
    shutil.copy(os.path.realpath(COMMAND[0]), f"{folder}/uwsgi")
    server = start.not_yet(GOOD, folder=folder)
    server.command = [f"{folder}/uwsgi"]
    assert server.run() == 1
    server.wait_log('plugin "python" not found; tried ')
    server.wait_log('unknown option "module", ignored')
    server.wait_log("no plugin that runs applications is loaded")


def test_a_name_for_the_applications_log_is_no_typing_error(start):
    server = start(GOOD + "name = shop\ndeclare-option = site=$1\nsite = one")
    assert "unknown" not in server.log() and "declare" not in server.log()


def test_declare_option_is_understood_as_a_placeholder_only(start):
    server = start(GOOD + "declare-option = mysock=socket=$1\nmysock = /tmp/x")
    server.wait_log("declare-option.*only NAME=.1 is understood")


def test_a_missing_plugin_is_a_clear_error(start):
    server = start.not_yet(GOOD + "plugin = no_such_plugin")
    assert server.run() == 1
    server.wait_log(r"no_such_plugin.*tried.*no_such_plugin_plugin\.so")


def test_a_plugin_of_the_real_uwsgi_is_refused_and_not_loaded(start):
    path = "/usr/lib/uwsgi/plugins/echo_plugin.so"
    if not os.path.exists(path):
        pytest.skip("Debian's uWSGI is not installed")
    server = start.not_yet(GOOD + f"plugin = {path}")
    assert server.run() == 1
    server.wait_log("echo_plugin")
