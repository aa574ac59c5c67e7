# SPDX-License-Identifier: MIT
"""Requests that run while a test looks at them."""
import os
import re
import tempfile
import threading

from . import http
from .wait import until


class Busy:
    """Clients that ask for the same again and again: with Busy(server, "/path") as busy: …"""

    def __init__(self, server, target, clients=1):
        self.server, self.target, self.stop, self.served = server, target, False, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def _run(self):
        while not self.stop:
            assert http.request(self.server.http, self.target).status == 200
            with self.lock:
                self.served += 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        try:
            until(lambda: self.served, "the first answer")
        except BaseException:
            self.stop = True        # nobody asks on behind a test that has failed
            raise
        return self

    def __exit__(self, *_):
        self.stop = True
        for t in self.threads:
            t.join()


class Held:
    """A request that runs until it is told to end, at an application with basic's /wait:
    with Held(server) as held: …  more: of the query; connection: in the place of one of its own."""

    def __init__(self, server, more="", connection=None):
        seen = len(server.log())
        self.fifo = tempfile.mktemp(dir=server.folder)
        os.mkfifo(self.fifo)
        self.connection = connection or http.Connection(server.http)
        self.connection.send(http.request_bytes(f"/wait?for={self.fifo}{more}"))
        self.pid = int(until(lambda: re.search(r"^waiting in (\d+)$", server.log()[seen:], re.M),
                             "the request to run")[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def end(self):
        release(self.fifo)
        return self.connection.read()


def release(fifo):
    """Lets the reader of the FIFO go on; waits for it where it has not opened the FIFO yet."""
    with open(fifo, "wb"):
        pass


def begin(server, target):
    """A request on a thread of its own, which may get no answer."""
    def run():
        try:
            http.request(server.http, target)
        except http.Closed:
            pass
    t = threading.Thread(target=run)
    t.start()
    return t


def let_go(fifo, thread):
    """Until the thread of begin() has ended: whoever opened the FIFO to read, or will, goes on."""
    while thread.is_alive():
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:
            pass  # nobody has it open
        thread.join(0.01)
