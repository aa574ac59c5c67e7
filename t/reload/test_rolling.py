# SPDX-License-Identifier: MIT
"""Rolling restarts behind load balancers: no request fails, though none may be sent again."""
import os
import signal

import pytest

from lib import http, rolling
from lib.address import free_address
from lib.starter import make_folder
from lib.wait import until


@pytest.fixture
def pair(start, nginx, folders, started):
    if not os.path.exists(rolling.PROGRAM):
        pytest.skip("haproxy is not installed")

    def run(delay_s):
        instances = [start(rolling.INI % delay_s) for _ in range(2)]
        folders.append(make_folder())
        started.append(rolling.haproxy(folders[-1], instances))
        haproxy, front = started[-1], free_address()
        nginx(rolling.nginx_text(instances, front), others={"http": front})
        return rolling.Rolling(instances, haproxy, [haproxy.http, front])
    return run


@pytest.mark.parametrize("delay_s", [0, rolling.DELAY_S])
def test_no_request_fails(pair, delay_s):
    assert pair(delay_s).restart_all(1) == []


SOCAT = """#!/usr/bin/python3
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.connect(sys.argv[2].partition(":")[2])
    s.sendall(sys.stdin.buffer.read())
    sys.stdout.buffer.write(b"".join(iter(lambda: s.recv(4096), b"")))
"""


def told(instance, admin):
    """The lines of the page, with the test's path and a socat, which need not be installed."""
    path = f"{instance.folder}/socat"
    with open(path, "w", encoding="ascii") as f:
        f.write(SOCAT)
    os.chmod(path, 0o755)
    lines = rolling.snippet("HAProxy", 1).replace("/run/haproxy/admin.sock", admin)
    instance.write_ini(rolling.INI % 0 + lines.replace("socat", path) + "\n")


def test_haproxy_is_told(pair):
    rolled = pair(0)
    first = rolled.instances[0]
    told(first, rolled.haproxy.admin)
    assert first.hup()
    rolled.wait_up()
    with http.Connection(first.http) as held:
        data = http.request_bytes("/echo", "POST", body=b"0123456789")
        held.send(data[:-1])
        assert http.request(first.http, "/hello").status == 200
        first.send(signal.SIGTERM)
        until(lambda: "app/one enters drain state" in rolled.haproxy.log(), "HAProxy to know")
        held.send(data[-1:])
        assert held.read().status == 200
    assert first.wait() == 0
    rolled.start_again(first)
