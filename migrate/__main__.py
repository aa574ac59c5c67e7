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
file with its [server:main], uwsgi.ini, uWSGI's XML and YAML; NAME: of several applications or programs
in it.
COMMAND: gunicorn, uvicorn, hypercorn, mod_wsgi-express, waitress-serve, pserve or uwsgi with its words,
as it is started now."""


# What is longer is no configuration, and would take a minute to read.
LONGEST = 1 << 20


def read(path):
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as f:
        text = f.read(LONGEST + 1)
    if len(text) > LONGEST:
        raise words.Misread(f"{path} has more than 1 MiB, and is no configuration")
    return text


NAMED = re.compile(r"\.(py|json|ini|conf|service|xml|ya?ml)$|(^|/)Procfile[^/]*$")


def is_gunicorn(name, text):
    return name.endswith(".py") or (name.endswith(".conf") and not re.search(r"^\s*\[", text, re.M))


def is_configuration(path):
    """Whether it is read, not run: on mounted folders every file may be executable."""
    return os.path.isfile(path) and (not os.access(path, os.X_OK) or NAMED.search(path) is not None)


def move_file(path, wanted):
    name, text, title = os.path.basename(path), read(path), f"Made by uwsgi --migrate {path}"
    if re.match(r"\s*\{(?![{%])", text):
        try:
            tree = json.loads(text)
            if isinstance(tree, dict) and "uwsgi" in tree:
                raise words.Misread(f"{path} is uWSGI's: uwsgi --check --json {path} says what is wrong "
                                    "with it")
            return from_unit.move(tree, title, wanted)
        except ValueError as e:
            raise words.Misread(f"{path} is no JSON: {e}") from None
        except RecursionError:
            raise words.Misread(f"{path} is nested too deeply") from None
    if re.match(r"\s*<", text) or re.search(r"^uwsgi:\s*(#.*)?$", text, re.M):
        return from_uwsgi.move_other(path, text, title)
    if name.startswith("Procfile"):
        return startfiles.procfile(text, title, wanted)
    if re.search(r"^\s*\[program:", text, re.M):
        return startfiles.supervisor(text, title, wanted)
    if from_waitress.is_paste(text):
        return from_waitress.paste(path, text, title, wanted)
    if re.search(r"^\s*\[uwsgi[\]:]", text, re.M):
        return from_uwsgi.move(path, text, title)
    if re.search(r"^\s*\[Service\]", text, re.M):
        return startfiles.unit(text, title, wanted)
    if is_gunicorn(name, text):
        return from_gunicorn.move([], title, conf=path)
    raise words.Misread(f"{path} is nothing that is known here\n{USAGE}")


def move(args):
    if len(args) == 1 and not os.path.exists(args[0]) and " " in args[0]:
        args = words.split(args[0])
    if not args or args[0] in ("-h", "--help"):
        raise words.Misread(USAGE)
    if is_configuration(args[0]) and len(args) <= 2:
        return move_file(args[0], args[1] if len(args) > 1 else None)
    if len(args) == 1 and NAMED.search(args[0]):
        raise words.Misread(f"there is no file {args[0]}")
    return commandline.move(args, f"Made by uwsgi --migrate {words.join(args)}")


def main():
    try:
        moving = move(sys.argv[2:])
        text = moving.ini.text()
    except (words.Misread, from_gunicorn.ConfFailed, OSError, configparser.Error) as e:
        sys.exit(f"--migrate: {e}")
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    sys.stdout.write(text)
    sys.stdout.flush()
    problems = common.diagnostics(text, moving.instead_of)
    if problems is None:
        sys.exit("--migrate: error: the server cannot check this file")
    for each in problems:
        if each["severity"] != "note":
            print(f"--migrate: {each['severity']}: {each['message']}", file=sys.stderr)
    sys.exit(1 if any(each["severity"] == "error" for each in problems) else 0)


main()
