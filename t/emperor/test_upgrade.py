# SPDX-License-Identifier: MIT
"""A reload after an upgrade of the server: emperor and vassals go on in the same processes."""
import os
import re

from lib import http, upgrade
from lib.emperor import APP
from lib.server import APPS
from lib.wait import until


def serves(server, name, times=1):
    found = until(lambda: (f := re.findall(rf"^vassal {name} \(pid (\d+)\) serves", server.log(),
                                           re.M))[times - 1:] and f, f"{name} to serve")
    return int(found[times - 1])


def test_the_new_program_keeps_its_vassals(start, folder):
    upgraded = upgrade.Upgraded(start, folder)
    server = upgraded.not_yet("emperor = vassals\nemperor-freq = 1\n")
    os.mkdir(f"{folder}/vassals")
    with open(f"{folder}/vassals/a.ini", "w", encoding="utf-8") as f:
        f.write(f"[uwsgi]\npythonpath = {APPS}\n{APP.format_map(server.names)}")
    server.start()
    pid = serves(server, "a.ini")
    upgraded.upgrade()
    assert server.hup()
    server.wait_log(rf"^uwsgi 9.9.9, pid {server.pid}, has taken over from the old program")
    server.wait_log(rf"^uwsgi 9.9.9, pid {pid}, has taken over from the old program")
    server.wait_log(rf"^vassal a.ini \(pid {pid}\) has reloaded")
    assert http.request(server.http, "/hello").body == b"hello\n"
    os.remove(f"{folder}/vassals/a.ini")
    server.wait_log("^vassal a.ini: its file is gone; it ends")
    until(lambda: server.log().count("goodbye") == 1, "the vassal's end")
