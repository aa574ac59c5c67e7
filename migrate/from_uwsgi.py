# SPDX-License-Identifier: MIT
"""from_uwsgi.py: a uwsgi.ini, option by option: what this server makes of each line, by its own tables
(--help-json) and its own check of the file (--check=json), and the safer modern form.  The file stays
as it is but for comments; lines without an effect, and with an error, become comments."""
import json
import re
import subprocess

import common
from inifile import wrapped
from words import Settings

LINE = re.compile(r"\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*?))?\s*$")
ANYWHERE = r"(0\.0\.0\.0|\*|\[::\])?:\d+"
# Name: (the values that are meant, what is better).
MODERN = {
    "chmod-socket": (r"\d*[0-7][0-7][2367]", "every user of this machine may connect; 660 with "
                     "chown-socket = :www-data lets only the web server in"),
    "daemonize": (None, "systemd starts, watches and logs it with Type=notify and without this line "
                  "(ini/systemd/app.service)"),
    "daemonize2": (None, "systemd starts, watches and logs it with Type=notify and without this line "
                   "(ini/systemd/app.service)"),
    "lazy": (None, "lazy-apps is the name that is documented"),
    "lazy-apps": (r"true|1|yes|on|", "without it the application is imported once: less memory, and "
                  "reloads are sooner done; then connections that it opens while it is imported have "
                  "to be opened by uwsgi.post_fork_hook"),
    "socket": (ANYWHERE, "everybody who can reach this port may send packets; 127.0.0.1 or a UNIX "
               "socket keeps them out"),
    "uwsgi-socket": (ANYWHERE, "everybody who can reach this port may send packets; 127.0.0.1 or a "
                     "UNIX socket keeps them out"),
    "stats": (ANYWHERE, "everybody who can reach this port sees what requests say; 127.0.0.1 or a UNIX "
              "socket keeps them out"),
    "http": (None, "http-socket does without the router process; http is for thousands of idle "
             "clients without a web server before it"),
    "buffer-size": (r"[1-9]\d{0,4}", "64 KiB is the default here, so that the line can go"),
    "uid": (r"root|0", "an application that runs as root owns the machine"),
    "max-requests": (r"[1-9]\d*", "with max-requests-delta not all workers are replaced at once; "
                     "reload-on-rss replaces those that have grown, and no others"),
    "harakiri": (r"[1-9]\d\d\d+|[4-9]\d\d", "is longer than the web server waits (60 s with nginx), "
                 "whose log then says nothing of where it hangs"),
    "hook-master-start": (r"unix_signal:15 gracefully_kill_them_all", "TERM does this without it"),
    "touch-reload": (None, "uwsgi --reload PIDFILE waits for the outcome, and says why it fails"),
    "log-x-forwarded-for": (None, "any client may write that field; only behind a proxy that sets it "
                            "itself"),
    "py-autoreload": (r"[1-9]\d*", "for development only"),
    "disable-logging": (r"true|1|yes|on|", "log-5xx = true and log-slow = 1000 keep the requests that "
                        "one looks for"),
    "pidfile": (r"/tmp/.*", "every user of this machine may write there; /run/NAME/ of systemd's "
                "RuntimeDirectory= is the server's own"),
}
MISSING = (
    ("need-app", "true", "without it a server whose application cannot be imported starts, and answers "
     "500"),
    ("harakiri", "55", "without it a request may run for ever; a little less than the web server waits"),
)


class Tables:
    """What the server says of its options."""

    def __init__(self, server):
        said = json.loads(subprocess.run([server, "--help-json"], stdout=subprocess.PIPE, check=True,
                                         timeout=30).stdout)
        self.differs, self.name, self.always = {}, {}, {}
        for module in said["modules"]:
            for option in module["options"]:
                for name in (option["name"], *option["also"]):
                    self.name[name] = option["name"]
                self.differs[option["name"]] = option["uwsgi"]
        for subject in said["subjects"]:
            if subject["status"] == "always":
                for option in subject["options"]:
                    self.always[option["name"]] = subject["text"]


def findings(server, path):
    """{line: [(severity, message)]} of the server's check of the file."""
    found = {}
    for each in common.diagnostics(server, path) or ():
        if each.get("file") == path and each.get("line"):
            found.setdefault(each["line"], []).append((each["severity"], each["message"]))
    return found


class Walk:
    def __init__(self, tables, found, ini):
        self.tables, self.found, self.ini = tables, found, ini
        self.out, self.said, self.inside, self.at = [], set(), False, 0
        self.set, self.named, self.last = set(), set(), 0

    def line(self, number, line):
        section = re.match(r"\s*\[([^\]:]*)", line)
        if section:
            self.inside = section[1].strip() == "uwsgi"
        match = LINE.match(line)
        if not self.inside or section or not match or line.lstrip()[:1] in "#;":
            self.out.append(line)
            return
        self.option(number, line, match[1], re.split(r"\s[#;]", match[2] or "")[0].strip())
        self.last = len(self.out)

    def option(self, number, line, given, value):
        name = self.tables.name.get(given, given)
        problems = self.found.get(number, [])
        self.set.add(name)
        if name in ("ini", "inherit", "json"):
            self.ini.lack(f"line {number}, {line.strip()}", "is a file of its own: uwsgi --migrate FILE")
        if name not in self.named and re.search(r"(?<!%)%[dnpsof]", value):
            self.named.add(name)
            self.ini.lack(f"line {number}, {line.strip()}", "is seen from the file's folder and name: keep "
                          "both")
        for severity, message in problems:
            self.out.extend(wrapped(f"{severity}: {message}"))
        if given in self.tables.always:
            self.out.extend(wrapped(f"has no effect, and can go: {self.tables.always[given]}"))
            self.out.append(f";{line.strip()}")
            return
        # An unknown name may be one that the application asks for (uwsgi.opt).
        if any(s == "error" or "ignored" in m and not m.startswith("unknown") for s, m in problems):
            self.ini.lack(f"line {number}, {line.strip()}", "; ".join(m for _, m in problems))
            self.out.append(f";{line.strip()}")
            return
        if self.tables.differs.get(name) and name not in self.said:
            self.said.add(name)
            self.out.extend(wrapped(f"otherwise in uWSGI: {self.tables.differs[name]}"))
        pattern, better = MODERN.get(given) or MODERN.get(name) or (None, None)
        if better and (pattern is None or re.fullmatch(pattern, value, re.I)):
            self.out.extend(wrapped(f"better: {better}"))
        self.out.append(line)

    def missing(self):
        """Behind the last line of [uwsgi]."""
        more = []
        for name, value, why in MISSING:
            if name not in self.set:
                more.extend([*wrapped(f"better: {why}"), f";{name} = {value}"])
        if more:
            self.out[self.last:self.last] = ["", *more]


class Commented:
    """Prints itself as an Ini does."""

    def __init__(self, title, lines, ini):
        self.title, self.lines, self.ini = title, lines, ini

    def text(self):
        lacking = self.ini.lacking()
        return "\n".join([*wrapped(self.title), *self.lines, *([""] if lacking else []), *lacking]) + "\n"


def move(path, text, title, server):
    moving = common.Moving(title, Settings())
    walk = Walk(Tables(server), findings(server, path), moving.ini)
    for number, line in enumerate(text.splitlines(), 1):
        walk.line(number, line)
    walk.missing()
    moving.ini, moving.instead_of = Commented(title, walk.out, moving.ini), path
    return moving
