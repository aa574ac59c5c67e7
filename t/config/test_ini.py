# SPDX-License-Identifier: MIT
"""The ini language as people write it: every quirk that real files have."""
import os
import stat

import pytest

from lib import fastcgi, http, uwsgi
from lib.server import APPS

SHOW = """
import os, sys
def application(environ, start_response):
    start_response('200 OK', [])
    return [os.environ.get('SHOWN', 'unset').encode()]
"""


@pytest.fixture
def run(start, folder):
    """Starts an ini text as it is, and says what the application sees in $SHOWN."""
    with open(f"{folder}/show.py", "w", encoding="utf-8") as f:
        f.write(SHOW)

    def go(text, env=None, encoding="utf-8", name="uwsgi.ini", args=None):
        server = start.not_yet("", folder=folder, plain=True, env=env,
                               args=args or ["--ini", "{here}/" + name])
        text = text.replace("{http}", server.names["http"]).replace("{here}", folder)
        with open(f"{folder}/{name}", "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode(encoding))
        server.start()
        return server, http.request(server.http).body.decode()
    return go


BASE = "[uwsgi]\nhttp-socket = {http}\nwsgi-file = {here}/show.py\n"


@pytest.mark.parametrize("line, shown", [
    ("env = SHOWN=plain", "plain"), ("env=SHOWN=tight", "tight"), ("env= SHOWN=left", "left"),
    ("env =SHOWN=right", "right"), ("   env = SHOWN=indented", "indented"),
    ("\tenv\t=\tSHOWN=tabs\t", "tabs"), ("env = SHOWN=trailing blanks   ", "trailing blanks"),
    ("env = SHOWN=a=b=c", "a=b=c"), ("env = SHOWN=a:b", "a:b"),
    ("word = before # comment\nenv = SHOWN=%(word)", "before"),
    ("word = before ; comment\nenv = SHOWN=%(word)", "before"),
    ("word = before\t# comment\nenv = SHOWN=%(word)", "before"),
    ("word = a#b;c\nenv = SHOWN=%(word)", "a#b;c"),
    # Free text keeps what looks like a comment, as uWSGI keeps it.
    ("env = SHOWN=red # blue", "red # blue"),
    ("# env = SHOWN=no", "unset"), ("; env = SHOWN=no", "unset"), ("  # env = SHOWN=no", "unset"),
    ("env = SHOWN=one\nenv = SHOWN=two", "two"), ("env = OTHER=1\nenv = SHOWN=two", "two"),
    ("env = SHOWN=\u20ac caf\u00e9", "\u20ac caf\u00e9"),
    ("env = SHOWN=" + "long" * 5000, "long" * 5000),
    ("base = /srv\nproject = shop\nenv = SHOWN=%(base)/%(project)", "/srv/shop"),
    ("a = 1\nb = %(a)2\nenv = SHOWN=%(b)3", "123"),
    ("env = SHOWN=100%%", "100%"), ("env = SHOWN=%n", "uwsgi"), ("env = SHOWN=%s", "uwsgi.ini"),
    ("env = SHOWN=%d", "{here}/"), ("env = SHOWN=%p", "{here}/uwsgi.ini"),
    ("env = SHOWN=$(GIVEN)", "from outside"), ("env = SHOWN=$(GIVEN)/$(GIVEN)",
                                               "from outside/from outside"),
    ("env = SHOWN=$(NOT_GIVEN_AT_ALL)", "$(NOT_GIVEN_AT_ALL)"),
    ("env = SHOWN=${var} and $5", "${var} and $5"),
    ("dir = /x/$(GIVEN)\nenv = SHOWN=%(dir)", "/x/from outside"),
], ids=lambda v: v[:40])
def test_a_line_is_read_as_people_mean_it(run, folder, line, shown):
    assert run(BASE + line + "\n", env={"GIVEN": "from outside"})[1] == \
        shown.replace("{here}", folder)


@pytest.mark.parametrize("text", [
    BASE.replace("\n", "\r\n") + "env = SHOWN=yes\r\n",
    "\ufeff" + BASE + "env = SHOWN=yes\n",
    BASE + "env = SHOWN=yes",
    "# about\n\n; more\n" + BASE + "\n\nenv = SHOWN=yes\n\n",
    "#!/usr/bin/env uwsgi\n" + BASE + "env = SHOWN=yes\n",
    BASE.replace("[uwsgi]", "[uwsgi]   ") + "env = SHOWN=yes\n",
    BASE.replace("[uwsgi]", "  [uwsgi]") + "env = SHOWN=yes\n",
    BASE.replace("[uwsgi]", "[uwsgi] # main") + "env = SHOWN=yes\n",
    "[other]\nenv = SHOWN=no\n" + BASE + "env = SHOWN=yes\n[third]\nenv = SHOWN=no\n",
    BASE + "# \u00fc\u00f1\u00ef \uc124\uc815\nenv = SHOWN=yes\n",
    BASE + "master\nneed-app\nenv = SHOWN=yes\n",
    BASE + "master =\nenv = SHOWN=yes\n",
    "[uwsgi]\n    http-socket = {http}\n    wsgi-file = {here}/show.py\n        env = SHOWN=yes\n",
], ids=["crlf", "bom", "no newline at the end", "comments first", "shebang", "blanks behind section",
        "indented section", "comment behind section", "several sections", "not ascii", "bare keys",
        "empty value", "indented"])
def test_a_file_of_any_shape_is_read(run, text):
    assert run(text)[1] == "yes"


@pytest.mark.parametrize("value, on", [
    ("true", True), ("True", True), ("TRUE", True), ("1", True), ("yes", True), ("on", True),
    ("false", False), ("False", False), ("0", False), ("no", False), ("off", False),
    ("false # really", False), ("false ; really", False), ("true # really", True)])
def test_booleans(run, value, on):
    server, _ = run(BASE + f"disable-logging = {value}\n")
    if not on:
        server.wait_log("GET /")
    server.stop()
    assert ("GET /" not in server.log()) == on


@pytest.mark.parametrize("line", ["processes = 3", "processes = 3 # three", "workers = 3",
                                  "n = 3\nprocesses = %(n)", "processes = 2\nprocesses = 3"])
def test_integers(run, line):
    server, _ = run(BASE + line + "\n")
    assert len(server.workers()) == 3


@pytest.mark.parametrize("value", ["65536", "64k", "64K", "65536 # bytes"])
def test_sizes(run, value):
    server, _ = run(BASE + f"limit-post = {value}\n")
    assert http.request(server.http, "/", "POST", body=b"x" * 65536).status == 200
    assert http.request(server.http, "/", "POST", body=b"x" * 65537).status == 413


@pytest.mark.parametrize("args", [["--ini", "{here}/uwsgi.ini"], ["{here}/uwsgi.ini"],
                                  ["--ini={here}/uwsgi.ini"], ["uwsgi.ini"]])
def test_ways_to_name_the_file(run, args):
    assert run(BASE + "env = SHOWN=yes\n", args=args)[1] == "yes"


def test_options_of_the_command_line(start):
    server = start("", plain=True, args=["--http-socket", "{http}", "--module=basic", "-p", "2",
                                         "-M", "-T", "--pythonpath", "{apps}", "--need-app",
                                         "-b", "32768", "--threads=2"])
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert len(server.workers()) == 2


def test_options_of_the_environment(start):
    server = start("", plain=True, env={"UWSGI_HTTP_SOCKET": "{http}", "UWSGI_MODULE": "basic",
                                        "UWSGI_PYTHONPATH": APPS, "UWSGI_PROCESSES": "2"})
    assert http.request(server.http, "/hello").body == b"hello\n"
    assert len(server.workers()) == 2


def test_the_command_line_adds_to_the_file(run):
    server, shown = run(BASE, args=["--ini", "{here}/uwsgi.ini", "--env", "SHOWN=outside",
                                    "--processes", "2"])
    assert shown == "outside"
    assert len(server.workers()) == 2


# ---- the two files of the field's tutorials, as they are but for names and paths ----

DJANGO_TUTORIAL = """\
[uwsgi]
project = {project}
uid = www-data # comment
base = {base}

home = %(base)/Env/%(project)
chdir=%(base)/%(project)
module=%(project).wsgi:application

master=True
processes=2

socket={run}/%(project).sock
chown-socket=%(uid):www-data
chmod-socket=664
vacuum=True
pidfile={run}/%(project).pid
daemonize={run}/%(project).log
max-requests=5000
harakiri=20
harakiri-verbose=True
buffer-size=65536
post-buffering=8192
memory-report=True
reload-mercy=8
reload-on-as=2048
"""

SIDE_BY_SIDE = """\
[uwsgi]
    socket = {one}
    uwsgi-socket = {two}
    fastcgi-socket = {three}
    http-socket = {four}
    chdir = {apps}
    wsgi-file = basic.py
    processes = 4
    threads = 2
    master = true
    vacuum = true
"""


def test_the_django_tutorial_file_starts_unchanged(as_root, start, folder):
    import shutil
    import signal
    import subprocess
    from lib import proc
    from lib.wait import until
    pytest.importorskip("django")
    shutil.copytree(f"{APPS}/django_site", f"{folder}/site_django",
                    ignore=shutil.ignore_patterns("__pycache__"))
    os.makedirs(f"{folder}/Env")
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages",
                    f"{folder}/Env/site_django"], check=True)
    os.makedirs(f"{folder}/run")
    shutil.chown(f"{folder}/run", "www-data", "www-data")
    server = start.not_yet("", folder=folder, plain=True, args=["--ini", "{here}/uwsgi.ini"])
    with open(server.ini_path, "w", encoding="ascii") as f:
        f.write(DJANGO_TUTORIAL.format(project="site_django", base=folder, run=f"{folder}/run"))
    pidfile, sock = f"{folder}/run/site_django.pid", f"{folder}/run/site_django.sock"
    assert server.run(30) == 0, server.log()

    def log():
        with open(f"{folder}/run/site_django.log", encoding="utf-8") as f:
            return f.read()
    until(lambda: os.path.exists(pidfile) and "serving: 2 workers" in log(), "the server")
    with open(pidfile, encoding="ascii") as f:
        pid = int(f.read())
    try:
        assert uwsgi.request(sock, "/").body == b"hello from django\n"
        found = os.stat(sock)
        assert stat.S_IMODE(found.st_mode) == 0o664
        assert found.st_uid == found.st_gid == 33
        assert proc.status(pid, "Uid") == ["33"] * 4
        until(lambda: "{address space usage: " in log(), "the memory report")
    finally:
        os.kill(pid, signal.SIGINT)
        proc.wait_gone(pid)
    assert not os.path.exists(sock) and not os.path.exists(pidfile)


def test_the_file_with_every_protocol_side_by_side_starts_unchanged(start):
    server = start.not_yet("", plain=True, args=["--ini", "{here}/uwsgi.ini"])
    with open(server.ini_path, "w", encoding="ascii") as f:
        f.write(SIDE_BY_SIDE.format_map(server.names))
    server.start()
    for name, speak in (("one", uwsgi), ("two", uwsgi), ("three", fastcgi), ("four", http)):
        assert speak.request(server.names[name], "/hello").body == b"hello\n"
    assert len(server.workers()) == 4
