# SPDX-License-Identifier: MIT
"""from_uwsgi.py: a uwsgi.ini, option by option: what this server makes of each line, by its own tables
(--help-json) and its own check of the file (--check=json), and the safer modern form.  The file stays
as it is but for comments; lines without an effect, and with an error, become comments.  A command line
of uWSGI, and its XML and YAML, become such a file first."""
import json
import os
import re
import subprocess
import xml.etree.ElementTree

import common
from inifile import escape, wrapped
from words import Misread, Settings

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
                  "to be opened by a function with @postfork of uwsgidecorators"),
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
# Errors of this machine, which may not be the one that serves: without its uid, a server would run as root.
HERE = r"there is no (user|group) |No such file or directory|Permission denied"
MISSING = (
    ("need-app", "true", "without it a server whose application cannot be imported starts, and answers "
     "500"),
    ("harakiri", "55", "without it a request may run for ever; a little less than the web server waits"),
)


class Tables:
    """What the server says of its options."""

    def __init__(self):
        said = json.loads(subprocess.run([common.asking(), "--help-json"], stdout=subprocess.PIPE,
                                         check=True, timeout=30).stdout)
        self.differs, self.name, self.always, self.takes = {}, {}, {}, {}
        for module in said["modules"]:
            for option in module["options"]:
                self.know(option, *option["also"])
                self.differs[option["name"]] = option["uwsgi"]
        for subject in said["subjects"]:
            for option in subject["options"]:
                self.know(option)
                if subject["status"] == "always":
                    self.always[option["name"]] = subject["text"]

    def know(self, option, *also):
        for name in filter(None, (option["name"], *also, option["letter"])):
            self.name[name], self.takes[name] = option["name"], option["takes"]


def findings(text, path):
    """{line: [(severity, message)]} of the server's check of the file."""
    found = {}
    for each in common.diagnostics(text, path) or ():
        if each["line"]:
            found.setdefault(each["line"], []).append((each["severity"], each["message"]))
    return found


def sections(text):
    """[uwsgi], and those that the file takes in by `ini = :name`."""
    return {"uwsgi", *re.findall(r"^\s*(?:ini|include|inherit|config)\s*=\s*:(\w+)", text, re.M)}


class Walk:
    def __init__(self, tables, text, path, ini, numbered):
        """numbered: the user knows the lines by their numbers."""
        self.tables, self.ini, self.numbered = tables, ini, numbered
        self.found, self.read = findings(text, path), sections(text)
        self.out, self.said, self.section = [], set(), None
        self.set, self.named, self.last = set(), set(), 0

    def lack(self, number, line, sentence):
        self.ini.lack(f"line {number}, {line.strip()}" if self.numbered else line.strip(), sentence)

    def line(self, number, line):
        section = re.match(r"\s*\[([^\]:]*)", line)
        if section:
            self.section = section[1].strip()
        match = LINE.match(line)
        if self.section not in self.read or section or not match or line.lstrip()[:1] in "#;":
            self.out.append(line)
            return
        self.option(number, line, match[1], re.split(r"\s[#;]", match[2] or "")[0].strip())
        if self.section == "uwsgi":
            self.last = len(self.out)

    def option(self, number, line, given, value):
        name = self.tables.name.get(given, given)
        problems = self.found.get(number, [])
        self.set.add(name)
        if name in ("ini", "inherit", "json") and not value.startswith(":"):
            self.lack(number, line, "is a file of its own: uwsgi --migrate FILE")
        if name not in self.named and re.search(r"(?<!%)%[dnpsof]", value):
            self.named.add(name)
            self.lack(number, line, "is seen from the file's folder and name: keep both")
        for severity, message in problems:
            self.out.extend(wrapped(f"{severity}: {message}"))
        if given in self.tables.always:
            self.out.extend(wrapped(f"has no effect, and can go: {self.tables.always[given]}"))
            self.out.append(f";{line.strip()}")
            return
        # An unknown name may be one that the application asks for (uwsgi.opt).
        wrong = [m for s, m in problems if s == "error" or
                 s == "warning" and "ignored" in m and not m.startswith("unknown")]
        if wrong:
            self.lack(number, line, "; ".join(wrong))
        if wrong and not all(re.search(HERE, m) for m in wrong):
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


def move(path, text, title, tables=None, numbered=True):
    moving = common.Moving(title, Settings())
    walk = Walk(tables or Tables(), text, path, moving.ini, numbered)
    for number, line in enumerate(text.splitlines(), 1):
        walk.line(number, line)
    walk.missing()
    moving.ini.lines, moving.ini.names, moving.instead_of = walk.out, walk.set, path
    return moving


def move_lines(path, lines, title, tables=None):
    """The same for lines that come from elsewhere; path: a file that would have them."""
    return move(path, "\n".join(["[uwsgi]", *lines]) + "\n", title, tables, numbered=False)


# ---- XML and YAML ----

def line_of(name, value):
    return f"{name} = {value}" if value else name


def lines_of_xml(text):
    """A member of <uwsgi> is a line; <master/> stands alone."""
    try:
        root = xml.etree.ElementTree.fromstring(text)
    except xml.etree.ElementTree.ParseError as e:
        raise Misread(f"this is no XML: {e}") from None
    found = root if root.tag == "uwsgi" else root.find(".//uwsgi")
    if found is None:
        raise Misread("there is no <uwsgi> in this file")
    return [line_of(each.tag, (each.text or "").strip()) for each in found if isinstance(each.tag, str)]


def lines_of_yaml(text):
    """What uWSGI itself reads of YAML: names and values beneath uwsgi:, and lists of values."""
    lines, name, inside = [], None, False
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).rstrip()
        match = re.match(r"(\s*)(?:-\s+(.*)|([\w-]+):\s*(.*))$", line)
        if not match:
            continue
        indent, item, given, value = match.groups()
        if not indent and given:
            inside = given == "uwsgi"
        elif inside and item is not None and name:
            if lines[-1] == name:  # its values are a list below it
                lines.pop()
            lines.append(line_of(name, item.strip("\"'")))
        elif inside and given:
            name = given
            lines.append(line_of(given, value.strip("\"'")))
    return lines


def move_other(path, text, title):
    lines = lines_of_xml(text) if text.lstrip().startswith("<") else lines_of_yaml(text)
    if not lines:
        raise Misread(f"{path} has no uwsgi: with options below it")
    return move_lines(f"{os.path.abspath(path)}.ini", lines, title)


# ---- a command line ----

FILES = {"ini": "ini", "json": "json", "js": "json", "py": "wsgi-file", "wsgi": "wsgi-file"}


def options_of(args, tables):
    """(name, value or None) of each word or two; a word alone is a file."""
    args = list(args)
    while args:
        word = args.pop(0)
        match = re.fullmatch(r"--?([A-Za-z][\w-]*)(?:=(.*))?", word, re.S)
        if not match:
            kind = word.partition(":")[0].rpartition(".")[2]
            if kind not in FILES:
                raise Misread(f"{word} is neither an option of uWSGI nor a file that is read here")
            yield FILES[kind], word
            continue
        name, value = match[1], match[2]
        if not word.startswith("--") and name not in tables.takes and name[0] in tables.takes:
            name, value = name[0], word[2:]
        if value is None and args and tables.takes.get(name) == "required":
            value = args.pop(0)
        yield tables.name.get(name, name), value


def move_line(args, title, home=None):
    """uwsgi --http :8000 --module shop:app more.ini"""
    tables = Tables()
    lines = [line_of(name, value) for name, value in options_of(args, tables)]
    if not lines:
        raise Misread("uwsgi stands there without a word behind it")
    if home and not any(line.startswith("home =") for line in lines):
        lines.insert(0, f"home = {escape(home[0])}")
    moving = move_lines(os.path.abspath("made by uwsgi --migrate.ini"), lines, title, tables)
    moving.ini.lack("the command line", "starts this server as it is, too; --ini FILE takes its place")
    return moving
