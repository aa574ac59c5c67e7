# SPDX-License-Identifier: MIT
"""Addresses for servers under test.  Each test run has a loopback address of its own, so that
runs beside each other never meet."""
import errno
import os
import random
import socket
import sys

HOST = f"127.{(os.getpid() >> 14) % 250 + 2}.{(os.getpid() >> 7) % 128}.{os.getpid() % 128 + 1}"
_given = set()


def _never_given():
    """Ports that the kernel chooses for nobody: not for a bind() to port 0, as free_port() does on a
    test run's own address, and not for a client's connect()."""
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
        first, last = map(int, f.read().split())
    return [*range(10000, first), *range(last + 1, 65536)]


def free_port(host=HOST):
    """Where the address is not this test run's alone, such as 0.0.0.0, no other server has the port,
    nor gets it before this one binds it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    others = _never_given() if host != HOST else []
    while True:
        with socket.socket(family) as s:
            try:
                s.bind((host, random.choice(others) if others else 0))
            except OSError as e:
                if e.errno == errno.EADDRINUSE:
                    continue
                raise
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


def refuses(address):
    """A connection that is reset came while the socket was being closed."""
    try:
        connect(address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


def accepts(address):
    try:
        connect(address, timeout=1).close()
        return True
    except OSError:
        return False


def _in_hexadecimal(address):
    host, port = address
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"


def unread(s):
    """How many bytes of this TCP connection the peer, a process of this machine, has not read yet;
    None: the peer has no such connection."""
    ends = [_in_hexadecimal(s.getpeername()), _in_hexadecimal(s.getsockname())]
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f:
            row = line.split()
            if row[1:3] == ends:
                return int(row[4].partition(":")[2], 16)
    return None
