# SPDX-License-Identifier: MIT
"""from_uvicorn.py: command lines of uvicorn (www.uvicorn.org/settings) and hypercorn.  What they run is ASGI
mostly, which is not spoken here; both run WSGI applications, too."""
import common
import from_gunicorn
import words
from common import TLS, nothing, number, put
from words import FLAG, LIST, Row, Setting

NO_ASGI = ("this server runs WSGI applications, and this one is ASGI's, unless it is said otherwise. "
           "a2wsgi.ASGIMiddleware(app) makes a WSGI application of one that needs no WebSockets and "
           "no lifespan; Django has both (get_wsgi_application). Any other stays where it is, behind "
           "the same nginx")
LOOP = nothing("there is no event loop to choose")


def access(moving, setting):
    if setting.source.endswith("--no-access-log"):
        moving.ini.set("disable-logging", "true", setting.source)


def root_path(moving, setting):
    moving.ini.lack(setting.source, f"write mount = {setting.text}=MODULE:NAME and manage-script-name "
                    "= true in place of module, where the proxy passes the prefix on")


def headers(moving, setting):
    for value in setting.value:
        name, _, text = value.partition(":")
        moving.ini.set("add-header", common.escape(f"{name}: {text.strip()}"), setting.source)


UVICORN = (
    Row("app_dir", "--app-dir", to=put("pythonpath")),
    Row("host", "--host"), Row("port", "--port"), Row("uds", "--uds"), Row("fd", "--fd"),
    Row("backlog", "--backlog", to="listen"),
    Row("workers", "--workers", to="processes"),
    Row("reload", "--reload", FLAG, to=common.autoreload),
    *(Row(name, flag, LIST, to=nothing("py-autoreload looks at the files of the imported modules"))
      for name, flag in (("reload_dir", "--reload-dir"), ("reload_include", "--reload-include"),
                         ("reload_exclude", "--reload-exclude"))),
    Row("reload_delay", "--reload-delay", to=nothing("py-autoreload has the seconds")),
    Row("env_file", "--env-file", lack="EnvironmentFile= of the systemd unit reads such a file"),
    Row("interface", "--interface"),
    Row("factory", "--factory", FLAG, to=common.FACTORY),
    Row("access_log", "--access-log --no-access-log", FLAG, to=access),
    Row("log_level", "--log-level", to=nothing("the server's lines have no levels to choose")),
    Row("log_config", "--log-config", lack="configures uvicorn's own loggers; for those of the "
        "application call logging.config.dictConfig() in it"),
    Row("use_colors", "--use-colors --no-use-colors", FLAG, to=nothing("the log has no colours")),
    Row("proxy_headers", "--proxy-headers --no-proxy-headers", FLAG,
        to=nothing("those in forwarded-allow-ips are believed; REMOTE_ADDR stays the peer's")),
    Row("forwarded_allow_ips", "--forwarded-allow-ips", to=put("forwarded-allow-ips")),
    Row("server_header", "--server-header --no-server-header", FLAG, to=nothing("none is sent")),
    Row("date_header", "--date-header --no-date-header", FLAG, to=nothing("Date is always sent")),
    Row("header", "--header", LIST, to=headers),
    Row("root_path", "--root-path", to=root_path),
    Row("limit_concurrency", "--limit-concurrency", lack="queue-timeout answers 503 where requests "
        "wait too long, by time and not by number"),
    Row("limit_max_requests", "--limit-max-requests", to=number("max-requests")),
    Row("limit_max_requests_jitter", "--limit-max-requests-jitter",
        to=common.jitter("limit_max_requests_jitter", "workers")),
    Row("timeout_keep_alive", "--timeout-keep-alive", to=put("http-keepalive")),
    Row("timeout_graceful_shutdown", "--timeout-graceful-shutdown", to=common.graceful),
    Row("timeout_worker_healthcheck", "--timeout-worker-healthcheck",
        to=nothing("a worker that hangs is found by harakiri")),
    Row("h11_max_incomplete_event_size", "--h11-max-incomplete-event-size", to=put("buffer-size")),
    *(Row(name, "--" + name, to=LOOP) for name in ("loop", "http", "lifespan")),
    *(Row(name, "--" + name, lack="WebSockets are not spoken here") for name in (
        "ws", "ws-max-size", "ws-max-queue", "ws-ping-interval", "ws-ping-timeout",
        "ws-per-message-deflate")),
    *(Row(name, "--" + name, lack=TLS) for name in (
        "ssl-keyfile", "ssl-certfile", "ssl-keyfile-password", "ssl-version", "ssl-cert-reqs",
        "ssl-ca-certs", "ssl-ciphers")),
)


def only_wsgi(moving, app, source, wsgi):
    if not wsgi:
        moving.ini.lack(source, NO_ASGI)
    if app:
        common.application(moving, app, source, "app")
    else:
        moving.ini.lack("the application", "none is named")


def move_uvicorn(args, title, home=None):
    settings, operands, unknown = words.parse(UVICORN, args, "uvicorn ")
    moving = common.Moving(title, settings, home)
    common.home(moving)
    default = [Setting(None, "uvicorn's default")]
    if "uds" in settings:
        common.listen(moving, "unix:" + settings.text("uds"), settings["uds"].source)
    elif "fd" in settings:
        common.listen(moving, "fd://", settings["fd"].source)
    else:
        given = [settings[n] for n in ("host", "port") if n in settings] or default
        host, port = settings.text("host", "127.0.0.1"), settings.text("port", "8000")
        common.listen(moving, f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
                      ", ".join(s.source for s in given))
    words.carry_over(UVICORN, settings, moving)
    app = operands[0] if operands else None
    if app and settings.on("factory"):
        app += ("" if ":" in app else ":app") + "()"
    only_wsgi(moving, app, f"uvicorn {operands[0] if operands else ''}",
              settings.text("interface") == "wsgi")
    common.unknown(moving, "uvicorn", unknown)
    return moving


# ---- hypercorn: gunicorn's names, some of its own ----

HYPERCORN_FLAGS = {
    "bind": "-b --bind", "backlog": "--backlog", "workers": "-w --workers",
    "graceful_timeout": "--graceful-timeout", "umask": "-m --umask", "user": "-u --user",
    "group": "-g --group", "pidfile": "-p --pid", "accesslog": "--access-logfile",
    "access_log_format": "--access-logformat", "errorlog": "--error-logfile --log-file",
    "loglevel": "--log-level", "statsd_host": "--statsd-host", "statsd_prefix": "--statsd-prefix",
    "max_requests": "--max-requests", "max_requests_jitter": "--max-requests-jitter",
    "keyfile": "--keyfile", "certfile": "--certfile", "ca_certs": "--ca-certs",
    "ciphers": "--ciphers", "logconfig": "--log-config",
}
HYPERCORN = (
    *(Row(name, flags, from_gunicorn.BY_NAME[name].kind, from_gunicorn.BY_NAME[name].to,
          from_gunicorn.BY_NAME[name].lack) for name, flags in HYPERCORN_FLAGS.items()),
    Row("keep_alive", "--keep-alive", to=put("http-keepalive")),
    Row("reload", "--reload", FLAG, to=common.autoreload),
    Row("root_path", "--root-path", to=root_path),
    Row("config", "-c --config", lack="hypercorn's file is not read here; write its values as "
        "options"),
    Row("worker_class", "-k --worker-class", to=LOOP),
    *(Row(name, "--" + name, lack=TLS) for name in ("insecure-bind", "quic-bind",
                                                    "keyfile-password", "verify-mode")),
    *(Row(name, "--" + name, to=nothing("has no counterpart, and needs none")) for name in (
        "server-name", "debug", "verify-flags", "websocket-ping-interval", "read-timeout")),
)


def move_hypercorn(args, title, home=None):
    settings, operands, unknown = words.parse(HYPERCORN, args, "hypercorn ")
    settings.setdefault("bind", Setting(["127.0.0.1:8000"], "hypercorn's default bind"))
    settings.setdefault("accesslog", Setting(None, "hypercorn's default: no access log"))
    moving = common.Moving(title, settings, home)
    common.home(moving)
    words.carry_over(HYPERCORN, settings, moving)
    app = operands[0] if operands else None
    kind, _, rest = (app or "").partition(":")
    if app and kind in ("wsgi", "asgi") and ":" in rest:
        app = rest
    only_wsgi(moving, app, f"hypercorn {operands[0] if operands else ''}", kind == "wsgi")
    common.unknown(moving, "hypercorn", unknown)
    return moving
