# SPDX-License-Identifier: MIT
"""Fixtures of the tests of processes."""
import ctypes
import os
import socket

import pytest


@pytest.fixture
def master_socket():
    """master_socket(server, "host:port"): a duplicate of the master's, by pidfd_getfd()."""
    def find(server, address):
        host, _, port = address.rpartition(":")
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = os.pidfd_open(server.pid)
        try:
            for fd in os.listdir(f"/proc/{server.pid}/fd"):
                copy = libc.syscall(438, pidfd, int(fd), 0)
                if copy < 0:
                    continue
                try:
                    s = socket.socket(fileno=copy)
                    if s.getsockname() == (host, int(port)):
                        return s
                except OSError:
                    os.close(copy)
        finally:
            os.close(pidfd)
        raise AssertionError(f"nobody listens on {address}")
    return find
