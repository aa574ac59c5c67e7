# SPDX-License-Identifier: MIT
"""A reload after an upgrade of the server: emperor and vassals go on in the same processes."""
from lib import proc, upgrade
from lib.emperor import APP, Emperor
from lib.load import Load
from lib.wait import until


def test_the_new_program_keeps_its_vassals(start, folder):
    """Each is a server of its own, and executes the new program when it reloads."""
    upgraded = upgrade.Upgraded(start, folder)
    e = Emperor(upgraded, a=APP + "processes = 2\nreload-mercy = 10\n")
    pid = e.serves("a.ini")
    upgraded.upgrade()
    with Load(e.server.http, clients=1, target="/hello") as load:
        assert e.server.hup()
        e.said(rf"^vassal a.ini \(pid {pid}\) has reloaded")
        load.wait_more(5)
    assert load.failures == []
    for each in (e.server.pid, pid):
        e.said(rf"^uwsgi 9\.9\.9, pid {each}, {upgrade.TAKES_OVER}")
    assert e.ask("http") == b"hello\n"
    e.remove("a.ini")
    e.said("^vassal a.ini: its file is gone; it ends")
    proc.wait_gone(pid)
    until(lambda: e.server.log().count("goodbye") == 1, "the vassal's end")
