# SPDX-License-Identifier: MIT
"""from_mod_wsgi.py: arguments of `mod_wsgi-express start-server` (modwsgi.readthedocs.io)."""
import os

import common
import words
from common import TLS, nothing, number, put, put_each
from words import FLAG, LIST, Row, Setting

APACHE = "is Apache's; it stays there where Apache stays before the server"


def setenv(moving, setting):
    for name, value in setting.value:
        moving.ini.set("env", common.escape(f"{name}={value}"), setting.source)


def aliases(moving, setting):
    for prefix, path in setting.value:
        moving.ini.set("static-map", common.escape(f"{prefix}={path}"), setting.source)


def compress(moving, setting):
    moving.ini.set("http-auto-gzip", "true", setting.source)


def mount(moving, setting):
    if setting.text != "/":
        moving.ini.set("manage-script-name", "true", setting.source)


ROWS = (
    Row("host", "--host"), Row("port", "--port"),
    Row("working_directory", "--working-directory", to=put("chdir")),
    Row("processes", "--processes", to="processes"),
    Row("threads", "--threads", to="threads"),
    Row("user", "--user", to=common.owner("uid")), Row("group", "--group", to=common.owner("gid")),
    Row("umask", "--umask", to=common.umask),
    Row("python_path", "--python-path", LIST, to=put_each("pythonpath")),
    Row("document_root", "--document-root", to=put("check-static", "files first, then the application")),
    Row("directory_index", "--directory-index", to=put("static-index")),
    Row("url_alias", "--url-alias", LIST, to=aliases, takes=2),
    Row("setenv", "--setenv", LIST, to=setenv, takes=2),
    Row("passenv", "--passenv", LIST, to=nothing("the whole environment is passed on")),
    Row("request_timeout", "--request-timeout", to=number("harakiri", "each request has its own time; "
        "mod_wsgi averaged over a process's threads")),
    Row("graceful_timeout", "--graceful-timeout", to=number("worker-reload-mercy")),
    Row("shutdown_timeout", "--shutdown-timeout", to=number("reload-mercy")),
    Row("startup_timeout", "--startup-timeout", to=number("reload-timeout")),
    Row("queue_timeout", "--queue-timeout", to=number("queue-timeout")),
    Row("socket_timeout", "--socket-timeout", to=number("http-timeout")),
    Row("keep_alive_timeout", "--keep-alive-timeout", to=put("http-keepalive")),
    Row("maximum_requests", "--maximum-requests", to=number("max-requests")),
    Row("restart_interval", "--restart-interval", to=number("max-worker-lifetime")),
    Row("limit_request_body", "--limit-request-body", to=put("limit-post")),
    Row("listener_backlog", "--listener-backlog", to="listen"),
    Row("reload_on_changes", "--reload-on-changes", FLAG, to=common.autoreload),
    Row("access_log", "--access-log", FLAG, to=nothing("requests are logged")),
    Row("log_to_terminal", "--log-to-terminal", FLAG, to=nothing("standard error, as here")),
    Row("log_level", "--log-level", to=nothing("the server's lines have no levels to choose")),
    Row("rotate_logs", "--rotate-logs", FLAG, lack="log-maxsize, or logrotate (docs/logging.md)"),
    Row("error_log_format", "--error-log-format", lack="log-encoder (docs/logging.md)"),
    Row("access_log_format", "--access-log-format", lack="log-format (docs/logging.md)"),
    Row("compress_responses", "--compress-responses", FLAG, to=compress),
    Row("mount_point", "--mount-point", to=mount),
    Row("application_type", "--application-type"), Row("callable_object", "--callable-object"),
    Row("trust_proxy", "--trust-proxy", LIST, to=put_each("forwarded-allow-ips")),
    Row("trust_proxy_header", "--trust-proxy-header", LIST,
        to=nothing("X-Forwarded-Proto and X-Forwarded-SSL are the ones")),
    Row("proxy_mount_point", "--proxy-mount-point", LIST, takes=2, lack="a route with http: "
        "(docs/routes.md), or the web server before it"),
    Row("entry_point", "--entry-point"),
    Row("locale", "--locale --lang", to=lambda moving, setting: moving.ini.set(
        "env", f"LC_ALL={setting.text}", setting.source)),
    Row("pid_file", "--pid-file", to=put("pidfile")),
    Row("log_directory", "--log-directory", lack="logto = FILE; without it standard error"),
    Row("server_root", "--server-root", to=nothing("no files are generated")),
    *(Row(name, "--" + name, FLAG, lack=TLS) for name in ("https-only", "hsts-policy")),
    *(Row(name, "--" + name, lack=TLS) for name in (
        "https-port", "ssl-certificate", "ssl-certificate-file", "ssl-certificate-key-file",
        "ssl-ca-certificate-file")),
    *(Row(name, "--" + name, LIST, lack=APACHE) for name in (
        "include-file", "server-name", "server-alias", "allow-localhost", "auth-user-script",
        "with-php5", "modules-directory", "http2")),
    *(Row(name, "--" + name, lack="the number of processes follows the load with cheaper "
          "(docs/scaling.md)") for name in ("max-clients", "initial-workers",
                                            "minimum-spare-workers", "maximum-spare-workers")),
)
DEFAULTS = {"threads": 5, "request_timeout": 60, "limit_request_body": 10485760}


def application(moving, operands):
    settings, ini = moving.settings, moving.ini
    kind, name = settings.text("application_type", "script"), settings.text("callable_object",
                                                                            "application")
    entry = operands[0] if operands else settings.text("entry_point")
    source = f"mod_wsgi-express {entry}"
    if not entry:
        ini.lack("the application", "none is named")
    elif kind == "module":
        common.application(moving, entry, source, name)
    elif kind == "paste":
        ini.set("paste", common.escape(f"config:{os.path.abspath(entry)}"), source)
    elif kind == "static":
        ini.lack(source, "an application is always there; nginx serves files alone")
    elif settings.text("mount_point", "/") != "/":
        ini.set("mount", common.escape(f"{settings.text('mount_point')}={os.path.abspath(entry)}"),
                source)
    else:
        ini.set("wsgi-file", common.escape(entry), source)
        if name != "application":
            ini.set("callable", name, settings["callable_object"].source)


def move(args, title, home=None):
    if args and args[0] in ("start-server", "setup-server"):
        args = args[1:]
    settings, operands, unknown = words.parse(ROWS, args, "mod_wsgi-express ")
    for name, value in DEFAULTS.items():
        settings.setdefault(name, Setting(value, f"mod_wsgi-express' default --{name.replace('_', '-')}"))
    if not settings.on("access_log"):
        settings["no_access_log"] = Setting(True, "without --access-log")
    moving = common.Moving(title, settings, home)
    common.home(moving)
    given = [settings[n].source for n in ("host", "port") if n in settings]
    moving.ini.set("http-socket", f"{settings.text('host', '')}:"
                   f"{settings.text('port', '8000')}",
                   ", ".join(given) or "mod_wsgi-express' default: port 8000 of all addresses")
    words.carry_over(ROWS, settings, moving)
    if "no_access_log" in settings:
        moving.ini.set("disable-logging", "true", settings["no_access_log"].source)
    application(moving, operands)
    common.unknown(moving, "mod_wsgi-express", unknown)
    return moving
