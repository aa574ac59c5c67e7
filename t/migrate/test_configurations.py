# SPDX-License-Identifier: MIT
"""Configurations such as people have in public repositories, written anew: each is moved, passes --check
and is served."""
import json
import os

import pytest

from lib import http

CONTAINER = """
import multiprocessing
import os
from gunicorn.glogging import Logger

bind = os.environ.get("SHOP_BIND", "HTTP")
workers = min(3, multiprocessing.cpu_count() * 2 + 1)
worker_class = "gthread"
threads = int(os.getenv("GUNICORN_THREADS", "4"))
worker_tmp_dir = "/dev/shm"
timeout = 120
graceful_timeout = 20
keepalive = 75
max_requests = 1000
max_requests_jitter = 90
accesslog = errorlog = "-"
access_log_format = '{"status": "%(s)s", "path": "%(U)s", "id": "%({x-request-id}i)s", "s": %(L)s}'
loglevel = "info"
capture_output = preload_app = True
wsgi_app = "shop:create_app()"

class Quiet(Logger):
    def access(self, *args):
        pass

logger_class = Quiet
print("configured")
"""
HOOKS = """
bind = ["HTTP", "unix:HERE/shop.sock"]
workers = 2
proc_name = "shop %d"
raw_env = ["SHOP_A=100% ; #1", "SHOP_B=$HOME"]
pidfile = "HERE/pid"
forwarded_allow_ips = "*"
wsgi_app = "shop:app"
statsd_host = "127.0.0.1:8125"
statsd_prefix = "web"

def when_ready(server):
    server.log.info("ready")
def post_fork(server, worker):
    import psycogreen
def worker_exit(server, worker):
    pass
def on_exit(server):
    pass
def pre_request(worker, req):
    pass
def child_exit(server, worker):
    from prometheus_client import multiprocess
    multiprocess.mark_process_dead(worker.pid)
"""
OLD = """
# as tutorials of 2012 have it
command = '/srv/shop/env/bin/gunicorn'
pythonpath = 'HERE'
bind = 'HTTP'
workers = 3
worker_class = 'gevent'
worker_connections = 100
user = None
debug = True
logfile = '-'
limit_request_line = 0
wsgi_app = 'shop'
"""
UNIT = """
{"listeners": {"HTTP": {"pass": "routes/all", "forwarded": {"protocol": "X-Forwarded-Proto", "source":
 ["127.0.0.1"]}}, "*:443": {"pass": "applications/other"}},
 "routes": {"all": [
   {"match": {"uri": "/static/*"}, "action": {"share": "HERE$uri"}},
   {"match": {"host": "old.example"}, "action": {"return": 301, "location": "https://example.com"}},
   {"action": {"share": "HERE/public$uri", "fallback": {"pass": "applications/shop"}}}]},
 "applications": {
   "shop": {"type": "python 3.11", "path": "HERE", "module": "shop", "callable": "app", "threads": 2,
            "processes": {"max": 3, "spare": 1, "idle_timeout": 20},
            "limits": {"timeout": 10, "requests": 500}, "environment": {"SHOP_A": "100%"}},
   "other": {"type": "php", "root": "/srv/www"}},
 "settings": {"http": {"body_read_timeout": 20, "max_body_size": 1048576}}}
"""
SUPERVISOR = """
[unix_http_server]
file=/tmp/supervisor.sock
[program:celery]
command=/srv/venv/bin/celery -A shop worker
[program:shop]
command=gunicorn shop:app --bind HTTP ; the shop
    --workers 2 --log-level=info
directory=HERE
user=www-data
environment=SHOP_A="a,b",SHOP_B=c
autorestart=true
"""
UNITFILE = r"""
[Unit]
After=network.target
[Service]
User=www-data
WorkingDirectory=HERE
Environment="SHOP_A=1" "GUNICORN_CMD_ARGS=--threads 2"
ExecStart=/usr/bin/gunicorn3 \
          --access-logfile - \
          --workers 3 \
          --bind HTTP \
          shop:application
ExecReload=/bin/kill -s HUP $MAINPID
[Install]
WantedBy=multi-user.target
"""
PASTE = """
[app:main]
paste.app_factory = shop:create_app
word = x ; y
[server:main]
use = egg:waitress#main
listen = HTTP
threads = 6
[server:other]
use = egg:gunicorn#main
bind = HTTP
workers = 2
timeout = 7
[loggers]
keys = root
[handlers]
keys = out
[formatters]
keys =
[logger_root]
level = INFO
handlers = out
[handler_out]
class = StreamHandler
args = (sys.stderr,)
"""
PROCFILE = """
release: python manage.py migrate && python manage.py collectstatic --noinput
web: newrelic-admin run-program gunicorn --bind 0.0.0.0:$PORT --log-file - shop:app
worker: celery -A shop worker -l info
"""
FILES = {
    "container": ("gunicorn.conf.py", CONTAINER, ["threads = 4", "reload-mercy = 20",
                                                  "module = shop:create_app()"]),
    "hooks": ("gunicorn.conf.py", HOOKS, ["processes = 2", "env = SHOP_A=100%% ; #1",
                                          "forwarded-allow-ips = *", "lazy-apps = true",
                                          "stats-push = statsd:127.0.0.1:8125,web"]),
    "old": ("gunicorn_conf.py", OLD, ["buffer-size = 1m", "threads = 32", "processes = 3"]),
    "unit": ("conf.json", UNIT, ["threads = 2", "cheaper = 1", "harakiri = 10", "limit-post = 1048576",
                                 "http-timeout = 20", "env = SHOP_A=100%%"]),
    "supervisor": ("shop.conf", SUPERVISOR, ["processes = 2", "env = SHOP_A=a,b", "harakiri = 30"]),
    "paste": ("production.ini", PASTE, ["threads = 6", "ini-paste-logged = HERE/production.ini"]),
    "systemd": ("shop.service", UNITFILE, ["processes = 3", "threads = 2"]),
}


def ask(address, path="/", headers=()):
    answer = http.request(address, path, headers=headers)
    assert answer.status == 200
    return json.loads(answer.body)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_moved_and_served(migrate, serve, site, kind):
    os.makedirs(f"{site}/static")
    os.makedirs(f"{site}/public")
    for name in ("static/a.txt", "public/b.txt"):
        with open(f"{site}/{name}", "w", encoding="ascii") as f:
            f.write("a file")
    name, text, lines = FILES[kind]
    made = migrate(name, file=(name, text))
    lines = [line.replace("HERE", site) for line in lines]
    assert [line for line in lines if line not in made] == [], made.text
    serve(made)
    said = ask(made.http)
    assert os.path.realpath(said["cwd"]) == os.path.realpath(site)
    if "env = SHOP_A=100%% ; #1" in made:
        assert said["environment"]["SHOP_A"] == "100% ; #1"
        assert said["environment"]["SHOP_B"] == "$HOME"
    if kind == "unit":
        assert http.request(made.http, "/static/a.txt").body == b"a file"
        assert http.request(made.http, "/b.txt").body == b"a file"


def test_hooks_have_a_line_or_a_sentence(migrate):
    made = migrate("gunicorn.conf.py", file=("gunicorn.conf.py", HOOKS))
    for name in ("when_ready", "post_fork", "worker_exit", "on_exit", "pre_request", "child_exit"):
        assert f"{name}()" in made.lacks
    assert ";on-ready = " in made.text and ";hook-as-user-atexit = " in made.text
    assert "@postfork" in made.lacks and "post_fork_hook" not in made.text
    assert "mark_process_dead" in made.lacks


def test_a_procfile(migrate, serve):
    made = migrate("Procfile", file=("Procfile", PROCFILE))
    assert "http-socket = 0.0.0.0:$(PORT)" in made
    assert "newrelic.agent.initialize()" in made.lacks and "release" in made.lacks
    assert ";attach-daemon = celery -A shop worker -l info" in made.text
    serve(made, env={"PORT": made.http.split(":")[1]})
    assert ask(made.http)["path"] == "/"


LINES = {
    "uvicorn --interface wsgi --host {host} --port {port} --workers 2 --factory shop:create_app":
        ["processes = 2", "module = shop:create_app()"],
    "hypercorn -b HTTP -w 2 --access-logfile - wsgi:shop:app": ["processes = 2", "module = shop:app"],
    "mod_wsgi-express start-server shop.py --host {host} --port {port} --processes 2 "
    "--url-alias /static HERE --setenv SHOP_A 1": ["threads = 5", "harakiri = 60", "env = SHOP_A=1"],
    "SHOP_A=2%d exec gunicorn -bHTTP -w3 --threads=2 --preload --no-sendfile shop":
        ["processes = 3", "threads = 2", "env = SHOP_A=2%%d", "module = shop:application"],
    "waitress-serve --listen HTTP --threads 3 --call shop:create_app": ["threads = 3",
                                                                        "module = shop:create_app()"],
    "python3 -m gunicorn --bind HTTP shop:app": ["module = shop:app"],
}


@pytest.mark.parametrize("line", LINES)
def test_a_command_line_is_moved_and_served(migrate, serve, line):
    host, port = migrate.address.split(":")
    made = migrate(*line.format(host=host, port=port).split())
    assert [each for each in LINES[line] if each not in made] == [], made.text
    serve(made)
    assert ask(made.http)["path"] == "/"


def test_a_procfile_without_an_address(migrate):
    """Heroku and its like set PORT, and gunicorn listens there."""
    made = migrate("Procfile", file=("Procfile", "web: gunicorn -c g.py shop:app\n"))
    assert "there is no file g.py" in made.said
    made = migrate("Procfile", file=("g.py", "import os\nint(os.environ.get('PORT', 1))\n"))
    assert "http-socket = 0.0.0.0:$(PORT)" in made and made.code == 0, made.said


def test_a_variable_that_the_file_asks_for_is_said(migrate):
    made = migrate("g.py", file=("g.py", "import os, tempfile\nworkers = os.getenv('SHOP_WORKERS', 3)\n"
                                 "timeout = os.environ.get('SHOP_TIME', 9)\ntempfile.gettempdir()\n"))
    assert "SHOP_TIME, SHOP_WORKERS of this moment" in " ".join(made.lacks.split()), made.lacks


def test_a_value_of_any_type(migrate):
    made = migrate("g.py", file=("g.py", "secure_scheme_headers = ['a']\nbind = 7\nstatsd_host = ('a', 1)\n"
                                 "umask = object()\nraw_env = 7\nuser = []\ndirty_apps = ['a']\n"))
    assert "Traceback" not in made.said and "secure_scheme_headers" in made.lacks and "dirty" in made.lacks


def test_routes_of_unit_that_lead_back_or_elsewhere(migrate):
    tree = {"listeners": {"HTTP": {"pass": "routes/a"}, "*:81": {"pass": "routes/b"}},
            "routes": {"a": [{"match": {"uri": "/static/*"}, "action": {"share": "/srv${uri}"}},
                             {"action": {"pass": "routes/a"}}, {"action": {"pass": "applications/shop"}}],
                       "b": [{"action": {"proxy": "http://127.0.0.1:1"}}]},
            "applications": {"shop": {"type": "python", "module": "shop"}}}
    made = migrate("unit.json", file=("unit.json", json.dumps(tree)))
    assert "static-map = /static=/srv/static" in made, made.said
    assert "listeners/*:81: does not lead to shop" in made.lacks


def test_a_paste_file_that_names_no_server(migrate):
    made = migrate("a.ini", file=("a.ini", "[app:main]\nuse = call:shop:create_app\n[uwsgi]\nmaster = 1\n"))
    assert "http-socket = 0.0.0.0:8080" in made, made.said
    assert "waitress' defaults" in made.lacks
    assert "[uwsgi]: was uWSGI's part" in made.lacks


def test_another_server_of_a_paste_file(migrate):
    made = migrate("production.ini", "other", file=("production.ini", PASTE))
    assert "processes = 2" in made and "harakiri = 7" in made, made.text
    assert migrate("pserve", "production.ini").code == 0


def test_asgi_is_said(migrate):
    made = migrate("uvicorn", "shop:app", "--ws", "auto")
    assert made.code == 0 and "a2wsgi" in made.lacks and "WebSockets" in made.lacks
    made = migrate("gunicorn", "-k", "uvicorn.workers.UvicornWorker", "shop:app")
    assert "ASGI is not spoken here" in made.lacks
