# SPDX-License-Identifier: MIT
"""Servers of a few lines, for those that pass requests on to others."""
import contextlib
import socket
import struct
import threading


class Backend:
    """say(connection, seen, read) answers, in a thread of its own for each connection, which is closed
    behind it; seen is what read_head() returns, read(n) waits for n bytes more."""

    def __init__(self, address, say):
        self.say, self.seen = say, []
        host, _, port = address.rpartition(":")
        self.socket = socket.socket(socket.AF_INET if port.isdigit() else socket.AF_UNIX)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, int(port)) if port.isdigit() else address)
        self.socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        def read(n):
            return connection.recv(n, socket.MSG_WAITALL) if n else b""
        with connection, contextlib.suppress(OSError):
            self.say(connection, self.read_head(read), read)

    def end(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class UwsgiBackend(Backend):
    def read_head(self, read):
        modifier1, size, modifier2 = struct.unpack("<BHB", read(4))
        block, variables = read(size), []
        while block:
            pair = []
            for _ in range(2):
                n, = struct.unpack("<H", block[:2])
                pair.append(block[2:2 + n].decode("latin-1"))
                block = block[2 + n:]
            variables.append(tuple(pair))
        self.seen.append((modifier1, modifier2, dict(variables)))
        return dict(variables)


class HttpBackend(Backend):
    def read_head(self, read):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = read(1)
            if not byte:
                raise OSError("no head")
            head += byte
        self.seen.append(head.decode("latin-1"))
        return self.seen[-1]
