# SPDX-License-Identifier: MIT
"""A service manager: the other end of NOTIFY_SOCKET."""
import contextlib
import os
import socket


def is_news(message):
    """Whether it is more than the line on what the server does, which it says every 10 seconds: a slow
    test hears one of these at any time.  One for the watchdog is asked for by the test."""
    return b" busy, " not in message or b"WATCHDOG=" in message


class Manager:
    """Listens on a path or an @abstract name."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind("\0" + name[1:] if name[0] == "@" else name)
        if name[0] == "/":
            os.chmod(name, 0o777)
        self.socket.settimeout(20)
        self.sender = None

    def read(self):
        """{name: value} of the next message."""
        while True:
            data, control, _, _ = self.socket.recvmsg(4096, 1024)
            if is_news(data):
                break
        self.sender = int.from_bytes(control[0][2][:4], "little")
        return dict(line.split("=", 1) for line in data.decode().splitlines())

    def until(self, name):
        """The first message that says this; a STATUS may come at any time."""
        while name not in (said := self.read()):
            pass
        return said

    def until_ready(self):
        return self.until("READY")

    def unread(self):
        """What has come by now: all names in it."""
        names = set()
        self.socket.settimeout(0)
        try:
            while True:
                names.update(self.read())
        except BlockingIOError:
            return names
        finally:
            self.socket.settimeout(20)

    def fill(self):
        """Until nobody can tell it more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, \
                contextlib.suppress(BlockingIOError):
            s.setblocking(False)
            while True:
                s.sendto(b"OTHER=1", self.socket.getsockname())

    def silent(self):
        self.socket.settimeout(0)
        try:
            while not is_news(self.socket.recv(4096)):
                pass
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(20)
        return False

    def close(self):
        self.socket.close()
