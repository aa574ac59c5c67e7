# SPDX-License-Identifier: MIT
"""Addresses for servers under test.  Each test run has a loopback address of its own, so that
runs beside each other never meet."""
import os
import socket

HOST = f"127.{(os.getpid() >> 14) % 250 + 2}.{(os.getpid() >> 7) % 128}.{os.getpid() % 127 + 1}"
_given = set()


def free_port(host=HOST):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        with socket.socket(family) as s:
            s.bind((host, 0))
            port = s.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def free_address():
    return f"{HOST}:{free_port()}"


def connect(address, timeout=10, receive_buffer=None):
    """A connected socket; address is host:port, [ipv6]:port, /path or @abstract."""
    if address[0] in "/@":
        s = socket.socket(socket.AF_UNIX)
        target = "\0" + address[1:] if address[0] == "@" else address
    else:
        host, port = address.rsplit(":", 1)
        s = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
        target = (host.strip("[]") or "127.0.0.1", int(port))
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(timeout)
    try:
        s.connect(target)
    except OSError:
        s.close()
        raise
    return s


def accepts(address):
    try:
        connect(address, timeout=1).close()
        return True
    except OSError:
        return False
