# SPDX-License-Identifier: MIT
"""A master that does nothing, as /live of health sees it."""
import os
import signal

from lib import http
from lib.wait import until


def test_a_master_that_stands_still_is_not_alive(start):
    server = start("http-socket = {http}\nhealth = {health}\nmodule = basic\n")

    def live():
        return http.request(server.health, "/live")
    assert live().status == 200
    os.kill(server.pid, signal.SIGSTOP)
    try:
        until(lambda: live().status == 503, "the probe to fail", 20)
        assert live().body.startswith(b"the master has done nothing for 1")
        assert http.request(server.http, "/hello").status == 200
    finally:
        os.kill(server.pid, signal.SIGCONT)
    # Nothing happens but that a second is over.
    until(lambda: live().status == 200, "it to be alive again")
