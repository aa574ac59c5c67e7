# SPDX-License-Identifier: MIT
"""What an application notices of a client that goes away, by the options of uWSGI."""
import os
import pathlib
import re
import socket
import struct

import pytest

from lib import http
from lib.address import connect

INI = "http-socket = {http}\nmodule = gone\n"
QUIET = "ignore-sigpipe = true\nignore-write-errors = true\ndisable-write-exception = true\n"


@pytest.fixture(params=["ours", "uWSGI"])
def both(request):
    return request.getfixturevalue("start" if request.param == "ours" else "start_oracle")


def go_away_from(server, path):
    """Resets the connection once the response has begun; the application waits for that."""
    gone = pathlib.Path(server.folder, "gone")
    gone.unlink(missing_ok=True)
    with connect(server.http) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        client.recv(1000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.touch()


@pytest.mark.parametrize("lines", ["", QUIET])
def test_an_iterable_is_closed(both, lines):
    server = both(INI + lines)
    go_away_from(server, "/iterate")
    assert int(server.wait_log(r"^made (\d+) blocks$")[1]) < 30
    assert http.request(server.http, "/").status == 200


def test_nothing_is_said_of_it(start):
    server = start(INI)
    go_away_from(server, "/iterate")
    server.wait_log(r"^made \d+ blocks$")
    go_away_from(server, "/write?raise")
    server.wait_log(r"^raised after \d+ blocks$")
    server.wait_log("GET /write")
    assert not re.search("(?i)error|exception|traceback", server.log())


@pytest.mark.parametrize("lines, said", [
    ("", r"raised after [12]?\d blocks"),
    (QUIET, "wrote 30 blocks"),
    ("write-errors-exception-only = true\n", r"raised after [12]?\d blocks")])
def test_write(both, lines, said):
    server = both(INI + lines)
    go_away_from(server, "/write")
    server.wait_log(rf"^{said}$")


def test_an_iterable_is_taken_to_its_end(start):
    """uWSGI's exception comes out of whatever the application calls next."""
    server = start(INI + "write-errors-exception-only = true\n")
    go_away_from(server, "/iterate")
    server.wait_log("^made 30 blocks$")


@pytest.mark.parametrize("path, said", [("/iterate", "made"), ("/write", "raised after")])
def test_some_blocks_more_are_taken(start, path, said):
    counts = []
    for tolerance in (0, 5):
        server = start(INI + f"write-errors-tolerance = {tolerance}\n")
        go_away_from(server, path)
        counts.append(int(server.wait_log(rf"^{said} (\d+) blocks$")[1]))
    assert 3 <= counts[1] - counts[0] <= 7


def test_blocks_for_nobody_are_given_back(start):
    """They are not kept until the iterable ends."""
    if os.environ.get("UWSGI_SANITIZED"):
        pytest.skip("sanitizers keep what is freed")
    server = start(INI + "write-errors-exception-only = true\n")
    go_away_from(server, "/iterate")
    server.wait_log("^made 30 blocks$")
    assert int(server.wait_log(r"^holding (\d+) MB$")[1]) < 24
