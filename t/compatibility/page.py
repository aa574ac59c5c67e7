# SPDX-License-Identifier: MIT
"""docs/compatibility.md, from what was found."""
import datetime
import os
import platform
import subprocess

import peers as everyone
from rows import APPS

INTRO = """# Applications that were tried

Made by `make apps` on {date}, which can be run again by anyone who reaches the Python index: {server},
uWSGI {uwsgi} (compiled from the index's sources) and gunicorn {gunicorn}, with Python {python}. Each
application is a file of `t/compatibility/apps/`, its table of requests a row of `t/compatibility/rows.py`: a
method, a path, the status and a part of the body that have to come back. Each server starts it with two
workers twice. *forked*: loaded in the master, then forked, with `enable-threads`; *lazy-apps*: loaded by
each worker, which has two threads; gunicorn does the same with `--preload`, and with two threads of
`gthread`. In each start:

- the table is asked three times, then again after a reload;
- connections to a database are not shared by two processes, where the column "beside it" names one;
- an agent's thread runs in the worker, and what it sends reaches an intake, before and after the reload;
- the server reloads (HUP) while two clients ask without a pause, each time on a new connection.

A cell says how many checks were right of how many, and how many requests the reload lost of how many.

"""


def cell(said):
    right = max(said.asked - len(said.wrong), 0)
    first = f"{said.asked}" if not said.wrong else f"**{right} of {said.asked}**"
    lost = f"lost {len(said.lost)} of {said.loaded}"
    return f"{first}; {lost if not said.lost else f'**{lost}**'}"


def named(packages):
    """Names of packages, without what is asked of their versions."""
    return [p.split("<")[0].split(">")[0].split("[")[0].split("=")[0] for p in packages]


def versions(app, there):
    return ", ".join(f"{name} {there.get(name.lower(), '')}" for name in named(app.packages))


def beside(app):
    words = [app.service or "", "an intake" if app.sends else "", "a Celery worker" if app.daemon else ""]
    return ", ".join(filter(None, words)) or "-"


def notes(found):
    """What was wrong, word for word, once each."""
    for app, (_, said) in found.items():
        for peer, each in said.items():
            for text, lines in (("", each.wrong), ("lost in the reload: ", each.lost)):
                for line in list(dict.fromkeys(lines))[:3]:
                    times = lines.count(line)
                    yield f"- {app.name}, {peer.name}, {peer.way}: {text}`{line}`" + \
                        (f" ({times} times)" if times > 1 else "")


def kept(path, found):
    """({application: its row}, notes) of those that were not tried this time."""
    tried = {app.name for app in found}
    try:
        with open(path, encoding="utf-8") as f:
            lines = f.read().splitlines()
    except FileNotFoundError:
        return {}, []
    rows = {line.split(" | ")[0][2:]: line for line in lines if line.startswith("| ")}
    return {name: line for name, line in rows.items() if name not in tried}, \
        [line for line in lines if line.startswith("- ") and ", " in line and
         line[2:].split(", ")[0] in rows.keys() - tried]


def line_of(app, there, said, peers):
    cells = [there, beside(app)] + ["-"] * len(peers)
    if said:
        cells = [versions(app, there), beside(app), *(cell(said[p]) for p in peers)]
    return f"| {app.name} | " + " | ".join(cells) + " |"


def write(path, found, peers, uwsgi):
    """The rows of applications that were not tried this time stay as they are."""
    server = subprocess.run([everyone.OURS, "--version"], capture_output=True, text=True, check=True)
    gunicorn = {there["gunicorn"] for there, said in found.values() if said} or {"-"}
    lines = [INTRO.format(date=datetime.date.today(), server=server.stdout.strip(), uwsgi=uwsgi,
                          gunicorn=", ".join(gunicorn), python=platform.python_version()).rstrip(), ""]
    lines += ["| application | versions | beside it | " +
              " | ".join(f"{p.name}, {p.way}" for p in peers) + " |",
              "|-|-|-|" + "-|" * len(peers)]
    rows, old_notes = kept(path, found)
    rows.update({app.name: line_of(app, *said, peers) for app, said in found.items()})
    lines += [rows[app.name] for app in APPS if app.name in rows]
    wrong = old_notes + list(notes(found))
    lines += ["", "What was wrong:", "", *wrong] if wrong else ["", "Nothing was wrong."]
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    os.replace(path + ".new", path)
