# SPDX-License-Identifier: MIT
"""common.py: what options of several servers become; gunicorn's names are also hypercorn's."""
import json
import os
import re
import subprocess
import sys
import tempfile

import accesslog
from inifile import Ini, escape


class Moving:
    """What a source has said, and the ini file that it becomes."""

    def __init__(self, title, settings, home=None):
        self.ini, self.settings, self.home = Ini(title), settings, home
        # A file that the ini file takes the place of: others are named as seen from it.
        self.instead_of = None

    @property
    def threaded(self):
        return "threads" in self.ini.names


def put(name, note=""):
    """A function for a row: the value, with percent signs escaped; "" is not set."""
    def write(moving, setting):
        if setting.value not in (None, ""):
            moving.ini.set(name, escape(setting.text), setting.source, note)
    return write


def put_each(name, note="", split=None):
    """The same for each value of a list."""
    def write(moving, setting):
        values = setting.value
        if isinstance(values, str):
            values = values.split(split) if split else [values]
        for value in values or ():
            moving.ini.set(name, escape(str(value).strip()), setting.source, note)
    return write


def number(name, note="", zero=None):
    """The same for a number; zero: what to say of 0."""
    def write(moving, setting):
        text = setting.text
        if re.fullmatch(r"\d+(\.\d+)?", text) and float(text) == 0:
            moving.ini.comment(f"{setting.source}: {zero or f'none, as {name} is by default'}")
        else:
            moving.ini.set(name, text, setting.source, note)
    return write


def nothing(sentence):
    """A row that needs no line, and why."""
    def write(moving, setting):
        moving.ini.comment(f"{setting.source}: {sentence}")
    return write


# ---- sockets ----

MODES = "gunicorn's umask lets everybody connect; safer: chmod-socket = 660 with chown-socket = " \
    ":www-data"


def bind(moving, setting):
    for value in (v.strip() for text in setting.each for v in str(text).split(",")):
        listen(moving, value, setting.source)


def listen(moving, value, source):
    ini, packets = moving.ini, moving.settings.text("protocol", "http") == "uwsgi"
    option = "socket" if packets else "http-socket"
    if value.startswith("fd://") or value.isdigit() and "fd" in source:
        if "protocol" not in ini.names:
            ini.set("protocol", "uwsgi" if packets else "http", source, "the socket that systemd passes on "
                    "is taken by itself; this is what is spoken there")
        return
    value = value[len("tcp://"):] if value.startswith("tcp://") else value
    unix = re.match(r"unix:(?://)?", value)
    if unix:
        ini.set(option, escape(value[unix.end():]), source, "" if packets else
                "HTTP over a UNIX socket, as nginx's proxy_pass http://unix:… wants it")
        if "chmod-socket" not in ini.names:
            ini.set("chmod-socket", socket_mode(moving), source, MODES)
        return
    host, port = take_apart(value)
    ini.set(option, f"{host}:{port}", source)


def socket_mode(moving):
    """What gunicorn's umask leaves of 777."""
    text = moving.settings.text("umask", "0")
    mask = int(text, 8) if re.fullmatch(r"(0o?)?[0-7]+", text) else 0
    return f"{0o777 & ~mask & 0o666:o}"


def take_apart(value):
    """(host, port) of host:port, host, :port, [::1]:port; without a port 8000, as gunicorn has it."""
    match = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?", value)
    if not match:
        return f"[{value}]", "8000"
    host, port = match[1], match[2] or "8000"
    return ("0.0.0.0" if not host and match[2] else host), port


# ---- the log ----

def access_log(moving, setting):
    value = setting.value
    if value in (None, "", False, "None"):
        moving.ini.set("disable-logging", "true", setting.source)
    elif value == "-":
        moving.ini.comment(f"{setting.source}: requests are logged to standard error, with the rest")
    else:
        moving.ini.set("req-logger", f"file:{escape(str(value))}", setting.source)


def access_format(moving, setting):
    if moving.settings.text("accesslog", "None") in ("None", ""):
        moving.ini.comment(f"{setting.source}: requests are not logged")
        return
    text, said = accesslog.translate(setting.text)
    for sentence in said:
        moving.ini.lack(setting.source, sentence)
    moving.ini.set("log-format", text, "access_log_format" if accesslog.is_default(setting.text)
                   else setting.source)


def error_log(moving, setting):
    if setting.value in (None, "", "-"):
        moving.ini.comment(f"{setting.source}: standard error, as here")
    elif not moving.settings.on("daemon"):
        moving.ini.set("logto", escape(setting.text), setting.source,
                       "print() and standard error of the application are there, too")


def statsd(moving, setting):
    address = setting.text
    address = address[len("unix://"):] if address.startswith("unix://") else address
    prefix = moving.settings.text("statsd_prefix", "").strip(".")
    tags = moving.settings.text("dogstatsd_tags", "")
    kind = "dogstatsd" if tags else "statsd"
    moving.ini.set("stats-push", escape(f"{kind}:{address}" + (f",{prefix}" if prefix else "")),
                   setting.source)
    if tags:
        moving.ini.set("dogstatsd-extra-tags", escape(tags), moving.settings["dogstatsd_tags"].source)
    moving.ini.lack(setting.source, "the names of the metrics are others (docs/observing.md): "
                    "gunicorn.requests is worker.requests, gunicorn.workers is a number for each")


# ---- processes ----

def owner(name):
    def write(moving, setting):
        if setting.text not in ("0", "root", "None", ""):
            moving.ini.set(name, escape(setting.text), setting.source)
    return write


def umask(moving, setting):
    value = setting.value
    text = f"{value:o}" if isinstance(value, int) else setting.text
    text = re.sub(r"^0[oO]?(?=.)", "", text)
    moving.ini.set("umask", text.zfill(3), setting.source)


def environment(moving, setting):
    for value in setting.each:
        moving.ini.set("env", escape(str(value)), setting.source)


def jitter(name, workers):
    """max_requests_jitter is a random number for each worker; the delta is the same step for each."""
    def write(moving, setting):
        most, count = moving.settings.number(name), max(1, moving.settings.number(workers, 1))
        if most:
            moving.ini.set("max-requests-delta", max(1, most // count), setting.source,
                           "times the worker's number, in place of a random number up to it")
    return write


def graceful(moving, setting):
    for name in ("reload-mercy", "worker-reload-mercy"):
        moving.ini.set(name, whole(setting.text), setting.source)


def whole(text):
    return str(int(float(text))) if re.fullmatch(r"\d+\.\d*", text) else text


def autoreload(moving, setting):
    moving.ini.set("py-autoreload", "1", setting.source, "for development only")


# Of an option that makes a call of the application's name, which application() writes.
FACTORY = nothing("the parentheses below call it")


def application(moving, text, source, default="application"):
    """module, module:name or module:factory()."""
    module, _, name = text.partition(":")
    if module.endswith(".py") and not name:
        moving.ini.set("wsgi-file", module, source)
        return
    moving.ini.set("module", escape(f"{module}:{name or default}"), source)


def home(moving):
    """The virtual environment: that of the command, or the one that is active."""
    if moving.home:
        moving.ini.set("home", escape(moving.home[0]), moving.home[1])
    elif os.environ.get("VIRTUAL_ENV"):
        moving.ini.set("home", escape(os.environ["VIRTUAL_ENV"]), "VIRTUAL_ENV",
                       "the virtual environment that is active here")
    else:
        moving.ini.suggest("home", "/path/to/venv", "the virtual environment",
                           "which one is not said here; without it, Debian's packages")


def unknown(moving, program, flags, sentence="is not known here"):
    for flag in flags:
        moving.ini.lack(f"{program} {flag}", sentence)


def asking():
    """The path of the server that runs this (__main__.py)."""
    return sys.argv[1]


def environ_here():
    """The environment without a Procfile's PORT, which is not known yet."""
    return {name: value for name, value in os.environ.items() if value != f"$({name})"}


def place(text, folder, instead_of, there):
    """Writes the file to check into this folder, beside links to what lies there, where the file is that
    it takes the place of.  Returns its path."""
    name = os.path.basename(instead_of or "uwsgi.ini")
    name = name if name.endswith(".ini") else f"{name}.ini"
    for other in os.listdir(there) if instead_of else ():
        if other != name:
            os.symlink(os.path.join(there, other), os.path.join(folder, other))
    with open(f"{folder}/{name}", "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)
    return f.name


# The server may run on another machine, or its service makes the folder.
FILES = {"pidfile", "safe-pidfile", "pidfile2", "safe-pidfile2", "emperor-pidfile", "logto", "logto2",
         "daemonize", "daemonize2"}


def severity_of(each):
    missing = each["option"] in FILES and "there is no folder" in each["message"]
    return "warning" if missing else each["severity"]


def diagnostics(text, instead_of=None):
    """What the server's check of this ini file finds, each with severity, message and line (None: not in
    this file); None: it cannot check it.  A variable of the environment that is not set here is
    assumed to be a number, as PORT is."""
    environ = {**{name: "1" for name in re.findall(r"\$\((\w+)\)", text)}, **environ_here()}
    there = os.path.abspath(os.path.dirname(instead_of or ""))
    with tempfile.TemporaryDirectory() as folder:
        path = place(text, folder, instead_of, there)
        done = subprocess.run([asking(), "--check=json", path], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=environ,
                              timeout=60, check=False)
    try:
        found = json.loads(done.stdout)["diagnostics"]
    except ValueError:
        return None
    return [{"severity": severity_of(each), "message": each["message"].replace(folder, there),
             "line": each.get("line") if each.get("file") == path else None} for each in found]


TLS = "TLS is not spoken here: nginx, Apache or HAProxy before the server does it"
HTTP2 = "HTTP/2 is not spoken here: nginx, Apache or HAProxy before the server does it"
