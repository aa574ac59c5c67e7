# SPDX-License-Identifier: MIT
"""from_unit.py: NGINX Unit's JSON (unit.nginx.org/configuration): one application of it and what leads
there, as its listeners and routes say."""
import re

import common
from inifile import escape
from words import Misread, Settings, listed

UNLIMITED = "Unit's default: a body may have 8 MiB"
HTTP = {"header_read_timeout": "http-headers-timeout", "body_read_timeout": "http-timeout",
        "send_timeout": "so-send-timeout", "idle_timeout": "http-keepalive",
        "max_body_size": "limit-post"}


class Unit:
    def __init__(self, tree, title):
        self.tree = tree
        self.moving = common.Moving(title, Settings())
        self.ini = self.moving.ini

    # ---- which application ----

    def choose(self, wanted):
        applications = self.tree.get("applications") or {}
        python = [n for n, a in applications.items() if str(a.get("type", "")).startswith("python")]
        for name in sorted(set(applications) - set(python)):
            self.ini.lack(f"applications/{name}", f"is of the type {applications[name].get('type')}; "
                          "only Python is run here")
        if wanted and wanted not in python:
            raise Misread(f"there is no Python application {wanted}; there are: {', '.join(python)}")
        if not python:
            raise Misread("there is no application of the type python")
        name = wanted or python[0]
        for other in python:
            if other != name:
                self.ini.lack(f"applications/{other}", "is a server of its own: uwsgi --migrate FILE "
                              f"{other}")
        return name, applications[name]

    # ---- listeners, routes ----

    def leads_to(self, target, name, past=()):
        """Whether requests that are passed there come to this application; past: the routes on the
        way, as these may lead back."""
        kind, _, rest = str(target).partition("/")
        if kind == "applications":
            return rest.split("/")[0] == name
        return kind == "routes" and rest not in past and any(
            self.step(step, name, (*past, rest)) for step in self.steps(rest))

    def steps(self, name):
        routes = self.tree.get("routes") or []
        steps = routes.get(name) if isinstance(routes, dict) and name else routes
        return steps if isinstance(steps, list) else []

    def step(self, step, name, past):
        action = step.get("action") or {}
        fallback = action.get("fallback") or {}
        return any(self.leads_to(each.get("pass", ""), name, past) for each in (action, fallback))

    def listeners(self, name):
        for address, listener in (self.tree.get("listeners") or {}).items():
            source = f"listeners/{address}"
            if not self.leads_to(listener.get("pass", ""), name):
                self.ini.lack(source, f"does not lead to {name}, and is not opened here")
                continue
            if address.startswith("unix:"):
                self.ini.set("http-socket", escape(address[len("unix:"):]), source)
            else:
                self.ini.set("http-socket", address.lstrip("*"), source)
            if "tls" in listener:
                self.ini.lack(f"{source}/tls", common.TLS)
            if "forwarded" in listener:
                self.forwarded(listener["forwarded"], f"{source}/forwarded")
            kind, _, rest = listener.get("pass", "").partition("/")
            if kind == "routes":
                self.routes(rest, name)

    def forwarded(self, forwarded, source):
        self.ini.set("forwarded-allow-ips", ", ".join(listed(forwarded.get("source") or [])), source)
        if "client_ip" in forwarded:
            self.ini.lack(f"{source}/client_ip", "REMOTE_ADDR stays the proxy's address; "
                          "log-x-forwarded-for shows the client's in the log")

    def routes(self, route, name):
        for at, step in enumerate(self.steps(route)):
            source = f"routes/{route + '/' if route else ''}{at}"
            action, match = step.get("action") or {}, step.get("match") or {}
            shares = action.get("share")
            if shares:
                for share in listed(shares):
                    self.share(share, match, source)
                self.odd(action, {"share", "fallback", "pass", "index"}, f"{source}/action")
                if "index" in action:
                    self.ini.set("static-index", escape(action["index"]), f"{source}/action/index")
            elif not self.leads_to(action.get("pass", ""), name) or match:
                self.ini.lack(source, "this step has to be written as a route (docs/routes.md), or in "
                              "the web server before it")

    def share(self, share, match, source):
        """/www/static$uri below /static/* is the folder that the whole path is looked for in."""
        root = next((share[:-len(end)] for end in ("$uri", "${uri}") if share.endswith(end)), None)
        for uri in listed(match.get("uri") or "/*"):
            prefix = re.fullmatch(r"(/[^*!~]*?)/?\*?", uri)
            if root is None or set(match) - {"uri"} or not prefix:
                self.ini.lack(source, f"{share} for {match or 'all'} has to be written as a route "
                              "(docs/routes.md)")
            elif prefix[1] in ("", "/"):
                self.ini.set("check-static", escape(root or "/"), source, "files first, then the "
                             "application")
            else:
                self.ini.set("static-map", escape(f"{prefix[1]}={root}{prefix[1]}"), source)

    # ---- the application ----

    def odd(self, had, known, source):
        for key in had:
            if key not in known:
                self.ini.lack(f"{source}/{key}", "is not known here")

    def application(self, name, app):
        source, ini = f"applications/{name}", self.ini
        for key, option in (("working_directory", "chdir"), ("home", "home"), ("user", "uid"),
                            ("group", "gid"), ("threads", "threads")):
            if key in app:
                ini.set(option, escape(str(app[key])), f"{source}/{key}")
        for path in listed(app.get("path", [])):
            ini.set("pythonpath", escape(path), f"{source}/path")
        self.processes(app.get("processes", 1), f"{source}/processes")
        for key, value in (app.get("environment") or {}).items():
            ini.set("env", escape(f"{key}={value}"), f"{source}/environment")
        self.limits(app.get("limits") or {}, f"{source}/limits")
        self.callables(app, source)
        if app.get("protocol") == "asgi":
            ini.lack(f"{source}/protocol", "ASGI is not spoken here; a2wsgi.ASGIMiddleware(app) makes "
                     "a WSGI application of one that needs no WebSockets and no lifespan")
        for key in ("stdout", "stderr"):
            if key in app:
                ini.set("logto", escape(app[key]), f"{source}/{key}")
                break
        if "isolation" in app:
            ini.lack(f"{source}/isolation", "systemd's unit isolates (PrivateTmp=, ProtectSystem= …)")
        self.odd(app, {"type", "working_directory", "home", "user", "group", "threads", "path",
                       "processes", "environment", "limits", "module", "callable", "protocol",
                       "stdout", "stderr", "isolation", "prefix", "targets", "factory"}, source)

    def callables(self, app, source):
        targets = app.get("targets") or {"": app}
        factory = "()" if app.get("factory") else ""
        for target, each in targets.items():
            name = f"{each.get('module', 'wsgi')}:{each.get('callable', 'application')}{factory}"
            where = f"{source}/targets/{target}" if target else f"{source}/module"
            prefix = each.get("prefix", app.get("prefix", ""))
            if prefix:
                self.ini.set("mount", escape(f"{prefix}={name}"), where)
                if "manage-script-name" not in self.ini.names:
                    self.ini.set("manage-script-name", "true", where)
            elif "module" not in self.ini.names:
                self.ini.set("module", escape(name), where)
            else:
                self.ini.lack(where, "one application is mounted nowhere; write mount = /path="
                              f"{name}")

    def processes(self, processes, source):
        if not isinstance(processes, dict):
            self.ini.set("processes", processes, source)
            return
        most, spare = processes.get("max", 1), processes.get("spare", 0)
        self.ini.set("processes", most, f"{source}/max")
        if most > 1 and spare < most:
            self.ini.set("cheaper", max(1, spare), f"{source}/spare", "at least so many run; one at "
                         "least" if spare < 1 else "at least so many run")
            self.ini.set("cheaper-idle", processes.get("idle_timeout", 15), f"{source}/idle_timeout")

    def limits(self, limits, source):
        if limits.get("timeout"):
            self.ini.set("harakiri", limits["timeout"], f"{source}/timeout", "the client gets 504")
        if limits.get("requests"):
            self.ini.set("max-requests", limits["requests"], f"{source}/requests")

    # ---- all of it ----

    def settings(self):
        http = ((self.tree.get("settings") or {}).get("http")) or {}
        if "max_body_size" not in http:
            self.ini.set("limit-post", "8m", UNLIMITED)
        for key, value in http.items():
            if key in HTTP:
                self.ini.set(HTTP[key], value, f"settings/http/{key}")
            elif key != "static":
                self.ini.lack(f"settings/http/{key}", "is not known here")
        log = self.tree.get("access_log")
        if not log:
            self.ini.set("disable-logging", "true", "no access_log")
        elif isinstance(log, dict):
            self.ini.set("req-logger", f"file:{escape(log.get('path', ''))}", "access_log/path")
            if "format" in log:
                self.ini.lack("access_log/format", "write log-format (docs/logging.md)")
        else:
            self.ini.set("req-logger", f"file:{escape(log)}", "access_log")
        for key in ("upstreams", "certificates", "js_modules"):
            if self.tree.get(key):
                self.ini.lack(key, "is the web server's before this one")

    def move(self, wanted):
        name, app = self.choose(wanted)
        self.listeners(name)
        if "http-socket" not in self.ini.names:
            self.ini.lack("listeners", f"none leads to {name}; write http-socket = …")
        self.application(name, app)
        self.settings()
        return self.moving


def move(tree, title, wanted=None):
    """tree: the whole configuration, or what the control API's /config gives."""
    try:
        return Unit(tree.get("config", tree), title).move(wanted)
    except (AttributeError, TypeError) as e:
        raise Misread(f"this is not as NGINX Unit has it: {e}") from None
