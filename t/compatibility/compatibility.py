#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs real applications on this server, on uWSGI's newest release and on gunicorn, in turn.

usage: make apps               all of them; writes docs/compatibility.md
       t/compatibility/compatibility.py [--only WORD]... [--peer WORD]... [--markdown FILE] [--logs FOLDER]

--only takes a part of an application's name, --peer one of a server's or of a way to load it; both
may be repeated.  Ends with 1 when something fails on this server that works on another."""
import argparse
import contextlib
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import asking                                                        # noqa: E402
import page                                                          # noqa: E402
import venvs                                                         # noqa: E402
from lib.address import free_port                                    # noqa: E402
from peers import APPS as FOLDER, PEERS, Setup                       # noqa: E402
from rows import APPS                                                # noqa: E402
from services import HOST, SERVICES, Intake, Unavailable             # noqa: E402


def environment(app, folder, venv, intake, more):
    names = {"folder": folder, "intake": f"http://{HOST}:{intake.server_port}"}
    return {**{k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SENTRY_"))},
            **more, "APP_FOLDER": folder, "INTAKE": names["intake"], "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{venv}/bin:{os.environ['PATH']}",
            **{key: value.format(**names) for key, value in app.env}}


@contextlib.contextmanager
def running(argv, env, log):
    process = subprocess.Popen(argv, env=env, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log,
                               stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        asking.ended(process)


def served(app, peer, venv, logs):
    """asking.Said of one start, with services of its own."""
    name = f"{app.module}-{peer.name}-{peer.way}".replace(" ", "-")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        os.chmod(folder, 0o755)
        log = stack.enter_context(open(os.path.join(logs, f"{name}.log"), "wb"))
        intake = stack.enter_context(Intake())
        stack.callback(intake.shutdown)
        more = stack.enter_context(SERVICES[app.service](folder)) if app.service else {}
        env = environment(app, folder, venv, intake, more)
        if app.prepare:
            subprocess.run([f"{venv}/bin/python", f"{FOLDER}/{app.module}.py"], env=env, check=True,
                           stdout=log, stderr=log)
        daemon = app.daemon.format(venv=venv)
        setup = Setup(app.module, venv, f"{HOST}:{free_port(HOST)}", daemon)
        if daemon and not peer.daemons:
            stack.enter_context(running(daemon.split(), env, log))
        process = stack.enter_context(running(peer.command(setup), env, log))
        return asking.tried(process, setup.address, app, intake)


def row(app, peers, logs):
    """(versions, {peer: Said}), or (a sentence, {})"""
    try:
        venv = venvs.filled(app.name.lower().replace(" ", "-"), (*app.packages, "gunicorn"))
    except venvs.Missing as e:
        return f"not installed: {e}", {}
    said = {}
    for peer in peers:
        try:
            said[peer] = served(app, peer, venv, logs)
        except Unavailable as e:
            return f"not tried: {e}", {}
        except (AssertionError, subprocess.CalledProcessError) as e:
            said[peer] = asking.Said(wrong=[str(e)])
        print(f"{app.name}, {peer.name}, {peer.way}: {page.cell(said[peer])}", flush=True)
        for wrong in dict.fromkeys(said[peer].wrong + said[peer].lost):
            print(f"    {wrong}", flush=True)
    return venvs.versions(venv), said


def worse(found):
    """Applications that this server serves worse than another does."""
    for app, (_, said) in found.items():
        good = {peer.name for peer, each in said.items() if not each.wrong}
        bad = {peer.name for peer, each in said.items() if each.wrong or each.lost}
        if "this server" in bad and good - {"this server"}:
            yield app.name


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--markdown")
    parser.add_argument("--logs", default=os.path.join(venvs.FOLDER, "logs"))
    args = parser.parse_args()
    os.makedirs(args.logs, exist_ok=True)
    try:
        uwsgi = venvs.versions(os.path.dirname(os.path.dirname(venvs.program("uWSGI"))))["uwsgi"]
    except venvs.Missing as e:
        print(f"make apps is skipped: the Python index cannot be reached, or has no uWSGI ({e})")
        return
    peers = [p for p in PEERS if all(w in f"{p.name} {p.way}" for w in args.peer)]
    found = {app: row(app, peers, args.logs) for app in APPS
             if not args.only or any(w.lower() in app.name.lower() for w in args.only)}
    if args.markdown:
        page.write(args.markdown, found, peers, uwsgi)
    if failed := list(worse(found)):
        sys.exit(f"worse here than elsewhere: {', '.join(failed)}")


if __name__ == "__main__":
    main()
