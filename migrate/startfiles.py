# SPDX-License-Identifier: MIT
"""startfiles.py: files that start a server: Procfile, supervisor's, a unit of systemd.  Their command
line says what is served; they say where, and as whom."""
import os
import re

import commandline
import words
from inifile import escape, parsed
from words import Misread


def lines_of(text):
    """Without comments, with lines that end in a backslash joined."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [line.strip() for line in joined.splitlines() if line.strip()[:1] not in ("#", ";", "")]


# ---- Procfile ----

def procfile(text, title, wanted=None):
    """What runs a Procfile sets PORT, which gunicorn without a bind listens on."""
    os.environ.setdefault("PORT", "$(PORT)")
    commands = dict(re.findall(r"^([\w-]+):\s*(.+)$", "\n".join(lines_of(text)), re.M))
    name = wanted or "web"
    if name not in commands:
        raise Misread(f"there is no line {name}:; there are: {', '.join(commands) or 'none'}")
    command = commands[name].rpartition("&&")[2] if "&&" in commands[name] else commands[name]

    def others(moving):
        if command != commands[name]:
            moving.ini.lack(name, "what stands before && runs before the server: exec-asap = COMMAND, "
                            "or the release step")
        for other, line in commands.items():
            if other == "release":
                moving.ini.lack("release", "runs once for each release, before the server: as it does")
            elif other != name:
                moving.ini.suggest("attach-daemon", line, other, "runs beside the server with this "
                                   "line, or as a service of its own")
        moving.ini.lack(name, f"the line is now: {name}: uwsgi --ini uwsgi.ini")
    return commandline.move(words.split(command), title, others)


# ---- supervisor ----

def variables(text):
    """A="b",C='d'"""
    return {name: value.strip().strip("\"'") for name, value in
            re.findall(r"""(\w+)=("[^"]*"|'[^']*'|[^,]*)""", text)}


def supervisor(text, title, wanted=None):
    parser = parsed(text)
    programs = [s for s in parser.sections() if s.startswith("program:")]
    served = [s for s in programs if commandline.known(parser.get(s, "command", fallback=""))]
    if wanted:
        served = [s for s in programs if s == f"program:{wanted}"]
    if not served:
        raise Misread(f"no program there starts a server that is known here: {', '.join(programs)}")
    program = parser[served[0]]
    directory = program.get("directory")
    command = program["command"]
    given = variables(program.get("environment", ""))
    commandline.count(given)

    def rest(moving):
        ini, place = moving.ini, f"[{served[0]}]"
        if directory and "chdir" not in ini.names:
            ini.set("chdir", escape(directory), f"{place} directory")
        if "user" in program and "uid" not in ini.names:
            ini.lack(f"{place} user = {program['user']}", "stays; uid is not needed then")
        for name, value in given.items():
            ini.set("env", escape(f"{name}={value}"), f"{place} environment")
        for other in served[1:]:
            ini.lack(f"[{other}]", f"is a server of its own: uwsgi --migrate FILE "
                     f"{other.partition(':')[2]}")
        ini.lack(f"{place} command", "is now: uwsgi --ini uwsgi.ini; stopsignal TERM lets running "
                 "requests be finished, and stopwaitsecs must be longer than reload-mercy")
    go_to(directory)
    return commandline.move(words.split(command), title, rest)


def go_to(folder):
    """gunicorn looks for its file where it is started."""
    if folder and os.path.isdir(folder):
        os.chdir(folder)


# ---- systemd ----

SPECIFIER = re.compile(r"(?<!%)%(?:%%)*[a-zA-Z]")


def unit(text, title, wanted=None):
    found = re.findall(r"^(\w+)\s*=\s*(.*)$", "\n".join(lines_of(text)), re.M)
    command = next((v for k, v in found if k == "ExecStart"), None)
    if not command:
        raise Misread("the unit has no ExecStart=")
    folder = next((v for k, v in found if k == "WorkingDirectory"), "").lstrip("-~")

    for key, value in found:
        if key == "Environment":
            commandline.count(dict(word.partition("=")[::2] for word in words.split(value)))

    def rest(moving):
        ini = moving.ini
        if folder and "chdir" not in ini.names:
            ini.set("chdir", escape(folder), f"WorkingDirectory={folder}")
        for key, value in found:
            if key in ("Environment", "EnvironmentFile", "User", "Group", "RuntimeDirectory"):
                ini.lack(f"{key}={value}", "stays in the unit")
            if key == "KillSignal" and re.search("QUIT|INT", value):
                ini.lack(f"{key}={value}", "ends the server at once; take it out: TERM lets running "
                         "requests be finished")
        if SPECIFIER.search(folder + command):
            ini.lack("the unit", "systemd replaces %i, %h and the like in it, and not in the ini file: "
                     "write there what they stand for")
        if "pidfile" not in ini.names:
            ini.suggest("pidfile", "/run/NAME/NAME.pid", "systemctl reload", "the server writes its "
                        "number there, for ExecReload")
        ini.lack(f"ExecStart={command}", "is now: Type=notify, ExecStart=/usr/local/bin/uwsgi --ini "
                 "FILE, ExecReload=/usr/local/bin/uwsgi --reload PIDFILE, KillMode=mixed "
                 "(ini/systemd/app.service)")
    go_to(folder)
    return commandline.move(words.split(command.lstrip("@-:+!")), title, rest)
