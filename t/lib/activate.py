# SPDX-License-Identifier: MIT
"""A program that starts another one as systemd does for a .socket unit: opens the sockets, passes
them on from descriptor 3, and says so in the environment.

    activate.py ADDRESS … -- COMMAND …        udp:ADDRESS is a datagram socket"""
import os
import socket
import sys

FIRST = 3


def listen(address):
    kind = socket.SOCK_DGRAM if address.startswith("udp:") else socket.SOCK_STREAM
    address = address.removeprefix("udp:")
    if address[0] in "/@":
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind("\0" + address[1:] if address[0] == "@" else address)
    else:
        host, port = address.rsplit(":", 1)
        s = socket.socket(socket.AF_INET6 if host[0] == "[" else socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, host[0] == "[")
        s.bind((host.strip("[]"), int(port)))
    if kind == socket.SOCK_STREAM:
        s.listen(100)
    return s


def main():
    end = sys.argv.index("--")
    sockets = [listen(a) for a in sys.argv[1:end]]
    # Out of the way first: one may have the place of another.  Python closes the rest by exec.
    high = [os.dup2(s.fileno(), 100 + i, inheritable=False) for i, s in enumerate(sockets)]
    for i, fd in enumerate(high):
        os.dup2(fd, FIRST + i)
    os.environ.update(LISTEN_FDS=str(len(sockets)), LISTEN_FDNAMES=":".join("x" for _ in sockets))
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
    os.execv(sys.argv[end + 1], sys.argv[end + 1:])


if __name__ == "__main__":
    main()
