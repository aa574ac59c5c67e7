# SPDX-License-Identifier: MIT
"""A worker that dies, is killed or fails in the middle of an answer: its client must not take what it
has for the whole."""
import socket

import pytest

from lib import fastcgi, http
from lib.server import BASE_ENV

INI = """
http = {router}
http-socket = {http}
fastcgi-socket = {fastcgi}
module = broken
processes = 16
harakiri = 2
"""


class Asked:
    """A request whose answer has begun, so that no other waits in the same worker.  Those of several
    break off at the same time."""

    def __init__(self, server, way, target, version="1.1"):
        speak = fastcgi if way == "fastcgi" else http
        self.connection = speak.Connection(server.names[way])
        self.connection.send(speak.request_bytes(target, version=version))
        assert self.connection.socket.recv(1, socket.MSG_PEEK)

    def read(self):
        with self.connection:
            return self.connection.read()

    def is_reset(self):
        with self.connection, pytest.raises(ConnectionResetError):
            while self.connection.socket.recv(65536):
                pass
        return True


@pytest.mark.parametrize("how", ["raise", "kill", "segv", "exit", "hang"])
def test_half_an_answer_is_not_taken_for_a_whole_one(start, how):
    # A sanitizer would take the application's own SIGSEGV for the server's.
    server = start(INI, env={"ASAN_OPTIONS": BASE_ENV["ASAN_OPTIONS"] + ":handle_segv=0"})
    chunks = [(size, Asked(server, way, f"/{how}?blocks=3&size={size}"))
              for way in ("router", "http") for size in (10, 70000)]
    known = [Asked(server, way, f"/{how}?blocks=3&length=50") for way in ("router", "http")]
    old = Asked(server, "router", f"/{how}?blocks=3", "1.0")
    record = Asked(server, "fastcgi", f"/{how}?blocks=3")
    for size, asked in chunks:
        answer = asked.read()
        assert (answer.status, answer.complete, answer.body) == (200, False, b"x" * 3 * size)
    for asked in known:
        answer = asked.read()
        assert (answer.status, answer.complete, answer.body) == (200, False, b"x" * 30)
    assert old.is_reset()
    answer = record.read()
    assert answer.end is None and answer.body == b"x" * 30
    for way in "router", "http":
        assert http.request(server.names[way], "/?blocks=3&size=70000").complete
