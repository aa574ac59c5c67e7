# SPDX-License-Identifier: MIT
"""Starts servers, each in a folder of its own; whoever has started them ends them."""
import os
import tempfile

import pytest

from lib.server import Oracle, Server


def make_folder():
    """Short, because a UNIX socket's path is; open to all, because servers change their user."""
    path = tempfile.mkdtemp(prefix="uwsgi-t-")
    os.chmod(path, 0o755)
    return path


class Starter:
    """start(ini): a running server; start.not_yet(ini): the same, not started."""
    # With UWSGI_TEST_ORACLE=1 the suite runs against Debian's uWSGI: to test the tests.
    kind = Oracle if os.environ.get("UWSGI_TEST_ORACLE") else Server

    def __init__(self, things, folders):
        self.things, self.folders = things, folders

    def not_yet(self, ini="", **how):
        if "faults" in how and os.environ.get("UWSGI_SANITIZED"):
            pytest.skip("the sanitizers stand in front of the same calls")
        where = how.pop("folder", None)
        if not where:
            where = make_folder()
            self.folders.append(where)
        server = self.kind(where, ini, **how)
        self.things.append(server)
        return server

    def __call__(self, ini="", **how):
        return self.not_yet(ini, **how).start()


class OracleStarter(Starter):
    kind = Oracle
