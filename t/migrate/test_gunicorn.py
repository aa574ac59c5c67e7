# SPDX-License-Identifier: MIT
"""gunicorn's settings, one by one, and beside gunicorn itself where that is installed."""
import inspect
import json
import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

from lib import http
from lib.address import accepts, free_address
from lib.server import BASE_ENV, ROOT
from lib.wait import until

sys.path.insert(1, f"{ROOT}/migrate")
import accesslog  # noqa: E402
import from_gunicorn  # noqa: E402
import words  # noqa: E402

ROWS = [
    ("", "processes = 1"), ("", "harakiri = 30"), ("", "reload-mercy = 30"), ("", "lazy-apps = true"),
    ("", "http-socket = 127.0.0.1:8000"), ("", "disable-logging = true"),
    ("-w 4", "processes = 4"), ("-b :80", "http-socket = 0.0.0.0:80"),
    ("-b [::1]:80", "http-socket = [::1]:80"), ("-b localhost", "http-socket = localhost:8000"),
    ("-b unix:/run/a.sock", "http-socket = /run/a.sock"), ("-b fd://3", "protocol = http"),
    ("-b unix:/run/a.sock", "chmod-socket = 666"), ("-b unix:/a -m 007", "chmod-socket = 660"),
    ("-b unix:/a -m 027", "chmod-socket = 640"), ("--backlog 64", "listen = 64"),
    ("--threads 4 --timeout 9", None), ("-k gevent", "threads = 32"), ("-t 0", None),
    ("-t 90", "harakiri = 90"), ("--max-requests 100 --max-requests-jitter 30 -w 3",
                                 "max-requests-delta = 10"),
    ("--max-requests-jitter 2 -w 30", "max-requests-delta = 1"),
    ("-k gthread --keep-alive 9", "http-keepalive = 9"), ("--graceful-timeout 7",
                                                          "worker-reload-mercy = 7"),
    ("--limit-request-line 0", "buffer-size = 1m"), ("--reload", "py-autoreload = 1"),
    ("--reload --reload-extra-file a --reload-extra-file b", "touch-reload = b"),
    ("--reuse-port", "reuse-port = true"), ("--chdir /srv", "chdir = /srv"),
    ("-e A=%d", "env = A=%%d"), ("-p /run/p", "pidfile = /run/p"), ("-u www-data", "uid = www-data"),
    ("-g 33", "gid = 33"), ("--forwarded-allow-ips=10.0.0.1,::1", "forwarded-allow-ips = 10.0.0.1,::1"),
    ("--access-logfile /var/log/a", "req-logger = file:/var/log/a"),
    ("--error-logfile /var/log/e", "logto = /var/log/e"), ("-D", "daemonize = /dev/null"),
    ("-D --log-file /e", "daemonize = /e"), ("--log-syslog --log-syslog-to udp://localhost:514",
                                             "logger = rsyslog:127.0.0.1:514,gunicorn"),
    ("--statsd-host localhost:8125 --dogstatsd-tags a:b", "stats-push = dogstatsd:localhost:8125"),
    ("-n shop", "procname-prefix-spaced = shop"), ("--pythonpath a,b", "pythonpath = b"),
    ("--paste /a.ini#x", "paste = config:/a.ini#x"), ("--proxy-protocol",
                                                      "http-enable-proxy-protocol = true"),
    ("--proxy-protocol --proxy-allow-from 10.0.0.1", "proxy-allow-ips = 10.0.0.1"),
]
OF_NEWER = [
    ("--proxy-protocol v2", "http-enable-proxy-protocol = true"), ("--proxy-protocol off", None),
    ("--proxy-protocol=auto", "http-enable-proxy-protocol = true"),
    ("--protocol uwsgi -b :80 -b unix:/a", "socket = 0.0.0.0:80"),
    ("--protocol uwsgi -b unix:/a", "socket = /a"), ("--protocol uwsgi -b fd://3", "protocol = uwsgi"),
    ("--protocol http -b :80", "http-socket = 0.0.0.0:80"), ("--enable-backlog-metric", None),
    ("--asgi-loop uvloop", None), ("--asgi-lifespan on", None), ("--asgi-disconnect-grace-period 3", None),
    ("--websocket-max-message-size 1", None), ("--no-control-socket", None), ("--control-socket-mode 432", None),
    ("--dirty-workers 1", None), ("--dirty-threads 1", None), ("--dirty-timeout 1", None),
    ("--dirty-graceful-timeout 1", None), ("--http-protocols h1", None), ("--http-parser fast", None),
    ("--http2-max-concurrent-streams 1", None), ("--http2-initial-window-size 1", None),
    ("--http2-max-frame-size 1", None), ("--http2-max-header-list-size 1", None), ("--http2-cleartext off", None)]
LACKS = ["--http-protocols=h2,h1", "--http2-cleartext=both", "--root-path=/shop", "--control-socket=/a",
         "--dirty-app=a:B", "--certfile=a", "-k tornado", "--log-config=a", "--spew", "--no-such-option",
         "--strip-header-spaces", "-k my.Worker"]


def gunicorn_is_there():
    return shutil.which("gunicorn", path=BASE_ENV["PATH"])


needs_gunicorn = pytest.mark.skipif(not gunicorn_is_there(), reason="gunicorn is not installed")


def move(line, environ=None, app="shop:app"):
    return from_gunicorn.move(words.split(line) + [app], "title", environ=environ or {}).ini


def lines(ini):
    return [line for block in ini.blocks for line in block if line[:1] not in "#;"]


@pytest.mark.parametrize("line, expected", ROWS)
def test_a_setting(line, expected):
    if expected:
        assert expected in lines(move(line))
    else:
        assert not [each for each in lines(move(line)) if each.startswith("harakiri")]


@pytest.mark.parametrize("line, expected", OF_NEWER)
def test_a_setting_of_gunicorn_24_to_27(line, expected):
    """It becomes a line, or a comment says what is here instead, or it is the default."""
    ini = move(line)
    assert ini.lacks == move("").lacks
    if expected:
        assert expected in lines(ini)
    else:
        assert lines(ini) == lines(move(""))
        assert f"# gunicorn {line}" in ini.text() or line.endswith(("off", "h1")) or line in ini.text()


def test_who_may_send_packets():
    line = "--protocol uwsgi --uwsgi-allow-from 10.0.0.1"
    assert "whoever reaches the socket may send packets" in str(move(line).lacks)
    assert not move("--uwsgi-allow-from 10.0.0.1").lacks


def test_hooks_of_dirty_workers(tmp_path):
    names = ("on_dirty_starting", "dirty_post_fork", "dirty_worker_init", "dirty_worker_exit")
    (tmp_path / "g.py").write_text("".join(f"def {name}(*args):\n    pass\n" for name in names))
    ini = from_gunicorn.move(["shop:app"], "", conf=str(tmp_path / "g.py"), environ={}).ini
    assert [s.partition("()")[0].rpartition(" ")[2] for s, _ in ini.lacks] == list(names)


@pytest.mark.parametrize("line", LACKS)
def test_what_has_no_counterpart_is_listed(line):
    assert [s for s, _ in move(line).lacks if line.split("=")[0] in s], move(line).lacks


def test_the_later_place_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gunicorn.conf.py").write_text("workers = 3\nthreads = 3\nbacklog = 3\n")
    environ = {"WEB_CONCURRENCY": "2", "PORT": "81", "GUNICORN_CMD_ARGS": "--threads 4 --backlog 4"}
    found = lines(move("--backlog 5", environ))
    for line in ("processes = 3", "threads = 4", "listen = 5", "http-socket = 0.0.0.0:81"):
        assert line in found
    assert "processes = 2" in lines(from_gunicorn.move(["-c", "/dev/null", "a"], "", environ=environ).ini)


def test_a_folder_that_is_missing_here_is_no_error(migrate):
    """There may be one where the server runs, or its service makes it."""
    made = migrate("gunicorn", "-p", "/nowhere/run/pid", "--log-file", "nowhere/log", "shop:app")
    assert made.code == 0 and made.said.count("there is no folder") == 2


def test_defaults_in_a_file_leave_nothing_to_do(tmp_path):
    """As the files have it that list all settings."""
    (tmp_path / "g.py").write_text(
        "backlog = 2048\nworkers = __import__('os').cpu_count()\nworker_class = 'sync'\nspew = False\n"
        "check_config = False\nkeyfile = certfile = None\nuser = group = None\npidfile = None\n"
        "reload_extra_files = []\nlogconfig_dict = {}\nproc_name = None\nstatsd_host = None\n"
        "tmp_upload_dir = None\npaste = None\nsyslog = False\ndaemon = False\nthreads = 1\n"
        "secure_scheme_headers = {'X-FORWARDED-PROTO': 'https'}\nraw_env = []\nproxy_protocol = False\n")
    ini = from_gunicorn.move(["shop:app"], "", conf=str(tmp_path / "g.py"), environ={}).ini
    assert ini.lacks == []
    assert not [line for line in lines(ini) if "None" in line or "[]" in line]
    assert "counted on this machine" in ini.text()


@pytest.mark.parametrize("text, said", [
    ("raise SystemExit(3)\n", "cannot be run"), ("workers = (\n", "cannot be run")])
def test_a_file_that_cannot_be_run(tmp_path, text, said):
    (tmp_path / "g.py").write_text(text)
    with pytest.raises(from_gunicorn.ConfFailed, match=said):
        from_gunicorn.move([], "", conf=str(tmp_path / "g.py"), environ={})


def test_a_file_that_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(from_gunicorn, "CONF_SECONDS", 0.3)
    (tmp_path / "g.py").write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(from_gunicorn.ConfFailed, match="has not ended after 0.3 s"):
        from_gunicorn.move([], "", conf=str(tmp_path / "g.py"), environ={})


def test_the_failure_is_a_sentence_and_no_ini(migrate):
    made = migrate("g.py", file=("g.py", "import nothing_of_this_name\n"))
    assert made.code == 1 and made.text == ""
    assert "nothing_of_this_name" in made.said and "--migrate: g.py cannot be run" in made.said


def test_the_environment_of_the_command(migrate, site):
    os.makedirs(f"{site}/venv/bin")
    made = migrate(f"{site}/venv/bin/gunicorn", "-c", "g.py", "shop:app",
                   file=("g.py", "import os\nworkers = os.path.isdir('venv') + 1\n"))
    assert f"home = {site}/venv" in made.text and "processes = 2" in made


def test_the_file_is_seen_from_where_gunicorn_is_started(migrate, site):
    """Not from the folder that --chdir names."""
    os.makedirs(f"{site}/work")
    made = migrate("gunicorn", "-c", "g.py", "--chdir", "work", "shop:app", file=(
        "g.py", "import os\nworkers = 3\nbacklog = 64 + os.path.exists('work')\n"))
    assert "processes = 3" in made and "listen = 65" in made, made.said


@pytest.mark.parametrize("way", [("--chdir", "work"), ()])
def test_the_file_that_nobody_names_is_that_of_the_start(migrate, site, way):
    """With --chdir, too: gunicorn goes there when it has read it.  It is named."""
    os.makedirs(f"{site}/work")
    write_conf(f"{site}/work", 5)
    made = migrate("gunicorn", *way, "shop:app", file=("gunicorn.conf.py", "workers = 3\n"))
    assert "processes = 3" in made
    assert f"shop:app and {site}/gunicorn.conf.py" in " ".join(made.text.split("\n[")[0].split()).replace("# ", "")
    assert "is not read" not in made.lacks


def test_the_file_in_the_folder_of_chdir_is_not_read(migrate, site):
    os.makedirs(f"{site}/work")
    write_conf(f"{site}/work", 5)
    made = migrate("gunicorn", "--chdir", "work", "shop:app")
    assert "processes = 1" in made and "work/gunicorn.conf.py: is not read" in made.lacks


def write_conf(folder, workers):
    with open(f"{folder}/gunicorn.conf.py", "w", encoding="ascii") as f:
        f.write(f"workers = {workers}\n")


@needs_gunicorn
def test_gunicorn_reads_the_file_of_the_start(site):
    os.makedirs(f"{site}/work")
    write_conf(f"{site}/work", 5)
    for workers in (1, 3):
        said = subprocess.run(["gunicorn", "--chdir", "work", "--print-config", "shop:app"], cwd=site,
                              env={**BASE_ENV, "PYTHONPATH": site}, capture_output=True, text=True, timeout=20,
                              check=False).stdout
        assert re.search(rf"^workers += {workers}$", said, re.M), said
        write_conf(site, 3)


def test_a_request_that_takes_longer_than_timeout(migrate, serve):
    """Of a sync worker gunicorn kills; the client gets no answer there, 504 here."""
    made = migrate("gunicorn", "-b", "HTTP", "-t", "1", "slow:app", file=(
        "slow.py", "import time\ndef app(environ, start_response):\n    time.sleep(30)\n"))
    serve(made)
    assert http.request(made.http).status == 504


# ---- beside gunicorn ----

@needs_gunicorn
def test_every_setting_of_gunicorn_has_a_row(monkeypatch):
    # Modules of ours are called otherwise than gunicorn, which can be imported beside them.
    known = subprocess.run([sys.executable, "-c", inspect.getsource(list_settings) +
                            "\nlist_settings()"], capture_output=True, check=True, timeout=20)
    ours = {row.name: row for row in from_gunicorn.ROWS + from_gunicorn.ONLY_ON_THE_LINE}
    for name, flags, flag in json.loads(known.stdout):
        if name == "default_proc_name":
            continue
        assert name in ours
        assert [f for f in flags if f not in ours[name].flags] == []
        assert not flags or (ours[name].kind == words.FLAG) == flag, name


def list_settings():
    import json as js

    from gunicorn.config import KNOWN_SETTINGS
    print(js.dumps([(s.name, s.cli or [], s.action in ("store_true", "store_false", "store_const"))
                    for s in KNOWN_SETTINGS]))


class Gunicorn:
    def __init__(self, folder, address, args):
        self.log = open(f"{folder}/gunicorn.log", "ab")
        self.process = subprocess.Popen(["gunicorn", *args, "shop:app"], cwd=folder, env=BASE_ENV,
                                        stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        until(lambda: accepts(address), "gunicorn to accept", 20)
        # Before a worker has answered, a TERM may be lost in it.
        assert http.request(address).status == 200

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@needs_gunicorn
def test_the_same_command_line_serves_the_same(no_process_left, migrate, serve, site):
    """Scheme, folder, variables, umask, threads, the mode of the socket and the lines of the access
    log are what gunicorn makes of them."""
    os.makedirs(f"{site}/work")
    shutil.move(f"{site}/shop.py", f"{site}/work/shop.py")
    first = free_address()

    def words_for(address, name):
        return ["-b", address, "-b", f"unix:{site}/{name}.sock", "--chdir", f"{site}/work", "-m", "027",
                "--threads", "2", "-e", "SHOP_A=50%", "--forwarded-allow-ips", "127.0.0.1",
                "--access-logfile", f"{site}/{name}.access", "--access-logformat",
                '%(h)s %(l)s %(u)s "%(r)s" %(m)s %(U)s %(q)s %(H)s %(s)s %(b)s "%(f)s" "%(a)s" '
                "%({x-id}i)s %({missing}i)s"]
    there = Gunicorn(site, first, words_for(first, "there"))
    try:
        before = asked(first)
    finally:
        there.end()
    made = migrate("gunicorn", *words_for("HTTP", "here"), "shop:app")
    serve(made)
    after = asked(made.http)
    assert after == before
    assert after["environment"] == {"SHOP_A": "50%"} and after["scheme"] == "https"
    there_said, here_said = (until(lambda n=name: re.findall(".*/a%20b.*", read(f"{site}/{n}.access")),
                                   "the line of the request") for name in ("there", "here"))
    assert here_said == there_said


def asked(address):
    answer = http.request(address, "/a%20b?c=d", headers=[
        ("X-Forwarded-Proto", "https"), ("User-Agent", "test"), ("X-Id", "7")])
    return json.loads(answer.body)


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


@needs_gunicorn
@pytest.mark.parametrize("umask", ["0", "007", "077"])
def test_the_mode_of_a_socket(no_process_left, migrate, serve, site, umask):
    path, address = f"{site}/there.sock", free_address()
    there = Gunicorn(site, address, ["-b", address, "-b", f"unix:{path}", "-m", umask])
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    finally:
        there.end()
    serve(migrate("gunicorn", "-b", f"unix:{site}/here.sock", "-m", umask, "shop:app"))
    assert stat.S_IMODE(os.stat(f"{site}/here.sock").st_mode) == mode & 0o666


@pytest.mark.parametrize("text, here", [
    (accesslog.COMBINED, '%(addr) - %(user) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) '
     '"%(referer)" "%(uagent)"'),
    ("%(D)s us %(M)s ms %(L)s s 100%% %({Accept-Language}i)s %({raw}e)s",
     "%(micros) us %(msecs) ms %(secs) s 100%% %(var.HTTP_ACCEPT_LANGUAGE) %(var.raw)"),
    ("%({etag}o)s %(x)s", "- -")])
def test_the_access_log_format(text, here):
    assert accesslog.translate(text)[0] == here
    assert bool(accesslog.translate(text)[1]) == ("- -" == here)
    assert not re.search(r"%\(\w+\)s", here)
