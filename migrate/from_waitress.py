# SPDX-License-Identifier: MIT
"""from_waitress.py: waitress (docs.pylonsproject.org/projects/waitress, "Arguments"), by its command line
or as the server of a file of PasteDeploy, which `pserve` and `gunicorn --paste` read, too."""
import os
import re

import common
import from_gunicorn
import words
from common import nothing, put
from inifile import escape, parsed
from words import FLAG, LIST, Misread, Row, Setting, Settings


def listen(moving, setting):
    for each in " ".join(setting.each).split():
        moving.ini.set("http-socket", each.lstrip("*"), setting.source)


def unix(moving, setting):
    moving.ini.set("http-socket", escape(setting.text), setting.source)
    moving.ini.set("chmod-socket", moving.settings.text("unix_socket_perms", "600"), setting.source)


def host(moving, setting):
    if "listen" not in moving.settings and "unix_socket" not in moving.settings:
        given = moving.settings
        moving.ini.set("http-socket", f"{given.text('host', '0.0.0.0')}:{given.text('port', '8080')}",
                       setting.source)


ROWS = (
    Row("listen", "--listen", LIST, to=listen),
    Row("host", "--host"), Row("port", "--port", to=host),
    Row("unix_socket", "--unix-socket", to=unix),
    Row("unix_socket_perms", "--unix-socket-perms"),
    Row("threads", "--threads", to="threads"),
    Row("backlog", "--backlog", to="listen"),
    Row("connection_limit", "--connection-limit", to="max-connections"),
    Row("channel_timeout", "--channel-timeout", to=put("http-keepalive")),
    Row("max_request_header_size", "--max-request-header-size", to=put("buffer-size")),
    Row("max_request_body_size", "--max-request-body-size", to=put("limit-post")),
    Row("trusted_proxy", "--trusted-proxy", to=put("forwarded-allow-ips")),
    Row("url_scheme", "--url-scheme", lack="nginx says it: proxy_set_header X-Forwarded-Proto $scheme"),
    Row("url_prefix", "--url-prefix", lack="write mount = PREFIX=MODULE:NAME and manage-script-name = "
        "true in place of module"),
    Row("ident", "--ident", to=nothing("no header Server is sent")),
    Row("call", "--call", FLAG, to=common.FACTORY),
    *(Row(name, "--" + name.replace("_", "-"), to=nothing("has no counterpart, and needs none"))
      for name in ("trusted_proxy_count", "trusted_proxy_headers", "log_untrusted_proxy_headers",
                   "clear_untrusted_proxy_headers", "cleanup_interval", "channel_request_lookahead",
                   "log_socket_errors", "expose_tracebacks", "asyncore_loop_timeout",
                   "asyncore_use_poll", "send_bytes", "recv_bytes", "outbuf_overflow",
                   "inbuf_overflow", "outbuf_high_watermark", "server_name", "ipv4", "ipv6")),
)


def begin(settings, title, home):
    settings.setdefault("threads", Setting("4", "waitress' default threads = 4"))
    settings.setdefault("port", Setting("8080", "waitress' default port = 8080"))
    moving = common.Moving(title, settings, home)
    common.home(moving)
    words.carry_over(ROWS, settings, moving)
    return moving


def move(args, title, home=None):
    """waitress-serve --listen=*:8080 module:app"""
    settings, operands, unknown = words.parse(ROWS, args, "waitress-serve ")
    moving = begin(settings, title, home)
    if operands:
        common.application(moving, operands[0] + ("()" if "call" in settings else ""),
                           f"waitress-serve {operands[0]}", "app")
    else:
        moving.ini.lack("the application", "none is named")
    common.unknown(moving, "waitress-serve", unknown)
    return moving


# ---- a file of PasteDeploy ----

def is_paste(text):
    return re.search(r"^\s*\[(app|composite|pipeline):main\]", text, re.M) or re.search(
        r"^\s*\[server:", text, re.M) and re.search(r"^\s*\[(app|composite|pipeline)[:\]]", text, re.M)


def begin_paste(server, place, title, home):
    """The Moving with what [server:...] says."""
    gunicorn = "gunicorn" in server.pop("use", "egg:waitress#main")
    known = from_gunicorn.BY_NAME if gunicorn else {row.name: row for row in ROWS}
    settings = Settings((k, Setting(v, f"{place} {k} = {v}")) for k, v in server.items() if k in known)
    if gunicorn and ("host" in server or "port" in server):
        settings.setdefault("bind", Setting(
            f"{server.get('host', '')}:{server.get('port', '8000')}", f"{place} host, port"))
    moving = (from_gunicorn.written if gunicorn else begin)(settings, title, home)
    for key in server:
        if key not in known and key not in ("host", "port", "paste.server_factory"):
            moving.ini.lack(f"{place} {key} = {server[key]}", "is not known here")
    return moving


def paste(path, text, title, wanted=None, home=None):
    parser = parsed(text)
    section = f"server:{wanted or 'main'}"
    lacks = section not in parser
    if lacks and (wanted or re.search(r"^\s*\[server:", text, re.M)):
        raise Misread(f"there is no [{section}] in {path}")
    server = {} if lacks else {k: v for k, v in parser[section].items() if k not in parser.defaults()}
    name = os.path.abspath(path)
    moving = begin_paste(server, f"[{section}]", title, home)
    if lacks:
        moving.ini.lack(f"no [{section}]", "these are waitress' defaults")
    if "uwsgi" in parser:
        moving.ini.lack("[uwsgi]", f"was uWSGI's part of this file: uwsgi --ini-paste {name} reads it as "
                        "it is, in place of the lines above")
    moving.ini.set("ini-paste-logged" if "loggers" in parser else "ini-paste", escape(name),
                   os.path.basename(path), "the application and its loggers" if "loggers" in parser
                   else "the application")
    moving.ini.set("chdir", escape(os.path.dirname(name)), os.path.basename(path),
                   "relative paths of the file are seen from here")
    return moving


def move_pserve(args, title, home=None):
    """pserve production.ini"""
    files = [a for a in args if not a.startswith("-")]
    if not files or not os.path.exists(files[0]):
        raise Misread(f"there is no file {files[0] if files else ''}")
    with open(files[0], encoding="utf-8") as f:
        return paste(files[0], f.read(), title, home=home)
