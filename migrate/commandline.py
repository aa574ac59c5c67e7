# SPDX-License-Identifier: MIT
"""commandline.py: which server a command line starts, past what stands before it: variables, exec, a
shell, `poetry run`, agents that wrap a program."""
import os
import re

import from_uvicorn
import from_gunicorn
import from_mod_wsgi
import from_uwsgi
import from_waitress
import words
from inifile import escape, from_shell
from words import Misread

# Programs that run another: how many of their words stand before it.
RUNNERS = {"exec": 1, "env": 1, "nohup": 1, "poetry": 2, "pipenv": 2, "uv": 2, "pdm": 2, "hatch": 2,
           "time": 1, "dumb-init": 1, "tini": 1, "gosu": 2, "setpriv": 1, "nice": 1, "--": 1}
AGENTS = {"newrelic-admin": ("import newrelic.agent; newrelic.agent.initialize() as the first lines of "
                             "the application's module"),
          "ddtrace-run": "import ddtrace.auto as the first line of the application's module",
          "opentelemetry-instrument": "from opentelemetry.instrumentation import auto_instrumentation; "
                                      "auto_instrumentation.initialize() as the first lines, or otlp "
                                      "of the server (docs/observing.md)",
          "elasticapm-run": "import elasticapm and instrument in the application's module"}
# Variables that gunicorn looks at.
COUNT = ("GUNICORN_CMD_ARGS", "PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS")
SERVERS = {"gunicorn": from_gunicorn.move, "gunicorn3": from_gunicorn.move, "uvicorn": from_uvicorn.move_uvicorn,
           "hypercorn": from_uvicorn.move_hypercorn, "mod_wsgi-express": from_mod_wsgi.move,
           "waitress-serve": from_waitress.move, "pserve": from_waitress.move_pserve,
           "uwsgi": from_uwsgi.move_line}


def count(variables):
    """Those that gunicorn looks at count for it as the environment's."""
    os.environ.update({k: v for k, v in variables.items() if k in COUNT})


class Command:
    """Words of a command line, taken apart: server, its args, variables before it, home."""

    def __init__(self, args):
        self.variables, self.lacks, self.home = {}, [], None
        args = list(args)
        while args and not self.server_of(args):
            args = self.past(args)
        if not args:
            raise Misread("no server is found in this command line; known are "
                          f"{', '.join(sorted(SERVERS))}")
        name, rest = self.server_of(args)
        self.server, self.args = SERVERS[name], rest
        self.find_home(args[0])

    @staticmethod
    def server_of(args):
        """(its name, its words), also of `python -m gunicorn`."""
        # Debian's packages and others call uWSGI so.
        name = re.sub(r"^uwsgi[-_](core|python[\d.]*)$", "uwsgi", os.path.basename(args[0]))
        if name in SERVERS:
            return name, args[1:]
        if re.fullmatch(r"python[\d.]*", name) and args[1:2] == ["-m"] and len(args) > 2:
            module = args[2].split(".")[0]
            return (module, args[3:]) if module in SERVERS else None
        return None

    def past(self, args):
        """Without the first word, or those of a program that runs another."""
        variable = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", args[0], re.S)
        name = os.path.basename(args[0])
        if variable:
            self.variables[variable[1]] = variable[2]
        elif name in AGENTS:
            self.lacks.append((name, AGENTS[name]))
            return args[2:] if name == "newrelic-admin" else args[1:]
        elif name in ("sh", "bash", "dash") and len(args) > 2 and re.fullmatch("-[el]*c", args[1]):
            return words.split(args[2].rpartition("&&")[2])
        elif name in RUNNERS:
            return args[RUNNERS[name]:]
        elif not name.startswith("-"):
            self.lacks.append((args[0], "stands before the server, and is left out"))
        return args[1:]

    def find_home(self, program):
        """venv/bin/gunicorn: the environment is venv."""
        folder = os.path.dirname(os.path.abspath(program)) if "/" in program else ""
        home = os.path.dirname(folder)
        if folder and os.path.basename(folder) == "bin" and home not in ("/usr", "/usr/local", "/"):
            self.home = (home, program)


def known(line):
    """Whether this command line starts a server that is known here."""
    try:
        Command(words.split(line))
        return True
    except Misread:
        return False


def move(args, title, before=None):
    """The Moving of a command line; before(moving) writes what its file says of it."""
    replaced, said = [], []
    for word in args:
        word, sentences = from_shell(word)
        replaced.append(word)
        said.extend(sentences)
    command = Command(replaced)
    count(command.variables)
    moving = command.server(command.args, title, home=command.home)
    for name, value in command.variables.items():
        if name not in COUNT:
            moving.ini.set("env", escape(f"{name}={value}"), f"{name}= before the command")
    for source, sentence in command.lacks:
        moving.ini.lack(source, sentence)
    for sentence in said:
        moving.ini.lack("the environment", sentence)
    if before:
        before(moving)
    return moving
