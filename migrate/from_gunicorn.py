# SPDX-License-Identifier: MIT
"""from_gunicorn.py: gunicorn's configuration file, command line and GUNICORN_CMD_ARGS, and the environment's
WEB_CONCURRENCY, PORT and FORWARDED_ALLOW_IPS.  A row for each setting of gunicorn 20 to 27, in the
order of its documentation (docs.gunicorn.org, "Settings")."""
import json
import os
import signal
import subprocess
import sys

import common
import hooks
import words
from common import HTTP2, TLS, nothing, number, put, put_each
from words import FLAG, LIST, Row, Setting, Settings

CONF_SECONDS = 15
# What gunicorn reads without -c, where it is started.
CONF = "gunicorn.conf.py"
ASYNC = ("gevent", "eventlet", "tornado")


# ---- what is more than a name for a name ----

def worker_class(moving, setting):
    name = setting.text.rsplit(".", 1)[-1].lower()
    ini, settings = moving.ini, moving.settings
    if name in ("sync", "syncworker", "gthread", "threadworker", "none"):
        return
    if any(kind in setting.text.lower() for kind in ASYNC):
        ini.set("threads", "32", setting.source, "threads in place of greenlets: each runs a request "
                "of its own, so this is how many a process runs at the same time")
        ini.lack(setting.source, "applications are not run by gevent, eventlet or tornado here; what "
                 "calls monkey.patch_all() for the server need not any more")
    elif "uvicorn" in setting.text.lower() or "asgi" in setting.text.lower():
        ini.lack(setting.source, "ASGI is not spoken here; a2wsgi.ASGIMiddleware(app) makes a WSGI "
                 "application of one that needs no WebSockets and no lifespan; others stay with "
                 "uvicorn")
    else:
        ini.lack(setting.source, "a class of one's own; requests are run by threads here")
    if name.startswith("gevent") and settings.text("worker_connections"):
        ini.lack(settings["worker_connections"].source, "is the number of greenlets; threads is that "
                 "here")


def workers(moving, setting):
    counted = ("; counted on this machine; %k is the number of processors where the server runs, as in "
               "%(%k * 2 + 1)"
               if setting.source.endswith(COUNTED) else "")
    moving.ini.set("processes", setting.text, setting.source.replace(COUNTED, "") + counted)


def threads(moving, setting):
    if not moving.threaded and setting.text != "1":
        moving.ini.set("threads", setting.text, setting.source)


def runs_threads(settings):
    kind = settings.text("worker_class", "sync").lower()
    return settings.text("threads", "1") != "1" or "thread" in kind


def timeout(moving, setting):
    """The arbiter kills a worker that is silent: a sync worker is while it runs a request, one with
    threads or greenlets is not."""
    text = common.whole(setting.text)
    if text == "0":
        moving.ini.comment(f"{setting.source}: none, as harakiri is by default")
    elif moving.threaded or runs_threads(moving.settings):
        moving.ini.suggest("harakiri", text, setting.source, "did not bound requests with this class "
                           "of workers, only a worker that hangs as a whole. Here each request can "
                           "have a time of its own, after which its client gets 504")
    else:
        moving.ini.set("harakiri", text, setting.source, "the client gets 504, the log a traceback")


def keepalive(moving, setting):
    if runs_threads(moving.settings) or moving.threaded:
        moving.ini.set("http-keepalive", setting.text, setting.source, "behind a proxy that keeps "
                       "connections it must be longer than the proxy's time")
    else:
        moving.ini.comment(f"{setting.source}: had no effect with sync workers; here connections are "
                           "kept, for http-keepalive")


def preload(moving, setting):
    if setting.value in (True, "True", "true"):
        moving.ini.comment(f"{setting.source}: the application is imported once, as here by default")
        return
    moving.ini.set("lazy-apps", "true", setting.source, "each worker imports the application. Without "
                   "this line it is imported once: less memory; then what it connects to while it is "
                   "imported is connected anew by a function with @postfork of uwsgidecorators")


def head_limit(moving, setting):
    """One limit for the whole head stands for three; only larger ones than its default count."""
    settings = moving.settings
    line, field = settings.number("limit_request_line", 4094), settings.number(
        "limit_request_field_size", 8190)
    if 0 in (line, field) or line + field > 65536:
        size = "1m" if 0 in (line, field) else str(line + field)
        if "buffer-size" not in moving.ini.names:
            moving.ini.set("buffer-size", size, setting.source, "for the whole head of a request")
    else:
        moving.ini.comment(f"{setting.source}: buffer-size bounds the whole head, 64 KiB by default")


def daemon(moving, setting):
    if moving.settings.on("daemon"):
        log = moving.settings.text("errorlog", "-")
        moving.ini.set("daemonize", "/dev/null" if log == "-" else common.escape(log), setting.source,
                       "and this is its log. Safer: a service of systemd with Type=notify, and "
                       "without this line")


def syslog(moving, setting):
    if not moving.settings.on("syslog"):
        return
    name = moving.settings.text("syslog_prefix", "gunicorn")
    address = moving.settings.text("syslog_addr", "udp://localhost:514")
    scheme, _, where = address.partition("://")
    if scheme == "udp":
        moving.ini.set("logger", f"rsyslog:{where.replace('localhost', '127.0.0.1')},{name}",
                       setting.source)
    else:
        moving.ini.set("logger", f"syslog:{name}", setting.source)
        if scheme == "tcp":
            moving.ini.lack(setting.source, "syslog over TCP; here to the local one")


def secure_headers(moving, setting):
    known = {"X-FORWARDED-PROTOCOL": "ssl", "X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"}
    odd = {k: v for k, v in dict(setting.value or {}).items() if known.get(k.upper()) != v}
    if odd:
        moving.ini.lack(setting.source, f"{', '.join(odd)}: only X-Forwarded-Proto and X-Forwarded-SSL "
                        "say here that a connection is https")


def asked(moving, setting):
    """The file is run once, here; gunicorn ran it at each start."""
    moving.ini.lack(setting.source, f"its {', '.join(setting.value)} of this moment went into the values "
                    "above; $(NAME) in the ini file is read at each start")


def trusted(moving, setting):
    moving.ini.set("forwarded-allow-ips", ", ".join(map(str, setting.each)), setting.source)


def proc_name(moving, setting):
    moving.ini.set("auto-procname", "true", setting.source)
    moving.ini.set("procname-prefix-spaced", common.escape(setting.text), setting.source)


def paste(moving, setting):
    path, _, section = setting.text.partition("#")
    moving.ini.set("paste", common.escape(f"config:{os.path.abspath(path)}"
                                          + (f"#{section}" if section else "")), setting.source)


def reload_files(moving, setting):
    if moving.settings.on("reload"):
        put_each("touch-reload")(moving, setting)


def protocol(moving, setting):
    """bind has written what is spoken."""
    if setting.text not in ("http", "uwsgi"):
        moving.ini.lack(setting.source, "HTTP is spoken here, and uwsgi packets")


def uwsgi_peers(moving, setting):
    if moving.settings.text("protocol", "http") == "uwsgi" and setting.text != "*":
        moving.ini.lack(setting.source, "whoever reaches the socket may send packets: the path of a UNIX "
                        "socket, 127.0.0.1 or a firewall keeps others out")


def http_protocols(moving, setting):
    if "h2" in str(setting.value):
        moving.ini.lack(setting.source, HTTP2)


def http2_cleartext(moving, setting):
    if moving.settings.on("http2_cleartext"):
        moving.ini.lack(setting.source, HTTP2)


def hook(name):
    def write(moving, setting):
        hooks.carry_over(moving.ini, name, setting.source)
    return write


# A setting that no file can have: the variables that it asks for.
ENVIRON = "os.environ"
COMMAND = "is a command, uwsgi --check and --show-config are those here"
OF_ASGI = nothing("was for the worker class asgi alone")
OF_HTTP2 = nothing("was for HTTP/2 alone")
OF_DIRTY = nothing("was for dirty workers alone")
OF_CONTROL = nothing("there is no control socket here")
# Those without `to` and `lack` are parts of what another one becomes.
ROWS = (
    Row("wsgi_app"),
    Row("chdir", "--chdir", to=put("chdir")),
    Row("bind", "-b --bind", LIST, to=common.bind),
    Row("umask", "-m --umask", to=nothing(
        "was for gunicorn's socket, not for files of the application: chmod-socket")),
    Row("backlog", "--backlog", to="listen"),
    Row("workers", "-w --workers", to=workers),
    Row("worker_class", "-k --worker-class", to=worker_class),
    Row("threads", "--threads", to=threads),
    Row("worker_connections", "--worker-connections",
        to=nothing("max-connections bounds connections, which need no thread while they wait")),
    Row("max_requests", "--max-requests", to=number("max-requests")),
    Row("max_requests_jitter", "--max-requests-jitter",
        to=common.jitter("max_requests_jitter", "workers")),
    Row("timeout", "-t --timeout", to=timeout),
    Row("graceful_timeout", "--graceful-timeout", to=common.graceful),
    Row("keepalive", "--keep-alive", to=keepalive),
    Row("limit_request_line", "--limit-request-line", to=head_limit),
    Row("limit_request_fields", "--limit-request-fields",
        to=nothing("buffer-size bounds the head of a request, not the number of its fields")),
    Row("limit_request_field_size", "--limit-request-field_size", to=head_limit),
    Row("reload", "--reload", FLAG, to=lambda moving, setting: moving.settings.on("reload") and
        common.autoreload(moving, setting)),
    Row("reload_engine", "--reload-engine",
        to=nothing("py-autoreload looks at the files of the imported modules")),
    Row("reload_extra_files", "--reload-extra-file", LIST, to=reload_files),
    Row("spew", "--spew", FLAG, lack="the page of inspect shows in which functions the time goes"),
    Row("check_config", "--check-config", FLAG, lack=COMMAND),
    Row("print_config", "--print-config", FLAG, lack=COMMAND),
    Row("preload_app", "--preload", FLAG, to=preload),
    Row("sendfile", "--no-sendfile", FLAG, to=nothing("files are always sent by sendfile")),
    Row("reuse_port", "--reuse-port", FLAG, to="reuse-port"),
    Row("daemon", "-D --daemon", FLAG, to=daemon),
    Row("raw_env", "-e --env", LIST, to=common.environment),
    Row("pidfile", "-p --pid", to=put("pidfile")),
    Row("worker_tmp_dir", "--worker-tmp-dir",
        to=nothing("workers write no files to show that they live")),
    Row("user", "-u --user", to=common.owner("uid")),
    Row("group", "-g --group", to=common.owner("gid")),
    Row("initgroups", "--initgroups", FLAG, to=nothing("always so; no-initgroups switches it off")),
    Row("tmp_upload_dir", "", to=lambda moving, setting: setting.value and moving.ini.set(
        "env", f"TMPDIR={common.escape(setting.text)}", setting.source)),
    Row("secure_scheme_headers", "", to=secure_headers),
    Row("forwarded_allow_ips", "--forwarded-allow-ips", to=trusted),
    Row("accesslog", "--access-logfile", to=common.access_log),
    Row("disable_redirect_access_to_syslog", "--disable-redirect-access-to-syslog", FLAG,
        to=nothing("req-logger says where the lines of requests go")),
    Row("access_log_format", "--access-logformat", to=common.access_format),
    Row("errorlog", "--error-logfile --log-file", to=common.error_log),
    Row("loglevel", "--log-level", to=nothing(
        "the server's lines have no levels to choose; those of the application are logging's")),
    Row("capture_output", "--capture-output", FLAG, to=nothing("always so")),
    Row("logger_class", "--logger-class", lack="the server's lines are not written by Python; "
        "log-format, logger and log-encoder say how they look and where they go"),
    Row("logconfig", "--log-config", lack="configures gunicorn's own loggers; for those of the "
        "application call logging.config.fileConfig() in it"),
    Row("logconfig_dict", "", to=lambda moving, setting: setting.value and moving.ini.lack(
        setting.source.partition(" =")[0], "configures gunicorn's own loggers; for those of the "
        "application call logging.config.dictConfig() in it")),
    Row("logconfig_json", "--log-config-json", lack="configures gunicorn's own loggers; for those of "
        "the application call logging.config.dictConfig() in it"),
    Row("syslog", "--log-syslog", FLAG, to=syslog),
    Row("syslog_addr", "--log-syslog-to", to=None),
    Row("syslog_prefix", "--log-syslog-prefix", to=None),
    Row("syslog_facility", "--log-syslog-facility", to=nothing("daemon, as syslog's loggers are")),
    Row("enable_stdio_inheritance", "-R --enable-stdio-inheritance", FLAG, to=nothing("always so")),
    Row("statsd_host", "--statsd-host", to=common.statsd),
    Row("dogstatsd_tags", "--dogstatsd-tags", to=None),
    Row("statsd_prefix", "--statsd-prefix", to=None),
    Row("proc_name", "-n --name", to=proc_name),
    Row("pythonpath", "--pythonpath", to=put_each("pythonpath", split=",")),
    Row("paste", "--paste --paster", to=paste),
    Row("proxy_protocol", "--proxy-protocol", FLAG, to="http-enable-proxy-protocol",
        may_take=("off", "v1", "v2", "auto", "true", "false")),
    Row("proxy_allow_ips", "--proxy-allow-from", to=lambda moving, setting: moving.settings.on(
        "proxy_protocol") and put_each("proxy-allow-ips", split=",")(moving, setting)),
    Row("keyfile", "--keyfile", lack=TLS), Row("certfile", "--certfile", lack=TLS),
    Row("ssl_version", "--ssl-version", lack=TLS), Row("cert_reqs", "--cert-reqs", lack=TLS),
    Row("ca_certs", "--ca-certs", lack=TLS), Row("ciphers", "--ciphers", lack=TLS),
    Row("suppress_ragged_eofs", "--suppress-ragged-eofs", FLAG, to=None),
    Row("do_handshake_on_connect", "--do-handshake-on-connect", FLAG, to=None),
    Row("raw_paste_global_conf", "--paste-global", LIST,
        lack="PasteDeploy's global values stand in [DEFAULT] of its file"),
    Row("strip_header_spaces", "--strip-header-spaces", FLAG,
        lack="blanks around the names of headers are refused, with 400"),
    Row("permit_obsolete_folding", "--permit-obsolete-folding", FLAG,
        lack="headers that go on in the next line are refused, with 400"),
    Row("permit_unconventional_http_method", "--permit-unconventional-http-method", FLAG,
        to=nothing("any method is passed on")),
    Row("permit_unconventional_http_version", "--permit-unconventional-http-version", FLAG,
        lack="HTTP/1.0 and HTTP/1.1 are spoken"),
    Row("casefold_http_method", "--casefold-http-method", FLAG,
        lack="methods are passed on as they are written"),
    Row("forwarder_headers", "--forwarder-headers", lack="header names with _ are dropped"),
    Row("header_map", "--header-map", to=nothing("header names with _ are dropped")),
    Row("tolerate_dangerous_framing", "--tolerate-dangerous-framing", FLAG,
        lack="requests whose framing is ambiguous are refused, with 400"),
    # since gunicorn 24
    Row("protocol", "--protocol", to=protocol),
    Row("uwsgi_allow_ips", "--uwsgi-allow-from", to=uwsgi_peers),
    Row("enable_backlog_metric", "--enable-backlog-metric", FLAG,
        to=nothing("always so: socket.N.listen_queue is sent, and /metrics has it")),
    Row("root_path", "--root-path", lack="is ASGI's name for SCRIPT_NAME; of a WSGI application "
        "mount = /PATH=MODULE:NAME sets that"),
    Row("asgi_loop", "--asgi-loop", to=OF_ASGI), Row("asgi_lifespan", "--asgi-lifespan", to=OF_ASGI),
    # since 25
    Row("asgi_disconnect_grace_period", "--asgi-disconnect-grace-period", to=OF_ASGI),
    Row("control_socket", "--control-socket", lack="the page of inspect and uwsgi --status say what the "
        "server does"),
    Row("control_socket_disable", "--no-control-socket", FLAG, to=OF_CONTROL),
    Row("control_socket_mode", "--control-socket-mode", to=OF_CONTROL),
    Row("dirty_apps", "--dirty-app", LIST, lack="there are no dirty workers here; what they run is a "
        "daemon beside the server (attach-daemon) or a queue such as Celery"),
    Row("dirty_workers", "--dirty-workers", to=OF_DIRTY), Row("dirty_threads", "--dirty-threads", to=OF_DIRTY),
    Row("dirty_timeout", "--dirty-timeout", to=OF_DIRTY),
    Row("dirty_graceful_timeout", "--dirty-graceful-timeout", to=OF_DIRTY),
    Row("http_protocols", "--http-protocols", to=http_protocols),
    Row("http_parser", "--http-parser", to=nothing("there is one parser, in C")),
    *(Row(name, f"--{name.replace('_', '-')}", to=OF_HTTP2) for name in (
        "http2_max_concurrent_streams", "http2_initial_window_size", "http2_max_frame_size",
        "http2_max_header_list_size")),
    # since 26
    Row("http2_cleartext", "--http2-cleartext", to=http2_cleartext),
    # since 27
    Row("websocket_max_message_size", "--websocket-max-message-size", to=OF_ASGI),
    *(Row(name, to=hook(name)) for name in hooks.HOOKS),
    Row(ENVIRON, to=asked),
)
ONLY_ON_THE_LINE = (Row("config", "-c --config"),)
BY_NAME = {row.name: row for row in ROWS}
# Behind the source of a number that the file has counted.
COUNTED = " (cpu_count)"
# What gunicorn does where nothing is said, and this server would not.
DEFAULTS = {"workers": 1, "timeout": 30, "graceful_timeout": 30, "accesslog": None,
            "preload_app": False}


# ---- reading ----

class ConfFailed(Exception):
    """A sentence."""


def kill(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.communicate()


def read_conf(name, python):
    """Settings of a configuration file, which a child runs."""
    here = os.path.dirname(os.path.abspath(__file__))
    if not name.startswith("python:") and not os.path.exists(name):
        raise ConfFailed(f"there is no file {name}; --migrate has to run where the site does")
    with subprocess.Popen([python, os.path.join(here, "conf.py"), name],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          env=common.environ_here(), start_new_session=True) as child:
        try:
            answer, _ = child.communicate(timeout=CONF_SECONDS)
        except subprocess.TimeoutExpired:
            kill(child)
            raise ConfFailed(f"{name} has not ended after {CONF_SECONDS} s") from None
    if child.returncode:
        raise ConfFailed(f"{name} cannot be run; what Python says stands above. Its imports are looked for "
                         "in the environment whose gunicorn is named: uwsgi --migrate "
                         "venv/bin/gunicorn -c FILE")
    if not answer:
        raise ConfFailed(f"{name} ends the Python that runs it")
    said = json.loads(answer)
    shown = os.path.basename(name)
    found = Settings((key, Setting(value, describe(shown, key, value)))
                    for key, value in said["settings"].items() if key in BY_NAME and value is not None)
    if said["asked"]:
        found[ENVIRON] = Setting(said["asked"], f"{shown}: {ENVIRON}")
    if "workers" in found and counts_processors(name):
        found["workers"].source += COUNTED
    return found


def counts_processors(name):
    try:
        with open(name, encoding="utf-8") as f:
            return "cpu_count" in f.read()
    except OSError:
        return False


def describe(file, key, value):
    if isinstance(value, dict) and "function" in value:
        return f"{file}:{value['function']}: {key}()"
    if isinstance(value, (dict, list)) and len(str(value)) > 60:
        return f"{file}: {key}"
    return f"{file}: {key} = {value!r}"


def from_environment(environ):
    found = Settings()
    for name, variable in (("workers", "WEB_CONCURRENCY"), ("forwarded_allow_ips",
                                                            "FORWARDED_ALLOW_IPS")):
        if environ.get(variable):
            found[name] = Setting(environ[variable], f"{variable}={environ[variable]}")
    if environ.get("PORT"):
        found["bind"] = Setting([f"0.0.0.0:{environ['PORT']}"], f"PORT={environ['PORT']}")
    return found


def python_of(home):
    for folder in (home[0] if home else None, os.environ.get("VIRTUAL_ENV")):
        if folder and os.access(f"{folder}/bin/python", os.X_OK):
            return f"{folder}/bin/python"
    return sys.executable


def gather(args, conf, environ, home):
    """(Settings, operands, unknown flags, the file that was read or None) of all places, the later one
    counts."""
    flags = ROWS + ONLY_ON_THE_LINE
    by_environment, _, unknown = words.parse(flags, words.split(environ.get("GUNICORN_CMD_ARGS", "")),
                                             "GUNICORN_CMD_ARGS: ")
    by_line, operands, more = words.parse(flags, args, "gunicorn ")
    if not conf:
        name = by_line.text("config") or by_environment.text("config")
        conf = name.replace("file:", "", 1) if name and name.startswith("file:") else name
        if not conf and os.path.exists(CONF):
            conf = os.path.abspath(CONF)
    settings = from_environment(environ)
    if conf:
        settings.update(read_conf(conf, python_of(home)))
    settings.update(by_environment)
    settings.update(by_line)
    return settings, operands, unknown + more, conf


def written(settings, title, home):
    """The Moving with all but the application."""
    for name, value in DEFAULTS.items():
        settings.setdefault(name, Setting(value, f"gunicorn's default {name} = {value}"))
    settings.setdefault("bind", Setting(["127.0.0.1:8000"], "gunicorn's default bind"))
    if settings["accesslog"].value is not None:
        settings.setdefault("access_log_format", Setting(common.accesslog.COMBINED,
                                                         "gunicorn's default access_log_format"))
    moving = common.Moving(title, settings, home)
    common.home(moving)
    words.carry_over(ROWS, settings, moving)
    return moving


def passed_over(moving, read):
    """Whoever has a file in the folder of --chdir may take that for the one that counts."""
    other = os.path.join(moving.settings.text("chdir", "."), CONF)
    if not read and os.path.exists(other):
        moving.ini.lack(other, "is not read: gunicorn looks for it where it is started, and --chdir comes "
                        "later. If it is started there, run uwsgi --migrate there, too")


def move(args, title, conf=None, home=None, environ=None):
    """The Moving for a command line (without the word gunicorn), or for a file alone."""
    settings, operands, unknown, read = gather(args, conf, os.environ if environ is None else environ,
                                               home)
    if read and not conf:
        title += f" and {os.path.abspath(read)}"
    moving = written(settings, title, home)
    passed_over(moving, read)
    app = operands[0] if operands else settings.text("wsgi_app")
    if app:
        common.application(moving, app, f"gunicorn {app}" if operands else settings["wsgi_app"].source)
    elif "paste" not in settings:
        moving.ini.suggest("module", "myapp.wsgi:application", "the application", "gunicorn gets it on "
                           "its command line, which was not given here")
        moving.ini.lack("the application", "write module = …, as in gunicorn MODULE:NAME")
    common.unknown(moving, "gunicorn", unknown, "is no option of gunicorn")
    return moving
