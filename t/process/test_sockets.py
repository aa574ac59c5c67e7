# SPDX-License-Identifier: MIT
"""Where the server listens, with what rights, and what it finds or leaves there."""
import os
import pwd
import socket
import stat
import subprocess

import pytest

from lib import fastcgi, http, scgi, uwsgi
from lib.address import HOST, accepts, free_port

ANY = {"http-socket": http, "http": http, "socket": uwsgi, "uwsgi-socket": uwsgi,
       "fastcgi-socket": fastcgi, "scgi-socket": scgi}


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@pytest.mark.parametrize("option", ANY)
@pytest.mark.parametrize("shape", ["tcp", "unix", "abstract", "ipv6", "port", "name"])
def test_every_protocol_listens_everywhere(start, folder, option, shape):
    port = free_port({"port": "0.0.0.0", "name": "127.0.0.1"}.get(shape, HOST))
    given = {"tcp": f"{HOST}:{port}", "unix": f"{folder}/s", "abstract": f"@t-{folder}",
             "ipv6": f"[::1]:{port}", "port": f":{port}", "name": f"localhost:{port}"}[shape]
    if shape == "ipv6" and not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("this kernel has no IPv6")
    server = start(f"{option} = {given}\nmodule = basic")
    address = f"127.0.0.1:{port}" if shape in ("port", "name") else given
    assert ANY[option].request(address, "/hello").body == b"hello\n", server.log()
    assert given.rsplit(":", 1)[-1] in server.log()


# What a command does, with another /etc/hosts.
OTHER_HOSTS = ["unshare", "--mount", "sh", "-c", 'mount --bind hosts /etc/hosts && exec "$@"', "sh"]


def test_a_name_with_an_ipv6_address_means_the_ipv4_one(as_root, start, folder):
    """As localhost on an ordinary Debian, whose resolver gives ::1 first."""
    with open(f"{folder}/hosts", "w", encoding="ascii") as f:
        f.write("::1 both.test\n127.0.0.1 both.test\n")
    if subprocess.run([*OTHER_HOSTS, "true"], cwd=folder, check=False).returncode:
        pytest.skip("needs mounts of its own")
    server = start.not_yet(f"http-socket = both.test:{free_port('127.0.0.1')}\nmodule = basic",
                           folder=folder)
    server.command = [*OTHER_HOSTS, *server.command]
    server.start()
    server.wait_log("http-socket listens on 127.0.0.1:")


def test_several_sockets_of_each_protocol(start):
    server = start("\n".join(f"{option} = {{{kind}{i}}}" for option, kind in
                             [("http-socket", "h"), ("socket", "u"), ("fastcgi-socket", "f")]
                             for i in range(3)) + "\nmodule = basic")
    for i in range(3):
        for kind, speak in (("h", http), ("u", uwsgi), ("f", fastcgi)):
            assert speak.request(server.names[f"{kind}{i}"], "/hello").body == b"hello\n"


def test_short_options_open_sockets(start, folder):
    server = start("module = basic", args=["-s", f"{folder}/s", "--http-socket",
                                           "{http}"])
    assert uwsgi.request(f"{folder}/s", "/hello").body == b"hello\n"
    assert http.request(server.http, "/hello").body == b"hello\n"


def test_a_stale_unix_socket_is_replaced(start, folder):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{folder}/s")
    start(f"http-socket = {folder}/s\nmodule = basic")
    assert http.request(f"{folder}/s", "/hello").status == 200


def test_a_live_unix_socket_is_refused(start, folder):
    start(f"http-socket = {folder}/s\nmodule = basic")
    second = start.not_yet(f"http-socket = {folder}/s\nmodule = basic")
    assert second.run() == 1
    second.wait_log(f"{folder}/s")
    second.wait_log("(?i)another server|in use|listening")
    assert http.request(f"{folder}/s", "/hello").status == 200


def test_a_live_tcp_address_is_refused(start):
    first = start("http-socket = {http}\nmodule = basic")
    second = start.not_yet(f"http-socket = {first.http}\nmodule = basic")
    assert second.run() == 1
    second.wait_log(first.http)
    second.wait_log("(?i)in use")


def test_a_file_that_is_no_socket_is_not_replaced(start, folder):
    with open(f"{folder}/s", "w", encoding="ascii") as f:
        f.write("precious")
    server = start.not_yet(f"socket = {folder}/s\nmodule = basic")
    assert server.run() == 1
    with open(f"{folder}/s", encoding="ascii") as f:
        assert f.read() == "precious"


@pytest.mark.parametrize("line, expected", [
    ("chmod-socket = 660", 0o660), ("chmod-socket = 777", 0o777), ("chmod-socket", 0o666),
    ("chmod-socket = 0640", 0o640), ("umask = 077", 0o700), ("umask = 0", 0o777)])
def test_rights_of_a_unix_socket(start, folder, line, expected):
    start(f"http-socket = {folder}/s\nmodule = basic\n{line}")
    assert mode(f"{folder}/s") == expected


@pytest.mark.parametrize("line, owner", [
    ("chown-socket = www-data", ("www-data", None)),
    ("chown-socket = www-data:daemon", ("www-data", "daemon")),
    ("chown-socket = 1234:2345", (1234, 2345)), ("chown-socket = :www-data", (0, "www-data"))])
def test_owner_of_a_unix_socket(as_root, start, folder, line, owner):
    import grp
    start(f"socket = {folder}/s\nmodule = basic\n{line}")
    found = os.stat(f"{folder}/s")
    user, group = owner
    assert found.st_uid == (user if isinstance(user, int) else pwd.getpwnam(user).pw_uid)
    if group is not None:
        assert found.st_gid == (group if isinstance(group, int) else grp.getgrnam(group).gr_gid)


@pytest.mark.parametrize("line", ["chown-socket = nobody-at-all", "chmod-socket = 999",
                                  "chmod-socket = rw", "umask = 8"])
def test_wrong_rights_are_an_error_at_start(start, folder, line):
    server = start.not_yet(f"socket = {folder}/s\nmodule = basic\n{line}")
    assert server.run() == 1
    server.wait_log(line.split()[0])


def test_listen_beyond_somaxconn_warns_and_goes_on(start):
    server = start("http-socket = {http}\nmodule = basic\nlisten = 1000000")
    server.wait_log(r"somaxconn")
    assert http.request(server.http, "/hello").status == 200


def backlog(address):
    import subprocess
    out = subprocess.run(["ss", "-Hltn", "src", address], capture_output=True, text=True,
                         check=False).stdout
    return int(out.split()[2])


@pytest.mark.skipif(not os.path.exists("/usr/bin/ss"), reason="needs ss (iproute2)")
@pytest.mark.parametrize("line, expected", [("listen = 77", 77), ("", None)])
def test_listen_is_the_length_of_the_queue(start, line, expected):
    server = start("http-socket = {http}\nmodule = basic\n" + line)
    with open("/proc/sys/net/core/somaxconn", encoding="ascii") as f:
        assert backlog(server.http) == (expected or int(f.read()))


def test_vacuum_removes_sockets_and_pidfile(start, folder):
    server = start("socket = {here}/s\nhttp-socket = {here}/h\nmodule = basic\nvacuum = true\n"
                   "pidfile = {here}/pid", folder=folder)
    assert os.path.exists(f"{folder}/s") and os.path.exists(f"{folder}/pid")
    assert server.stop() == 0
    assert not [n for n in ("s", "h", "pid") if os.path.exists(f"{folder}/{n}")]


def test_without_vacuum_the_next_start_works_all_the_same(start, folder):
    for _ in range(2):
        server = start("http-socket = {here}/s\nmodule = basic\npidfile = {here}/pid",
                       folder=folder)
        assert http.request(f"{folder}/s", "/hello").status == 200
        server.stop()


def test_vacuum_leaves_a_socket_that_another_server_has_taken(start, folder):
    first = start("http-socket = {here}/s\nmodule = basic\nvacuum = true", folder=folder)
    os.unlink(f"{folder}/s")
    start("http-socket = " + folder + "/s\nmodule = basic")
    first.stop()
    assert accepts(f"{folder}/s")


def test_a_path_too_long_for_a_socket_is_said(start):
    server = start.not_yet("socket = {here}/" + "x" * 120 + "\nmodule = basic")
    assert server.run() == 1
    server.wait_log("(?i)108|107|long|bytes")


def test_sockets_are_named_in_the_log(start, folder):
    server = start("http-socket = {http}\nsocket = {here}/s\nmodule = basic", folder=folder)
    server.wait_log(server.http)
    server.wait_log(f"{folder}/s")
