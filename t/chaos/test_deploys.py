# SPDX-License-Identifier: MIT
"""Reloads under load: storms of them, deploys that are broken in every way, settings that change.
Not one request is lost."""
import os
import re
import signal
import time

from lib import mixed
from lib.address import free_address
from lib.mixed import reloads
from lib.wait import until

BROKEN = {
    "no such module": "module = nowhere\n",
    "not Python": "module = broken\n",
    "an import that ends": "module = ends\n",
    "an import that crashes": "module = crashes\n",
    "an import that hangs": "module = hangs\nreload-timeout = 1\n",
    "no number": "processes = many\n",
    "no such folder": "chdir = /nonexistent\n",
    "a foreign address": "http-socket = 192.0.2.1:99\n",
}
MODULES = {
    "broken": "def x(:\n",
    "ends": "import os\nos._exit(0)\n",
    "crashes": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    "hangs": "import signal\nsignal.pause()\n",
}


def write_modules(folder):
    for name, text in MODULES.items():
        with open(f"{folder}/{name}.py", "w", encoding="utf-8") as f:
            f.write(text)


def broken_ini(lines):
    ini = mixed.INI
    if lines.startswith("module"):
        ini = ini.replace("module = mixed\n", "")
    return f"{ini}pythonpath = {{here}}\n{lines}"


def test_no_broken_deploy_costs_a_request(besiege):
    b = besiege()
    server = b.server
    write_modules(server.folder)
    with b.load() as load:
        for name, lines in BROKEN.items():
            server.write_ini(broken_ini(lines))
            assert not server.hup(), name
            until(b.is_whole, f"nothing to be left of: {name}")
            load.wait_more(1)
        server.write_ini(mixed.INI)
        assert server.hup()
        until(b.is_whole, "the old generation to leave")
        load.wait_more(1)
    assert len(re.findall("reload given up: ", server.log())) == len(BROKEN)
    b.check(load)
    b.end()


def test_settings_that_change_under_load(besiege):
    b = besiege()
    server = b.server
    changes = ("processes = 3\n", "threads = 1\n", "processes = 1\nthreads = 4\n",
               f"http-socket = {free_address()}\n", "socket = {here}/new.sock\n", "")
    with b.load() as load:
        for lines in changes:
            server.write_ini(mixed.INI + lines)
            assert server.hup()
            load.wait_more(2)
        until(b.is_whole, "the first settings to be back")
    until(lambda: not os.path.exists(f"{server.folder}/new.sock"), "the other socket to be closed")
    b.check(load)
    b.end()


def test_a_storm_of_hups(besiege):
    """Those that come during a reload are one more reload together."""
    b = besiege()
    with b.load() as load:
        for pause_s in [0] * 30 + [0.01] * 30:
            b.server.send(signal.SIGHUP)
            time.sleep(pause_s)
        seen = reloads(b.server)
        b.server.send(signal.SIGHUP)
        until(lambda: reloads(b.server) > seen and b.is_whole(), "the last reload")
        load.wait_more(2)
    b.check(load)
    b.end()


HALF = """
import os, time
import uwsgi
from mixed import application
if uwsgi.worker_id() == 2 and os.path.exists('{here}/half'):
    time.sleep(0.5)
    raise RuntimeError('the second one cannot')
"""


def test_a_deploy_that_fails_halfway_finishes_what_its_workers_run(besiege):
    """With lazy-apps some of the new workers serve already when another one fails."""
    b = besiege("lazy-apps = true\n")
    server = b.server
    with open(f"{server.folder}/two.py", "w", encoding="utf-8") as f:
        f.write(HALF.format(here=server.folder))
    server.write_ini(mixed.INI.replace("module = mixed", "module = two")
                     + "lazy-apps = true\npythonpath = {here}\n")
    open(f"{server.folder}/half", "w", encoding="utf-8").close()
    with b.load() as load:
        for _ in range(3):
            assert not server.hup()
        until(b.is_whole, "nothing to be left of it")
        load.wait_more(1)
    b.check(load)
    b.end()
