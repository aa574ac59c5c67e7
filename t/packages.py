# SPDX-License-Identifier: MIT
"""The Debian packages, built, installed and used in minimal Debians: the commands of docs/installing.md,
word for word, and then what an installation lives through (t/debian/life.sh), where systemd runs.

    make fresh-deb                          bookworm and trixie; as root, with debootstrap and systemd-nspawn
    make fresh-deb FRESH=trixie             one of them
    DEBIAN_MIRROR=http://… make fresh-deb   as with make fresh

The container has the machine's network: port 8080 of the loopback interface must be free."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

import fresh
from fresh import ENV, ROOT, Failed, inside, run, say

MINUTES = {"build": 20, "prepare": 10, "life": 5}
NAMES = ("uwsgi-ng", "uwsgi-ng-plugin-python3")
SITE = """[uwsgi]
plugins = python3
chdir = /srv/shop
wsgi-file = app.py
http-socket = 127.0.0.1:8080
"""
APP = """
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'shop']
"""
# Begins when the site does, and turns the machine off.
UNIT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/root/life.sh
StandardOutput=file:/root/life.log
StandardError=inherit
ExecStopPost=systemctl --no-block poweroff
[Install]
WantedBy=default.target
"""


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def quietly(root, command, minutes):
    run(inside(root, command), minutes, env={**ENV, "DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL)


def build(root, into):
    """By the commands of the page; the packages are in the folder into then."""
    shutil.copy(f"{ROOT}/ini/demo/app.py", f"{root}/root/app.py")
    *before, server = fresh.three_commands("docs/installing.md", "As Debian packages")
    for command in before:
        say(command)
        quietly(root, command, MINUTES["build"])
    say(server)
    fresh.serve(root, server, "/root", 1)
    say("lintian")
    quietly(root, "apt-get install lintian", MINUTES["prepare"])
    run(inside(root, "lintian --fail-on error uwsgi/dist/deb/*.changes"), MINUTES["prepare"], env=ENV)
    os.makedirs(into)
    for path in glob.glob(f"{root}/root/uwsgi/dist/deb/*.deb"):
        shutil.copy(path, into)


def next_version(folder, into):
    """The same packages, with a higher version."""
    os.makedirs(into)
    for name in NAMES:
        path, = glob.glob(f"{folder}/{name}_*.deb")
        with tempfile.TemporaryDirectory() as work:
            run(["dpkg-deb", "--raw-extract", path, f"{work}/x"], 1)
            with open(f"{work}/x/DEBIAN/control", encoding="utf-8") as f:
                control = f.read()
            own, = (line[9:] for line in control.splitlines() if line.startswith("Version: "))
            write(f"{work}/x/DEBIAN/control", control.replace(own, f"{own}.1"))
            run(["dpkg-deb", "--build", f"{work}/x", f"{into}/{name}.deb"], 1,
                stdout=subprocess.DEVNULL)


def live(root, packages):
    """Debian's uWSGI with a site, then what comes after it."""
    shutil.copytree(packages, f"{root}/root/packages")
    next_version(packages, f"{root}/root/next")
    say("Debian's uWSGI with a site")
    quietly(root, "apt-get update && apt-get install systemd-sysv logrotate curl procps uwsgi "
                  "uwsgi-plugin-python3 && "
                  "apt-get install --download-only ./packages/uwsgi-ng_*.deb "
                  "./packages/uwsgi-ng-plugin-python3_*.deb", MINUTES["prepare"])
    write(f"{root}/srv/shop/app.py", APP)
    write(f"{root}/etc/uwsgi/apps-available/shop.ini", SITE)
    os.symlink("../apps-available/shop.ini", f"{root}/etc/uwsgi/apps-enabled/shop.ini")
    write(f"{root}/etc/systemd/system/life.service", UNIT)
    quietly(root, "systemctl enable life.service", 1)
    shutil.copy(f"{ROOT}/t/debian/life.sh", f"{root}/root/life.sh")
    run(["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--directory", root, "--boot"],
        MINUTES["life"], stdout=subprocess.DEVNULL)
    with open(f"{root}/root/life.log", encoding="utf-8") as f:
        lines = f.read().splitlines()
    print("\n".join(line for line in lines if line.startswith("== ")))
    if not lines or lines[-1] != "== passed":
        raise Failed("\n".join(lines[-60:]))


def try_suite(suite, folder):
    say(f"{suite}: debootstrap into {folder}")
    fresh.debootstrap(suite, f"{folder}/bare")
    with fresh.beside(f"{folder}/bare") as copy:
        build(copy, f"{folder}/packages")
    with fresh.beside(f"{folder}/bare") as copy:
        live(copy, f"{folder}/packages")


if __name__ == "__main__":
    fresh.main(sys.argv[1:], try_suite, "packages", [("systemd-nspawn", "systemd-container")])
