# SPDX-License-Identifier: MIT
"""A master that stays root believes no pid that its children name: the application runs in them."""

import pytest

from lib import http, proc


@pytest.mark.parametrize("more", ["master-as-root = true\n", "drop-after-apps = true\n", ""])
def test_no_stranger_is_killed(as_root, start, stranger, more):
    server = start("http-socket = {http}\nmodule = forger\nuid = www-data\nprocesses = 2\n" + more,
                   env={"VICTIM": str(stranger.pid)})
    server.wait_log("^forged on [1-9]")
    assert http.request(server.http, "/").body == b"served\n"
    assert proc.alive(stranger.pid)
    server.stop()
    assert proc.alive(stranger.pid)
