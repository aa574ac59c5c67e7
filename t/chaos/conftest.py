# SPDX-License-Identifier: MIT
"""A server with every protocol, nginx before it, and what must be as before when all is over."""
import os
import signal

import pytest

from lib import mixed, proc
from lib.wait import until


class Besieged:
    """A running server with its ways, and what it was like before anything was done to it."""

    def __init__(self, server, front, spool):
        self.server, self.front, self.spool = server, front, spool
        self.ways = {name: server.names[name] for name in mixed.PEERS}
        self.ways.update(front.names)
        self.roles = mixed.roles(server)
        self.descriptors = len(proc.open_files(server.pid))

    def load(self, **how):
        return mixed.Mixed(self.ways, **how)

    def is_whole(self):
        return mixed.roles(self.server) == self.roles and not mixed.zombies(self.server)

    def check(self, load):
        """Every process is back, no request was lost that was not in a killed process, and the
        master holds what it held before."""
        assert load.unexplained() == []
        until(self.is_whole, f"the processes {self.roles}")
        until(lambda: len(proc.open_files(self.server.pid)) <= self.descriptors,
              f"the master's {self.descriptors} descriptors")
        assert os.listdir(self.spool) == []

    def end(self):
        """Nothing is left behind, neither a socket nor a file."""
        self.front.end()  # whose kept connections would be waited for
        assert self.server.stop(signal.SIGTERM) == 0
        left = [n for n in os.listdir(self.server.folder) if n.endswith(".sock")]
        assert (left, os.listdir(self.spool)) == ([], [])


@pytest.fixture
def besiege(start, nginx, folder):
    """besiege(ini): a server with these lines besides lib/mixed.py's own."""
    def run(ini="", **how):
        spool = f"{folder}/spool"
        os.mkdir(spool)
        server = start(mixed.INI + ini, folder=folder, env={"TMPDIR": spool}, **how)
        return Besieged(server, mixed.front(nginx, server), spool)
    return run
