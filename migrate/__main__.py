# SPDX-License-Identifier: MIT
"""What `uwsgi --migrate` runs: reads another server's configuration, and prints an ini file that says
the same, each line with where it comes from, and what has no counterpart.

usage: python3 migrate SERVER FILE [NAME] | COMMAND WORD...
SERVER is the program that asks; it checks what is printed.  The standard library alone."""
import configparser
import json
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import commandline  # noqa: E402
import common  # noqa: E402
import from_gunicorn  # noqa: E402
import startfiles  # noqa: E402
import from_unit  # noqa: E402
import from_uwsgi  # noqa: E402
import from_waitress  # noqa: E402
import words  # noqa: E402

USAGE = """usage: uwsgi --migrate FILE [NAME]
       uwsgi --migrate COMMAND WORD...
FILE: gunicorn.conf.py, NGINX Unit's JSON, Procfile, supervisor's file, a unit of systemd, PasteDeploy's
file with its [server:main], uwsgi.ini; NAME: of several applications or programs in it.
COMMAND: gunicorn, uvicorn, hypercorn, mod_wsgi-express, waitress-serve or pserve with its words, as it
is started now."""


def read(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def is_gunicorn(name, text):
    return name.endswith(".py") or (name.endswith(".conf") and not re.search(r"^\s*\[", text, re.M))


def move_file(path, wanted, server):
    name, text, title = os.path.basename(path), read(path), f"Made by uwsgi --migrate {path}"
    if text.lstrip().startswith("{"):
        try:
            tree = json.loads(text)
            if isinstance(tree, dict) and "uwsgi" in tree:
                raise words.Misread(f"{path} is uWSGI's: uwsgi --check --json {path} says what is wrong "
                                    "with it")
            return from_unit.move(tree, title, wanted)
        except ValueError as e:
            raise words.Misread(f"{path} is no JSON: {e}") from None
    if name.startswith("Procfile"):
        return startfiles.procfile(text, title, wanted)
    if re.search(r"^\s*\[program:", text, re.M):
        return startfiles.supervisor(text, title, wanted)
    if from_waitress.is_paste(text):
        return from_waitress.paste(path, text, title, wanted)
    if re.search(r"^\s*\[uwsgi[\]:]", text, re.M):
        return from_uwsgi.move(path, text, title, server)
    if re.search(r"^\s*\[Service\]", text, re.M):
        return startfiles.unit(text, title, wanted)
    if is_gunicorn(name, text):
        return from_gunicorn.move([], title, conf=path)
    raise words.Misread(f"{path} is nothing that is known here\n{USAGE}")


def move(args, server):
    if len(args) == 1 and not os.path.exists(args[0]) and " " in args[0]:
        args = words.split(args[0])
    if not args or args[0] in ("-h", "--help"):
        raise words.Misread(USAGE)
    if os.path.isfile(args[0]) and not os.access(args[0], os.X_OK) and len(args) <= 2:
        return move_file(args[0], args[1] if len(args) > 1 else None, server)
    if len(args) == 1 and re.search(r"\.(py|json|ini|conf|service)$|Procfile$", args[0]):
        raise words.Misread(f"there is no file {args[0]}")
    return commandline.move(args, f"Made by uwsgi --migrate {words.join(args)}")


def put(text, folder, instead_of):
    """The file to check, in this folder; beside it what lies beside the one whose place it takes."""
    there = os.path.dirname(os.path.abspath(instead_of)) if instead_of else None
    name = os.path.basename(instead_of) if instead_of else "uwsgi.ini"
    for other in os.listdir(there) if there else ():
        if other != name:
            os.symlink(os.path.join(there, other), os.path.join(folder, other))
    with open(f"{folder}/{name}", "w", encoding="utf-8", errors="surrogateescape") as f:
        f.write(text)
    return f.name


def check(text, server, instead_of=None):
    """What the server says of the ini file.  A variable of the environment that is not set here is
    assumed to be a number, as PORT is."""
    environ = {**{name: "1" for name in re.findall(r"\$\((\w+)\)", text)}, **os.environ}
    with tempfile.TemporaryDirectory() as folder:
        said = common.diagnostics(server, put(text, folder, instead_of), environ)
    if said is None:
        return [("error", "the server cannot check this file")]
    return [(each["severity"], each["message"]) for each in said if each["severity"] != "note"]


def main():
    server, *args = sys.argv[1:]
    try:
        moving = move(args, server)
        text = moving.ini.text()
    except (words.Misread, from_gunicorn.ConfFailed, OSError, configparser.Error) as e:
        sys.exit(f"--migrate: {e}")
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    sys.stdout.write(text)
    sys.stdout.flush()
    problems = check(text, server, moving.instead_of)
    for severity, message in problems:
        print(f"--migrate: {severity}: {message}", file=sys.stderr)
    sys.exit(1 if any(severity == "error" for severity, _ in problems) else 0)


main()
