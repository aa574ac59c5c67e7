# SPDX-License-Identifier: MIT
"""What `uwsgi --migrate` prints, and a server that runs it."""
import os
import subprocess

import pytest

from lib.address import HOST, free_port
from lib.server import BASE_ENV, COMMAND

APP = """
import json, os, threading

def application(environ, start_response):
    mask = os.umask(0)
    os.umask(mask)
    said = {"scheme": environ["wsgi.url_scheme"], "threads": environ["wsgi.multithread"],
            "cwd": os.getcwd(), "umask": oct(mask),
            "environment": {k: v for k, v in os.environ.items() if k.startswith("SHOP_")},
            "script": environ["SCRIPT_NAME"], "path": environ["PATH_INFO"]}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]

app = application

def create_app(*of_paste, **settings):
    return application
"""


class Made:
    def __init__(self, done):
        self.text, self.said, self.code = done.stdout, done.stderr, done.returncode
        body, _, self.lacks = self.text.partition("# ---- without a counterpart")
        self.lines = [line for line in body.splitlines() if line[:1] not in ("", "#", ";", "[")]

    def __contains__(self, line):
        return line in self.lines


@pytest.fixture
def site(folder):
    """A folder with an application in shop.py."""
    write(folder, "shop.py", APP)
    return folder


def write(folder, name, text):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
        f.write(text)
    return f"{folder}/{name}"


@pytest.fixture
def migrate(site):
    """migrate("gunicorn", "shop"): what is printed; HTTP in words and files is a free address, HERE
    the folder."""
    # Some files name no host: then it is served on all addresses.
    address = f"{HOST}:{free_port('0.0.0.0')}"

    def named(text):
        return text.replace("HTTP", address).replace("HERE", site)

    def run(*args, file=None, env=None):
        if file:
            write(site, file[0], named(file[1]))
        done = subprocess.run([*COMMAND, "--migrate", *map(named, args)],
                              cwd=site, env={**BASE_ENV, **(env or {})}, capture_output=True,
                              text=True, timeout=30, check=False)
        made = Made(done)
        made.http = address
        return made
    run.address = address
    return run


@pytest.fixture
def serve(start, site):
    """serve(made): a server with that ini file, in the folder where the other one was started."""
    def run(made, env=None):
        assert made.code == 0, made.said + made.text
        assert "error:" not in made.said
        write(site, "made.ini", made.text)
        server = start.not_yet("", folder=site, plain=True, args=[f"{site}/made.ini"],
                               env={"PWD": os.getcwd(), **(env or {})})
        return server.start()
    return run
