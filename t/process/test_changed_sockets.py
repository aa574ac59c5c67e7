# SPDX-License-Identifier: MIT
"""A reload with other options for sockets that stay: they take effect, or a warning says that they
do not."""
import os
import pwd
import socket
import stat

import pytest

from lib import http

INI = "http-socket = {here}/s\nmodule = basic\n"


def reload(server, ini):
    server.write_ini(ini)
    assert server.hup(), server.log()


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_the_mode_of_a_unix_socket(start, folder):
    server = start(INI + "chmod-socket = 600\numask = 027\n", folder=folder)
    path = f"{folder}/s"
    for line, expected in (("chmod-socket = 666\n", 0o666), ("chmod-socket = 640\n", 0o640),
                           ("", 0o750)):
        reload(server, INI + line)
        assert mode(path) == expected
        assert http.request(path, "/hello").status == 200
    assert "warning: ch" not in server.log()


def test_what_was_changed_by_hand_stays(start, folder):
    server = start(INI + "chmod-socket = 600\n", folder=folder)
    os.chmod(f"{folder}/s", 0o622)
    reload(server, INI + "chmod-socket = 600\nprocesses = 2\n")
    assert mode(f"{folder}/s") == 0o622


def test_a_reload_that_is_given_up_changes_nothing(start, folder):
    server = start(INI + "chmod-socket = 600\n", folder=folder)
    server.write_ini("http-socket = {here}/s\nmodule = no_such_module\nchmod-socket = 666\n")
    assert not server.hup()
    assert mode(f"{folder}/s") == 0o600


def test_the_owner_of_a_unix_socket(as_root, start, folder):
    server = start(INI + "chown-socket = www-data\n", folder=folder)
    reload(server, INI + "chown-socket = daemon:daemon\n")
    found = os.lstat(f"{folder}/s")
    assert pwd.getpwuid(found.st_uid).pw_name == "daemon"
    reload(server, INI)
    server.wait_log("^warning: chown-socket: it was taken away; the socket .*/s stays as it is")


def test_without_the_right_to_it_that_is_said(as_root, start, folder):
    server = start(INI + "uid = www-data\n", folder=folder)
    reload(server, INI + "uid = www-data\nchmod-socket = 666\nchown-socket = www-data\n")
    server.wait_log("^warning: chmod-socket = 666: .*/s: Operation not permitted; the socket ")


@pytest.mark.parametrize("other", ["socket", "link", "nothing"])
def test_what_stands_in_its_place_is_not_touched(start, folder, other):
    server = start(INI + "chmod-socket = 600\n", folder=folder)
    path, victim = f"{folder}/s", f"{folder}/victim"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(victim)
    os.chmod(victim, 0o640)
    os.unlink(path)
    if other == "socket":
        os.rename(victim, path)
        victim = path
    elif other == "link":
        os.symlink(victim, path)
    reload(server, INI + "chmod-socket = 666\n")
    server.wait_log("^warning: .*/s.*; the socket .*/s stays as it is$")
    assert mode(victim) == 0o640


def backlog(listener):
    """Of a TCP socket that listens: tcpi_sacked of its TCP_INFO."""
    return int.from_bytes(listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)[28:32],
                          "little")


def test_options_of_the_kernel(as_root, start, master_socket):
    tcp = "http-socket = {http}\nmodule = basic\n"
    server = start(tcp + "listen = 11\ntcp-fast-open = 3\n")
    with master_socket(server, server.http) as s:
        assert backlog(s) == 11
        reload(server, tcp + "listen = 77\nso-keepalive = true\nsocket-sndbuf = 100k\n"
               "no-defer-accept = true\n")
        assert backlog(s) == 77
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 100 * 1024
        assert s.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT) == 0
        assert s.getsockopt(socket.IPPROTO_TCP, 23) == 0        # TCP_FASTOPEN
        assert "warning: " not in server.log().partition("reload: ")[2]
        reload(server, tcp + "reuse-port = true\n")
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0
    for option in ("reuse-port", "socket-sndbuf"):
        server.wait_log(f"^warning: {option}: the socket {server.http} stays as it is until the "
                        "server is started again")
